import Pixels

/// What of the look can be had for less.
public struct SceneQuality: Sendable, Hashable {
  public var shadows: Bool
  public var reflections: Bool
  /// Samples of a pixel at edges: 1 for none.
  public var antialiasing: Int

  public init(shadows: Bool = true, reflections: Bool = true, antialiasing: Int = 4) {
    precondition(antialiasing > 0, "a pixel has at least one sample, not \(antialiasing)")
    self.shadows = shadows
    self.reflections = reflections
    self.antialiasing = antialiasing
  }
}

/// Draws scenes by following a ray through each pixel, eight at a time; where neighbours see different parts, through
/// several places of the pixel. It keeps its memory: the sky as long as the camera looks the same way, and what the fixed
/// parts of a scene look like as long as that is still. The scenes that one renderer draws have one sky.
public struct SceneRenderer: Sendable {
  /// What a sky looks like from a camera.
  private struct Sky: Sendable {
    var forward: SIMD3<Float>
    var up: SIMD3<Float>
    var slope: Float
    var width: Int
    var height: Int
    /// Of eight pixels of a row each.
    var packets: [LaneVectors]
  }

  private var sky: Sky?
  private var picture = TracedPicture(width: 1, height: 1)
  private var backdrop: Backdrop?

  public init() {}

  /// Draws into every pixel of a frame of any size and format.
  public mutating func draw(_ scene: Scene, _ quality: SceneQuality = SceneQuality(), into frame: inout PixelBuffer) {
    let tracer = Tracer(scene, quality, width: frame.width, height: frame.height)
    let sky = sky(scene, tracer.lens)
    if picture.width != frame.width || picture.height != frame.height {
      picture = TracedPicture(width: frame.width, height: frame.height)
    }
    guard scene.isStill else {
      picture.trace(tracer, sky, into: &frame)
      for edge in picture.smoothedEdges(tracer, sky, frame) { frame.set(edge.row, edge.column, edge.color) }
      return
    }
    let backdrop: Backdrop
    if let known = self.backdrop, known.serves(scene, tracer, frame) {
      backdrop = known
    } else {
      backdrop = Backdrop(scene, tracer, sky, like: frame)
      self.backdrop = backdrop
    }
    let touches = backdrop.touches(tracer)
    picture.trace(tracer, sky, over: backdrop, touches, into: &frame)
    let edges = picture.smoothedEdges(tracer, sky, frame, near: touches)
    for edge in backdrop.edges where !picture.isNear(touches, edge.row, edge.column / Lanes.count) {
      frame.set(edge.row, edge.column, edge.color)
    }
    for edge in edges { frame.set(edge.row, edge.column, edge.color) }
  }

  /// The sky of each packet, seen anew where the camera has turned.
  private mutating func sky(_ scene: Scene, _ lens: Projection) -> [LaneVectors] {
    if let sky, sky.forward == lens.forward, sky.up == lens.up, sky.slope == scene.camera.slope,
      sky.width == lens.width, sky.height == lens.height
    {
      return sky.packets
    }
    let across = TracedPicture.packets(lens.width)
    var packets = [LaneVectors](repeating: LaneVectors(SIMD3(0, 0, 0)), count: across * lens.height)
    if let texture = scene.sky {
      // Texels of a face that a pixel is wide, where the face is seen from the front.
      let footprint = Lanes(lens.pixel * Float(texture.width) / 2)
      for row in 0..<lens.height {
        for packet in 0..<across {
          let d = TracedPicture.rays(lens, row: row, packet: packet)
          // MuJoCo's sky is turned a quarter around x.
          packets[row * across + packet] = texture.cube(
            LaneVectors(d.x, d.z, -d.y), footprint: footprint, .all)
        }
      }
    }
    sky = Sky(
      forward: lens.forward, up: lens.up, slope: scene.camera.slope, width: lens.width, height: lens.height,
      packets: packets)
    return packets
  }
}
