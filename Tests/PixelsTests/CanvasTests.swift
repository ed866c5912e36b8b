import Core
import Testing

@testable import Pixels

@Suite struct CanvasTests {
  static func white(_ width: Int = 64, _ height: Int = 48, _ body: (inout Canvas) -> Void) -> PixelBuffer {
    var frame = PixelBuffer(width: width, height: height, format: .gray)
    frame.draw(body)
    return frame
  }

  /// The drawn area in pixels.
  static func area(_ frame: PixelBuffer) -> Double { frame.bytes.reduce(0) { $0 + Double($1) } / 255 }

  @Test func areasMatchGeometry() {
    var random = Random(seed: Seed(1))
    for _ in 0..<50 {
      let center = Point(random.uniform(25, 39), random.uniform(20, 28))
      let angle = random.uniform(0, 6.3)
      let radius = random.uniform(2, 15)
      let circle = Self.area(Self.white { $0.circle(center: center, radius: radius, .white) })
      #expect(abs(circle - .pi * radius * radius) < 0.01 * circle + 0.3)

      let box = Self.area(Self.white { $0.rectangle(center: center, width: 18, height: 7.3, angle: angle, .white) })
      #expect(abs(box - 18 * 7.3) < 1.5)

      let end = Point(center.x + 12, center.y + 5)
      let capsule = Self.area(Self.white { $0.capsule(from: center, to: end, radius: 3, .white) })
      #expect(abs(capsule - (6 * 13 + .pi * 9)) < 1)

      let x = center.x - 10
      let arrow = [Point(x, 10), Point(x + 20, 10), Point(x + 8, 18), Point(x + 20, 30), Point(x, 30)]
      let polygon = Self.area(Self.white { $0.polygon(arrow, .white) })
      #expect(abs(polygon - (400 - 20 * 12 / 2)) < 2)
    }
  }

  /// Skipping pixels does not change the result: the coverage of every pixel matches its distance.
  @Test func rasterizerMatchesBruteForce() {
    func check<S: Shape>(_ shape: S, sourceLocation: SourceLocation = #_sourceLocation) {
      let frame = Self.white { canvas in
        canvas.view(center: Point(0, 0), height: 4)
        canvas.paint(shape, .white)
      }
      let slow = Self.white { canvas in
        canvas.view(center: Point(0, 0), height: 4)
        let grid = canvas.grid
        for y in 0..<grid.height {
          for x in 0..<grid.width {
            let coverage = 0.5 - shape.distance(to: grid.place(x, y)) * grid.scale
            let weight = Int(min(max(coverage, 0), 1) * 256 + 0.5)
            canvas.bytes[y * grid.width + x] = UInt8((255 * weight + 128) >> 8)
          }
        }
      }
      let differences = zip(frame.bytes, slow.bytes).filter { $0 != $1 }.count
      #expect(differences == 0, sourceLocation: sourceLocation)
    }
    var random = Random(seed: Seed(2))
    func point() -> Point { Point(random.uniform(-3, 3), random.uniform(-2.5, 2.5)) }
    for _ in 0..<60 {
      check(Disc(center: point(), radius: random.uniform(0, 2)))
      check(Capsule(start: point(), end: point(), radius: random.uniform(0.02, 1)))
      check(Polygon(corners: (0..<7).map { _ in point() }))
      check(Box(center: point(), halfLength: random.uniform(0, 2), halfWidth: 0.4, axis: Point(0.6, -0.8)))
    }
  }

  @Test func edgesAreAntialiasedAtTheRightPixels() {
    // x up to 10.5 and y, from below, up to 4.25
    let frame = Self.white(16, 8) { $0.rectangle(center: Point(5.25, 2.125), width: 10.5, height: 4.25, .white) }
    func value(_ x: Int, _ y: Int) -> UInt8 { frame.bytes[(7 - y) * 16 + x] }
    #expect(value(3, 2) == 255)
    #expect(value(10, 2) == 128)
    #expect(value(11, 2) == 0)
    #expect(value(3, 4) == 64)
    #expect(value(3, 5) == 0)
  }

  @Test func viewMapsUnitsToPixels() {
    // Four units on 48 pixels: 12 pixels per unit, centred at (10, 1).
    let frame = Self.white { canvas in
      canvas.view(center: Point(10, 1), height: 4)
      canvas.rectangle(center: Point(11, 2), width: 1, height: 0.5, .white)
    }
    let lit = frame.bytes.indices.filter { frame.bytes[$0] == 255 }
    #expect(Set(lit.map { $0 % 64 }) == Set(38..<50))
    #expect(Set(lit.map { $0 / 64 }) == Set(9..<15))
    #expect(Self.area(frame) == 72)
  }

  @Test func thinShapesStayVisible() {
    let line = Self.white { $0.line(from: Point(10, 20.3), to: Point(50, 20.3), width: 0, .white) }
    #expect(abs(Self.area(line) - 40) < 0.5)
    let dot = Self.white { $0.circle(center: Point(20.2, 20.7), radius: 0, .white) }
    #expect(Self.area(dot) > 0.4)
  }

