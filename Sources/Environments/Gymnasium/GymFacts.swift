import Core
import Formats
import Pixels

/// The fixed properties of a Gymnasium environment, which its Python process reports once.
struct GymFacts: Sendable, Hashable {
  let actionSpace: ActionSpace
  let observationNames: [String]
  /// The size of its pictures. All three values are 0 if it draws none.
  let width: Int
  let height: Int
  let channels: Int
  /// The number of steps after which an episode is truncated.
  let timeLimit: Int
  /// Whether the time limit is the one that the environment is registered with.
  let declaresTimeLimit: Bool
  let actionRepeat: Int
  let isAtari: Bool
  /// The number of slots in shared memory for requests and their results, which are used in turn. One of them holds the
  /// current step, so one request fewer can be sent ahead.
  let placeCount: Int
  /// The reason why there are no pictures. Empty if there are pictures.
  let undrawn: String

  /// The time limit of environments that have none. Without a limit, an evaluation might never end.
  static let undeclaredTimeLimit = 10_000

  /// Reads the answer of the Python process.
  ///
  /// - Throws: `InputError` or `WorldError` if the answer is an error or invalid. The text names `id`.
  init(_ answer: String, of id: String) throws {
    let json: JSON
    // An environment may have written anything to the socket.
    let invalid = WorldError(
      path: id, "its Python process sent an invalid answer: '\(plain(answer.prefix(200)))'")
    do { json = try JSON(parsing: Array(answer.utf8)) } catch { throw invalid }
    if let message = json["message"]?.text {
      switch json["error"]?.text {
      case "input": throw InputError("\(id): \(plain(message))")
      default: throw WorldError(path: id, plain(message))
      }
    }
    guard let actions = json["actions"], let names = json["observation"].flatMap(Self.observationNames),
      let width = json["width"]?.int, let height = json["height"]?.int, let channels = json["channels"]?.int,
      let placeCount = json["places"]?.int, placeCount.nonzeroBitCount == 1, (2...64).contains(placeCount),
      let repeats = json["repeats"]?.int, (1...1000).contains(repeats), let isAtari = json["atari"]?.bool,
      let undrawn = json["undrawn"]?.text, let actionSpace = ActionSpace(actions), actionSpace.arrayCount > 0,
      (0...1 << 14).contains(width), (0...1 << 14).contains(height), [0, 1, 3].contains(channels)
    else { throw invalid }
    self.actionSpace = actionSpace
    observationNames = names
    (self.width, self.height, self.channels) = (width, height, channels)
    declaresTimeLimit = json["time_limit"]?.int != nil
    timeLimit = json["time_limit"]?.int.map { min(max(1, $0), 1 << 40) } ?? Self.undeclaredTimeLimit
    actionRepeat = repeats
    self.isAtari = isAtari
    self.placeCount = placeCount
    self.undrawn = undrawn
  }

  /// Returns the names of the observation's values, given as a list of names or as their number.
  private static func observationNames(_ json: JSON) -> [String]? {
    guard let count = json.int else { return json.array?.compactMap(\.text) }
    guard (0...1 << 24).contains(count) else { return nil }
    return (0..<count).map { "observation-\($0)" }
  }

  /// Returns what to use instead if stretching pictures to a frame's size changes their proportions: in Atari games, by
  /// more than the customary stretching of 160x210 to a square. Nil if it does not.
  func adviceAgainstStretching(to frame: FrameSize) -> String? {
    let picture = FrameSize(width: width, height: height)
    let better = frame.withProportions(of: picture)
    guard frame.distortion(of: picture) > (isAtari ? 210.0 / 160 : 1.05), frame != better else { return nil }
    return
      "draws \(width)x\(height), which is stretched to \(frame.width)x\(frame.height): use --size \(better.text) for "
      + "frames with its proportions, or --fit letterbox or --fit crop"
  }

  // MARK: - Offsets in shared memory, see pixelrl_service.py

  /// Returns the offset of the slot of a request.
  func place(_ number: UInt32) -> Int { 64 + Int(number) % placeCount * placeSize }
  private var placeSize: Int { (pictureOffset + height * width * channels + 63) / 64 * 64 }
  var memoryCount: Int { 64 + placeCount * placeSize }

  // Offsets within a slot.
  var actionOffset: Int { 72 }
  var observationOffset: Int { actionOffset + 8 * actionSpace.arrayCount }
  var pictureOffset: Int { observationOffset + 8 * observationNames.count }
}
