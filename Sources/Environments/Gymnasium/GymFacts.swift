import Core

/// What does not change of a Gymnasium environment, as its Python process says it once.
struct GymFacts: Sendable, Hashable {
  let actionSpace: ActionSpace
  let observationNames: [String]
  /// Of the pictures that it draws; 0 where it draws none.
  let width: Int
  let height: Int
  let channels: Int
  let timeLimit: Int
  let actionRepeat: Int
  let isAtari: Bool
  /// Places in shared memory for requests and what comes of them, which are used in turns: as many requests can be told, less
  /// one, that of the moment.
  let placeCount: Int

  /// - Throws: `InputError` or `WorldError` where the answer is a complaint, about what is named `id`.
  init(_ answer: String, of id: String) throws {
    let json: JSON
    do { json = try JSON(parsing: Array(answer.utf8)) } catch { throw WorldError(path: id, "answered '\(answer)'") }
    if let message = json["message"]?.text {
      switch json["error"]?.text {
      case "input": throw InputError("\(id): \(message)")
      default: throw WorldError(path: id, message)
      }
    }
    guard let actions = json["actions"], let names = json["observation"]?.array?.compactMap(\.text),
      let width = json["width"]?.int, let height = json["height"]?.int, let channels = json["channels"]?.int,
      let placeCount = json["places"]?.int, placeCount > 1,
      let repeats = json["repeats"]?.int, let isAtari = json["atari"]?.bool
    else { throw WorldError(path: id, "answered '\(answer)'") }
    if let count = actions["count"]?.int {
      actionSpace = .discrete(count: count)
    } else {
      actionSpace = .continuous(
        low: actions["low"]?.array?.compactMap(\.double) ?? [], high: actions["high"]?.array?.compactMap(\.double) ?? []
      )
    }
    observationNames = names
    (self.width, self.height, self.channels) = (width, height, channels)
    // Where there is none, more than an episode lasts, and no sum of it overflows.
    timeLimit = json["time_limit"]?.int ?? 1 << 40
    actionRepeat = repeats
    self.isAtari = isAtari
    self.placeCount = placeCount
  }

  // MARK: - Where things lie in shared memory, see server.py

  /// Where the request of a number lies.
  func place(_ number: UInt32) -> Int { 64 + Int(number) % placeCount * placeSize }
  private var placeSize: Int { (pictureOffset + height * width * channels + 63) / 64 * 64 }
  var memoryCount: Int { 64 + placeCount * placeSize }

  /// Within a place.
  var actionOffset: Int { 72 }
  var observationOffset: Int { actionOffset + 8 * actionSpace.arrayCount }
  var pictureOffset: Int { observationOffset + 8 * observationNames.count }
}
