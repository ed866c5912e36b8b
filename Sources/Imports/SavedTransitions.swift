import Core
import Formats

/// The names of the arrays in a `.npz` file; nil for the first of the common names that it has.
public struct ArrayKeys: Sendable, Hashable {
  public var frames: String?
  public var actions: String?
  public var rewards: String?
  /// Where an episode ends, as true or 1.
  public var ends: String?
  /// Whether action i led to frame i; nil: as the names suggest.
  public var lead: ActionLead?

  public init() {}

  private static let frameNames = ["frames", "images", "image", "observations", "observation", "obs", "pixels"]

  /// Returns the name of the frames' array. The only array of a file may have any name.
  func frames(among names: [String], of path: String) throws -> String {
    if let frames {
      guard names.contains(frames) else { throw missing(frames, names, path) }
      return frames
    }
    if let known = Self.frameNames.first(where: names.contains) { return known }
    if names.count == 1 { return names[0] }
    throw InputError(
      "\(path) has no array named \(Self.frameNames.joined(separator: ", ")): choose one of "
        + "\(names.joined(separator: ", ")) with --frames-key")
  }

  /// Returns the name of an array that may be missing, unless a flag names it.
  func name(_ given: String?, or known: [String], among names: [String], of path: String) throws -> String? {
    guard let given else { return known.first(where: names.contains) }
    guard names.contains(given) else { throw missing(given, names, path) }
    return given
  }

  private func missing(_ name: String, _ names: [String], _ path: String) -> InputError {
    InputError("\(path) has no array '\(name)': it has \(names.joined(separator: ", "))")
  }
}

/// Which frames an action in an array lies between.
public enum ActionLead: String, ChoiceSetting, Hashable {
  /// Action i was taken at frame i, as in D4RL and the datasets of `pixelrl collect`.
  case from
  /// Action i led to frame i, as in the episodes of DreamerV2, V-D4RL and DrQ-v2.
  case to
}

/// The actions, rewards, discounts and ends of episodes that were saved beside N frames.
struct SavedTransitions {
  private(set) var actions: Rows?
  private var rewards: [Double] = []
  private var discounts: [Double] = []
  /// Whether each frame begins an episode.
  private var begins: [Bool] = []
  private var lead = ActionLead.from
  /// Whether the action at each frame ended the task; empty if actions led to their frames.
  private var terminals: [Bool] = []

  /// Rows of numbers.
  struct Rows {
    let size: Int
    let elements: [Double]
    /// Whether they were saved as whole numbers.
    let isWhole: Bool

    func column(_ index: Int) -> [Double] { stride(from: index, to: elements.count, by: size).map { elements[$0] } }
    subscript(row: Int) -> [Double] { Array(elements[row * size..<(row + 1) * size]) }
  }

  /// No actions, and a single episode.
  init() {}

  /// - Parameters:
  ///   - path: the archive's path, for messages.
  ///   - frameKey: the name of the frames' array, which suggests who saved it.
  ///   - count: the number of frames, N.
  /// - Throws: `InputError` if an array does not fit the frames, `WorldError` with the path if it is damaged.
  init(in archive: NumPyArchive, of path: String, _ keys: ArrayKeys, beside frameKey: String, frames count: Int) throws
  {
    let names = archive.names
    let isDreamers = ["image", "observation"].contains(frameKey) || names.contains("is_first")
    lead = keys.lead ?? (isDreamers ? .to : .from)
    // The last frame of an episode may be without an action.
    let counts = lead == .from ? [count, count - 1] : [count]
    func read(_ name: String, isColumn: Bool = true) throws -> NumPyNumbers {
      let array = try archive.numbers(name)
      guard let rows = array.shape.first, counts.contains(rows), !isColumn || array.elements.count == rows else {
        throw InputError("\(path), \(name) has the shape \(array.shape), which does not fit \(count) frames")
      }
      // Datasets store them with single precision.
      guard array.elements.allSatisfy({ Float($0).isFinite }) else {
        throw InputError(
          "\(path), \(name) has values that are not finite, or too large: replace them, or leave the array out")
      }
      return array
    }
    func column(_ given: String?, _ known: [String]) throws -> [Double] {
      try keys.name(given, or: known, among: names, of: path).map { try read($0).elements } ?? []
    }
    func marks(_ known: [String]) throws -> [Bool] {
      var marks = [Bool](repeating: false, count: count)
      for name in known where names.contains(name) {
        for (index, value) in try read(name).elements.enumerated() where value != 0 { marks[index] = true }
      }
      return marks
    }
    if let name = try keys.name(keys.actions, or: ["actions", "action"], among: names, of: path) {
      let array = try read(name, isColumn: false)
      actions = Rows(
        size: array.shape.dropFirst().reduce(1, *), elements: array.elements, isWhole: array.isWhole)
    }
    rewards = try column(keys.rewards, ["rewards", "reward"])
    discounts = try column(nil, ["discounts", "discount"])
    if lead == .to, discounts.isEmpty, names.contains("is_terminal") {
      discounts = try marks(["is_terminal"]).map { $0 ? 0 : 1 }
    }
    let ends = try marks(
      keys.ends.map { [try keys.name($0, or: [], among: names, of: path) ?? $0] }
        ?? ["ends", "terminals", "timeouts", "terminations", "truncations", "dones", "done", "is_last"])
    let firsts = try marks(keys.ends == nil ? ["is_first", "episode_starts"] : [])
    begins = (0..<count).map { $0 == 0 || firsts[$0] || ends[$0 - 1] }
    if lead == .from { terminals = try marks(["terminals", "terminations"]) }
    if let wrong = discounts.first(where: { !(0...1).contains($0) }) {
      throw InputError("\(path) has a discount of \(wrong): discounts are from 0 to 1")
    }
  }

  /// What led to a frame; nil if it begins an episode.
  func arrival(at index: Int) -> SourcePicture.Arrival? {
    guard index > 0, begins.isEmpty || !begins[index] else { return nil }
    return result(of: lead == .to ? index : index - 1)
  }

  /// What the last action of an episode led to, if it ended the task; nil if another frame of the episode follows.
  func ending(at index: Int) -> SourcePicture.Arrival? {
    guard isLast(index), index < terminals.count, terminals[index], index < wholeRows else { return nil }
    var ending = result(of: index)
    ending.discount = 0
    return ending
  }

  /// The rewards, other than 0, after the last actions of episodes that the task did not end: what these actions led to
  /// is unknown.
  var lostRewards: [Double] {
    guard lead == .from else { return [] }
    return rewards.indices.filter { rewards[$0] != 0 && isLast($0) && ending(at: $0) == nil }.map { rewards[$0] }
  }

  private func isLast(_ index: Int) -> Bool { index + 1 >= begins.count || begins[index + 1] }

  /// The number of rows that have an action and a reward, as far as either was saved.
  private var wholeRows: Int {
    let counts = [actions.map { $0.elements.count / max($0.size, 1) }, rewards.isEmpty ? nil : rewards.count]
    return counts.compactMap(\.self).min() ?? 0
  }

  private func result(of row: Int) -> SourcePicture.Arrival {
    SourcePicture.Arrival(
      action: actions?[row] ?? [], reward: row < rewards.count ? rewards[row] : 0,
      discount: row < discounts.count ? discounts[row] : 1)
  }
}
