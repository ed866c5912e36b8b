import Agents
import Core
import Environments
import Networks
import Pixels
import Plots
import Representations
import Runs

/// The evaluations of a training: at step 0, beside the training, and at its end.
extension TrainingRun {
  /// Plays the baselines of the later returns: the untrained agent and a random player, from the start states of all
  /// evaluations. Neither changes the trainer.
  func evaluateBeforeTraining(
    _ trainer: borrowing Trainer<E, A, R>, _ loop: inout Loop, in directory: RunDirectory, _ log: inout TrainingLog
  ) throws {
    let isWanted = training.evaluateEvery > 0
    try directory.write(
      try Baseline(in: environment, episode, episodes: isWanted ? training.evaluationEpisodes : 0, seed: seed))
    guard isWanted else { return }
    let evaluation = try trainer.evaluate(seed: seed.child("evaluation"))
    loop.evaluations.append(EvaluationAtStep(step: 0, evaluation: evaluation))
    try log.release { try $0.evaluation(step: 0, returns: evaluation.returns, lengths: evaluation.lengths) }
  }

  /// Saves the agent, then begins its evaluation beside the training.
  ///
  /// - Parameter isRepeatable: Whether a signal may end it, because a checkpoint of this step is saved.
  func beginEvaluation(
    _ trainer: borrowing Trainer<E, A, R>, in directory: RunDirectory, isRepeatable: Bool
  ) throws -> EvaluationBeside {
    try writeWeights(trainer, to: directory)
    let player = TrainedPlayer(
      environment: environment, agent: trainer.agent, representation: trainer.representation, layout: trainer.layout,
      episode: trainer.episodeSettings, training: training)
    let seed = seed.child("evaluation")
    return EvaluationBeside(at: trainer.stepCount) {
      var film = FirstFrames()
      let evaluation = try player.evaluate(
        episodes: player.training.evaluationEpisodes, behavior: .exploit, seed: seed, stopsAtSignals: isRepeatable,
        watch: { film.append($0) }, again: { film = FirstFrames() })
      return EvaluationBeside.Result(
        evaluation: evaluation, film: film, reconstructions: player.representation.reconstructions(of: film.frames))
    }
  }

  /// Saves the agent, then plays its last evaluation and writes the video of its first episode.
  ///
  /// - Throws: `Interrupted`, or the error of the evaluation or of a picture, before the evaluation is recorded.
  func evaluateLast(
    _ trainer: borrowing Trainer<E, A, R>, _ loop: inout Loop, _ log: inout TrainingLog, in directory: RunDirectory
  ) throws {
    // As the evaluations before, so that a run that is lengthened later has the same numbers.
    let result = try beginEvaluation(trainer, in: directory, isRepeatable: true).wait()
    try result.film.write(to: directory.file("episode.png"), text: text(of: directory, trainer.stepCount))
    try record(result, at: trainer.stepCount, &loop, &log, in: directory)
  }

  /// Writes the reconstructions and the learning curve of an evaluation, then logs it: if a picture cannot be written,
  /// the evaluation is not recorded, and can be repeated.
  func record(
    _ result: EvaluationBeside.Result, at step: Int, _ loop: inout Loop, _ log: inout TrainingLog,
    in directory: RunDirectory
  ) throws {
    let evaluation = result.evaluation
    try evaluation.requireFinite(spec.id)
    if let grid = result.reconstructions {
      let digits = String(step)
      let name = "reconstructions-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).png"
      try PNG.write(grid, to: directory.file(name), text: text(of: directory, step))
    }
    let evaluations = loop.evaluations + [EvaluationAtStep(step: step, evaluation: evaluation)]
    try writeCurve(evaluations, to: directory)
    loop.evaluations = evaluations
    try log.release { files in
      if let grid = result.reconstructions { try files.image("reconstructions", step: step, grid) }
      try files.evaluation(step: step, returns: evaluation.returns, lengths: evaluation.lengths)
    }
  }

  private func writeWeights(_ trainer: borrowing Trainer<E, A, R>, to directory: RunDirectory) throws {
    let step = trainer.stepCount
    // Only finite weights are saved: the error for a later loss that is not finite names them as the last good ones.
    try requireFinite(trainer.agent, step: step)
    try trainer.representation.requireFinite(step: step)
    try Safetensors(
      trainer.agent.parameters,
      metadata: [("agent", A.id), ("environment", spec.id), ("step", "\(step)")]
    ).write(to: directory.file(SavedAgent.weights))
    try trainer.representation.write(to: directory.path)
  }

  /// The text chunks of a picture.
  private func text(of directory: RunDirectory, _ step: Int) -> [String: String] {
    ["run": directory.name, "environment": spec.id, "step": "\(step)"]
  }

  private func writeCurve(_ evaluations: [EvaluationAtStep], to directory: RunDirectory) throws {
    let points = evaluations.map { Point(Double($0.step), $0.evaluation.mean) }
    let band = evaluations.map { $0.evaluation.returns.deviationBand ?? 0...0 }
    let baseline = try directory.baseline()
    var plot = Plot(
      title: "\(spec.id): return of \(training.evaluationEpisodes) episodes", xLabel: training.stepName,
      yLabel: "return",
      series: [Plot.Series(A.id, points, band: band)])
    plot.yLimits = baseline?.returnRange
    if let random = baseline?.mean { plot.mark(random, "random player") }
    try PNG.write(
      plot.picture(), to: directory.file("curve.png"),
      text: ["run": directory.name, "environment": spec.id])
  }
}
