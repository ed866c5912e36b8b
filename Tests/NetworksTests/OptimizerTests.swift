import Core
import Testing

@testable import Networks
@testable import Tensors

private struct Two: Module {
  var a: Tensor
  var b: Tensor
  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("a", &a)
    visitor("b", &b)
  }
}

@Suite struct OptimizerTests {
  @Test(arguments: [
    ("adam", Adam(learningRate: 0.01)),
    ("adam_options", Adam(learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-3)),
    ("adamw", Adam(learningRate: 0.01, weightDecay: 0.1)),
  ])
  func fiveStepsAgreeWithPyTorch(_ name: String, _ optimizer: Adam) {
    var optimizer = optimizer
    var model = Two(a: golden("\(name).start", .float32), b: .zeros([2]))
    for step in 0..<5 {
      optimizer.update(&model, along: Gradient(tensors: [golden("\(name).gradient\(step)", .float32), nil]))
      expectClose(model.a, golden["\(name).parameter\(step)"], "\(name) step \(step)", tolerance: 1e-6)
    }
    expectClose(optimizer.moments[0].first, golden["\(name).first"], "m", tolerance: 1e-6)
    expectClose(optimizer.moments[0].second, golden["\(name).second"], "v", tolerance: 1e-6)
    #expect(optimizer.moments.map(\.steps) == [5, 0])
    #expect(model.b.array == [0, 0])
  }

  @Test func steadyStateUpdatesInPlace() {
    var random = Seed(1).stream("place")
    var model = MultilayerPerceptron(6, hidden: [8], 2, using: &random)
    var optimizer = Adam(learningRate: 1e-3)
    let x = Tensor.normal([5, 6], using: &random)
    let (_, gradient) = valueWithGradient(at: model) { square($0(x)).mean() }
    func blocks() -> [ObjectIdentifier] {
      model.parameters.map { ObjectIdentifier($0.value.storage) }
        + optimizer.moments.flatMap { [ObjectIdentifier($0.first.storage), ObjectIdentifier($0.second.storage)] }
    }
    optimizer.update(&model, along: gradient)
    let before = blocks()
    // Other tests use the pool at the same time. One update without allocations shows that an update needs none.
    let hasUpdateWithoutAllocation = (0..<100).contains { _ in
      let allocations = StoragePool.allocations
      optimizer.update(&model, along: gradient)
      return StoragePool.allocations == allocations
    }
    #expect(hasUpdateWithoutAllocation)
    #expect(blocks() == before)
  }

  @Test func rootIsTheSquareRoot() {
    var x = Float.leastNormalMagnitude
    while x < 1e38 {
      #expect(abs(root(x) / x.squareRoot() - 1) < 3e-7, "the root of \(x)")
      x *= 1.37
    }
    #expect(root(0) == 0 && root(.leastNonzeroMagnitude) >= 0)
  }

  @Test func copiesAreIndependent() {
    var random = Seed(2).stream("copies")
    var model = MultilayerPerceptron(3, hidden: [4], 2, using: &random)
    let copy = model
    let values = copy.parameters.map { $0.value.array }
    var optimizer = Adam(learningRate: 0.1)
    let x = Tensor.normal([5, 3], using: &random)
    let (_, gradient) = valueWithGradient(at: model) { square($0(x) - 1).mean() }
    optimizer.update(&model, along: gradient)
    let saved = (optimizer, model)
    optimizer.update(&model, along: gradient)
    #expect(copy.parameters.map { $0.value.array } == values)
    #expect(model.parameters.map { $0.value.array } != values)
    #expect(saved.0.moments[0].steps == 1 && optimizer.moments[0].steps == 2)
    #expect(saved.0.moments[0].first.array != optimizer.moments[0].first.array)
    // A copy of optimiser and model gives the same result.
    var (again, other) = saved
    again.update(&other, along: gradient)
    #expect(other.parameters.map { $0.value.array } == model.parameters.map { $0.value.array })
  }

