import Agents
import Core
import Replay
import Tensors
import Testing

// What agents that learn from batches must do for an encoder that learns from them.

/// The gradient is that of the critic's loss only, even if the actor learns from the same batch.
func checkObservationGradient<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var agent = try A.new(space)
  for seed in 0..<3 {
    var batch = randomBatch(8, space, seed: seed)
    let (before, o) = (agent, batch.observation)
    /// Returns the loss of an agent in the same state with one value of the observations changed.
    func loss(_ i: Int, shifted by: Float) throws -> Double {
      var (agent, batch, values) = (before, batch, o.array)
      values[i] += by
      batch.observation = Tensor(values, o.shape)
      return try #require(try agent.lesson(of: batch).metrics[Lesson.criticLoss])
    }
    batch.needsObservationGradient = true
    let found = try #require(try agent.lesson(of: batch).observationGradient)
    #expect(found.shape == o.shape)
    let (middle, step) = (try loss(0, shifted: 0), Float(0.004))
    var (error, size) = (0.0, 0.0)
    for (i, slope) in found.doubles.enumerated() {
      let after = (try loss(i, shifted: step) - middle) / Double(step)
      let before = (middle - (try loss(i, shifted: -step))) / Double(step)
      // A kink of ReLU is on at most one side.
      let nearest = [before, (before + after) / 2, after].map { abs($0 - slope) }.min() ?? .nan
      error += nearest * nearest
      size += slope * slope
    }
    #expect(size > 1e-6 && error.squareRoot() < 0.005 * size.squareRoot(), "\(A.id) in \(space)")
  }
}

func checkThatGradientsChangeNothing<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var (agent, agentWithGradient) = (try A.new(space), try A.new(space))
  for seed in 0..<4 {
    var batch = randomBatch(8, space, seed: seed)
    let lesson = try agent.lesson(of: batch)
    batch.needsObservationGradient = true
    let other = try agentWithGradient.lesson(of: batch)
    #expect(lesson.observationGradient == nil && other.observationGradient != nil)
    #expect(lesson.metrics.entries.map(\.value) == other.metrics.entries.map(\.value))
    #expect(lesson.priorities == other.priorities && agent.bits == agentWithGradient.bits)
  }
}

func checkTargetObservations<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  func loss(_ change: (inout Batch) -> Void) throws -> Double {
    var (agent, batch) = (try A.new(space), randomBatch(8, space, seed: 1))
    change(&batch)
    return try #require(try agent.lesson(of: batch).metrics[Lesson.criticLoss])
  }
  let plain = try loss { _ in }
  #expect(try loss { $0.targetObservation = $0.nextObservation } == plain)
  #expect(try loss { $0.targetObservation = $0.nextObservation + 1 } != plain)
}

extension Agent {
  fileprivate mutating func lesson(of batch: Batch) throws -> Lesson {
    update(try #require(batch as? Settings.Experience))
  }
}
