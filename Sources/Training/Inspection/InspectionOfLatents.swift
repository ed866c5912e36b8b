import Autoencoders
import Core
import Environments
import Formats
import Pixels
import Plots
import Representations
import Runs
import Tensors

// What the latents encode: the state probe, and projections.

extension Inspection {
  /// Adds the true state of held-out frames of random play against the state that a small network reads from the
  /// latents.
  ///
  /// - Parameters:
  ///   - recorded: R² by name as the pretraining measured it; empty if it did not.
  ///   - folder: The folder of the pretraining. Its settings and seed reproduce the same frames and the same network.
  ///   - play: The settings of the episodes; nil for those of the pretraining.
  /// - Returns: The held-out frames.
  mutating func addProbe(
    of drawing: any LatentDrawing, recorded: [AutoencoderRecord.Setting], from folder: String,
    _ environment: some Environment, play: EpisodeSettings?
  ) throws -> Recording {
    var (episode, collection, pretraining) = (play ?? EpisodeSettings(), CollectionSettings(), PretrainingSettings())
    var origin = seed
    if let run = try? RunDirectory(existing: folder) {
      let settings = try run.settings()
      if play == nil { try settings.apply(to: &episode) }
      try settings.apply(to: &collection)
      try settings.apply(to: &pretraining)
      origin = Seed(try run.facts().seed)
    }
    return try addProbe(
      of: drawing, recorded: recorded, on: PlayedFrames(of: environment, episode, collection), pretraining, seed: origin
    )
  }

  /// Adds the probe of the pretraining's own frames.
  mutating func addProbe(
    of drawing: any LatentDrawing, recorded: [AutoencoderRecord.Setting], on origin: some FrameOrigin,
    _ pretraining: PretrainingSettings, seed: Seed
  ) throws -> Recording {
    let (probe, heldOut) = try drawing.probe(on: origin, pretraining, seed: seed)
    let size = probe.names.count
    guard size > 0 else { return heldOut }  // there is no state but the pixels
    let (truths, readings) = (probe.truths.doubles, probe.readings.doubles)
    let plots = probe.names.indices.map { i in
      Scatter(
        title: "\(probe.names[i]): R² \(rounded(probe.r2[i], 3))", xLabel: "true", yLabel: "read",
        points: (0..<heldOut.count).map { Point(truths[$0 * size + i], readings[$0 * size + i]) }, hasDiagonal: true
      ).picture(width: 460, height: 400, theme: .dark)
    }
    let width = min(plots.count, 3)
    let rows = stride(from: 0, to: plots.count, by: width).map { Array(plots[$0..<min($0 + width, plots.count)]) }
    let lost = probe.names.indices.filter { !probe.r2[$0].isNaN && probe.r2[$0] < StateProbe.poor }
    let verdict =
      lost.isEmpty
      ? "Every component can be read with R² of at least \(StateProbe.poor)."
      : "R² is below \(StateProbe.poor) for: \(lost.map { probe.names[$0] }.joined(separator: ", "))."
    add(
      "probe", "State probe",
      "Each component of the true state of \(grouped(Double(heldOut.count))) held-out frames"
        + "\(origin.isImported ? "" : " of random play") against the prediction of a small network from the "
        + "stacked latents. \(verdict)",
      ImageGrid(rows: rows, scale: 1).picture(),
      [
        "r2": .object(zip(probe.names, probe.r2).map { .init($0, .number($1)) }),
        "recorded": .object(recorded.map { .init($0.key, Double($0.text).map(JSON.number) ?? .null) }),
        "frames": .integer(heldOut.count),
        "true": .object(
          probe.names.indices.map { i in
            .init(probe.names[i], .array((0..<heldOut.count).map { .number(short(truths[$0 * size + i])) }))
          }),
        "read": .object(
          probe.names.indices.map { i in
            .init(probe.names[i], .array((0..<heldOut.count).map { .number(short(readings[$0 * size + i])) }))
          }),
      ])
    return heldOut
  }

  /// Adds the projection of the latents onto their first two principal components, coloured by value, return and state.
  mutating func addProjections(of play: InspectedPlay) {
    let components = PrincipalComponents(of: play.latents)
    let projected = components.places(of: play.latents)
    // A one-dimensional latent has only one component.
    let points = projected.map { Point($0[0], $0.count > 1 ? $0[1] : 0) }
    let shares = components.variances.map { $0 / max(components.totalVariance, 1e-300) }
    let explained = shares.map { "\(rounded(100 * $0, 0)) %" }.joined(separator: " and ")
    let labels = ["first component", "second component"]
    func plot(_ title: String, _ frames: [Int], _ shades: [Double], _ label: String, small: Bool = false) -> PixelBuffer
    {
      Scatter(
        title: title, xLabel: labels[0], yLabel: labels[1], points: frames.map { points[$0] }, shades: shades,
        shadeLabel: label
      ).picture(width: small ? 560 : 820, height: small ? 420 : 600, theme: .dark)
    }
    func numbers(_ frames: [Int], _ shades: [Double]) -> JSON {
      [
        "explained": .array(shares.map(JSON.number)), "x": .array(frames.map { .number(short(points[$0].x)) }),
        "y": .array(frames.map { .number(short(points[$0].y)) }), "shade": .array(shades.map { .number(short($0)) }),
      ]
    }
    let text = "The frames' latents along their first two principal components (\(explained) of the variance)"
    let comparedFrames = play.comparedFrames
    for (name, what, shades) in [("value", "value", play.values), ("return", "observed return", play.returns)]
    where !comparedFrames.isEmpty {
      let shown = comparedFrames.map { shades[$0] }
      add(
        "projection-\(name)", "Latents by \(what)", "\(text), coloured by the agent's \(what).",
        plot("latents by \(what)", comparedFrames, shown, what), numbers(comparedFrames, shown))
    }
    let (names, all) = (play.recording.observationNames, Array(0..<play.recording.count))
    guard !names.isEmpty else { return }
    let shades = names.indices.map { i in all.map { play.recording.observations[$0 * names.count + i] } }
    let plots = names.indices.map { plot(names[$0], all, shades[$0], "", small: true) }
    let rows = stride(from: 0, to: plots.count, by: 2).map { Array(plots[$0..<min($0 + 2, plots.count)]) }
    add(
      "projection-state", "Latents by state", "\(text), coloured by each component of the true state.",
      ImageGrid(rows: rows, scale: 1).picture(),
      ["explained": .array(shares.map(JSON.number)), "state": .array(names.map(JSON.string))])
  }
}

/// Rounds a number to `Float` precision, which is enough for a plot.
func short(_ x: Double) -> Double { Double(Float(x)) }
