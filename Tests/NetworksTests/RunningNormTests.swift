import Core
import Tensors
import Testing

@testable import Networks

@Suite struct RunningNormTests {
  @Test func columnsHaveMeanZeroAndDeviationOne() {
    var random = Seed(1).stream("batches")
    var norm = RunningNorm(3)
    let scale = Tensor([Float(1), 20, 0], [3])
    let shift = Tensor([Float(0), -50, 7], [3])
    func batch() -> Tensor { Tensor.normal([256, 3], using: &random) * scale + shift }
    for _ in 0..<200 { norm.adapt(to: batch()) }
    let columns = norm(batch())
    for column in 0..<2 {
      let values = columns.columns(column..<column + 1).doubles
      #expect(abs(values.mean) < 0.2 && abs(values.deviation - 1) < 0.1)
    }
    // A column that does not change has no scale.
    #expect(columns.columns(2..<3).doubles.allSatisfy { abs($0) < 0.2 })
  }

  @Test func theFirstBatchReplacesTheInitialValues() {
    var norm = RunningNorm(1)
    norm.adapt(to: Tensor([Float(10), 14], [2, 1]))
    #expect(norm.mean.array == [12] && norm.variance.array == [4])
    #expect(norm(Tensor([Float(10), 14], [2, 1])).array == [-1, 1])
  }

  @Test func numbersFarFromZeroKeepTheirDeviation() {
    var random = Seed(2).stream("batches")
    var norm = RunningNorm(1)
    func batch() -> Tensor { Tensor.normal([256, 1], using: &random) + 20_000 }
    for _ in 0..<200 { norm.adapt(to: batch()) }
    #expect(abs(norm(batch()).doubles.deviation - 1) < 0.1 && abs(norm.mean.array[0] - 20_000) < 0.1)
  }

  /// The memory is 1000 batches, so that old observations are forgotten.
  @Test func oldBatchesAreForgotten() {
    var norm = RunningNorm(1)
    for _ in 0..<1000 { norm.adapt(to: Tensor(repeating: 0, [4, 1])) }
    for _ in 0..<5000 { norm.adapt(to: Tensor(repeating: 1, [4, 1])) }
    #expect(abs(norm.mean.array[0] - 1) < 0.01)
  }
}
