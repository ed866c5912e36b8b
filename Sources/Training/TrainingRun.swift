import Agents
import Autoencoders
import Core
import Environments
import Formats
import Networks
import Pixels
import Plots
import Replay
import Representations
import Runs
import Tensors

/// A complete training of an agent, with evaluations, learning curve, pictures and video in a run directory.
public struct TrainingRun<E: Environment, A: Agent, R: Representation> {
  public let environment: E
  public var representation: R
  public var agent: A.Settings
  public var episode: EpisodeSettings
  public var training: TrainingSettings
  public var seed: Seed
  /// Returns the recorded transitions that the agent learns from first. Called only when a run begins, not when it
  /// resumes.
  public var first: () throws -> Recording?

  public init(
    _ environment: E, _ agentKind: A.Type, through representation: R, agent: A.Settings, episode: EpisodeSettings,
    training: TrainingSettings, first: @autoclosure @escaping () throws -> Recording?, seed: Seed
  ) {
    self.environment = environment
    self.first = first
    self.representation = representation
    self.agent = agent
    self.episode = episode
    self.training = training
    self.seed = seed
  }

  var spec: EnvironmentSpec { environment.spec }

  public var groups: [any SettingsGroup] { [episode, agent, training] }

  var layout: HistoryLayout {
    training.layout(latentSize: representation.latentSize, actionSpace: spec.actionSpace)
  }

  /// Trains in a run directory.
  ///
  /// - Parameter say: Prints a line about what is done next.
  /// - Returns: The result for the last line of output. `return_mean` is the mean over the episodes of the last three
  ///   evaluations, or of all if there are fewer.
  public func run(in directory: RunDirectory, say: (String) throws -> Void = { _ in }) throws -> [JSON.Member] {
    let start = ContinuousClock.now
    // A run can be lengthened. Earlier versions included its length.
    let length = TrainingSettings.key(of: \.envSteps)
    var checkpoints = try directory.checkpoints(
      kept: training.keepCheckpoints,
      settings: fingerprint(of: groups, spec.id, A.id, seed, leavingOut: [length]),
      or: [fingerprint(of: groups, spec.id, A.id, seed)])
    for warning in checkpoints.warnings { try say(warning) }
    try say(replayLine)
    var trainer = try Trainer(
      environment, A.self, through: representation, agentSettings: agent, episodeSettings: episode, settings: training,
      seed: seed)
    var loop = Loop()
    if let checkpoint = checkpoints.newest {
      try trainer.restore(from: checkpoint)
      loop = try decoded(
        Loop.self, from: checkpoint, Loop.part, like: Loop.begun(training), Loop.form, check: check)
      try say("resuming from step \(trainer.envSteps): \(checkpoint.path)")
    }
    let secondsBefore = loop.seconds
    do {
      try train(&trainer, &loop, in: directory, &checkpoints, say) {
        secondsBefore + (ContinuousClock.now - start) / .seconds(1)
      }
    } catch var error as NotFinite {
      error.checkpoint =
        checkpoints.newest?.path
        ?? loop.trainedEvaluations.last.map { "\(directory.file(SavedAgent.weights)) of step \($0.step)" }
      throw error
    }
    let evaluations = loop.trainedEvaluations
    let lastReturns = evaluations.suffix(3).flatMap(\.evaluation.returns)
    return [
      .init("return_mean", .number(lastReturns.mean)), .init("return_std", .number(lastReturns.deviation)),
      .init("return_best", .number(evaluations.map(\.evaluation.mean).max() ?? .nan)),
      .init("return_random", try directory.baseline()?.mean.map { .number($0) } ?? .null),
      .init("evaluations", .array(loop.evaluations.map { [.integer($0.step), .number($0.evaluation.mean)] })),
      .init("env_steps", .integer(trainer.envSteps)), .init("updates", .integer(trainer.updates)),
      .init("seconds", .number(loop.seconds)), .init("checkpoints", checkpoints.cost.json),
    ]
  }

  /// The state of the loop that checkpoints store besides the trainer.
  private struct Loop: Codable {
    static var part: String { "loop.plist" }

    var hasBegun = false
    var means = MetricsMean()
    var report = Every(0)
    var judge = Every(0)
    /// Whether this step's evaluation is still to be played; nil, which means false, in checkpoints of older versions.
    var evaluationIsDue: Bool?
    var checkpoint = Every(0)
    /// All evaluations, including that of the untrained agent at step 0.
    var evaluations: [EvaluationAtStep] = []
    /// The evaluations without that of the untrained agent.
    var trainedEvaluations: [EvaluationAtStep] { evaluations.filter { $0.step > 0 } }
    var log: RunLog.Position?
    /// The run time since the start, over all processes.
    var seconds = 0.0

