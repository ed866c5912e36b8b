import Testing

@testable import Reports

@Test func quantilesInterpolateBetweenNeighbours() {
  #expect(Quantile.of([1, 2, 4], at: 0.5) == 2)
  #expect(Quantile.of([1, 2, 4], at: 0.75) == 3)
  #expect(Quantile.of([7], at: 0.1) == 7)
}
