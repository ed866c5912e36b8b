import Pixels

/// What a camera that stands still sees of the parts that never move. A picture starts from it, and follows rays only where
/// moving parts, their shadows or their mirror images can be; it is the same to the bit as one that starts from nothing.
struct Backdrop: Sendable {
  /// What a packet of a new picture has to find out.
  enum Touch: UInt8, Comparable {
    case nothing
    /// Which pixels a moving part covers; the others are as they were.
    case cover
    /// All, though what the fixed parts hide of each other is known.
    case light

    static func < (a: Touch, b: Touch) -> Bool { a.rawValue < b.rawValue }
  }

  /// All that its pixels depend on.
  private struct Origin: Sendable, Equatable {
    let camera: Camera
    let lights: [Light]
    let sky: Texture?
    /// Those that are fixed; nil for the others.
    let parts: [Part?]
    /// The scene's numbers of the opaque parts, as the tracer has them.
    let order: [Int]
    let quality: SceneQuality
    let format: PixelFormat

    init(_ scene: Scene, _ tracer: Tracer, _ format: PixelFormat) {
      camera = scene.camera
      lights = scene.lights
      sky = scene.sky
      parts = scene.parts.map { $0.isFixed ? $0 : nil }
      order = tracer.parts[..<tracer.opaqueCount].map(\.number)
      quality = tracer.quality
      self.format = format
    }
  }

  private let origin: Origin
  private let across: Int
  /// Before its edges are smoothed.
  let picture: TracedPicture
  let frame: PixelBuffer
  let edges: [SmoothedEdge]

  init(_ scene: Scene, _ tracer: Tracer, _ sky: [LaneVectors], like frame: PixelBuffer) {
    origin = Origin(scene, tracer, frame.format)
    let emptied = Tracer(scene, tracer.quality, width: frame.width, height: frame.height, isEmptied: true)
    var picture = TracedPicture(width: frame.width, height: frame.height, keepsHits: true)
    var frame = frame
    picture.trace(emptied, sky, into: &frame)
    edges = picture.smoothedEdges(emptied, sky, frame)
    across = picture.across
    self.picture = picture
    self.frame = frame
  }

  /// Whether a scene's picture can start from here.
  func serves(_ scene: Scene, _ tracer: Tracer, _ frame: PixelBuffer) -> Bool {
    self.frame.width == frame.width && self.frame.height == frame.height
      && origin == Origin(scene, tracer, frame.format)
  }

  /// What each packet has to find out, row by row.
  func touches(_ tracer: Tracer) -> [Touch] {
    var touches = [Touch](repeating: .nothing, count: across * frame.height)
    func mark(_ area: PixelArea, _ touch: Touch) {
      let packets = area.packets
      for row in area.rows {
        for packet in packets where packet < across {
          let index = row * across + packet
          if touches[index] < touch { touches[index] = touch }
        }
      }
    }
    let parts = tracer.parts
    let casting = tracer.quality.shadows ? tracer.lights.indices.filter { tracer.lights[$0].castsShadow } : []
    for (index, part) in parts.enumerated() {
      guard part.isFixed else {
        mark(part.area, part.isTransparent ? .light : .cover)
        if index < tracer.opaqueCount, tracer.mirror != nil { mark(tracer.mirrorAreas[index], .light) }
        continue
      }
      // On a fixed part that is no plane, a moving one's shadow can be anywhere.
      for light in casting {
        guard let start = tracer.shadowAreas.start(part: index, light: light) else {
          mark(part.area, .light)
          continue
        }
        for (number, caster) in tracer.casters.enumerated() where !parts[caster].isFixed {
          mark(tracer.shadowAreas[start + number].intersection(part.area), .light)
        }
      }
    }
    return touches
  }
}