    /// The number of updates on the first data.
    var seedUpdates = 0

    /// A new loop with these settings, which a stored loop is compared with.
    static func begun(_ settings: TrainingSettings) -> Loop {
      var loop = Loop()
      loop.begin(settings, at: 0, seedUpdates: 0)
      return loop
    }

    static var form: StateForm {
      StateForm(changing: ["last", "seconds", "seedUpdates"], growing: ["means", "evaluations", "log"])
    }

    mutating func begin(_ settings: TrainingSettings, at step: Int, seedUpdates: Int) {
      hasBegun = true
      self.seedUpdates = seedUpdates
      report = Every(1000, from: step)
      judge = Every(settings.evaluateEvery, from: step)
      checkpoint = Every(settings.checkpointEvery, from: step)
    }
  }

  /// Checks that a stored loop fits this run.
  ///
  /// - Throws: `InputError` that says what does not fit.
  private func check(_ loop: Loop) throws {
    let count = training.evaluationEpisodes
    guard
      loop.evaluations.allSatisfy({
        (0...1 << 53).contains($0.step) && $0.evaluation.returns.count == count && $0.evaluation.lengths.count == count
          && $0.evaluation.returns.allSatisfy(\.isFinite)
      })
    else { throw InputError("an evaluation does not have \(count) episodes") }
    guard (0...training.seedUpdates).contains(loop.seedUpdates),
      loop.seedUpdates == 0 || A.Settings.Experience.isOffPolicy
    else { throw InputError("\(loop.seedUpdates) updates on the first data do not fit this run's settings") }
  }

  private struct EvaluationAtStep: Codable {
    let step: Int
    let evaluation: Evaluation
  }

  /// - Parameter seconds: Returns the run time since the start, over all processes.
  private func train(
    _ trainer: inout Trainer<E, A, R>, _ loop: inout Loop, in directory: RunDirectory,
    _ checkpoints: inout Checkpoints, _ say: (String) throws -> Void, seconds: () -> Double
  ) throws {
    var log = try RunLog(in: directory, from: loop.log, step: trainer.envSteps)
    for note in log.notes { try say(note) }
    var progress = Progress("train", total: training.envSteps, from: trainer.envSteps)
    if !loop.hasBegun {
      let first = try first()
      try evaluateBeforeTraining(trainer, &loop, in: directory, &log)
      if let first { trainer.seed(with: first) }
      // An on-policy agent does not learn from another policy's steps, but they count.
      let learnsFromFirst = first != nil && A.Settings.Experience.isOffPolicy
      loop.begin(training, at: trainer.envSteps, seedUpdates: learnsFromFirst ? training.seedUpdates : 0)
      // From here on the run needs nothing from outside its run directory.
      if first != nil { try save(trainer, &loop, &log, &checkpoints, seconds: seconds()) }
    }
    while trainer.updates < loop.seedUpdates {
      try trainer.learn(1) { loop.means.add($0) }
      if trainer.updates == loop.seedUpdates || Interruption.isWanted {
        try save(trainer, &loop, &log, &checkpoints, seconds: seconds())
      }
      try Interruption.check()
    }
    while trainer.envSteps < training.envSteps || loop.evaluationIsDue == true {
      // An evaluation that a signal interrupted is repeated.
      if loop.evaluationIsDue != true {
        do { try trainer.step { loop.means.add($0) } } catch let failure as StepFailed {
          try save(trainer, &loop, &log, &checkpoints, seconds: seconds())
          throw failure.reason
        }
        let step = trainer.envSteps
        for episode in trainer.finished { try log.episode(return: episode.sum, length: episode.length, step: step) }
        if loop.report(step) {
          var metrics = loop.means.take()
          if let last = trainer.lastReturn { metrics["train/return"] = last }
          try log.append(step: step, metrics)
          progress.update(
            min(step, training.envSteps),
            ["return": trainer.lastReturn ?? .nan, "loss": metrics[Lesson.criticLoss] ?? .nan])
        }
        loop.evaluationIsDue = loop.judge(step) || step >= training.envSteps
      }
      let step = trainer.envSteps
      let isLast = step >= training.envSteps
      if loop.evaluationIsDue == true {
        do { try evaluate(trainer, &loop, &log, in: directory, isLast: isLast) } catch let error as Interrupted {
          try save(trainer, &loop, &log, &checkpoints, seconds: seconds())
          throw error
        }
        loop.evaluationIsDue = false
      }
      if loop.checkpoint(step) || isLast || Interruption.isWanted {
        try save(trainer, &loop, &log, &checkpoints, seconds: seconds())
      }
      try Interruption.check()
    }
    progress.finish()
    loop.seconds = seconds()
  }

