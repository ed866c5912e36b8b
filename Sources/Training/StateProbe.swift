import Autoencoders
import Core
import Networks
import Replay
import Representations
import Tensors

/// Measures how well the true state can be predicted from stacked latents: R² of each state component, regressed by a
/// small network on episodes that neither the autoencoder nor the agent was trained on.
///
/// It orders agents better than the reconstruction error does, though not well: over 70 runs, its median has a rank
/// correlation of 0.60 with the return, and the error on moving pixels has none (`experiments/checks/probe`).
public struct StateProbe: Sendable {
  public let names: [String]
  /// R² of each component: 1 is perfect, 0 is no better than the mean, NaN if the component is constant.
  public let r2: [Double]
  /// The true held-out states, `[N, S]`, and the predicted ones.
  public let truths: Tensor
  public let readings: Tensor

  /// The smallest R².
  public var worst: Double { r2.filter { !$0.isNaN }.min() ?? 0 }
  /// Below this R² of any component, few agents reached what they reach from the true state: 2 of 9 runs, above it 54
  /// of 61 (`experiments/checks/probe`).
  public static let poor = 0.3

  /// - Parameters:
  ///   - encode: Encodes N recorded frames to latents `[N, Z]`.
  ///   - frames: The frames and states of regression and evaluation.
  ///   - layout: The number of stacked latents; actions are left out.
  public init(
    _ encode: (Recording) -> Tensor, on frames: ProbeFrames, layout: HistoryLayout, seed: Seed, steps: Int = 2000
  ) {
    let layout = HistoryLayout(
      latentSize: layout.latentSize, frames: layout.frames, actions: 0, actionSpace: layout.actionSpace,
      differenceScale: layout.differenceScale)
    let targets = StateTargets(of: frames.training, frames.angles)
    let heldOut = StateTargets(of: frames.heldOut, frames.angles)
    (names, truths) = (targets.names, heldOut.values)
    guard !names.isEmpty else {  // the environment has no state but its pixels
      (readings, r2) = (truths, [])
      return
    }
    let inputs = stacked(encode(frames.training), frames.training, layout)
    let standardized = targets.standardized

    var random = seed.stream("probe")
    var model = MultilayerPerceptron(layout.observationSize, hidden: [128, 128], names.count, using: &random)
    let schedule = LearningRateSchedule(rate: 2e-3, warmUpSteps: min(50, steps), steps: steps, finalFraction: 0.02)
    var optimizer = Adam(learningRate: 2e-3, weightDecay: 1e-3)
    let batch = 256
    for step in 0..<steps {
      let rows = (0..<batch).map { _ in random.integer(below: frames.training.count) }
      let (x, y) = (inputs.gatheringRows(rows), standardized.gatheringRows(rows))
      let (_, gradient) = valueWithGradient(at: model) { meanSquared($0(x) - y) }
      optimizer.learningRate = schedule.rate(at: step)
      optimizer.update(&model, along: gradient)
    }

    let testInputs = stacked(encode(frames.heldOut), frames.heldOut, layout)
    readings = model(testInputs) * targets.deviation + targets.mean
    let residual = square(readings - truths).mean(axis: 0).doubles
    let variance = square(truths - heldOut.mean).mean(axis: 0).doubles
    r2 = zip(residual, variance).map { $1 > 1e-12 ? 1 - $0 / $1 : .nan }
  }

  /// Probes an encoder.
  public init<Model: Autoencoder>(
    of encoder: LatentEncoder<Model>, on frames: ProbeFrames, steps: Int = 2000, seed: Seed
  ) {
    self.init(
      { encoder.encodeAll($0) }, on: frames, layout: frames.layout(of: encoder), seed: seed,
      steps: steps)
  }

  /// `cart position 0.998, pole cos 0.973`.
  public var summary: String {
    zip(names, r2).map { "\($0) \(rounded($1, 3))" }.joined(separator: ", ")
  }
}

extension StateProbe {
  /// Returns a warning if the smallest R² is below `poor`, otherwise nil.
  public static func warning(about record: [AutoencoderRecord.Setting]) -> String? {
    let known = record.compactMap { row in Double(row.text).map { (name: row.key, r2: $0) } }.filter { !$0.r2.isNaN }
    guard let poorest = known.min(by: { $0.r2 < $1.r2 }), poorest.r2 < poor else { return nil }
    return
      "WARNING: the state probe has R² \(rounded(poorest.r2, 3)) for '\(poorest.name)'; below \(poor) most agents learn "
      + "less than from the true state. 'pixelrl probe RUN --ceiling' shows whether a better pretraining could help."
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

/// Formats a number with `digits` digits after the decimal point.
public func rounded(_ x: Double, _ digits: Int) -> String {
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
