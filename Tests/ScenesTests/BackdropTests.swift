import Core
import Pixels
import Testing

@testable import Scenes

/// A picture that starts from a backdrop is bit-identical to one rendered from scratch.
struct BackdropTests {
  private static let world = (x: SIMD3<Float>(1, 0, 0), y: SIMD3<Float>(0, 1, 0), z: SIMD3<Float>(0, 0, 1))

  /// A scene with fixed parts (a reflective floor, a wall, a post and a glass pane) and moving parts (a ball, a capsule
  /// and a glass pane).
  private func scene(_ step: Int) -> Scene {
    let (a, x) = (0.2 * Float(step), 0.3 * Float(step) - 1)
    // A rotation by 2 arctan(a).
    let (cosine, sine) = ((1 - a * a) / (1 + a * a), 2 * a / (1 + a * a))
    var scene = Scene(
      camera: Camera(
        position: SIMD3(0, -4, 2), forward: SIMD3(0, 0.8944272, -0.4472136), up: SIMD3(0, 0.4472136, 0.8944272),
        slope: 0.5))
    scene.isStill = true
    scene.sky = Texture(.cube, width: 4, height: 4, bytes: (0..<288).map { UInt8(($0 * 37) % 256) })
    let checker = Texture(.flat, width: 16, height: 16, bytes: (0..<768).map { $0 / 24 % 2 == 0 ? 40 : 200 })
    scene.lights = [
      Light(
        .directional, position: SIMD3(0, 0, 0), direction: SIMD3(0.6, 0, -0.8), ambient: SIMD3(0.2, 0.2, 0.2),
        diffuse: SIMD3(0.3, 0.3, 0.3), specular: SIMD3(0.1, 0.1, 0.1), castsShadow: true),
      Light(
        .spot(exponent: 2, rim: 0.3, attenuation: SIMD3(1, 0.1, 0)), position: SIMD3(-1, 0, 3),
        direction: SIMD3(0, 0, -1), ambient: SIMD3(0, 0, 0), diffuse: SIMD3(0.6, 0.6, 0.6),
        specular: SIMD3(0.3, 0.3, 0.3), castsShadow: true),
    ]
    func part(_ shape: Shape, _ position: SIMD3<Float>, _ surface: Surface, isFixed: Bool) -> Part {
      Part(shape, position: position, axes: Self.world, surface: surface, isFixed: isFixed)
    }
    let floor = Surface(color: SIMD3(1, 1, 1), reflectance: 0.3, texture: checker, mapping: .flat(SIMD2(1, 1)))
    let glass = Surface(color: SIMD3(0, 0, 1), opacity: 0.4)
    scene.parts = [
      part(.plane(halfSizes: SIMD2(2, 2)), SIMD3(0, 0, 0), floor, isFixed: true),
      part(.sphere(radius: 0.4), SIMD3(x, 0.2, 0.6), Surface(color: SIMD3(1, 0, 0)), isFixed: false),
      part(.box(halfSizes: SIMD3(2, 0.1, 0.5)), SIMD3(0, 1.8, 0.5), Surface(color: SIMD3(0, 1, 0)), isFixed: true),
      part(.cylinder(radii: SIMD2(0.1, 0.1), halfLength: 0.6), SIMD3(0.9, 0.5, 0.6), floor, isFixed: true),
      part(.box(halfSizes: SIMD3(0.4, 0.02, 0.4)), SIMD3(-0.8, -0.5, 0.5), glass, isFixed: true),
      part(.box(halfSizes: SIMD3(0.3, 0.3, 0.02)), SIMD3(0.4, x, 0.4), glass, isFixed: false),
    ]
    var rod = part(
      .capsule(radius: 0.1, halfLength: 0.5), SIMD3(0.2, -0.3, 0.7), Surface(color: SIMD3(1, 1, 0)), isFixed: false)
    rod.axes = (SIMD3(cosine, 0, sine), SIMD3(0, 1, 0), SIMD3(-sine, 0, cosine))
    scene.parts.append(rod)
    return scene
  }

