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
    // A run can be lengthened. Earlier versions included its length, and had no datasets.
    let (length, offline) = (TrainingSettings.key(of: \.envSteps), TrainingSettings.offlineKeys)
    var checkpoints = try directory.checkpoints(
      kept: training.keepCheckpoints,
      settings: fingerprint(of: groups, spec.id, A.id, seed, leavingOut: offline.union([length])),
      or: [fingerprint(of: groups, spec.id, A.id, seed, leavingOut: offline)])
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
      try say("resuming from step \(trainer.stepCount): \(checkpoint.path)")
    } else {
      try trainer.begin(from: directory)
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
  struct Loop: Codable {
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

  struct EvaluationAtStep: Codable {
    let step: Int
    let evaluation: Evaluation
  }

  /// - Parameter seconds: Returns the run time since the start, over all processes.
  private func train(
    _ trainer: inout Trainer<E, A, R>, _ loop: inout Loop, in directory: RunDirectory,
    _ checkpoints: inout Checkpoints, _ say: (String) throws -> Void, seconds: () -> Double
  ) throws {
    let files = try RunLog(in: directory, from: loop.log, step: trainer.stepCount)
    for note in files.notes { try say(note) }
    var log = TrainingLog(files)
    var progress = Progress("train", total: training.length, from: trainer.stepCount)
    if !loop.hasBegun {
      let first = try first()
      try evaluateBeforeTraining(trainer, &loop, in: directory, &log)
      if let first { trainer.seed(with: first) }
      // An on-policy agent does not learn from another policy's steps, but they count.
      let learnsFromFirst = first != nil && A.Settings.Experience.isOffPolicy && !training.isOffline
      loop.begin(training, at: trainer.stepCount, seedUpdates: learnsFromFirst ? training.seedUpdates : 0)
      // From here on the run needs nothing from outside its run directory.
      if first != nil { try save(trainer, &loop, &log, &checkpoints, seconds: seconds()) }
    }
    while trainer.updates < loop.seedUpdates {
      try trainer.learn(1) { loop.means.add($0) }
      let stops = Interruption.isWanted
      if trainer.updates == loop.seedUpdates || stops {
        try save(trainer, &loop, &log, &checkpoints, seconds: seconds())
      }
      if stops { try Interruption.check() }
    }
    var beside: EvaluationBeside?
    /// Logs the evaluation beside the training, after waiting for its end. If it failed, the agent is to be evaluated
    /// again, as it then is.
    func finishEvaluation() throws {
      guard let ended = beside else { return }
      beside = nil
      do { try record(try ended.wait(), at: ended.step, &loop, &log, in: directory) } catch {
        // If this fails too, the evaluation's error is the one to report.
        try? log.release { _ in }
        loop.evaluationIsDue = true
        throw error
      }
      try checkpoints.rate(step: ended.step, score: loop.evaluations.last?.evaluation.mean)
    }
    while trainer.stepCount < training.length || loop.evaluationIsDue == true {
      // An evaluation that a signal interrupted is repeated.
      if loop.evaluationIsDue != true {
        do { try trainer.step { loop.means.add($0) } } catch {
          // A checkpoint repeats an evaluation that a signal interrupted. Any other error of it came after that of the
          // step, which is the one to report.
          do { try finishEvaluation() } catch let interrupted as Interrupted { throw interrupted } catch {}
          guard let failure = error as? StepFailed else { throw error }
          throw saved(trainer, &loop, &log, &checkpoints, after: failure.reason, seconds: seconds())
        }
        let step = trainer.stepCount
        for episode in trainer.finished { try log.episode(return: episode.sum, length: episode.length, step: step) }
        if loop.report(step) {
          var metrics = loop.means.take()
          if let last = trainer.lastReturn { metrics["train/return"] = last }
          try log.metrics(step: step, metrics)
          progress.update(
            min(step, training.length),
            ["return": trainer.lastReturn ?? .nan, "loss": metrics[Lesson.criticLoss] ?? .nan])
        }
        loop.evaluationIsDue = loop.judge(step) || step >= training.length
      }
      let step = trainer.stepCount
      let isLast = step >= training.length
      // A signal ends the evaluation beside the training if a checkpoint can repeat it; otherwise it is waited for.
      if Interruption.isWanted, let beside, checkpoints.newest?.step == beside.step { try Interruption.check() }
      let savesNow = loop.checkpoint(step) || isLast || Interruption.isWanted
      if loop.evaluationIsDue == true || savesNow || beside?.hasEnded == true {
        do { try finishEvaluation() } catch {
          // A signal interrupts only an evaluation that the newest checkpoint repeats.
          guard !(error is Interrupted) else { throw error }
          throw saved(trainer, &loop, &log, &checkpoints, after: error, seconds: seconds())
        }
      }
      if loop.evaluationIsDue == true, isLast {
        do { try evaluateLast(trainer, &loop, &log, in: directory) } catch {
          throw saved(trainer, &loop, &log, &checkpoints, after: error, seconds: seconds())
        }
        loop.evaluationIsDue = false
      }
      // The signal may have come while an evaluation was waited for.
      let stops = Interruption.isWanted
      // A checkpoint that is written before the evaluation of the same step repeats it when the run resumes.
      if savesNow || stops { try save(trainer, &loop, &log, &checkpoints, seconds: seconds()) }
      if stops { try Interruption.check() }
      if loop.evaluationIsDue == true {
        do {
          beside = try beginEvaluation(trainer, in: directory, isRepeatable: checkpoints.newest?.step == step)
        } catch { throw saved(trainer, &loop, &log, &checkpoints, after: error, seconds: seconds()) }
        log.hold()
        loop.evaluationIsDue = false
      }
    }
    progress.finish()
    loop.seconds = seconds()
  }

  /// Saves the trainer after an error that left it as it was, so that no training is lost.
  ///
  /// - Returns: The error to report. That is the first one, unless it is only a signal and saving failed.
  private func saved(
    _ trainer: borrowing Trainer<E, A, R>, _ loop: inout Loop, _ log: inout TrainingLog,
    _ checkpoints: inout Checkpoints, after error: any Error, seconds: Double
  ) -> any Error {
    // Weights that are not finite are of no use.
    guard !(error is NotFinite) else { return error }
    do { try save(trainer, &loop, &log, &checkpoints, seconds: seconds) } catch let second {
      return error is Interrupted ? second : error
    }
    return error
  }

  private func save(
    _ trainer: borrowing Trainer<E, A, R>, _ loop: inout Loop, _ log: inout TrainingLog,
    _ checkpoints: inout Checkpoints,
    seconds: Double
  ) throws {
    (loop.log, loop.seconds) = (try log.synchronized(), seconds)
    let (step, last) = (trainer.stepCount, loop.evaluations.last)
    try checkpoints.write(step: step, score: last?.step == step ? last?.evaluation.mean : nil) { writer in
      try writer.write(Loop.part) { try encoded(loop) }
      try trainer.save(to: &writer)
    }
  }
}

/// `137 MB`, and `0.41 MB` below ten
func megabytes(_ bytes: Int) -> String { "\(grouped(Double(bytes) / 1e6)) MB" }