  /// Plays the baselines of the later returns: the untrained agent and a random player, from the start states of all
  /// evaluations. Neither changes the trainer.
  private func evaluateBeforeTraining(
    _ trainer: borrowing Trainer<E, A, R>, _ loop: inout Loop, in directory: RunDirectory, _ log: inout RunLog
  ) throws {
    let isWanted = training.evaluateEvery > 0
    try directory.write(
      try Baseline(in: environment, episode, episodes: isWanted ? training.evaluationEpisodes : 0, seed: seed))
    guard isWanted else { return }
    let evaluation = try trainer.evaluate(seed: seed.child("evaluation"))
    loop.evaluations.append(EvaluationAtStep(step: 0, evaluation: evaluation))
    try log.evaluation(step: 0, returns: evaluation.returns, lengths: evaluation.lengths)
  }

  private func save(
    _ trainer: borrowing Trainer<E, A, R>, _ loop: inout Loop, _ log: inout RunLog, _ checkpoints: inout Checkpoints,
    seconds: Double
  ) throws {
    try log.synchronize()
    (loop.log, loop.seconds) = (log.position, seconds)
    let (step, last) = (trainer.envSteps, loop.evaluations.last)
    try checkpoints.write(step: step, score: last?.step == step ? last?.evaluation.mean : nil) { writer in
      try writer.write(Loop.part) { try encoded(loop) }
      try trainer.save(to: &writer)
    }
  }

  /// Saves the agent, then plays its evaluation.
  ///
  /// - Throws: `Interrupted` before the evaluation is recorded.
  private func evaluate(
    _ trainer: borrowing Trainer<E, A, R>, _ loop: inout Loop, _ log: inout RunLog, in directory: RunDirectory,
    isLast: Bool
  ) throws {
    let step = trainer.envSteps
    // Only finite weights are saved: the error for a later loss that is not finite names them as the last good ones.
    try requireFinite(trainer.agent, step: step)
    try trainer.representation.requireFinite(step: step)
    try Safetensors(
      trainer.agent.parameters,
      metadata: [("agent", A.id), ("environment", spec.id), ("step", "\(step)")]
    ).write(to: directory.file(SavedAgent.weights))
    try trainer.representation.write(to: directory.path)
    let evaluation = try evaluate(trainer, in: directory, &log, isLast: isLast)
    loop.evaluations.append(EvaluationAtStep(step: step, evaluation: evaluation))
    try log.evaluation(step: step, returns: evaluation.returns, lengths: evaluation.lengths)
    try writeCurve(loop.evaluations, to: directory)
  }

  /// Plays the evaluation's episodes and writes reconstructions of the first one, and its video after the last
  /// evaluation.
  private func evaluate(
    _ trainer: borrowing Trainer<E, A, R>, in directory: RunDirectory, _ log: inout RunLog, isLast: Bool
  ) throws -> Evaluation {
    var film = FirstFrames()
    let evaluation = try trainer.evaluate(seed: seed.child("evaluation")) { film.append($0) }
    try evaluation.requireFinite(spec.id)
    let text = ["run": directory.name, "environment": spec.id, "step": "\(trainer.envSteps)"]
    if let grid = trainer.representation.reconstructions(of: film.frames) {
      let digits = String(trainer.envSteps)
      let name = "reconstructions-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).png"
      try PNG.write(grid, to: directory.file(name), text: text)
      try log.image("reconstructions", step: trainer.envSteps, grid)
    }
    if isLast { try film.write(to: directory.file("episode.png"), text: text) }
    return evaluation
  }

  private func writeCurve(_ evaluations: [EvaluationAtStep], to directory: RunDirectory) throws {
    let points = evaluations.map { Point(Double($0.step), $0.evaluation.mean) }
    let band = evaluations.map { $0.evaluation.returns.deviationBand ?? 0...0 }
    let baseline = try directory.baseline()
    var plot = Plot(
      title: "\(spec.id): return of \(training.evaluationEpisodes) episodes", xLabel: "env steps",
      yLabel: "return",
      series: [Plot.Series(A.id, points, band: band)])
    plot.yLimits = baseline?.returnRange
    if let random = baseline?.mean { plot.mark(random, "random player") }
    try PNG.write(
      plot.picture(), to: directory.file("curve.png"),
      text: ["run": directory.name, "environment": spec.id])
  }
}

/// `137 MB`, and `0.41 MB` below ten
func megabytes(_ bytes: Int) -> String { "\(grouped(Double(bytes) / 1e6)) MB" }