  private func renderedFromScratch(_ scene: Scene, _ quality: SceneQuality, like frame: PixelBuffer) -> PixelBuffer {
    var scene = scene
    scene.isStill = false
    var frame = PixelBuffer(width: frame.width, height: frame.height, format: frame.format)
    var renderer = SceneRenderer()
    renderer.draw(scene, quality, into: &frame)
    return frame
  }

  private static let qualities = [
    SceneQuality(), SceneQuality(shadows: false, reflections: false, antialiasing: 1),
    SceneQuality(shadows: true, reflections: false, antialiasing: 3),
    SceneQuality(shadows: false, reflections: true, antialiasing: 1),
  ]

  @Test(arguments: qualities)
  func picturesEqualRenderingFromScratch(_ quality: SceneQuality) {
    var renderer = SceneRenderer()
    var frame = PixelBuffer(width: 75, height: 62)
    var pictures: Set<PixelBuffer> = []
    for step in 0..<8 {
      renderer.draw(scene(step), quality, into: &frame)
      #expect(frame == renderedFromScratch(scene(step), quality, like: frame), "step \(step)")
      pictures.insert(frame)
    }
    #expect(pictures.count == 8)
  }

  @Test func backdropIsRenewedWhenItsInputsChange() {
    var renderer = SceneRenderer()
    var (quality, frame) = (SceneQuality(), PixelBuffer(width: 61, height: 61))
    var still = scene(3)
    func check(_ what: Comment, _ change: (inout Scene, inout SceneQuality, inout PixelBuffer) -> Void) {
      let before = frame
      change(&still, &quality, &frame)
      renderer.draw(still, quality, into: &frame)
      #expect(frame != before, what)
      #expect(frame == renderedFromScratch(still, quality, like: frame), what)
    }
    check("first picture") { _, _, _ in }
    check("camera position") { scene, _, _ in scene.camera.position.x += 0.3 }
    check("field of view") { scene, _, _ in scene.camera.slope = 0.4 }
    check("shadows") { _, quality, _ in quality.shadows = false }
    check("antialiasing") { _, quality, _ in quality.antialiasing = 2 }
    check("light colour") { scene, _, _ in scene.lights[0].diffuse.x = 0.7 }
    check("position of a fixed part") { scene, _, _ in scene.parts[2].position.z += 0.2 }
    check("colour of a fixed part") { scene, _, _ in scene.parts[0].surface.color.y = 0.3 }
    check("texture") { scene, _, _ in
      scene.parts[0].surface.texture = Texture(.flat, width: 1, height: 1, bytes: [200, 150, 100])
    }
    check("a fixed part removed") { scene, _, _ in scene.parts.remove(at: 3) }
    check("opacity of a moving part") { scene, _, _ in scene.parts[1].surface.opacity = 0.5 }
    check("frame size") { _, _, frame in frame = PixelBuffer(width: 40, height: 61) }
    check("gray format") { _, _, frame in frame = PixelBuffer(width: 40, height: 61, format: .gray) }
  }

  @Test func onlyPacketsNearMovingPartsAreTraced() {
    let quality = SceneQuality(shadows: false, reflections: false, antialiasing: 1)
    let tracer = Tracer(scene(3), quality, width: 64, height: 64)
    let sky = [LaneVectors](repeating: LaneVectors(SIMD3(0, 0, 0)), count: 8 * 64)
    let backdrop = Backdrop(scene(3), tracer, sky, like: PixelBuffer(width: 64, height: 64))
    let touched = backdrop.touches(tracer).filter { $0 != .nothing }.count
    #expect(touched > 40 && touched < 8 * 64 / 2)
    #expect(backdrop.serves(scene(4), tracer, PixelBuffer(width: 64, height: 64)))
  }
}
