import Core

/// An environment of the catalog. Static properties of its type describe it, and stepping it cannot fail.
///
/// To add an environment, write one new file and add one line to `Environments.catalog`. The contract tests then cover
/// it. Copy `Catch` to start.
public protocol BuiltInEnvironment: Environment where Failure == Never {
  // `EnvironmentSpec` documents these properties.
  static var id: String { get }
  static var note: String { get }
  static var actionSpace: ActionSpace { get }
  static var episodeLength: Int { get }
  static var actionRepeat: Int { get }
  static var explorationLength: Int? { get }
  static var rewardLimit: Double? { get }
  static var rewardRange: ClosedRange<Double> { get }
  /// The bounds of an episode's return, independent of its length. If nil, they are computed from `rewardRange`.
  static var returnRange: ClosedRange<Double>? { get }
  static var stateNames: [String] { get }
  static var observationNames: [String] { get }
  static var wrappingAngles: Set<String> { get }
  static var episodeDefaults: EpisodeSettings { get }

  /// Checks that everything the environment needs outside the program, such as model files, is available.
  /// - Throws: `WorldError` that says what to do.
  static func prepare() throws
  /// Creates the environment in a fixed valid state. `reset` draws a start state.
  init()

  /// The positions followed by the velocities, in MuJoCo's order. Setting a state that was read reproduces the same
  /// future.
  var state: [Double] { get set }
  /// The observation of an agent that learns from the true state, and the target of the state probe. All values are
  /// finite.
  var observation: [Double] { get }
  /// Checks that a state from a file or another program has the right number of values and that all are finite.
  /// - Throws: `InputError` that says what is wrong.
  static func validate(state: [Double]) throws(InputError)
}

extension BuiltInEnvironment {
  public static var actionRepeat: Int { 1 }
  public static var explorationLength: Int? { nil }
  public static var rewardLimit: Double? { nil }
  public static var rewardRange: ClosedRange<Double> { 0...1 }
  public static var returnRange: ClosedRange<Double>? { nil }
  public static var wrappingAngles: Set<String> { [] }
  public static var episodeDefaults: EpisodeSettings { EpisodeSettings() }
  public static func prepare() throws {}

  public static func validate(state: [Double]) throws(InputError) {
    guard state.count == stateNames.count else {
      throw InputError(
        "a state of \(id) has \(stateNames.count) numbers (\(stateNames.joined(separator: ", "))), not \(state.count)")
    }
    guard state.allSatisfy(\.isFinite) else { throw InputError("a state must be finite, not \(state)") }
  }

  /// The static properties as one value.
  public static var spec: EnvironmentSpec {
    EnvironmentSpec(
      id: id, note: note, actionSpace: actionSpace, episodeLength: episodeLength, actionRepeat: actionRepeat,
      explorationLength: explorationLength, rewardLimit: rewardLimit, rewardRange: rewardRange,
      returnRange: returnRange, stateNames: stateNames, observationNames: observationNames,
      wrappingAngles: wrappingAngles, episodeDefaults: episodeDefaults, lookahead: 0)
  }

  public var spec: EnvironmentSpec { Self.spec }
  public func readObservation() -> [Double] { observation }
  public func readState() -> [Double] { state }
  public mutating func set(state: [Double]) { self.state = state }
  public func validate(state: [Double]) throws(InputError) { try Self.validate(state: state) }
  public func validate(against new: Self) throws(InputError) { try Self.validate(state: state) }
}
