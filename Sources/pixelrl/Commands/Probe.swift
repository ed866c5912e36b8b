import ArgumentParser
import Core
import Formats
import Runs
import Training

/// `pixelrl probe`
struct Probe: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how well the true state can be predicted from an encoder's latents.",
    discussion: """
      Prints R² of each component of the state on held-out frames: 1 is perfect, 0 no better than the mean. The frames \
      are new random play, or those of a dataset: 'pixelrl collect --policy-run RUN' makes one of a trained agent's play.

      With --ceiling, an encoder of the same kind is trained on the true state of the same frames. Its R² is about the \
      best that any training of this kind of encoder can reach.
      """)

  @Argument(
    help: ArgumentHelp(
      "a run of 'pixelrl pretrain-ae' or 'pixelrl train', whose encoder is probed", valueName: "run"),
    completion: .runs)
  var path: String

  @Option(
    help: ArgumentHelp(
      "a dataset with true states, the last quarter of which is held out (default: random play)", valueName: "folder"),
    completion: .directory)
  var dataset: String?

  @Flag(help: "also train an encoder on the true state, for comparison")
  var ceiling = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "--ceiling: updates of that encoder (default: \(SupervisedTraining().updates))", valueName: "n"),
    transform: wholeNumber)
  var updates: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("the seed of random play and networks (default: that of the pretraining)", valueName: "n"),
    transform: wholeNumber)
  var seed: UInt64?

  @Flag(help: "print the results as JSON in the last line")
  var json = false

  func run() throws {
    Interruption.listen()
    let training = try supervised()
    let data = try dataset.map { try FrameDataset(path: $0) }
    let probe = try probe(on: data, supervised: training)
    try printLine(
      "\(grouped(Double(probe.training))) frames of \(probe.frames), and \(grouped(Double(probe.heldOut))) held out")
    for line in aligned(rows(of: probe)) { try printLine(line) }
    if let worst = probe.fractions?.compactMap({ $0 }).min() {
      try printLine("least fraction of the ceiling: \(rounded(worst))")
    }
    if json { try printLine(probe.json.description) }
  }

  private func probe(on data: FrameDataset?, supervised training: SupervisedTraining?) throws -> EncoderProbe {
    let seed = seed.map(Seed.init)
    guard let training else { return try EncoderProbe(of: path, on: data, supervised: nil, seed: seed) }
    var progress = Progress("ceiling", total: training.updates)
    let probe = try EncoderProbe(of: path, on: data, supervised: training, seed: seed) { progress.update($0) }
    progress.finish()
    return probe
  }

  private func supervised() throws -> SupervisedTraining? {
    guard ceiling else {
      guard updates == nil else { throw InputError("--updates is for --ceiling: add --ceiling, or leave it out") }
      return nil
    }
    var training = SupervisedTraining()
    if let updates {
      guard updates > 0 else { throw InputError("--updates takes a whole number of at least 1, not '\(updates)'") }
      training.updates = updates
    }
    return training
  }

  private func rows(of probe: EncoderProbe) -> [[String]] {
    guard let ceiling = probe.ceiling, let fractions = probe.fractions else {
      return [["state", "R²"]] + zip(probe.names, probe.r2).map { [$0, rounded($1)] }
    }
    return [["state", "R²", "ceiling", "fraction"]]
      + probe.names.indices.map { i in
        [probe.names[i], rounded(probe.r2[i]), rounded(ceiling[i]), fractions[i].map(rounded) ?? "-"]
      }
  }

  /// `0.97`, or `-` for a component that is constant.
  private func rounded(_ value: Double) -> String { value.isNaN ? "-" : Training.rounded(value, 2) }
}
