import Core
import Pixels
import Testing

@testable import Scenes

struct SceneRendererTests {
  private static let world = (x: SIMD3<Float>(1, 0, 0), y: SIMD3<Float>(0, 1, 0), z: SIMD3<Float>(0, 0, 1))

  /// A camera that looks down at a floor and a ball, with a light above.
  private func scene() -> Scene {
    var scene = Scene(
      camera: Camera(position: SIMD3(0, 0, 4), forward: SIMD3(0, 0, -1), up: SIMD3(0, 1, 0), slope: 0.5))
    scene.lights = [
      Light(
        .directional, position: SIMD3(0, 0, 0), direction: SIMD3(0, 0, -1), ambient: SIMD3(0.2, 0.2, 0.2),
        diffuse: SIMD3(0, 0, 0), specular: SIMD3(0, 0, 0), castsShadow: false),
      Light(
        .spot(exponent: 0, rim: -1, attenuation: SIMD3(1, 0, 0)), position: SIMD3(-2, 0, 2), direction: SIMD3(0, 0, -1),
        ambient: SIMD3(0, 0, 0), diffuse: SIMD3(0.6, 0.6, 0.6), specular: SIMD3(0, 0, 0), castsShadow: true),
    ]
    scene.parts = [
      Part(
        .plane(halfSizes: SIMD2(3, 3)), position: SIMD3(0, 0, 0), axes: Self.world,
        surface: Surface(color: SIMD3(0.5, 0.5, 0.5), reflectance: 0.5)),
      Part(
        .sphere(radius: 0.4), position: SIMD3(0, 0, 1), axes: Self.world, surface: Surface(color: SIMD3(1, 0, 0))),
    ]
    return scene
  }

  private func picture(_ scene: Scene, _ quality: SceneQuality, _ width: Int = 61, _ height: Int = 61) -> PixelBuffer {
    var renderer = SceneRenderer()
    var frame = PixelBuffer(width: width, height: height)
    renderer.draw(scene, quality, into: &frame)
    return frame
  }

  private func color(_ frame: PixelBuffer, _ x: Int, _ y: Int) -> [UInt8] {
    let at = y * frame.stride + 3 * x
    return Array(frame.bytes[at..<at + 3])
  }

  @Test func lightFollowsTheFormula() {
    let frame = picture(scene(), SceneQuality(shadows: false, reflections: false, antialiasing: 1))
    // The floor at column 55, row 30: a point 4 · 0.5 · (55.5 / 30.5 - 1) to the right of the centre.
    let point = SIMD3<Float>(2 * (55.5 / 30.5 - 1), 0, 0)
    let toLight = SIMD3<Float>(-2, 0, 2) - point
    let expected = 255 * 0.5 * (0.2 + 0.6 * toLight.z / length(toLight))
    #expect(abs(Float(color(frame, 55, 30)[0]) - expected) < 1)
    #expect(color(frame, 55, 30)[0] == color(frame, 55, 30)[2])
    // The ball is red, and only red.
    #expect(color(frame, 30, 30)[0] > 60 && color(frame, 30, 30)[1] == 0)
  }

  @Test func shadowIsBehindTheBall() {
    // A ray from the light at (-2, 0, 2) through the ball at (0, 0, 1) hits the floor at (2, 0, 0).
    let column = Int((30.5 * (1 + 1.9 / 2)).rounded())
    let lit = picture(scene(), SceneQuality(shadows: false, reflections: false, antialiasing: 1))
    let shaded = picture(scene(), SceneQuality(shadows: true, reflections: false, antialiasing: 1))
    #expect(color(shaded, column, 30)[0] == UInt8((255 * 0.5 * 0.2).rounded()))
    #expect(color(lit, column, 30)[0] > 2 * color(shaded, column, 30)[0])
    #expect(color(lit, 5, 30) == color(shaded, 5, 30))
  }

  @Test func floorReflectsOnlyTheBall() {
    var tilted = scene()
    tilted.camera = Camera(
      position: SIMD3(0, -4, 2), forward: SIMD3(0, 0.8944272, -0.4472136), up: SIMD3(0, 0.4472136, 0.8944272),
      slope: 0.5)
    let plain = picture(tilted, SceneQuality(shadows: false, reflections: false, antialiasing: 1))
    let mirrored = picture(tilted, SceneQuality(shadows: false, reflections: true, antialiasing: 1))
    let changed = (0..<61 * 61).filter { color(plain, $0 % 61, $0 / 61) != color(mirrored, $0 % 61, $0 / 61) }
    #expect(changed.count > 20 && changed.count < 700)
    for at in changed {
      let (before, after) = (color(plain, at % 61, at / 61), color(mirrored, at % 61, at / 61))
      #expect(after[0] >= before[0] && after[1] >= before[1])
    }
    // Half of the red light of the ball is reflected.
    let reddest = changed.map { Int(color(mirrored, $0 % 61, $0 / 61)[0]) - Int(color(plain, $0 % 61, $0 / 61)[0]) }
      .max()
    #expect((reddest ?? 0) > 20)
  }

