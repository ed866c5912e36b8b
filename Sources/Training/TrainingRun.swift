import Agents
import Autoencoders
import Core
import Environments
import Pixels
import Runs
import Tensors

/// A whole training of an agent through an observer, with evaluations, curve, pictures and video in a run's folder.
public struct TrainingRun<E: Environment, A: Agent, O: Observer> {
  public var observer: O
  public var agent: A.Settings
  public var episode: EpisodeSettings
  public var training: TrainingSettings
  public var seed: Seed
  /// Recorded transitions that come first, with their latents.
  public var first: (recording: Recording, latents: Tensor)?
  /// Told of each evaluation, to picture what the agent still sees.
  public var picture: ((Trainer<E, A, O>.Moment) throws -> Void)?

  public init(
    _ environment: E.Type, _ agentKind: A.Type, through observer: O, agent: A.Settings, episode: EpisodeSettings,
    training: TrainingSettings, seed: Seed
  ) {
    self.observer = observer
    self.agent = agent
    self.episode = episode
    self.training = training
    self.seed = seed
  }

  /// - Returns: the outcome as the last line of output has it: `return_mean` is the mean over the episodes of the last
  ///   three evaluations.
  public func run(in directory: RunDirectory) throws -> [JSON.Member] {
    var log = try directory.metrics()
    var trainer = Trainer(
      E.self, A.self, through: observer, agentSettings: agent, episodeSettings: episode, settings: training, seed: seed)
    var progress = Progress("train", total: training.envSteps)
    var means = MetricsMean()
    if let first {
      trainer.seed(with: first.recording, latents: first.latents)
      try trainer.learn(training.seedUpdates) { means.add($0) }
    } else if training.randomSteps > 0 {
      let collection = CollectionSettings.steps(training.randomSteps)
      let recording = try collect(E.self, episode, collection, seed: seed.child("collection"))
      trainer.seed(with: recording, latents: observer.observeAll(recording))
      try trainer.learn(training.seedUpdates) { means.add($0) }
    }

    var evaluations: [(step: Int, evaluation: Evaluation)] = []
    var (report, judge) = (Every(1000, from: trainer.envSteps), Every(training.evaluateEvery, from: trainer.envSteps))
    while trainer.envSteps < training.envSteps {
      try trainer.step { means.add($0) }
      let step = trainer.envSteps
      if report(step) {
        var metrics = means.take()
        if let last = trainer.lastReturn { metrics["train/return"] = last }
        try log.append(step: step, metrics)
        progress.update(
          min(step, training.envSteps), ["return": trainer.lastReturn ?? .nan, "loss": metrics["critic/loss"] ?? .nan])
      }
      let isLast = step >= training.envSteps
      if judge(step) || isLast {
        let evaluation = try evaluate(trainer, isLast ? directory : nil)
        evaluations.append((step, evaluation))
        try log.append(
          step: step, ["evaluation/return": evaluation.mean, "evaluation/deviation": evaluation.deviation])
        try writeCurve(evaluations, to: directory)
        try picture?(trainer.moment(step))
      }
    }
    progress.finish()
    try trainer.agent.write(to: directory.file("agent.safetensors"))
    let lastReturns = evaluations.suffix(3).flatMap(\.evaluation.returns)
    let mean = lastReturns.reduce(0, +) / Double(lastReturns.count)
    let deviation =
      (lastReturns.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(lastReturns.count)).squareRoot()
    return [
      .init("return_mean", .number(mean)), .init("return_std", .number(deviation)),
      .init("return_best", .number(evaluations.map(\.evaluation.mean).max() ?? .nan)),
      .init("evaluations", .array(evaluations.map { [.integer($0.step), .number($0.evaluation.mean)] })),
      .init("env_steps", .integer(trainer.envSteps)), .init("updates", .integer(trainer.updates)),
    ]
  }

  private func evaluate(_ trainer: borrowing Trainer<E, A, O>, _ video: RunDirectory?) throws -> Evaluation {
    let seed = seed.child("evaluation")
    guard let video else { return trainer.evaluate(seed: seed) }
    let frameRate = 25.0
    var animation = try AnimatedPNG(
      path: video.file("episode.png"), framesPerSecond: frameRate,
      text: ["run": video.path, "environment": E.id, "step": "\(trainer.envSteps)"])
    let evaluation = try trainer.evaluate(seed: seed) { try animation.append($0) }
    try animation.finish()
    return evaluation
  }

  private func writeCurve(_ evaluations: [(step: Int, evaluation: Evaluation)], to directory: RunDirectory) throws {
    let points = evaluations.map { Point(Double($0.step), $0.evaluation.mean) }
    let band = evaluations.map { $0.evaluation.mean - $0.evaluation.deviation...$0.evaluation.mean + $0.evaluation.deviation }
    let plot = Plot(
      title: "\(E.id): return of \(training.evaluationEpisodes) episodes", xLabel: "env steps", yLabel: "return",
      series: [Plot.Series(A.id, points, band: band)])
    try PNG.write(plot.picture(), to: directory.file("curve.png"), text: ["run": directory.path, "environment": E.id])
  }
}
