import Agents
import Core
import Replay
import Tensors

/// C = A B for square matrices, which measures the machine's rate of floating-point operations.
func squareProduct(_ arguments: Arguments) throws -> Workload {
  let size = try arguments.integer("size", default: 1024)
  var random = Seed(1).stream("matrices")
  let (a, b) = (Tensor.normal([size, size], using: &random), Tensor.normal([size, size], using: &random))
  return Workload(operations: 2 * size * size * size) { _ = matrixProduct(a, b) }
}

/// A complete SAC update on latents: critics, target critics, actor and temperature.
func sacUpdate(_ arguments: Arguments) throws -> Workload {
  let batchSize = try arguments.integer("batch", default: 256)
  let observations = try arguments.integer("observations", default: 150)
  let actions = try arguments.integer("actions", default: 1)
  var settings = SAC.Settings()
  settings.hidden = try arguments.integer("hidden", default: 256)
  settings.criticLayerNorm = try arguments.integer("layer-norm", default: 0) == 1
  settings.actorPeriod = 1
  settings.batch = batchSize
  var agent = SAC(
    observationSize: observations,
    actionSpace: .continuous(low: Array(repeating: -1, count: actions), high: Array(repeating: 1, count: actions)),
    settings: settings, seed: Seed(1))
  var random = Seed(1).stream("batch")
  let batch = Batch(
    observation: .normal([batchSize, observations], using: &random),
    action: tanh(.normal([batchSize, actions], using: &random)),
    reward: .normal([batchSize, 1], using: &random), discount: Tensor(repeating: 1, [batchSize, 1]),
    nextObservation: .normal([batchSize, observations], using: &random))

  let hidden = settings.hidden
  let actor = LayerCosts(batchSize, [observations, hidden, hidden, 2 * actions])
  let critic = LayerCosts(batchSize, [observations + actions, hidden, hidden, 1])
  // The forward passes of the targets, the critic loss, and the actor loss through critics without weight gradients.
  let targets = actor.forward + 2 * critic.forward
  let criticLoss = 2 * (critic.forward + critic.weightGradients + critic.inputGradients)
  let actorLoss =
    actor.forward + actor.weightGradients + actor.inputGradients
    + 2 * (critic.forward + critic.inputGradients + 2 * batchSize * hidden * actions)
  return Workload(operations: targets + criticLoss + actorLoss) { _ = agent.update(batch) }
}

/// The floating-point operations of a multilayer perceptron's passes over a batch.
private struct LayerCosts {
  let forward: Int
  var weightGradients: Int { forward }
  /// Without the gradient of the network's input.
  let inputGradients: Int

  init(_ batch: Int, _ sizes: [Int]) {
    let products = zip(sizes, sizes.dropFirst()).map { 2 * batch * $0 * $1 }
    forward = products.reduce(0, +)
    inputGradients = forward - products[0]
  }
}
