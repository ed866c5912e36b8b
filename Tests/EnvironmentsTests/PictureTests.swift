import Core
import Pixels
import Testing

@testable import Environments

/// Properties of the pictures of single tasks.
@Suite struct PictureTests {
  /// Returns the number of pixels with approximately the given colour.
  func count(_ color: Color, in frame: PixelBuffer) -> Int {
    var count = 0
    for y in 0..<frame.height {
      for x in 0..<frame.width {
        let start = y * frame.stride + 3 * x
        let difference = zip(frame.bytes[start..<start + 3], [color.red, color.green, color.blue])
          .map { abs(Int($0) - Int($1)) }
        if difference.allSatisfy({ $0 < 90 }) { count += 1 }
      }
    }
    return count
  }

  @Test(arguments: [(64, 64), (96, 40), (40, 96)]) func theCartStaysInView(size: (Int, Int)) {
    var environment = CartPoleSwingup()
    for x in [-1.95, 0, 1.95] {
      for angle in stride(from: -3.1, to: 3.2, by: 0.5) {
        environment.state = [x, angle, 0, 0]
        var frame = PixelBuffer(width: size.0, height: size.1)
        environment.render(into: &frame)
        #expect(count(Palette.body, in: frame) >= 4)
        #expect(count(Palette.pole, in: frame) >= 4)
      }
    }
  }

  /// Wide and tall frames show more, and nothing is distorted.
  @Test(arguments: [(64, 64), (96, 40), (40, 96), (64, 24)]) func theBallIsRound(size: (Int, Int)) {
    var environment = Catch()
    var random = Random(seed: Seed(1))
    environment.reset(using: &random)
    var frame = PixelBuffer(width: size.0, height: size.1)
    environment.render(into: &frame)
    // The ball is yellow: the only thing with much red.
    let pixels = (0..<size.0 * size.1).filter { frame.bytes[3 * $0] > 160 }
    let (columns, rows) = (pixels.map { $0 % size.0 }, pixels.map { $0 / size.0 })
    let width = (columns.max() ?? 0) - (columns.min() ?? 0)
    let height = (rows.max() ?? 0) - (rows.min() ?? 0)
    #expect(pixels.count >= 2 && abs(width - height) <= 1, "\(width + 1)x\(height + 1)")
  }

  @Test func thePoleIsThreePixelsWideAt64() {
    var environment = CartPoleSwingup()
    var frame = PixelBuffer(width: 64, height: 64)
    for x in stride(from: 0, to: 0.1, by: 0.01) {
      environment.state = [x, 0, 0, 0]
      environment.render(into: &frame)
      let contrast = Double(Palette.pole.red) - Double(Palette.ground.red)
      let reds = (0..<64).map { Double(frame.bytes[24 * frame.stride + 3 * $0]) - Double(Palette.ground.red) }
      let covered = reds.reduce(0, +) / contrast
      #expect(covered > 2.95 && covered < 3.2)
    }
  }

  /// Antialiasing shows movements much smaller than a pixel. Velocities can be estimated from them.
  @Test func aStepOfTwoMillimetresIsVisible() {
    var environment = CartPoleSwingup()
    var pictures = Set<PixelBuffer>()
    for step in 0..<10 {
      environment.state = [Double(step) * 0.002, 0, 0, 0]
      var frame = PixelBuffer(width: 84, height: 84)
      environment.render(into: &frame)
      pictures.insert(frame)
    }
    #expect(pictures.count == 10)
  }

  @Test func objectsDifferInGray() {
    let levels = [Palette.ground, Palette.rail, Palette.body, Palette.pole, Palette.hinge].map { Int($0.luminance) }
    for (a, b) in zip(levels, levels.dropFirst()) { #expect(b - a >= 20) }
  }
}