  @Test func checkpointContinuesExactly() throws {
    var random = Seed(3).stream("checkpoint")
    var model = MultilayerPerceptron(3, hidden: [4], 2, using: &random)
    var optimizer = Adam(learningRate: 0.01)
    let x = Tensor.normal([5, 3], using: &random)
    func step(_ model: inout MultilayerPerceptron, _ optimizer: inout Adam) {
      let (_, gradient) = valueWithGradient(at: model) { square($0(x) - 1).mean() }
      optimizer.update(&model, along: gradient)
    }
    step(&model, &optimizer)
    step(&model, &optimizer)
    let file = Safetensors(optimizer.state(of: model, prefix: "optimizer.") + model.named("network.")).bytes
    step(&model, &optimizer)

    let read = try Safetensors(parsing: file)
    var otherModel = MultilayerPerceptron(3, hidden: [4], 2, using: &random)
    try otherModel.load(read.tensors, prefix: "network.")
    var otherOptimizer = Adam(learningRate: 0.01)
    try otherOptimizer.load(read.tensors, of: otherModel, prefix: "optimizer.")
    step(&otherModel, &otherOptimizer)
    #expect(otherModel.parameters.map { $0.value.array } == model.parameters.map { $0.value.array })
    #expect(otherOptimizer.moments.map(\.steps) == [3, 3, 3, 3])

    let wide = MultilayerPerceptron(3, hidden: [5], 2, using: &random)
    #expect(throws: InputError.self) { try otherOptimizer.load(read.tensors, of: wide, prefix: "optimizer.") }
    #expect(throws: InputError.self) { try otherOptimizer.load([], of: model, prefix: "optimizer.") }
  }

  @Test func blendMovesByTheRate() {
    var target = Two(a: Tensor([Float(1), 2], [2]), b: Tensor([Float(0)], [1]))
    let online = Two(a: Tensor([Float(3), -2], [2]), b: Tensor([Float(8)], [1]))
    let before = target
    target.blend(toward: online, rate: 0.25)
    #expect(target.a.array == [1.5, 1] && target.b.array == [2])
    #expect(before.a.array == [1, 2] && online.a.array == [3, -2])
    let block = ObjectIdentifier(target.a.storage)
    target.blend(toward: online, rate: 1)
    #expect(target.a.array == online.a.array && target.b.array == online.b.array)
    #expect(ObjectIdentifier(target.a.storage) == block, "in place")
    target.blend(toward: before, rate: 0)
    #expect(target.a.array == online.a.array)
  }

  @Test(arguments: [Precision.float32, .float64])
  func clippingAgreesWithPyTorch(_ precision: Precision) {
    let gradient = Gradient(tensors: [golden("clip.gradient0", precision), nil, golden("clip.gradient1", precision)])
    #expect(abs(gradient.norm - golden["clip.norm"].item) < 1e-5)
    var clipped = gradient
    clipped.clip(toNorm: 0.5)
    expectClose(clipped.tensors[0], golden["clip.clipped0"], "part 0", tolerance: 1e-6)
    expectClose(clipped.tensors[2], golden["clip.clipped1"], "part 1", tolerance: 1e-6)
    #expect(clipped.tensors[1] == nil)
    #expect(gradient.clipped(toNorm: 100).tensors[0]?.doubles == gradient.tensors[0]?.doubles)
  }

  @Test func normAndFinitenessOfExtremes() {
    #expect(
      Gradient(tensors: [Tensor(repeating: 1e30, [20])]).norm > 1e30, "squares beyond float32 are summed in double")
    #expect(Gradient(tensors: [nil]).norm == 0)
    #expect(Gradient(tensors: [nil, .zeros([17])]).isFinite)
    for bad in [Float.nan, .infinity, -.infinity] {
      var elements = [Float](repeating: 0, count: 17)
      elements[11] = bad
      #expect(!Gradient(tensors: [nil, Tensor(elements, [17])]).isFinite)
    }
  }

  @Test func scheduleHasAWarmUpAndACosineDecay() {
    let schedule = LearningRateSchedule(rate: 2, warmUpSteps: 4, steps: 14, finalFraction: 0.1)
    #expect((0..<4).map { schedule.rate(at: $0) } == [0.5, 1, 1.5, 2])
    #expect(schedule.rate(at: 4) == 2)
    #expect(abs(schedule.rate(at: 9) - 1.1) < 1e-12)
    #expect(schedule.rate(at: 14) == 0.2 && schedule.rate(at: 1000) == 0.2)
    let constant = LearningRateSchedule(rate: 3, steps: 0, finalFraction: 1)
    #expect(constant.rate(at: 0) == 3 && constant.rate(at: 9) == 3)
  }
}
