import Pixels

/// Rendering features that can be disabled for speed.
public struct SceneQuality: Sendable, Hashable {
  public var shadows: Bool
  public var reflections: Bool
  /// The number of samples per pixel at edges; 1 for no antialiasing.
  public var antialiasing: Int

  public init(shadows: Bool = true, reflections: Bool = true, antialiasing: Int = 4) {
    precondition(antialiasing > 0, "antialiasing must be at least 1, not \(antialiasing)")
    self.shadows = shadows
    self.reflections = reflections
    self.antialiasing = antialiasing
  }
}

/// A ray tracer for scenes. It traces one ray per pixel, in packets of eight, and several rays per pixel at edges. It
/// caches the sky while the orientation of the camera does not change, and the fixed parts while the scene is still.
/// All scenes of one renderer must have the same sky.
public struct SceneRenderer: Sendable {
  /// The cached sky for a camera orientation.
  private struct Sky: Sendable {
    var forward: SIMD3<Float>
    var up: SIMD3<Float>
    var slope: Float
    var width: Int
    var height: Int
    /// The colours of each packet of eight pixels of a row.
    var packets: [LaneVectors]
  }

  private var sky: Sky?
  private var picture = TracedPicture(width: 1, height: 1)
  private var backdrop: Backdrop?

  public init() {}

  /// Renders a scene to a frame of any size and format.
  public mutating func draw(_ scene: Scene, _ quality: SceneQuality = SceneQuality(), into frame: inout PixelBuffer) {
    let tracer = Tracer(scene, quality, width: frame.width, height: frame.height)
    let sky = sky(scene, tracer.lens)
    if picture.width != frame.width || picture.height != frame.height {
      picture = TracedPicture(width: frame.width, height: frame.height)
    }
    guard scene.isStill, scene.background == nil else {
      picture.trace(tracer, sky, into: &frame)
      for edge in picture.smoothedEdges(tracer, sky, frame) { frame.set(edge.row, edge.column, edge.color) }
      return
    }
    let backdrop: Backdrop
    if let cached = self.backdrop, cached.serves(scene, tracer, frame) {
      backdrop = cached
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

  /// Returns the sky colours of each packet, recomputed if the orientation of the camera or the size has changed.
  private mutating func sky(_ scene: Scene, _ lens: Projection) -> [LaneVectors] {
    if let sky, sky.forward == lens.forward, sky.up == lens.up, sky.slope == scene.camera.slope,
      sky.width == lens.width, sky.height == lens.height
    {
      return sky.packets
    }
    let across = TracedPicture.packets(lens.width)
    var packets = [LaneVectors](repeating: LaneVectors(SIMD3(0, 0, 0)), count: across * lens.height)
    if let texture = scene.sky {
      // The width of a pixel in texels, for a face perpendicular to the view.
      let footprint = Lanes(lens.pixel * Float(texture.width) / 2)
      for row in 0..<lens.height {
        for packet in 0..<across {
          let d = TracedPicture.rays(lens, row: row, packet: packet)
          // MuJoCo's sky is rotated by 90° around x.
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