  @Test func transparentPartsAreBlendedTwice() {
    var glass = scene()
    glass.parts[1].surface.opacity = 0.5
    let quality = SceneQuality(shadows: false, reflections: false, antialiasing: 1)
    let (solid, clear) = (color(picture(scene(), quality), 30, 30), color(picture(glass, quality), 30, 30))
    var bare = scene()
    bare.parts.remove(at: 1)
    let floor = color(picture(bare, quality), 30, 30)
    for channel in 0..<3 {
      let expected = 0.25 * Float(floor[channel]) + 0.75 * Float(solid[channel])
      #expect(abs(Float(clear[channel]) - expected) <= 1.5)
    }
  }

  @Test func antialiasingReducesTheError() {
    let sharp = picture(scene(), SceneQuality(shadows: false, reflections: false, antialiasing: 1))
    let smooth = picture(scene(), SceneQuality(shadows: false, reflections: false, antialiasing: 16))
    // The reference is a picture of eight times the size, averaged over blocks.
    let large = picture(scene(), SceneQuality(shadows: false, reflections: false, antialiasing: 1), 61 * 8, 61 * 8)
    func error(_ frame: PixelBuffer) -> Double {
      var sum = 0.0
      for y in 0..<61 {
        for x in 0..<61 {
          let block = (0..<64).map { Double(color(large, 8 * x + $0 % 8, 8 * y + $0 / 8)[1]) }.reduce(0, +) / 64
          sum += (Double(color(frame, x, y)[1]) - block) * (Double(color(frame, x, y)[1]) - block)
        }
      }
      return sum
    }
    #expect(error(smooth) < 0.2 * error(sharp))
  }

  @Test func framesOfAnySizeAreDrawnCompletelyAndReproducibly() {
    for (width, height) in [(8, 8), (13, 9), (84, 84), (100, 40)] {
      var renderer = SceneRenderer()
      var first = PixelBuffer(width: width, height: height)
      renderer.draw(scene(), into: &first)
      var second = PixelBuffer(
        width: width, height: height, format: .rgb, bytes: [UInt8](repeating: 77, count: 3 * width * height))
      renderer.draw(scene(), into: &second)
      #expect(first == second)
      #expect(picture(scene(), SceneQuality(), width, height) == first, "the renderer's cache changes the picture")
    }
  }

  @Test func skyIsRecomputedForAnotherWidth() {
    var open = scene()
    open.parts = []
    let faces = (0..<288).map { UInt8(($0 * 37) % 256) }
    open.sky = Texture(.cube, width: 4, height: 4, bytes: faces)
    var renderer = SceneRenderer()
    // Both widths have two packets per row.
    for width in [13, 16] {
      var frame = PixelBuffer(width: width, height: 9)
      renderer.draw(open, into: &frame)
      #expect(frame == picture(open, SceneQuality(), width, 9))
      #expect(Set(frame.bytes).count > 8)
    }
  }

  @Test func grayIsTheLuminanceOfTheColours() {
    var renderer = SceneRenderer()
    var gray = PixelBuffer(width: 61, height: 61, format: .gray)
    renderer.draw(scene(), SceneQuality(antialiasing: 1), into: &gray)
    let rgb = picture(scene(), SceneQuality(antialiasing: 1))
    for at in 0..<61 * 61 {
      let c = color(rgb, at % 61, at / 61)
      #expect(gray.bytes[at] == Color(c[0], c[1], c[2]).luminance)
    }
  }

  @Test func texturesRepeatAndFade() throws {
    // One black and one white column; gray for a large footprint.
    let stripes = Texture(.flat, width: 2, height: 1, bytes: [0, 0, 0, 255, 255, 255])
    let middle = stripes.flat(
      Lanes(SIMD8(0.25, 0.75, 1.25, 1.75, -0.25, -0.75, 0.5, 0)), Lanes(0.5), footprint: Lanes(1), .all)
    let levels = (0..<8).map { (255 * middle.x[$0]).rounded() }
    #expect(levels == [0, 255, 0, 255, 255, 0, 128, 128] || levels == [0, 255, 0, 255, 255, 0, 127, 127])
    let far = stripes.flat(Lanes(0.25), Lanes(0.5), footprint: Lanes(1000), .all)
    #expect(abs(far.x[0] - 0.5) < 0.01)
  }

  @Test func cubeFacesFollowOpenGL() {
    // Each face has a different gray: 40, 80, ... 240.
    let bytes = (0..<6).flatMap { face in [UInt8](repeating: UInt8(40 * (face + 1)), count: 3 * 4) }
    let cube = Texture(.cube, width: 2, height: 2, bytes: bytes)
    let axes: [SIMD3<Float>] = [
      SIMD3(1, 0.2, -0.3), SIMD3(-1, 0.5, 0.1), SIMD3(0.3, 1, 0), SIMD3(0, -1, 0.9), SIMD3(0.2, 0.1, 1),
      SIMD3(0, 0.5, -1),
    ]
    for (face, axis) in axes.enumerated() {
      let color = cube.cube(LaneVectors(axis), footprint: Lanes(1), .all)
      #expect((255 * color.x[0]).rounded() == Float(40 * (face + 1)))
    }
  }
}