  @Test func polygonsUseTheEvenOddRule() {
    // Two nested squares with the same orientation.
    let corners = [
      Point(10, 10), Point(40, 10), Point(40, 40), Point(10, 40), Point(10, 10),
      Point(20, 20), Point(30, 20), Point(30, 30), Point(20, 30), Point(20, 20),
    ]
    let frame = Self.white { $0.polygon(corners, .white) }
    #expect(frame.bytes[(47 - 25) * 64 + 25] == 0)
    #expect(frame.bytes[(47 - 15) * 64 + 35] == 255)
  }

  @Test func invalidShapesAreNotDrawnAndLargeShapesAreClipped() {
    let numbers: [Double] = [.nan, .infinity, -.infinity]
    let frame = Self.white { canvas in
      for bad in numbers {
        canvas.circle(center: Point(bad, 3), radius: 4, .white)
        canvas.circle(center: Point(3, 3), radius: bad == -.infinity ? .nan : bad, .white)
        canvas.line(from: Point(3, bad), to: Point(9, 9), width: 2, .white)
        canvas.capsule(from: Point(3, 3), to: Point(9, bad), radius: 2, .white)
        canvas.polygon([Point(1, 1), Point(9, 1), Point(bad, 9)], .white)
        canvas.rectangle(center: Point(3, 3), width: 5, height: 5, angle: bad, .white)
      }
      canvas.circle(center: Point(1e200, 1e200), radius: 1e10, .white)
      canvas.polygon([Point(1, 1), Point(9, 1)], .white)
      canvas.line(from: Point(5, 5), to: Point(5, 5), width: 2, .white)
    }
    #expect(Self.area(frame) == 0)
    let covered = Self.white { $0.rectangle(center: Point(0, 0), width: 1e12, height: 1e12, .white) }
    #expect(Self.area(covered) == 64 * 48)
  }

  @Test func grayFramesUseTheLuminance() {
    let color = Color(200, 40, 90)
    #expect(color.luminance == 94)  // 0.299 * 200 + 0.587 * 40 + 0.114 * 90 = 93.54
    func paint(_ canvas: inout Canvas) {
      canvas.gradient(top: color, bottom: .yellow)
      canvas.capsule(from: Point(4, 4), to: Point(40, 30), radius: 5, .blue)
      canvas.opacity = 0.4
      canvas.circle(center: Point(30, 20), radius: 12, .green)
    }
    var rgb = PixelBuffer(width: 64, height: 48)
    rgb.draw(paint)
    let gray = Self.white(64, 48, paint)
    for (a, b) in zip(gray.bytes, rgb.converted(to: .gray).bytes) { #expect(abs(Int(a) - Int(b)) <= 2) }
  }

  @Test func opacityBlends() {
    let frame = Self.white { canvas in
      canvas.fill(Color(gray: 100))
      canvas.opacity = 0.25
      canvas.rectangle(center: Point(32, 24), width: 100, height: 100, Color(gray: 200))
    }
    #expect(Set(frame.bytes) == [125])
  }

  @Test func backgroundsFillTheFrame() {
    var frame = PixelBuffer(width: 30, height: 20)
    frame.draw { $0.fill(Color(1, 2, 3)) }
    #expect(frame.bytes == (0..<600).flatMap { _ in [1, 2, 3] as [UInt8] })
    let picture = frame
    frame.draw { $0.fill(.white) }
    #expect(Set(frame.bytes) == [255])
    frame.draw { $0.fill(picture) }
    #expect(frame == picture)

    let checker = Self.white(8, 8) { $0.texture(.checker(period: 4), .black, .white) }
    #expect(checker.bytes[7 * 8] == 0 && checker.bytes[7 * 8 + 4] == 255 && checker.bytes[0] == 255)
    func noise(_ seed: UInt64) -> PixelBuffer {
      Self.white { $0.texture(.noise(period: 16, seed: seed), .black, .white) }
    }
    #expect(noise(1) == noise(1))
    #expect(noise(1) != noise(2))
    let steps = zip(noise(1).bytes, noise(1).bytes.dropFirst()).enumerated().filter { $0.offset % 64 != 63 }
    #expect(steps.allSatisfy { abs(Int($0.element.0) - Int($0.element.1)) < 40 })
  }

  /// The output is bit-identical on every machine and in every version, and drawing does not copy the frame.
  @Test func outputIsReproducible() {
    var frame = PixelBuffer(width: 84, height: 84)
    let before = unsafe frame.bytes.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    frame.draw { canvas in
      canvas.view(center: Point(0, 1), height: 3)
      canvas.gradient(top: .blue, bottom: .black)
      canvas.line(from: Point(-2, 0.95), to: Point(2, 0.9), width: 0.04, .gray)
      canvas.rectangle(center: Point(0.1, 1), width: 0.4, height: 0.2, angle: 0.3, .orange)
      canvas.capsule(from: Point(0.1, 1), to: Point(0.7, 1.8), radius: 0.05, .yellow)
      canvas.circle(center: Point(-0.8, 0.4), radius: 0.3, .red)
      canvas.polygon([Point(0.5, 0), Point(1.2, 0), Point(0.8, 0.2), Point(1.2, 0.7)], .green)
    }
    let after = unsafe frame.bytes.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    #expect(before == after)
    let hash = frame.bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    #expect(hash == 5_180_394_179_389_304_982)
  }
}
