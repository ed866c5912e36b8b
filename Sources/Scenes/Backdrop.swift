import Pixels

/// A cached picture of the fixed parts of a scene with a fixed camera. New pictures start from it and trace rays only
/// where moving parts, their shadows or their reflections can be. The result is bit-identical to rendering from
/// scratch.
struct Backdrop: Sendable {
  /// The work that a packet of a new picture requires.
  enum Touch: UInt8, Comparable {
    case nothing
    /// Find the pixels that a moving part covers. The other pixels do not change.
    case cover
    /// Recompute all pixels. Only the visibility of the fixed parts is known.
    case light

    static func < (a: Touch, b: Touch) -> Bool { a.rawValue < b.rawValue }
  }

  /// The inputs that determine its pixels.
  private struct Origin: Sendable, Equatable {
    let camera: Camera
    let lights: [Light]
    let sky: Texture?
    /// The fixed parts; nil for moving parts.
    let parts: [Part?]
    /// The indices of the opaque parts in the scene, in the order of the tracer.
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
  /// The picture before antialiasing.
  let picture: TracedPicture
  let frame: PixelBuffer
  let edges: [SmoothedEdge]

  init(_ scene: Scene, _ tracer: Tracer, _ sky: [LaneVectors], like frame: PixelBuffer) {
    origin = Origin(scene, tracer, frame.format)
    let emptied = Tracer(scene, tracer.quality, width: frame.width, height: frame.height, fixedOnly: true)
    var picture = TracedPicture(width: frame.width, height: frame.height, keepsHits: true)
    var frame = frame
    picture.trace(emptied, sky, into: &frame)
    edges = picture.smoothedEdges(emptied, sky, frame)
    across = picture.across
    self.picture = picture
    self.frame = frame
  }

  /// Returns whether the backdrop is valid for a scene and a frame.
  func serves(_ scene: Scene, _ tracer: Tracer, _ frame: PixelBuffer) -> Bool {
    self.frame.width == frame.width && self.frame.height == frame.height
      && origin == Origin(scene, tracer, frame.format)
  }

  /// Returns the work for each packet, row by row.
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
      // On a fixed part that is not a plane, the shadow of a moving part can be anywhere.
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
