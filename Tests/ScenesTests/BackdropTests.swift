import Core
import Pixels
import Testing

@testable import Scenes

/// A picture that starts from a backdrop is the same to the bit as one that starts from nothing.
struct BackdropTests {
  private static let world = (x: SIMD3<Float>(1, 0, 0), y: SIMD3<Float>(0, 1, 0), z: SIMD3<Float>(0, 0, 1))

  /// A floor that mirrors, a wall, a post and a pane of glass that are fixed; a ball, a capsule and a pane that are not.
  private func scene(_ step: Int) -> Scene {
    let (a, x) = (0.2 * Float(step), 0.3 * Float(step) - 1)
    // A turn by twice the arc tangent of a.
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
    func part(_ shape: Shape, _ place: SIMD3<Float>, _ surface: Surface, isFixed: Bool) -> Part {
      Part(shape, position: place, axes: Self.world, surface: surface, isFixed: isFixed)
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

  private func fresh(_ scene: Scene, _ look: SceneQuality, like frame: PixelBuffer) -> PixelBuffer {
    var scene = scene
    scene.isStill = false
    var frame = PixelBuffer(width: frame.width, height: frame.height, format: frame.format)
    var renderer = SceneRenderer()
    renderer.draw(scene, look, into: &frame)
    return frame
  }

  private static let looks = [
    SceneQuality(), SceneQuality(shadows: false, reflections: false, antialiasing: 1),
    SceneQuality(shadows: true, reflections: false, antialiasing: 3),
    SceneQuality(shadows: false, reflections: true, antialiasing: 1),
  ]

  @Test(arguments: looks)
  func picturesAreTheSameWithIt(_ look: SceneQuality) {
    var renderer = SceneRenderer()
    var frame = PixelBuffer(width: 75, height: 62)
    var pictures: Set<PixelBuffer> = []
    for step in 0..<8 {
      renderer.draw(scene(step), look, into: &frame)
      #expect(frame == fresh(scene(step), look, like: frame), "step \(step)")
      pictures.insert(frame)
    }
    #expect(pictures.count == 8)
  }

  @Test func itIsMadeAnewWhenWhatItShowsChanges() {
    var renderer = SceneRenderer()
    var (look, frame) = (SceneQuality(), PixelBuffer(width: 61, height: 61))
    var still = scene(3)
    func check(_ what: Comment, _ change: (inout Scene, inout SceneQuality, inout PixelBuffer) -> Void) {
      let before = frame
      change(&still, &look, &frame)
      renderer.draw(still, look, into: &frame)
      #expect(frame != before, what)
      #expect(frame == fresh(still, look, like: frame), what)
    }
    check("the first") { _, _, _ in }
    check("another camera") { scene, _, _ in scene.camera.position.x += 0.3 }
    check("another lens") { scene, _, _ in scene.camera.slope = 0.4 }
    check("another look") { _, look, _ in look.shadows = false }
    check("fewer samples") { _, look, _ in look.antialiasing = 2 }
    check("another lamp") { scene, _, _ in scene.lights[0].diffuse.x = 0.7 }
    check("a fixed part elsewhere") { scene, _, _ in scene.parts[2].position.z += 0.2 }
    check("a fixed part of another colour") { scene, _, _ in scene.parts[0].surface.color.y = 0.3 }
    check("another texture") { scene, _, _ in
      scene.parts[0].surface.texture = Texture(.flat, width: 1, height: 1, bytes: [200, 150, 100])
    }
    check("a fixed part less") { scene, _, _ in scene.parts.remove(at: 3) }
    check("a part that moves turned to glass") { scene, _, _ in scene.parts[1].surface.opacity = 0.5 }
    check("another size") { _, _, frame in frame = PixelBuffer(width: 40, height: 61) }
    check("in gray") { _, _, frame in frame = PixelBuffer(width: 40, height: 61, format: .gray) }
  }

  @Test func onlyWhatMovesIsLookedAtAgain() {
    let look = SceneQuality(shadows: false, reflections: false, antialiasing: 1)
    let tracer = Tracer(scene(3), look, width: 64, height: 64)
    let sky = [LaneVectors](repeating: LaneVectors(SIMD3(0, 0, 0)), count: 8 * 64)
    let backdrop = Backdrop(scene(3), tracer, sky, like: PixelBuffer(width: 64, height: 64))
    let touched = backdrop.touches(tracer).filter { $0 != .nothing }.count
    #expect(touched > 40 && touched < 8 * 64 / 2)
    #expect(backdrop.serves(scene(4), tracer, PixelBuffer(width: 64, height: 64)))
  }
}
