import Core
import Formats
import Pixels
import Runs

/// Makes a dataset of frames from pictures of any size.
public struct FrameImport {
  /// Where the pictures come from, as the user named it.
  public let path: String
  public let source: any PictureSource
  public let reading: PictureReading
  /// The size of a frame.
  public var size: FrameSize = 64
  public var fit = PictureFit.crop
  public var format: PixelFormat
  /// The true states; nil if they are unknown.
  public var states: StateColumns?

  /// Opens the pictures. Frames have colours unless the pictures have none.
  ///
  /// - Throws: `InputError` that says what can be read, `WorldError` with the path.
  public init(_ path: String, _ reading: PictureReading = PictureReading(), takesDatasets: Bool = false) throws {
    self.path = path
    self.reading = reading
    source = try reading.open(path, takesDatasets: takesDatasets)
    format = source.isGray ? .gray : .rgb
  }

  /// What the manifest says about the pictures; their sizes and the states are not known yet.
  public var imported: ImportedPictures {
    ImportedPictures(
      source: path, kind: source.title, fit: fit, every: reading.every, sizes: [], stateNames: states?.names ?? [],
      actionSpace: source.actionSpace ?? .empty)
  }

  /// Calls `body` with each picture as a frame, and with the picture that it was made from.
  ///
  /// - Returns: the sizes of the pictures, as in `640x480`, the smallest first; and a warning if a part could not be
  ///   read.
  public func read(
    _ body: (_ frame: PixelBuffer, _ source: SourcePicture) throws -> Void
  ) throws -> (sizes: [String], warning: String?) {
    var sizes: Set<[Int]> = []
    let warning = try source.read { picture in
      try Interruption.check()
      sizes.insert([picture.picture.width, picture.picture.height])
      try body(picture.picture.fitted(to: size, fit).converted(to: format), picture)
    }
    let sorted = sizes.sorted { ($0[0] * $0[1], $0[0]) < ($1[0] * $1[1], $1[0]) }
    return (sorted.map { "\($0[0])x\($0[1])" }, warning)
  }

  /// Writes the dataset.
  ///
  /// - Parameter progress: is called with the number of frames so far.
  /// - Returns: its manifest, and a warning if a part of the pictures could not be read.
  /// - Throws: `InputError` if the folder is not empty or the states do not fit, `WorldError` with the path. Then there
  ///   is no new folder.
  public func write(
    to folder: String, progress: (Int) -> Void = { _ in }
  ) throws -> (manifest: FrameDatasetManifest, warning: String?) {
    let imported = imported
    if let states, let count = source.count, count != states.rows.count { throw misfit(states, count) }
    var writer = try FrameDatasetWriter(
      path: folder,
      manifest: FrameDatasetManifest(imported: imported, size: size, format: format),
      frame: PixelBuffer(size: size, format: format), stateSize: imported.stateNames.count,
      actionSize: imported.actionSpace.arrayCount)
    var count = 0
    let (sizes, warning) = try read { frame, source in
      let state = states.map { count < $0.rows.count ? $0.rows[count] : [] } ?? []
      if let states, state.isEmpty {
        throw InputError(
          "\(states.path) has \(states.rows.count) rows below its names, fewer than \(path) has pictures")
      }
      if source.arrival == nil { try writer.start(frame, state: state) }
      // Nothing follows the end of a task, so that an agent learns the same with any frame. See `isRepeated`.
      for arrival in [source.arrival, source.ending].compactMap(\.self) {
        try writer.append(
          action: arrival.action, Step(reward: arrival.reward, discount: arrival.discount), frame, state: state)
      }
      count += 1
      progress(count)
    }
    if let states, states.rows.count != count { throw misfit(states, count) }
    writer.manifest.imported?.sizes = sizes
    let manifest = writer.manifest
    try writer.commit()
    return (manifest, warning)
  }

  private func misfit(_ states: StateColumns, _ count: Int) -> InputError {
    InputError("\(states.path) has \(states.rows.count) rows below its names, but \(path) has \(count) pictures")
  }
}
