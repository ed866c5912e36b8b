#if MuJoCo
  import CMuJoCo

  /// A named element of a model, with which the accessors of `Simulation` look it up.
  enum Element: Hashable, Sendable, CustomStringConvertible {
    case body(String)
    case geom(String)
    case site(String)
    case joint(String)
    case sensor(String)

    var name: String {
      switch self {
      case .body(let name), .geom(let name), .site(let name), .joint(let name), .sensor(let name): name
      }
    }

    var kind: mjtObj {
      switch self {
      case .body: mjOBJ_BODY
      case .geom: mjOBJ_GEOM
      case .site: mjOBJ_SITE
      case .joint: mjOBJ_JOINT
      case .sensor: mjOBJ_SENSOR
      }
    }

    var description: String {
      switch self {
      case .body(let name): "body '\(name)'"
      case .geom(let name): "geom '\(name)'"
      case .site(let name): "site '\(name)'"
      case .joint(let name): "joint '\(name)'"
      case .sensor(let name): "sensor '\(name)'"
      }
    }
  }

  /// The axes of a frame, unit vectors in world coordinates.
  struct Frame: Sendable, Hashable {
    var x: SIMD3<Double>
    var y: SIMD3<Double>
    var z: SIMD3<Double>

    /// Returns a world vector in the coordinates of the frame.
    func local(_ v: SIMD3<Double>) -> SIMD3<Double> { SIMD3((v * x).sum(), (v * y).sum(), (v * z).sum()) }
  }

  /// A joint: its kind, and the index of its first value in the positions.
  struct Joint: Sendable {
    enum Kind: Sendable {
      /// A hinge or a slide within a range.
      case limited(ClosedRange<Double>)
      case hinge
      case slide
      case ball
      case free
    }
    let kind: Kind
    let address: Int
  }

  extension Frame {
    /// Reads the matrix with the given index: nine numbers in row-major order, as MuJoCo stores them.
    init(rows base: UnsafeMutablePointer<Double>, _ index: Int) {
      let m = unsafe base + 9 * index
      unsafe self.init(x: SIMD3(m[0], m[3], m[6]), y: SIMD3(m[1], m[4], m[7]), z: SIMD3(m[2], m[5], m[8]))
    }
  }

  /// A number of the model that a task draws for each episode, such as a coordinate of the target. It is part of the
  /// state.
  struct Placement: Hashable, Sendable {
    let element: Element
    /// The axis of the position, or the component w, x, y, z of the rotation.
    let axis: Int
    let isRotation: Bool

    static func position(_ element: Element, _ axis: Int) -> Placement {
      Placement(element: element, axis: axis, isRotation: false)
    }
    static func rotation(_ element: Element, _ axis: Int) -> Placement {
      Placement(element: element, axis: axis, isRotation: true)
    }

    var name: String { "\(element.name)-\(isRotation ? ["qw", "qx", "qy", "qz"][axis] : ["x", "y", "z"][axis])" }
  }
#endif
