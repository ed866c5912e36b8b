import Core
import Environments
import Pixels
import Representations
import Runs

/// A video of an episode: the original frame, its keypoints, the reconstruction and the error side by side, above
/// values such as step, reward and value.
///
/// Frames are drawn and compressed one by one, so that only the video's own bytes are in memory.
public struct Film: Sendable {
  /// A named value below the frames, with one number for each frame of the recording.
  struct Reading: Sendable {
    let name: String
    let values: [Double]
    let digits: Int

    func text(at index: Int) -> String { values[index].isFinite ? rounded(values[index], digits) : "–" }
  }

  /// The maximum number of frames. Of a longer episode only every second frame is shown, or every third and so on, so
  /// that the file has a few MB. Of large frames, fewer are shown.
  static let frameLimit = 300
  private static let pixelLimit = 16_000_000
  /// The longer side of a shown frame in pixels. Small frames are magnified towards it, larger ones are scaled down to
  /// it.
  private static let cellLength = 192

  /// The indices of the shown frames in the recording, `step` apart.
  let frames: [Int]
  let step: Int
  private let recording: Recording
  private let drawing: (any LatentDrawing)?
  private let readings: [Reading]
  private let scale: Int
  private let columnCaptions: [String]
  private let legend: PixelBuffer?
  /// The distance in pixels between two readings, enough for the widest.
  private let pitch: Int

  /// Makes a video of the first episode.
  init(of recording: Recording, through drawing: (any LatentDrawing)?, _ readings: [Reading]) {
    (self.recording, self.drawing, self.readings) = (recording, drawing, readings)
    scale = recording.size.magnification(to: Self.cellLength)
    columnCaptions = drawing?.comparisonCaptions ?? ["original"]
    legend = drawing == nil ? nil : ErrorScale().picture()
    let length = recording.firstEpisodeLength
    let cell = Self.reduced(recording.size)
    let pixels = columnCaptions.count * cell.width * cell.height
    let most = max(2, min(Self.frameLimit, Self.pixelLimit / pixels))
    step = max(1, (length + most - 1) / most)
    let shown = Array(stride(from: 0, to: length, by: step))
    frames = shown
    pitch = readings.map { Self.width(of: $0, in: shown) }.max() ?? 1
  }

  /// The size of a frame, scaled down if it is longer than a cell.
  private static func reduced(_ size: FrameSize) -> FrameSize {
    guard size.longerSide > cellLength else { return size }
    return FrameSize(
      width: max(1, size.width * cellLength / size.longerSide),
      height: max(1, size.height * cellLength / size.longerSide))
  }

  /// The maximum width of a reading in pixels, with the gap after it.
  private static func width(of reading: Reading, in frames: [Int]) -> Int {
    24 + start(of: reading) + (frames.map { Font.regular.width(of: reading.text(at: $0)) }.max() ?? 0)
  }

  /// The offset in pixels of a reading's number, after its name.
  private static func start(of reading: Reading) -> Int { Font.small.width(of: reading.name) + 7 }

  /// How many frames of the episode are shown, as the end of a sentence.
  var extent: String {
    let all = grouped(Double(recording.firstEpisodeLength))
    return step == 1 ? "all \(all) frames" : "1 of every \(step) frames, \(frames.count) of \(all)"
  }

  /// The bytes of an animated PNG.
  func encoded(framesPerSecond: Double = 15, text: [String: String] = [:]) throws -> [UInt8] {
    try AnimatedPNG.encode(framesPerSecond: framesPerSecond, text: text) { append in
      for start in stride(from: 0, to: frames.count, by: 16) {
        let batch = frames[start..<min(start + 16, frames.count)]
        for (index, cells) in zip(batch, cells(of: Array(batch))) {
          try append(picture(cells, at: index))
        }
      }
    }
  }

  /// Writes an animated PNG atomically. Throws `WorldError` with the path.
  func write(to path: String, text: [String: String] = [:]) throws {
    try writeAtomically(encoded(text: text), to: path)
  }

  private func cells(of indices: [Int]) -> [[PixelBuffer]] {
    let cells =
      drawing.map { $0.comparisons(of: recording.stacks(indices, of: $0.frameStack), magnifiedBy: scale) }
      ?? indices.map { [recording.frame($0).magnified(by: scale)] }
    let cell = Self.reduced(recording.size)
    guard cell != recording.size else { return cells }
    return cells.map { $0.map { $0.resized(width: cell.width, height: cell.height) } }
  }

  private func picture(_ cells: [PixelBuffer], at index: Int) -> PixelBuffer {
    var grid = ImageGrid(rows: [cells], columnCaptions: columnCaptions, scale: 1)
    grid.legend = legend
    let (frames, font, theme) = (grid.picture(), Font.regular, PictureTheme.dark)
    let width = max(frames.width, min(2, readings.count) * pitch)
    let perLine = min(width / pitch, readings.count)
    // The readings fit beside the error scale, unless there are few columns.
    let isBeside = legend.map { perLine == readings.count && $0.width + perLine * pitch <= width } ?? false
    let lines = perLine == 0 ? 0 : (readings.count + perLine - 1) / perLine
    let below = isBeside ? 0 : lines * font.lineHeight + 8
    var picture = PixelBuffer(width: width, height: frames.height + below)
    picture.draw { $0.fill(theme.paper) }
    picture.paste(frames, left: 0, top: 0)
    let first = isBeside ? frames.height - (legend?.height ?? 0) : frames.height
    for (number, reading) in readings.enumerated() {
      let (left, top) = (12 + number % perLine * pitch, first + number / perLine * font.lineHeight)
      picture.write(reading.name, left: left, top: top, font: .small, theme.axis)
      picture.write(reading.text(at: index), left: left + Self.start(of: reading), top: top - 2, font: font, theme.ink)
    }
    return picture
  }
}

extension Recording {
  /// The number of frames of the first episode.
  var firstEpisodeLength: Int { episodes.firstIndex { $0 != episodes[0] } ?? count }

  /// The step within its episode and the reward of each frame. An episode's last frame has no reward.
  var filmReadings: [Film.Reading] {
    var start = 0
    let stepsWithinEpisode = episodes.indices.map { i -> Double in
      if i > 0 && episodes[i] != episodes[i - 1] { start = i }
      return Double(i - start)
    }
    return [
      Film.Reading(name: "step", values: stepsWithinEpisode, digits: 0),
      Film.Reading(name: "reward", values: steps.map { $0?.reward ?? .nan }, digits: 2),
    ]
  }
}
