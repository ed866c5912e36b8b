import Core
import Foundation
import Testing

@testable import Pixels

@Suite struct DistractionTests {
  private func distraction(_ level: DistractionLevel, seed: UInt64 = 1) throws -> Distraction {
    var levels = DistractionLevels()
    (levels.background, levels.colors, levels.camera) = (level, level, level)
    var distraction = try #require(Distraction(levels, Seed(seed).stream("distraction")))
    distraction.begin()
    return distraction
  }

  @Test func withoutLevelsThereIsNone() {
    #expect(Distraction(DistractionLevels(), Random(seed: Seed(1))) == nil)
  }

  /// The scales are those of the Distracting Control Suite: 0.1, 0.2 and 0.3.
  @Test(arguments: [(DistractionLevel.easy, 0.1), (.medium, 0.2), (.hard, 0.3)])
  func changesStayWithinTheirBoundsAndReachMostOfThem(level: DistractionLevel, scale: Double) throws {
    var distraction = try distraction(level)
    let gray = SIMD3<Float>(repeating: 0.5)
    var colors: [Float] = []
    var cameras: [CameraChange] = []
    for _ in 0..<2000 {
      distraction.advance(by: 2)
      colors.append(distraction.color(gray).x - 0.5)
      cameras.append(try #require(distraction.camera))
    }
    func check(_ values: [Double], _ range: ClosedRange<Double>) {
      let (low, high, width) = (values.min() ?? 0, values.max() ?? 0, range.upperBound - range.lowerBound)
      #expect(low >= range.lowerBound - 1e-6 && high <= range.upperBound + 1e-6)
      #expect(high - low > 0.7 * width)
    }
    let turn = .pi / 2 * scale
    check(colors.map(Double.init), -scale...scale)
    check(cameras.map(\.aside), -turn...turn)
    check(cameras.map(\.up), -turn...turn)
    check(cameras.map(\.roll), -turn...turn)
    check(cameras.map(\.distance), 1 - 0.5 * scale...1 + 1.5 * scale)
  }

  /// Colours at the ends of the range change as much as the range allows.
  @Test func changedColorsAreColors() throws {
    let distraction = try distraction(.hard)
    for color in [Color.black, .white, .red, Color(gray: 30)] {
      let changed = distraction.color(color)
      for (a, b) in [(color.red, changed.red), (color.green, changed.green), (color.blue, changed.blue)] {
        #expect(abs(Int(a) - Int(b)) <= 77)
      }
      #expect(changed == distraction.color(color) && changed != color)
    }
  }

  @Test func aSeedDeterminesTheWalkAndACopyIsASnapshot() throws {
    var (a, b, other) = (try distraction(.easy), try distraction(.easy), try distraction(.easy, seed: 2))
    #expect(a == b && a.camera != other.camera && a.color(Color.red) != other.color(Color.red))
    for _ in 0..<20 { a.advance(by: 8) }
    let stored = try PropertyListEncoder().encode(a)
    var restored = try PropertyListDecoder().decode(Distraction.self, from: stored)
    for _ in 0..<20 { b.advance(by: 8) }
    #expect(restored == a && b == a)
    try restored.validate(against: try distraction(.easy, seed: 2))
    let hard = try distraction(.hard)
    #expect(throws: InputError.self) { try restored.validate(against: hard) }
    for name in ["tints", "pose", "rates"] {
      var members = try #require(
        unsafe PropertyListSerialization.propertyList(from: stored, format: nil) as? [String: Any])
      let values = try #require(members[name] as? [Any])
      members[name] = name == "tints" ? values.map { _ in [0, 1.5, 0] } : values.map { _ in -1.5 }
      let forged = try PropertyListSerialization.data(fromPropertyList: members, format: .binary, options: 0)
      let broken = try PropertyListDecoder().decode(Distraction.self, from: forged)
      #expect(throws: InputError.self) { try broken.validate(against: hard) }
      #expect(throws: InputError.self) { try broken.validate(against: a) }
    }
    a.begin()
    restored.begin()
    #expect(restored == a && a != b)
    other.begin()
    #expect(other != a)
  }

  @Test func theBackgroundMovesAndIsOneOfMany() throws {
    func picture(_ seed: UInt64, _ time: Int) -> PixelBuffer {
      var frame = PixelBuffer(width: 40, height: 24)
      frame.draw { $0.cover(with: MovingBackground(seed: Seed(seed), time: time, opacity: 1)) }
      return frame
    }
    func difference(_ a: PixelBuffer, _ b: PixelBuffer) -> Double {
      zip(a.bytes, b.bytes).map { abs(Double($0) - Double($1)) }.reduce(0, +) / Double(a.bytes.count)
    }
    let first = picture(1, 0)
    #expect(picture(1, 0) == first)
    let (step, later) = (difference(first, picture(1, 2)), difference(first, picture(1, 200)))
    #expect(step > 0 && step < later / 3, "it moves smoothly")
    #expect(later > 10 && difference(first, picture(2, 0)) > 10)
  }

