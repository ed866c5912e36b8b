import Agents
import Core
import Replay
import Tensors

/// Four steps of MR.Q with a period of four: four updates of the encoder on segments, four of critics and policy, and a
/// copy of the targets.
func modelBasedUpdates(_ arguments: Arguments) throws -> Workload {
  let batch = try arguments.integer("batch", default: 128)
  let observations = try arguments.integer("observations", default: 24)
  let actions = try arguments.integer("actions", default: 6)
  var settings = MRQ.Settings()
  settings.hidden = try arguments.integer("hidden", default: 256)
  (settings.batch, settings.period, settings.contrastWeight) = (batch, 4, 0)  // as the peer
  var agent = MRQ(
    observationSize: observations,
    actionSpace: .continuous(low: Array(repeating: -1, count: actions), high: Array(repeating: 1, count: actions)),
    settings: settings, seed: Seed(1))
  var random = Seed(1).stream("batch")
  func values(_ count: Int) -> Tensor { .normal([batch, count], using: &random) }
  let one = Tensor(repeating: 1, [batch, 1])
  let steps = (0..<settings.horizon).map { _ in
    Segments.Step(
      action: tanh(values(actions)), reward: values(1), discount: one, nextObservation: values(observations),
      isPresent: one)
  }
  let transition = Batch(
    observation: values(observations), action: steps[0].action, reward: values(1), discount: one,
    nextObservation: values(observations))
  let segments = Segments(transition: transition, steps: steps, meanAbsoluteReward: 0.8)
  return Workload { for _ in 0..<2 * settings.period { _ = agent.update(segments) } }
}
