import Core
import Formats
import Pixels

/// Frames in `.npy` or `.npz` files, with the actions, rewards and ends of episodes that were saved beside them. Each
/// file starts an episode.
struct ArrayFiles: PictureSource {
  private let files: [ArrayFile]
  let actionSpace: ActionSpace?

  /// - Throws: `InputError` if arrays are missing or do not fit, `WorldError` with the path of a damaged file.
  init(_ paths: [String], _ keys: ArrayKeys) throws {
    files = try paths.map { try ArrayFile($0, keys) }
    actionSpace = try Self.space(of: files)
  }

  var title: String { files.count == 1 ? "an array of frames" : "\(files.count) arrays of frames" }
  var count: Int? { files.reduce(0) { $0 + $1.frames.count } }
  var isGray: Bool { files.allSatisfy { $0.frames.channels == 1 } }

  func read(_ body: (SourcePicture) throws -> Void) throws -> String? {
    for file in files {
      let bytes = try file.bytes()
      for index in 0..<file.frames.count {
        try body(
          SourcePicture(
            picture: file.frames.picture(bytes(index)), arrival: file.transitions.arrival(at: index),
            ending: file.transitions.ending(at: index)))
      }
    }
    let lost = files.flatMap(\.transitions.lostRewards)
    guard !lost.isEmpty else { return nil }
    return
      "left out: \(counted(lost.count, "reward")) of last actions, in sum \(lost.reduce(0, +)), because no picture "
      + "follows, and no array 'terminals' or 'terminations' says that the task ended there"
  }

  /// The space of all actions: as many choices as occur, or a box around all of them, which is -1 to 1 where they fit.
  private static func space(of files: [ArrayFile]) throws -> ActionSpace? {
    let all = files.map(\.transitions)
    guard let first = all.compactMap(\.actions).first else { return nil }
    for file in files {
      guard let actions = file.transitions.actions, actions.size == first.size, actions.isWhole == first.isWhole else {
        throw InputError("\(file.path) has no actions, or others than \(files[0].path): the files do not fit together")
      }
    }
    let columns = (0..<first.size).map { column in all.flatMap { $0.actions?.column(column) ?? [] } }
    let (low, high) = (columns.map { $0.min() ?? 0 }, columns.map { $0.max() ?? 0 })
    if first.isWhole, first.size == 1, low[0] >= 0, high[0] < 65_536 { return .discrete(count: Int(high[0]) + 1) }
    return .continuous(low: low.map { min($0, -1) }, high: high.map { max($0, 1) })
  }
}

/// A file of frames.
private struct ArrayFile {
  let path: String
  let frames: FrameArray
  let transitions: SavedTransitions
  /// The name of the frames' array; nil in a `.npy` file.
  private let key: String?

  init(_ path: String, _ keys: ArrayKeys) throws {
    self.path = path
    guard ending(of: path) == "npz" else {
      (key, transitions) = (nil, SavedTransitions())
      frames = try FrameArray(shape: Self.array(path).shape, of: path)
      return
    }
    let archive = try NumPyArchive(path: path)
    let key = try keys.frames(among: archive.names, of: path)
    let header = try archive.header(of: key)
    guard header.type == .uint8 else { throw Self.notBytes(path, header.type.rawValue) }
    frames = try FrameArray(shape: header.shape, of: "\(path), \(key)")
    transitions = try SavedTransitions(in: archive, of: path, keys, beside: key, frames: frames.count)
    self.key = key
  }

  /// Returns a function that returns the bytes of a frame.
  func bytes() throws -> (Int) -> [UInt8] {
    guard let key else {
      let array = try Self.array(path)
      return { array[$0] }
    }
    let (elements, size) = (try NumPyArchive(path: path).array(key, of: UInt8.self).elements, frames.size)
    return { Array(elements[$0 * size..<($0 + 1) * size]) }
  }

  private static func array(_ path: String) throws -> NumPyArray<UInt8> {
    do { return try NumPyArray(path: path) } catch let error as WorldError
      where error.description.contains("element type")
    {
      throw notBytes(path, nil)
    }
  }

  private static func notBytes(_ path: String, _ type: String?) -> InputError {
    InputError(
      "\(path) has frames\(type.map { " of type \($0)" } ?? "") that are not bytes from 0 to 255: save them as uint8, "
        + "for fractions with (255 * frames).astype('uint8')")
  }
}

/// The shape of an array of frames: `[N, H, W]`, `[N, H, W, C]` or `[N, C, H, W]`, with C of 1 or 3.
private struct FrameArray {
  let count: Int
  let height: Int
  let width: Int
  let channels: Int
  /// Whether the channels come before the rows.
  private let isPlanar: Bool

  /// - Throws: `InputError` with the name of the array.
  init(shape: [Int], of name: String) throws {
    let full = shape.count == 3 ? shape + [1] : shape
    guard full.count == 4, full.allSatisfy({ $0 > 0 }) else { throw Self.misfit(shape, name) }
    count = full[0]
    if [1, 3].contains(full[3]) {
      (height, width, channels, isPlanar) = (full[1], full[2], full[3], false)
    } else if [1, 3].contains(full[1]) {
      (height, width, channels, isPlanar) = (full[2], full[3], full[1], true)
    } else {
      throw Self.misfit(shape, name)
    }
  }

  private static func misfit(_ shape: [Int], _ name: String) -> InputError {
    InputError(
      "\(name) has the shape \(shape): frames have the shape [N, H, W], [N, H, W, 1 or 3] or [N, 1 or 3, H, W]")
  }

  /// The number of bytes of a frame.
  var size: Int { height * width * channels }

  func picture(_ bytes: [UInt8]) -> PixelBuffer {
    var bytes = bytes
    if isPlanar && channels > 1 {
      let (planes, area) = (bytes, height * width)
      for channel in 0..<channels {
        for pixel in 0..<area { bytes[pixel * channels + channel] = planes[channel * area + pixel] }
      }
    }
    return PixelBuffer(width: width, height: height, format: channels == 1 ? .gray : .rgb, bytes: bytes)
  }
}
