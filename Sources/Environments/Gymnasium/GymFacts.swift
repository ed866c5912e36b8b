import Core
import Formats

/// What does not change of a Gymnasium environment, as its Python process says it once.
struct GymFacts: Sendable, Hashable {
  let actionSpace: ActionSpace
  let observationNames: [String]
  /// Of the pictures that it draws; 0 where it draws none.
  let width: Int
  let height: Int
  let channels: Int
  /// Steps after which an episode is cut.
  let timeLimit: Int
  /// Whether the environment is registered with it.
  let declaresTimeLimit: Bool
  let actionRepeat: Int
  let isAtari: Bool
  /// Places in shared memory for requests and what comes of them, which are used in turns: as many requests can be told, less
  /// one, that of the moment.
  let placeCount: Int
  /// Why there are no pictures; empty where there are.
  let undrawn: String

  /// The steps of an episode that nothing else ends: without it an evaluation might never be over.
  static let undeclaredTimeLimit = 10_000

  /// - Throws: `InputError` or `WorldError` where the answer is an error; the text names `id`.
  init(_ answer: String, of id: String) throws {
    let json: JSON
    // It may be anything that an environment has written there.
    let nonsense = WorldError(path: id, "its Python process answered '\(plain(answer.prefix(200)))'")
    do { json = try JSON(parsing: Array(answer.utf8)) } catch { throw nonsense }
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
      let undrawn = json["undrawn"]?.text, let actionSpace = ActionSpace(actions),
      (0...1 << 14).contains(width), (0...1 << 14).contains(height), [0, 1, 3].contains(channels)
    else { throw nonsense }
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

  /// A list of names, or how many numbers without names there are.
  private static func observationNames(_ json: JSON) -> [String]? {
    guard let count = json.int else { return json.array?.compactMap(\.text) }
    guard (0...1 << 24).contains(count) else { return nil }
    return (0..<count).map { "observation-\($0)" }
  }

  // MARK: - Where things lie in shared memory, see pixelrl_service.py

  /// Where the request of a number lies.
  func place(_ number: UInt32) -> Int { 64 + Int(number) % placeCount * placeSize }
  private var placeSize: Int { (pictureOffset + height * width * channels + 63) / 64 * 64 }
  var memoryCount: Int { 64 + placeCount * placeSize }

  /// Within a place.
  var actionOffset: Int { 72 }
  var observationOffset: Int { actionOffset + 8 * actionSpace.arrayCount }
  var pictureOffset: Int { observationOffset + 8 * observationNames.count }
}

extension ActionSpace {
  /// `{"count": 2}` or `{"low": [-1], "high": [1]}`; nil where it is neither.
  fileprivate init?(_ json: JSON) {
    if let count = json["count"]?.int {
      guard count > 0 else { return nil }
      self = .discrete(count: count)
    } else {
      let (low, high) = (
        json["low"]?.array?.compactMap(\.double) ?? [], json["high"]?.array?.compactMap(\.double) ?? []
      )
      guard !low.isEmpty, low.count == high.count, zip(low, high).allSatisfy({ $0.isFinite && $0 <= $1 && $1.isFinite })
      else { return nil }
      self = .continuous(low: low, high: high)
    }
  }
}
