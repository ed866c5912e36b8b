import Core
import Pixels
import Runs

/// PNG and JPEG files in the order of their names. The files of a folder are an episode, and so are those of each of
/// its sub-folders.
struct PictureFolder: PictureSource {
  /// The paths of the files of each episode.
  let episodes: [[String]]
  /// The paths of animated PNG files, which are videos and therefore left out.
  private var animations: [String] = []

  static let endings = ["png"] + jpegEndings
  private static let jpegEndings = ["jpg", "jpeg"]

  /// - Parameter every: of every so many files of an episode, the first is read.
  /// - Throws: `InputError` if there are no pictures, `WorldError` with the path.
  init(_ folder: String, every: Int) throws {
    let inner = try folderEntries(folder).filter { !$0.hasPrefix(".") && isFolder("\(folder)/\($0)") }
      .sorted(by: naturally).map { "\(folder)/\($0)" }
    var animations: [String] = []
    episodes = try ([folder] + inner).map { folder in
      let files = try folderEntries(folder).sorted(by: naturally).filter { name in
        !name.hasPrefix(".") && Self.endings.contains(ending(of: name)) && !isFolder("\(folder)/\(name)")
      }.map { "\(folder)/\($0)" }
      let animated = Set(try files.filter { try !Self.isJPEG($0) && AnimatedPNG.isAnimated($0) })
      animations += files.filter(animated.contains)
      let pictures = files.filter { !animated.contains($0) }
      return stride(from: 0, to: pictures.count, by: every).map { pictures[$0] }
    }.filter { !$0.isEmpty }
    self.animations = animations
    guard !episodes.isEmpty else {
      if let first = animations.first {
        throw InputError("\(first) is an animation, and \(folder) has no other PNG or JPEG files: give single pictures")
      }
      throw InputError("\(folder) has no PNG or JPEG files, nor folders of them: convert its pictures to PNG")
    }
  }

  /// A single picture.
  init(file: String) { episodes = [[file]] }

  var title: String {
    let files = counted(count ?? 0, "PNG or JPEG file")
    return episodes.count == 1 ? files : "\(files) of \(episodes.count) folders"
  }

  var count: Int? { episodes.reduce(0) { $0 + $1.count } }

  func read(_ body: (SourcePicture) throws -> Void) throws -> String? {
    let jpegs = episodes.joined().filter(Self.isJPEG)
    let reader = jpegs.isEmpty ? nil : try JPEGFiles(jpegs)
    for episode in episodes {
      for (index, path) in episode.enumerated() {
        let picture = try Self.isJPEG(path) ? reader?.next(path) : PNG.read(path).frame
        guard let picture else { throw WorldError(path: path, "cannot be read") }
        try body(SourcePicture(picture: picture, arrival: index == 0 ? nil : .init()))
      }
    }
    guard let first = animations.first else { return nil }
    let others =
      animations.count == 1 ? "is an animation and was" : "and \(animations.count - 1) more are animations and were"
    return "\(first) \(others) left out"
  }

  private static func isJPEG(_ path: String) -> Bool { jpegEndings.contains(ending(of: path)) }
}

/// JPEG files that the user's Python reads with Pillow, in one process for all.
private final class JPEGFiles {
  private let output: PictureStream

  init(_ paths: [String]) throws {
    output = try PictureStream(
      [pythonProgram, "-c", Self.script], input: Array(paths.joined(separator: "\0").utf8),
      missing: "JPEG files are read by Python, which was not found: install it ('apt install python3-pil'), set "
        + "PIXELRL_PYTHON to its path, or convert the pictures to PNG")
  }

  /// Returns the next picture, which is that of the given path.
  func next(_ path: String) throws -> PixelBuffer {
    if let picture = try output.next() { return picture }
    let errors = output.errors
    if errors.contains("No module named 'PIL'") {
      throw WorldError(
        "JPEG files are read by Python's Pillow, which \(pythonProgram) does not have: install it ('apt install "
          + "python3-pil', or '\(pythonProgram) -m pip install pillow'), or convert the pictures to PNG")
    }
    throw WorldError(path: path, "Pillow cannot read it: \(errors.isEmpty ? "it ended early" : errors)")
  }

  /// Writes each picture of a list as a binary portable pixmap, turned as the camera was held.
  private static let script = """
    import sys
    from PIL import Image, ImageOps
    for path in sys.stdin.buffer.read().split(b"\\0"):
        try:
            with Image.open(path.decode(errors="surrogateescape")) as opened:
                picture = ImageOps.exif_transpose(opened).convert("RGB")
        except Exception as error:
            sys.exit(f"{type(error).__name__}: {error}")
        sys.stdout.buffer.write(b"P6 %d %d 255\\n" % picture.size + picture.tobytes())
    """
}
