import Core
import Pixels
import Runs
import Tensors

// What the autoencoder draws: reconstructions and traversals.

extension Inspection {
  /// Chosen, random and worst frames beside what is drawn of them.
  mutating func addReconstructions(by drawing: any LatentDrawing, of play: InspectedPlay) throws {
    let recording = play.recording
    let judged = drawing.reconstructions(of: recording)
    var random = seed.stream("inspected frames")
    let kinds = [
      ("chosen", try chosenFrames(of: recording)),
      ("random", (0..<options.frames).map { _ in random.integer(below: recording.count) }.sorted()),
      ("worst", spreadOut(judged.worst, count: options.frames)),
    ]
    let scale = max(1, 192 / recording.height)
    let grids = kinds.map { name, frames in
      let columns = drawing.comparisons(of: frames.map { recording.frame($0) })
      var grid = ImageGrid(
        rows: transposed(columns),
        columnCaptions: frames.map { "\($0): \(rounded(decibels(judged.errors[$0]), 1)) dB" },
        rowCaptions: drawing.comparisonCaptions, scale: scale)
      grid.captionScale = 2
      return (title: "\(name) frames", picture: grid.picture())
    }
    func member(_ frame: Int) -> JSON {
      [
        "frame": .integer(frame), "episode": .integer(recording.episodes[frame]),
        "step": .integer(play.step(of: frame)), "error": .number(judged.errors[frame]),
      ]
    }
    add(
      "reconstructions", "Reconstructions",
      "Chosen, random and worst frames of \(grouped(Double(recording.count))), with the frame's number and the peak "
        + "signal-to-noise ratio of what is drawn. All frames: \(rounded(judged.psnr, 1)) dB, on what moves "
        + "\(rounded(judged.movingPSNR, 1)) dB. The error is the mean absolute difference over the colours.",
      Sheet(grids).picture(),
      .object(
        kinds.map { .init($0, .array($1.map(member))) } + [
          .init("frames", .integer(recording.count)), .init("psnr", .number(judged.psnr)),
          .init("psnr_moving", .number(judged.movingPSNR)),
        ]))
  }

  /// What each of the latents that change the picture most does to it.
  mutating func addTraversals(of drawing: any LatentDrawing, _ play: InspectedPlay) {
    let (size, count) = (drawing.latentSize, play.recording.count)
    let values = play.latents.array
    let columns = (0..<size).map { j in (0..<count).map { values[$0 * size + j] }.sorted() }
    let fractions = [0.02, 0.18, 0.34, 0.5, 0.66, 0.82, 0.98]
    func quantile(_ j: Int, _ fraction: Double) -> Float { columns[j][Int(fraction * Double(count - 1))] }
    let reference = count / 3
    let base = Array(values[reference * size..<(reference + 1) * size])
    func drawings(_ changes: [(latent: Int, value: Float)]) -> [PixelBuffer] {
      let rows = changes.flatMap { change in
        var row = base
        row[change.latent] = change.value
        return row
      }
      return drawing.drawings(of: Tensor(rows, [changes.count, size]))
    }

    let ends = drawings((0..<size).flatMap { [($0, quantile($0, fractions[0])), ($0, quantile($0, fractions[6]))] })
    let changes = (0..<size).map { meanSquareDifference(ends[2 * $0], ends[2 * $0 + 1]) }
    let shown = Array((0..<size).sorted { changes[$0] > changes[$1] }.prefix(8))
    let rows = shown.map { j in
      drawings(fractions.map { (j, quantile(j, $0)) }) + [PixelBuffer.errorMap(ends[2 * j], ends[2 * j + 1])]
    }
    var grid = ImageGrid(
      rows: rows, columnCaptions: fractions.map { "\(Int($0 * 100)) %" } + ["changes"],
      rowCaptions: shown.map { "z\($0)" }, scale: max(1, 128 / play.recording.height))
    grid.captionScale = 2
    add(
      "traversals", "Latent traversals",
      "The \(shown.count) of \(size) numbers of the latent that change the picture most, a row each, moved from their 2 % "
        + "to their 98 % quantile over the inspected frames; the others stay as in frame \(reference). The last column "
        + "shows where the two ends differ.", grid.picture(),
      [
        "reference": .integer(reference), "fractions": .array(fractions.map(JSON.number)),
        "latents": .array(
          shown.map { j in
            [
              "latent": .integer(j), "change": .number(changes[j]),
              "quantiles": .array(fractions.map { .number(Double(quantile(j, $0))) }),
            ]
          }), "changes": .array(changes.map(JSON.number)),
      ])
  }
}

/// The first of ranked frames, but none beside another: neighbours look the same.
private func spreadOut(_ ranked: [Int], count: Int, apart: Int = 4) -> [Int] {
  var kept: [Int] = []
  for frame in ranked where kept.count < count && kept.allSatisfy({ abs($0 - frame) >= apart }) { kept.append(frame) }
  return kept
}

/// Columns as rows.
func transposed<Element>(_ columns: [[Element]]) -> [[Element]] {
  (0..<(columns.map(\.count).min() ?? 0)).map { row in columns.map { $0[row] } }
}

/// In (levels / 255)².
private func meanSquareDifference(_ a: PixelBuffer, _ b: PixelBuffer) -> Double {
  let sum = zip(a.bytes, b.bytes).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
  return Double(sum) / Double(a.bytes.count) / (255 * 255)
}
