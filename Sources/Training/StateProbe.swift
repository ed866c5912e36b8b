import Autoencoders
import Core
import Environments
import Networks
import Replay
import Representations
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Measures how well the true state can be predicted from stacked latents: R² of each state component, regressed by a
/// small network on episodes that neither the autoencoder nor the agent was trained on.
///
/// It predicts the agent's return better than reconstructions do: an agent cannot act on state that is not in the
/// latents.
public struct StateProbe: Sendable {
  public let names: [String]
  /// R² of each component: 1 is perfect, 0 is no better than the mean, NaN if the component is constant.
  public let r2: [Double]
  /// The true held-out states, `[N, S]`, and the predicted ones.
  public let truths: Tensor
  public let readings: Tensor

  /// The smallest R².
  public var worst: Double { r2.filter { !$0.isNaN }.min() ?? 0 }
  /// The R² that separated solved tasks from unsolved ones in an experiment.
  public static let solvable = 0.95

  /// - Parameters:
  ///   - encode: Encodes N recorded frames to latents `[N, Z]`.
  ///   - training, heldOut: Separate episodes for regression and evaluation.
  ///   - layout: The number of stacked latents; actions are left out.
  ///   - angles: The components that wrap after a full turn, which are regressed as cosine and sine.
  public init(
    _ encode: (Recording) -> Tensor, training: Recording, heldOut: Recording, layout: HistoryLayout,
    angles: Set<String> = [], seed: Seed, steps: Int = 2000
  ) {
    let layout = HistoryLayout(
      latentSize: layout.latentSize, frames: layout.frames, actions: 0, actionSpace: layout.actionSpace,
      differenceScale: layout.differenceScale)
    names = training.observationNames.flatMap { angles.contains($0) ? ["\($0)-cos", "\($0)-sin"] : [$0] }
    guard !names.isEmpty else {  // the environment has no state but its pixels
      (truths, readings) = (stateTensor(heldOut, angles), stateTensor(heldOut, angles))
      r2 = []
      return
    }
    let (inputs, targets) = (stacked(encode(training), training, layout), stateTensor(training, angles))
    let (testInputs, testTargets) = (stacked(encode(heldOut), heldOut, layout), stateTensor(heldOut, angles))
    let mean = targets.mean(axis: 0)
    let deviation = maximum(
      sqrt(square(targets - mean).mean(axis: 0)), Tensor(repeating: 1e-6, mean.shape))
    let standardized = (targets - mean) / deviation

    var random = seed.stream("probe")
    var model = MultilayerPerceptron(layout.observationSize, hidden: [128, 128], names.count, using: &random)
    let schedule = LearningRateSchedule(rate: 2e-3, warmUpSteps: min(50, steps), steps: steps, finalFraction: 0.02)
    var optimizer = Adam(learningRate: 2e-3, weightDecay: 1e-3)
    let batch = 256
    for step in 0..<steps {
      let rows = (0..<batch).map { _ in random.integer(below: training.count) }
      let (x, y) = (inputs.gatheringRows(rows), standardized.gatheringRows(rows))
      let (_, gradient) = valueWithGradient(at: model) { meanSquared($0(x) - y) }
      optimizer.learningRate = schedule.rate(at: step)
      optimizer.update(&model, along: gradient)
    }

    (truths, readings) = (testTargets, model(testInputs) * deviation + mean)
    let residual = square(readings - truths).mean(axis: 0).doubles
    let variance = square(testTargets - testTargets.mean(axis: 0)).mean(axis: 0).doubles
    r2 = zip(residual, variance).map { $1 > 1e-12 ? 1 - $0 / $1 : .nan }
  }

  /// `cart position 0.998, pole cos 0.973`.
  public var summary: String {
    zip(names, r2).map { "\($0) \(rounded($1, 3))" }.joined(separator: ", ")
  }
}

