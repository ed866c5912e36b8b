#if MuJoCo
  import CMuJoCo
  import Pixels

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  // A simple drawing of a scene: one flat colour per moving body with a dark outline, far parts first, no light or
  // shadow, and nothing thinner than three pixels.

  extension Canvas {
    /// Draws the view of a camera of the model into every pixel.
    ///
    /// - Parameter distraction: What distracts from the scene, for a canvas without a distraction of its own.
    mutating func draw(_ simulation: Simulation, camera: Int, _ distraction: Distraction?) {
      let camera = SketchCamera(simulation, camera, distraction)
      func seen(_ color: Color) -> Color { distraction?.color(color) ?? color }
      view(center: Point(0, 0), height: 2 * camera.slope)
      minimumWidth = 3
      fill(seen(Color(62, 84, 112)))
      let geoms = simulation.visibleGeoms.map { $0.colored(seen) }
      for geom in geoms where geom.shape == .plane { drawPlane(geom, camera) }
      if let background = distraction?.background { cover(with: background) }
      let outline = 2 * camera.slope / Double(height)
      let parts = geoms.filter { $0.shape != .plane } + simulation.visibleSites.map { $0.colored(seen) }
      let ordered = parts.map { (camera.depth(of: $0.center), $0) }.sorted { $0.0 > $1.0 }
      for strand in simulation.tendonPaths {
        for (a, b) in zip(strand, strand.dropFirst()) where camera.sees(a) && camera.sees(b) {
          line(from: camera.point(a), to: camera.point(b), width: 0, seen(Color(gray: 200)), cap: .round)
        }
      }
      for (depth, part) in ordered where depth > SketchCamera.nearest {
        opacity = part.opacity
        let least = part.isMark ? 0 : 1.5 * outline
        draw(part, camera, grown: outline, least: least, part.color.mixed(with: .black, fraction: 0.55))
        draw(part, camera, grown: 0, least: least, part.color)
      }
      opacity = 1
    }

    private mutating func draw(_ part: Part, _ camera: SketchCamera, grown: Double, least: Double, _ color: Color) {
      let scale = 1 / camera.depth(of: part.center)
      switch part.shape {
      case .sphere: circle(center: camera.point(part.center), radius: max(part.size.x * scale, least) + grown, color)
      case .capsule:
        let half = part.frame.z * part.size.y
        guard camera.sees(part.center - half), camera.sees(part.center + half) else { return }
        capsule(
          from: camera.point(part.center - half), to: camera.point(part.center + half),
          radius: max(part.size.x * scale, least) + grown, color)
      case .ellipsoid:
        // The silhouette of a small ellipsoid is an ellipse. Its covariance sums over the projected axes.
        let axes = [part.frame.x * part.size.x, part.frame.y * part.size.y, part.frame.z * part.size.z]
        let projections = axes.map { camera.frame.local($0) * scale }
        let xx = projections.map { $0.x * $0.x }.reduce(1e-12, +)
        let xy = projections.map { $0.x * $0.y }.reduce(0, +)
        let yy = projections.map { $0.y * $0.y }.reduce(1e-12, +)
        let (a, b) = (xx.squareRoot(), xy / xx.squareRoot())
        let c = max(yy - b * b, 0).squareRoot()
        let middle = camera.point(part.center)
        polygon(
          (0..<20).map { step in
            let (u, v) = (cos(Double(step) * .pi / 10), sin(Double(step) * .pi / 10))
            let (x, y) = (a * u, b * u + c * v)
            let stretch = 1 + grown / max((x * x + y * y).squareRoot(), 1e-9)
            return Point(middle.x + x * stretch, middle.y + y * stretch)
          }, color)
      case .solid:
        let corners = part.corners
        guard corners.allSatisfy(camera.sees) else { return }
        let outline = convexHull(corners.map(camera.point))
        polygon(outline, color)
        if grown > 0, let last = outline.last {
          for (a, b) in zip([last] + outline, outline) { line(from: a, to: b, width: 2 * grown, color, cap: .round) }
        }
      case .plane: break
      }
    }

    /// Draws the part of a plane near the camera, in squares if its material has a pattern.
    private mutating func drawPlane(_ plane: Part, _ camera: SketchCamera) {
      let viewpoint = plane.frame.local(camera.position - plane.center)
      guard viewpoint.z > 0 else { return }
      // A wide frame shows more of it to the sides.
      let reach = 8 * max(1, Double(width) / Double(height))
      func range(_ size: Double, _ at: Double) -> ClosedRange<Double> {
        let size = size > 0 ? size : 1000
        let low = max(-size, min(at - reach, size))
        return low...max(low, min(size, at + reach))
      }
      let (x, y) = (range(plane.size.x, viewpoint.x), range(plane.size.y, viewpoint.y))
      func quad(_ x: ClosedRange<Double>, _ y: ClosedRange<Double>, _ color: Color) {
        let corners = [
          (x.lowerBound, y.lowerBound), (x.upperBound, y.lowerBound), (x.upperBound, y.upperBound),
          (x.lowerBound, y.upperBound),
        ]
        let points = corners.map { plane.center + plane.frame.x * $0.0 + plane.frame.y * $0.1 }
        polygon(camera.clipped(points).map(camera.point), color)
      }
      quad(x, y, plane.color)
      guard let other = plane.secondColor else { return }
      let edge = plane.square
      for column in Int((x.lowerBound / edge).rounded(.down))..<Int((x.upperBound / edge).rounded(.up)) {
        for row in Int((y.lowerBound / edge).rounded(.down))..<Int((y.upperBound / edge).rounded(.up)) {
          guard (column + row) % 2 == 0 else { continue }
          let across = (Double(column) * edge...Double(column + 1) * edge).clamped(to: x)
          let along = (Double(row) * edge...Double(row + 1) * edge).clamped(to: y)
          quad(across, along, other)
        }
      }
    }
  }

  /// A camera in the world. It looks along its negative z axis. Its y axis points up.
  private struct SketchCamera {
    static let nearest = 0.01
    let position: SIMD3<Double>
    let frame: Frame
    /// Half the view's height at distance 1.
    let slope: Double

    init(_ simulation: Simulation, _ camera: Int, _ distraction: Distraction?) {
      let origin = unsafe simulation.data.pointee.cam_xpos + 3 * camera
      let axes = unsafe Frame(rows: simulation.data.pointee.cam_xmat, camera)
      var pose = unsafe CameraPose(position: SIMD3(origin[0], origin[1], origin[2]), forward: -axes.z, up: axes.y)
      simulation.move(&pose, distraction)
      position = pose.position
      frame = distraction?.camera == nil ? axes : Frame(x: pose.right, y: pose.up, z: -pose.forward)
      slope = unsafe tan(simulation.model.pointee.cam_fovy[camera] / 2 * .pi / 180)
    }

    func depth(of point: SIMD3<Double>) -> Double { -((point - position) * frame.z).sum() }
    func sees(_ point: SIMD3<Double>) -> Bool { depth(of: point) > Self.nearest }

    /// Projects a point to the image plane at distance 1.
    func point(_ point: SIMD3<Double>) -> Point {
      let local = frame.local(point - position)
      let depth = max(-local.z, Self.nearest)
      return Point(local.x / depth, local.y / depth)
    }

    /// Returns the part of a polygon in front of the camera (Sutherland and Hodgman 1974).
    func clipped(_ points: [SIMD3<Double>]) -> [SIMD3<Double>] {
      var kept: [SIMD3<Double>] = []
      for (index, b) in points.enumerated() {
        let a = points[(index + points.count - 1) % points.count]
        let (before, after) = (depth(of: a) - 0.05, depth(of: b) - 0.05)
        if (before > 0) != (after > 0) { kept.append(a + (b - a) * (before / (before - after))) }
        if after > 0 { kept.append(b) }
      }
      return kept
    }
  }

  /// A visible geom or site.
  private struct Part {
    enum Shape { case plane, sphere, capsule, ellipsoid, solid }
    let shape: Shape
    let center: SIMD3<Double>
    let frame: Frame
    let size: SIMD3<Double>
    var color: Color
    let opacity: Double
    var secondColor: Color?
    /// The side length of a pattern's squares in metres.
    var square = 0.5
    let isRound: Bool
    /// A site, which is only a mark on a body.
    var isMark = false

    init(
      type: Int32, center: SIMD3<Double>, frame: Frame, size: SIMD3<Double>, color: Color, opacity: Double
    ) {
      self.center = center
      self.frame = frame
      self.size = size
      self.color = color
      self.opacity = opacity
      isRound = type == Int32(mjGEOM_CYLINDER.rawValue)
      shape =
        switch UInt32(bitPattern: type) {
        case mjGEOM_PLANE.rawValue: .plane
        case mjGEOM_SPHERE.rawValue: .sphere
        case mjGEOM_CAPSULE.rawValue: .capsule
        case mjGEOM_ELLIPSOID.rawValue: .ellipsoid
        default: .solid
        }
    }

    /// Returns the part in other colours.
    func colored(_ seen: (Color) -> Color) -> Part {
      var part = self
      (part.color, part.secondColor) = (seen(color), secondColor.map(seen))
      return part
    }

    /// The points whose convex hull is the box or cylinder.
    var corners: [SIMD3<Double>] {
      let around: [(Double, Double)] =
        isRound
        ? (0..<12).map { (size.x * cos(Double($0) * .pi / 6), size.x * sin(Double($0) * .pi / 6)) }
        : [(size.x, size.y), (-size.x, size.y), (-size.x, -size.y), (size.x, -size.y)]
      let height = isRound ? size.y : size.z
      return [-height, height].flatMap { z in around.map { center + frame.x * $0.0 + frame.y * $0.1 + frame.z * z } }
    }
  }

  extension Simulation {
    fileprivate var visibleGeoms: [Part] {
      (0..<(unsafe Int(model.pointee.ngeom))).compactMap { index in
        guard unsafe model.pointee.geom_group[index] < 3,
          unsafe model.pointee.geom_type[index] != Int32(mjGEOM_HFIELD.rawValue),
          unsafe model.pointee.geom_type[index] != Int32(mjGEOM_MESH.rawValue)
        else { return nil }
        let material = unsafe Int(model.pointee.geom_matid[index])
        guard let (color, opacity) = unsafe appearance(model.pointee.geom_rgba + 4 * index, material) else {
          return nil
        }
        var part = unsafe Part(
          type: model.pointee.geom_type[index], center: vector(data.pointee.geom_xpos, index),
          frame: Frame(rows: data.pointee.geom_xmat, index),
          size: vector(model.pointee.geom_size, index), color: color, opacity: opacity)
        let body = unsafe Int(model.pointee.geom_bodyid[index])
        if body > 0 { part.color = bodyColors[(body - 1) % bodyColors.count] }
        if material >= 0, unsafe shim_texture(model, Int32(material)) >= 0, part.shape == .plane {
          part.secondColor = texel(ofMaterial: material, 0.75)
          part.square = unsafe 0.5 / Double(model.pointee.mat_texrepeat[2 * material])
        }
        return part
      }
    }

    fileprivate var visibleSites: [Part] {
      (0..<(unsafe Int(model.pointee.nsite))).compactMap { index in
        guard unsafe model.pointee.site_group[index] < 3,
          let (color, opacity) = unsafe appearance(
            model.pointee.site_rgba + 4 * index, Int(model.pointee.site_matid[index]))
        else { return nil }
        var mark = unsafe Part(
          type: model.pointee.site_type[index], center: vector(data.pointee.site_xpos, index),
          frame: Frame(rows: data.pointee.site_xmat, index),
          size: vector(model.pointee.site_size, index), color: color, opacity: opacity)
        mark.isMark = true
        return mark
      }
    }

    /// Returns the colour and opacity of a part: its own, or those of its material if it has the default gray. Returns
    /// nil if the part is invisible.
    private func appearance(_ rgba: UnsafeMutablePointer<Float>, _ material: Int) -> (Color, Double)? {
      guard unsafe rgba[3] > 0 else { return nil }
      let isPlain = unsafe rgba[0] == 0.5 && rgba[1] == 0.5 && rgba[2] == 0.5 && rgba[3] == 1
      let isOpaque = unsafe rgba[3] == 1
      guard material >= 0, isPlain || isOpaque else { return unsafe (Color(rgba), Double(rgba[3])) }
      let shade = unsafe model.pointee.mat_rgba + 4 * material
      guard unsafe shade[3] > 0 else { return nil }
      if unsafe shim_texture(model, Int32(material)) >= 0 {
        return (texel(ofMaterial: material, 0.25), unsafe Double(shade[3]))
      }
      return unsafe (Color(shade), Double(shade[3]))
    }

    /// Returns the colour of a material's texture at the fraction `part` of a line through its upper half.
    private func texel(ofMaterial material: Int, _ part: Double) -> Color {
      let texture = unsafe TexturePixels(model, Int(shim_texture(model, Int32(material))))
      let (red, green, blue) = texture[texture.height / 4 * texture.width + Int(part * Double(texture.width))]
      return Color(red, green, blue)
    }

    /// The points on the path of each spatial tendon.
    fileprivate var tendonPaths: [[SIMD3<Double>]] {
      return (0..<(unsafe Int(model.pointee.ntendon))).map { tendon in
        let (start, count) = unsafe (Int(data.pointee.ten_wrapadr[tendon]), Int(data.pointee.ten_wrapnum[tendon]))
        return (start..<start + count).map { unsafe vector(data.pointee.wrap_xpos, $0) }
      }
    }
  }

  extension Color {
    fileprivate init(_ rgba: UnsafeMutablePointer<Float>) {
      func level(_ x: Float) -> UInt8 { UInt8(min(max(x, 0), 1) * 255) }
      unsafe self.init(level(rgba[0]), level(rgba[1]), level(rgba[2]))
    }
  }

  /// Neighbouring colours are far apart, so that adjacent parts are easy to distinguish.
  private let bodyColors: [Color] = [
    Color(242, 204, 60), Color(214, 56, 46), Color(62, 190, 92), Color(170, 96, 220), Color(237, 139, 34),
    Color(64, 200, 220), Color(240, 120, 180), Color(200, 200, 200),
  ]

  /// Returns the corners of the convex hull of points, counterclockwise (Andrew 1979).
  private func convexHull(_ points: [Point]) -> [Point] {
    let sorted = points.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
    func chain(_ points: [Point]) -> [Point] {
      var kept: [Point] = []
      for p in points {
        while kept.count > 1 {
          let (a, b) = (kept[kept.count - 2], kept[kept.count - 1])
          if (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) > 0 { break }
          kept.removeLast()
        }
        kept.append(p)
      }
      return kept.dropLast()
    }
    return chain(sorted) + chain(sorted.reversed())
  }
#endif
