import Core
import Formats
import Pixels
import Representations
import Runs
import Tensors

// What the decoder draws: reconstructions, keypoints and traversals.

extension Inspection {
  /// Adds chosen, random and worst frames with their reconstructions.
  ///
  /// - Parameter pretraining: The settings with which the autoencoder was trained: they say which pixels move.
  mutating func addReconstructions(
    by drawing: any LatentDrawing, of play: InspectedPlay, _ pretraining: PretrainingSettings
  ) throws {
    let recording = play.recording
    let reconstructions = drawing.reconstructions(of: recording, threshold: Float(pretraining.changeThreshold))
    var random = seed.stream("inspected frames")
    let kinds = [
      ("chosen", try chosenFrames(of: recording)),
      ("random", (0..<options.frames).map { _ in random.integer(below: recording.count) }.sorted()),
      ("worst", spreadOut(reconstructions.worst, count: options.frames)),
    ]
    let scale = recording.size.magnification(to: 192)
    let grids = kinds.map { name, frames in
      let columns = drawing.comparisons(of: recording.stacks(frames, of: drawing.frameStack), magnifiedBy: scale)
      var grid = ImageGrid(
        rows: transposed(columns),
        columnCaptions: frames.map { "\($0): \(rounded(decibels(reconstructions.errors[$0]), 1)) dB" },
        rowCaptions: drawing.comparisonCaptions, scale: 1)
      grid.font = .regular
      if name == "worst" { grid.legend = ErrorScale().picture() }
      return (title: "\(name) frames", picture: grid.picture())
    }
    func member(_ frame: Int) -> JSON {
      [
        "frame": .integer(frame), "episode": .integer(recording.episodes[frame]),
        "step": .integer(play.step(of: frame)), "error": .number(reconstructions.errors[frame]),
      ]
    }
    add(
      "reconstructions", "Reconstructions",
      "Chosen, random and worst frames of \(grouped(Double(recording.count))), with the index of the frame and the "
        + "peak signal-to-noise ratio of its reconstruction. Over all frames: \(rounded(reconstructions.psnr, 1)) dB, "
        + "and \(rounded(reconstructions.movingPSNR, 1)) dB on moving pixels. The error is the mean absolute "
        + "difference over the colour channels.",
      Sheet(grids).picture(),
      .object(
        kinds.map { .init($0, .array($1.map(member))) } + [
          .init("frames", .integer(recording.count)), .init("psnr", .number(reconstructions.psnr)),
          .init("psnr_moving", .number(reconstructions.movingPSNR)),
        ]))
  }

  /// Adds keypoints over frames of the first episode, with their paths over the frames before.
  mutating func addKeypoints(of drawing: any LatentDrawing, _ play: InspectedPlay) {
    let recording = play.recording
    let parts = stride(from: 0, to: recording.count, by: 64).map { start in
      drawing.keypoints(
        of: recording.stacks(Array(start..<min(start + 64, recording.count)), of: drawing.frameStack))
    }
    let keypoints = parts.compactMap { $0 }.flatMap { $0 }  // [N][K]
    guard keypoints.count == recording.count, let count = keypoints.first?.count else { return }
    let spreads = (0..<count).map { k in spread(of: keypoints.map { $0[k] }) }
    var marks = KeypointMarks(count: count)
    marks.radius = 4
    marks.hollow = Set(spreads.indices.filter { spreads[$0] < 0.02 })

    let length = recording.firstEpisodeLength
    let moments = (0..<min(8, length)).map { $0 * (length - 1) / max(min(8, length) - 1, 1) }
    let scale = recording.size.magnification(to: 256)
    let frames = moments.map { moment in
      var frame = recording.frame(moment).converted(to: .rgb).magnified(by: scale)
      marks.draw(keypoints[moment], after: Array(keypoints[max(0, moment - 10)..<moment]), over: &frame)
      return frame
    }
    let grids = stride(from: 0, to: moments.count, by: 4).map { start in
      let shown = start..<min(start + 4, moments.count)
      var grid = ImageGrid(rows: [Array(frames[shown])], columnCaptions: moments[shown].map { "step \($0)" }, scale: 1)
      grid.font = .regular
      return grid.picture()
    }
    var legend = ImageGrid(rows: [[marks.legend(width: (grids.first?.width ?? 16) - 16)]], scale: 1)
    legend.gap = 8
    let still =
      marks.hollow.isEmpty
      ? "All of them move"
      : "Rings mark the \(marks.hollow.count) that do not move (standard deviation below 2 % of the frame over "
        + "\(grouped(Double(recording.count))) frames)"
    add(
      "keypoints", "Keypoints",
      "The \(count) keypoints that make up the latent, over frames of the first episode, each with its path over the "
        + "10 frames before. \(still).",
      Sheet(grids.map { ("", $0) } + [("", legend.picture())]).picture(),
      [
        "moments": .array(moments.map(JSON.integer)), "deviation": .array(spreads.map { .number(short($0)) }),
        "x": .array(moments.map { .array(keypoints[$0].map { .number(short($0.x)) }) }),
        "y": .array(moments.map { .array(keypoints[$0].map { .number(short($0.y)) }) }),
      ])
  }

  /// Adds traversals of the latent dimensions that change the reconstruction most.
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
      rowCaptions: shown.map { "z\($0)" }, scale: play.recording.size.magnification(to: 128))
    grid.font = .regular
    grid.legend = ErrorScale().picture()
    add(
      "traversals", "Latent traversals",
      "The \(shown.count) of \(size) latent dimensions that change the reconstruction most, one per row, moved from "
        + "their 2 % to their 98 % quantile over the inspected frames; the others stay as in frame \(reference). The "
        + "last column shows the difference between the two ends.", grid.picture(),
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

/// Returns the first of ranked frames that are at least `apart` frames from each other: neighbours look the same.
private func spreadOut(_ ranked: [Int], count: Int, apart: Int = 4) -> [Int] {
  var kept: [Int] = []
  for frame in ranked where kept.count < count && kept.allSatisfy({ abs($0 - frame) >= apart }) { kept.append(frame) }
  return kept
}

/// Swaps rows and columns.
func transposed<Element>(_ columns: [[Element]]) -> [[Element]] {
  (0..<(columns.map(\.count).min() ?? 0)).map { row in columns.map { $0[row] } }
}

/// The root mean square distance from the mean point.
private func spread(of points: [Point]) -> Double {
  let n = Double(points.count)
  let (x, y) = (points.reduce(0) { $0 + $1.x } / n, points.reduce(0) { $0 + $1.y } / n)
  let squares = points.map { ($0.x - x) * ($0.x - x) + ($0.y - y) * ($0.y - y) }
  return (squares.reduce(0, +) / n).squareRoot()
}

/// The mean square difference of two frames in (levels / 255)².
private func meanSquareDifference(_ a: PixelBuffer, _ b: PixelBuffer) -> Double {
  let sum = zip(a.bytes, b.bytes).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
  return Double(sum) / Double(a.bytes.count) / (255 * 255)
}