extension StateProbe {
  /// Probes an encoder on new episodes, which neither the encoder nor an agent is trained on.
  ///
  /// - Parameter frames: The number of agent steps for the regression. A third as many are held out for the evaluation.
  /// - Returns: The probe and the held-out episodes.
  public static func evaluate<Model: Autoencoder>(
    _ encoder: LatentEncoder<Model>, in environment: some Environment, _ episode: EpisodeSettings,
    _ collection: CollectionSettings = CollectionSettings(), frames: Int = 3000, steps: Int = 2000, seed: Seed
  ) throws -> (probe: StateProbe, heldOut: Recording) {
    var probing = collection
    probing.steps = frames
    let seen = try collect(environment, episode, probing, seed: seed.child("probe training"))
    probing.steps = max(1, frames / 3)
    let heldOut = try collect(environment, episode, probing, seed: seed.child("probe held out"))
    let layout = TrainingSettings().layout(latentSize: encoder.latentSize, actionSpace: environment.spec.actionSpace)
    let probe = StateProbe(
      { encoder.encodeAll($0) }, training: seen, heldOut: heldOut, layout: layout,
      angles: environment.spec.wrappingAngles, seed: seed, steps: steps)
    return (probe, heldOut)
  }

  /// Returns a warning if the smallest R² is below `solvable`, otherwise nil.
  public static func warning(about record: [AutoencoderRecord.Setting]) -> String? {
    let known = record.compactMap { row in Double(row.text).map { (name: row.key, r2: $0) } }.filter { !$0.r2.isNaN }
    guard let poorest = known.min(by: { $0.r2 < $1.r2 }), poorest.r2 < solvable else { return nil }
    return
      "WARNING: the state probe has R² \(rounded(poorest.r2, 3)) for '\(poorest.name)'; below \(solvable) the agent "
      + "may fail. More frames (--collect-steps), more updates (--ae-steps) or another --target-blur may help."
  }

  /// R² by name, as an autoencoder's record stores it.
  public var record: [AutoencoderRecord.Setting] {
    zip(names, r2).map { AutoencoderRecord.Setting(key: $0, text: rounded($1, 4)) }
  }
}

/// Histories `[N, O]` of recorded latents `[N, Z]`.
private func stacked(_ latents: Tensor, _ recording: Recording, _ layout: HistoryLayout) -> Tensor {
  var history = History(layout)
  let noAction = [Float](repeating: 0, count: layout.actionSpace.arrayCount)
  let size = layout.latentSize
  return latents.withElements { latents in
    Tensor([recording.count, layout.observationSize], of: Float.self) { target in
      for i in 0..<recording.count {
        let latent = latents.extracting(i * size..<(i + 1) * size)
        if i > 0, recording.episodes[i] == recording.episodes[i - 1] {
          history.append(action: noAction.span, latent: latent)
        } else {
          history.begin(with: latent)
        }
        history.write(into: &target, at: i * layout.observationSize)
      }
    }
  }
}

/// The true state `[N, S]`, each angle as its cosine and sine.
private func stateTensor(_ recording: Recording, _ angles: Set<String>) -> Tensor {
  let names = recording.observationNames
  let isAngle = names.map(angles.contains)
  let numbers = recording.observations.indices.flatMap { index -> [Float] in
    let x = recording.observations[index]
    return isAngle[index % names.count] ? [Float(cos(x)), Float(sin(x))] : [Float(x)]
  }
  return Tensor(numbers, [recording.count, names.count + angles.count])
}

/// Formats a number with `digits` digits after the decimal point.
func rounded(_ x: Double, _ digits: Int) -> String {
  guard x.isFinite else { return "\(x)" }
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let whole = (x * scale).rounded()
  guard abs(whole) < 0x1p53 else { return "\(x)" }
  let sign = whole < 0 ? "-" : ""
  let magnitude = Int(abs(whole))
  guard digits > 0 else { return "\(sign)\(magnitude)" }
  let fraction = String(magnitude % Int(scale))
  return "\(sign)\(magnitude / Int(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
}