  /// The opacity is the weight of the pattern, and a gray frame has its luminance.
  @Test func theBackgroundIsBlended() throws {
    let background = MovingBackground(seed: Seed(3), time: 5, opacity: 0.25)
    let opaque = MovingBackground(seed: Seed(3), time: 5, opacity: 1)
    for format in PixelFormat.allCases {
      var (frame, pattern) = (
        PixelBuffer(width: 13, height: 9, format: format), PixelBuffer(width: 13, height: 9, format: format)
      )
      frame.draw { canvas in
        canvas.fill(Color(gray: 200))
        canvas.cover(with: background)
      }
      pattern.draw { $0.cover(with: opaque) }
      for (value, own) in zip(frame.bytes, pattern.bytes) {
        let expected = 150 + Double(own) / 4
        #expect(abs(Double(value) - expected) <= 1)
      }
    }
    var (gray, colored) = (PixelBuffer(width: 13, height: 9, format: .gray), PixelBuffer(width: 13, height: 9))
    gray.draw { $0.cover(with: opaque) }
    colored.draw { $0.cover(with: opaque) }
    for pixel in gray.bytes.indices {
      let color = Color(colored.bytes[3 * pixel], colored.bytes[3 * pixel + 1], colored.bytes[3 * pixel + 2])
      #expect(gray.bytes[pixel] == color.luminance)
    }
  }

  /// All kinds of shapes move alike: each pair of drawings shows the same.
  @Test func theCameraMovesAllShapesAlike() throws {
    var levels = DistractionLevels()
    levels.camera = .hard
    var distraction = try #require(Distraction(levels, Seed(4).stream("distraction")))
    distraction.begin()
    let change = try #require(distraction.camera)
    #expect(abs(change.roll) > 0.1 && abs(change.aside) > 0.1, "the seed moves enough")
    func picture(_ body: (inout Canvas) -> Void) -> PixelBuffer {
      var frame = PixelBuffer(width: 48, height: 48, format: .gray)
      frame.draw(under: distraction) { canvas in
        canvas.view(center: Point(1, 2), height: 4)
        canvas.fill(.black)
        body(&canvas)
      }
      return frame
    }
    let box = picture { $0.rectangle(center: Point(1.2, 2.4), width: 1.6, height: 0.5, angle: 0.3, .white) }
    let line = picture { canvas in
      let (x, y) = (0.8 * cos(0.3), 0.8 * sin(0.3))
      canvas.line(from: Point(1.2 - x, 2.4 - y), to: Point(1.2 + x, 2.4 + y), width: 0.5, .white)
    }
    let corners = [(-0.8, -0.25), (0.8, -0.25), (0.8, 0.25), (-0.8, 0.25)].map { (x: Double, y: Double) in
      Point(1.2 + x * cos(0.3) - y * sin(0.3), 2.4 + x * sin(0.3) + y * cos(0.3))
    }
    let polygon = picture { $0.polygon(corners, .white) }
    for other in [line, polygon] {
      let worst = zip(box.bytes, other.bytes).map { abs(Int($0) - Int($1)) }.max() ?? 0
      #expect(worst < 48, "only the coverage of corners differs")
    }
    let disc = picture { $0.circle(center: Point(1.5, 2.5), radius: 0.4, .white) }
    let capsule = picture { $0.capsule(from: Point(1.5, 2.5), to: Point(1.5, 2.5), radius: 0.4, .white) }
    #expect(disc == capsule)
    // Where the disc is: moved, turned around the middle and at another distance.
    let (sine, cosine) = (sin(change.roll), cos(change.roll))
    let shift = 4 / Double.pi
    let x = 0.5 * cosine - 0.5 * sine - change.aside * shift
    let y = 0.5 * sine + 0.5 * cosine - change.up * shift
    let pitch = 4 * change.distance / 48
    let expected = (x / pitch + 23.5, 23.5 - y / pitch)
    var (mass, column, row) = (0.0, 0.0, 0.0)
    for pixel in disc.bytes.indices {
      let weight = Double(disc.bytes[pixel])
      (mass, column, row) = (mass + weight, column + weight * Double(pixel % 48), row + weight * Double(pixel / 48))
    }
    (column, row) = (column / mass - expected.0, row / mass - expected.1)
    #expect(abs(column) < 0.05 && abs(row) < 0.05)
  }

  @Test(arguments: DistractionLevel.allCases) func whatFillsTheFrameIsBehindTheBackground(level: DistractionLevel)
    throws
  {
    var levels = DistractionLevels()
    levels.background = level
    var distraction = Distraction(levels, Seed(5).stream("distraction"))
    distraction?.begin()
    func picture(under distraction: Distraction?, _ body: (inout Canvas) -> Void) -> PixelBuffer {
      var frame = PixelBuffer(width: 20, height: 20)
      frame.draw(under: distraction, body)
      return frame
    }
    let other = PixelBuffer(width: 20, height: 20, format: .rgb, bytes: [UInt8](repeating: 90, count: 1200))
    for fill in [
      { (canvas: inout Canvas) in canvas.fill(.gray) }, { $0.gradient(top: .red, bottom: .blue) },
      { $0.texture(.checker(period: 4), .red, .blue) }, { $0.fill(other) },
    ] {
      let plain = picture(under: nil, fill)
      let covered = picture(under: distraction, fill)
      #expect((covered == plain) == (level == .none))
      let expected = picture(under: nil) { canvas in
        fill(&canvas)
        if let background = distraction?.background { canvas.cover(with: background) }
      }
      #expect(covered == expected)
      // A shape is in front of it.
      let shape = { (canvas: inout Canvas) in
        fill(&canvas)
        canvas.circle(center: Point(10, 10), radius: 6, .yellow)
      }
      let middle = (10 * 20 + 10) * 3
      #expect(picture(under: distraction, shape).bytes[middle..<middle + 3] == [242, 204, 60])
    }
  }
}
