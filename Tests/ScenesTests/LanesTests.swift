import Testing

@testable import Scenes

struct LanesTests {
  private let a = Lanes(SIMD8(-3, -0.5, 0, 0.25, 1, 2.75, 100, 12345))

  @Test func comparisonsAndSelections() {
    let b = Lanes(1)
    #expect((0..<8).map { (a < b)[$0] } == [true, true, true, true, false, false, false, false])
    #expect((0..<8).map { min(a, b)[$0] } == [-3, -0.5, 0, 0.25, 1, 1, 1, 1])
    #expect((0..<8).map { max(a, b)[$0] } == [1, 1, 1, 1, 1, 2.75, 100, 12345])
    #expect(
      (0..<8).map { LaneMask(SIMD8(0, 1, -1, 7, 1, 0, 1, 2), are: 1)[$0] } == [
        false, true, false, false, true, false, true, false,
      ])
    #expect(LaneMask.none.isEmpty && !LaneMask(first: 1).isEmpty)
    #expect((0..<8).map { LaneMask(first: 3)[$0] } == [true, true, true, false, false, false, false, false])
  }

  @Test func rootsAndPowers() {
    for (lane, x) in [Float(0.25), 1, 2.75, 100, 12345].enumerated() {
      #expect(abs(a.squareRoot[lane + 3] / x.squareRoot() - 1) < 1e-6)
      #expect(abs(a.magnitude.squareRoot[lane + 3] * a.inverseSquareRoot[lane + 3] - 1) < 1e-6)
    }
    #expect(Lanes(0).squareRoot[0] == 0)
    #expect(abs(Lanes(0.9).power(PowerLadder(64))[0] - 0.001179) < 1e-6)
    #expect(abs(Lanes(0.25).power(PowerLadder(2.5))[0] - 0.03125) < 1e-7)
    #expect(Lanes(0.5).power(PowerLadder(0))[0] == 1)
  }

  @Test func integersAndFractions() {
    #expect((0..<8).map { a.integers[$0] } == [-3, 0, 0, 0, 1, 3, 100, 12345])
    #expect((0..<6).map { a.fraction[$0] } == [0, 0.5, 0, 0.25, 0, 0.75])
  }
}
