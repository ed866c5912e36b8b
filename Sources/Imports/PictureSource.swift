import Core
import Pixels
import Runs

/// Pictures that others made, in order. They are read one by one, so that they need not fit into memory.
public protocol PictureSource {
  /// What they are, such as `120 PNG or JPEG files`.
  var title: String { get }
  /// The number of pictures; nil if it is known only after they are read.
  var count: Int? { get }
  /// The actions between the pictures; nil if there are none.
  var actionSpace: ActionSpace? { get }
  /// Whether the pictures have no colours.
  var isGray: Bool { get }

  /// Calls `body` with each picture, in order.
  ///
  /// - Returns: a warning if a part could not be read; otherwise nil.
  /// - Throws: `WorldError` with the path of a file that cannot be read.
  func read(_ body: (SourcePicture) throws -> Void) throws -> String?
}

/// A picture of any size, and what led to it.
public struct SourcePicture: Sendable {
  public var picture: PixelBuffer
  /// What led to it from the picture before; nil for the first one of an episode.
  public var arrival: Arrival?
  /// The action that was taken here and ended the task, if the source has no picture of what it led to.
  public var ending: Arrival?

  /// An action and its result. Without actions, the action has no values and the reward is 0.
  public struct Arrival: Sendable, Hashable {
    /// `[A]`, in the units of the source.
    public var action: [Double] = []
    public var reward = 0.0
    /// The weight of all later rewards: 0 if the task has ended.
    public var discount = 1.0
  }
}

extension PictureSource {
  public var actionSpace: ActionSpace? { nil }
  public var isGray: Bool { false }
}

/// How pictures are read.
public struct PictureReading: Sendable {
  /// Of every so many pictures, the first is read.
  public var every = 1
  /// The names of the arrays in a `.npz` file; nil for the common ones.
  public var keys = ArrayKeys()

  public init() {}

  /// Opens a folder, a picture, a video or arrays.
  ///
  /// - Parameter takesDatasets: whether the path may be a dataset of `pixelrl collect` or `pixelrl import`.
  /// - Throws: `InputError` that says what can be read, `WorldError` with the path.
  public func open(_ path: String, takesDatasets: Bool = false) throws -> any PictureSource {
    if let (library, name) = PythonLibrary.named(in: path), !exists(path) {
      try refuseEvery("a dataset")
      return try PythonDataset(library, name, keys)
    }
    guard exists(path) else { throw InputError("\(path) does not exist: give \(Self.readable)") }
    if isFolder(path) {
      if exists("\(path)/manifest.json") {
        guard takesDatasets else {
          throw InputError("\(path) is a dataset already: train on it with 'pixelrl pretrain-ae --dataset \(path)'")
        }
        try refuseEvery("a dataset")
        return DatasetPictures(try FrameDataset(path: path))
      }
      guard !exists("\(path)/run.json") else {
        let frames = exists("\(path)/dataset") ? "its frames, \(path)/dataset, or " : ""
        throw InputError("\(path) is a run: give \(frames)\(Self.readable)")
      }
      let arrays = try folderEntries(path).filter { $0.lowercased().hasSuffix(".npz") }.sorted(by: naturally)
      if !arrays.isEmpty { return try self.arrays(arrays.map { "\(path)/\($0)" }) }
      return try PictureFolder(path, every: every)
    }
    switch ending(of: path) {
    case "npy", "npz": return try arrays([path])
    case let ending where PictureFolder.endings.contains(ending): return PictureFolder(file: path)
    case let ending where Video.endings.contains(ending): return Video(path: path, every: every)
    default: throw InputError("\(path) is of an unknown kind: give \(Self.readable)")
    }
  }

  private func arrays(_ paths: [String]) throws -> ArrayFiles {
    try refuseEvery("arrays")
    return try ArrayFiles(paths, keys)
  }

  /// Between pictures that are left out, there may be actions.
  private func refuseEvery(_ what: String) throws {
    guard every == 1 else {
      throw InputError("--every is for videos and folders of pictures, not for \(what): leave it out")
    }
  }

  private static let readable =
    "a folder of PNG or JPEG files, a video such as film.mp4, arrays in a .npy or .npz file, minari:NAME or lerobot:NAME"
}

/// Returns the ending of a file's name without its dot, in lower case: `png`.
func ending(of path: String) -> String {
  let name = split(path).name
  return name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
}

/// Returns whether a name comes before another one if numbers are compared as numbers: `frame2` before `frame10`.
func naturally(_ a: String, _ b: String) -> Bool {
  var (x, y) = (Array(a.utf8)[...], Array(b.utf8)[...])
  while let i = x.first, let j = y.first {
    guard isDigit(i), isDigit(j) else {
      guard i == j else { return i < j }
      x.removeFirst()
      y.removeFirst()
      continue
    }
    let (m, n) = (x.prefix(while: isDigit), y.prefix(while: isDigit))
    // Numbers may have more digits than an integer can hold.
    let zero = UInt8(ascii: "0")
    let (p, q) = (m.drop { $0 == zero }, n.drop { $0 == zero })
    guard p.count == q.count else { return p.count < q.count }
    guard p.elementsEqual(q) else { return p.lexicographicallyPrecedes(q) }
    x.removeFirst(m.count)
    y.removeFirst(n.count)
  }
  return x.count == y.count ? a < b : x.count < y.count
}
