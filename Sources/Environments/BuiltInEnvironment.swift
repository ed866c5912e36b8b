import Core

/// An environment of the catalog: what is known of it stands in static properties of its type, and nothing outside the
/// program can fail while it is played.
///
/// One new file and one line in `Environments.all` add a member; the contract tests then run over it. `Catch` is the
/// one to copy.
public protocol BuiltInEnvironment: Environment where Failure == Never {
  // What the properties mean stands in `EnvironmentSpec`.
  static var id: String { get }
  static var note: String { get }
  static var actionSpace: ActionSpace { get }
  static var episodeLength: Int { get }
  static var actionRepeat: Int { get }
  static var explorationLength: Int? { get }
  static var rewardLimit: Double? { get }
  static var rewardRange: ClosedRange<Double> { get }
  /// The bounds of an episode's return, whatever its length; nil: what those of the reward add up to.
  static var returnRange: ClosedRange<Double>? { get }
  static var stateNames: [String] { get }
  static var observationNames: [String] { get }
  static var wrappingAngles: Set<String> { get }
  static var episodeDefaults: EpisodeSettings { get }

  /// Makes sure that all there must be outside the program is there.
  /// - Throws: `WorldError` that says what to do.
  static func prepare() throws
  /// Some valid state, the same each time; `reset` draws one.
  init()

  /// Positions followed by velocities, as MuJoCo orders them; setting it gives the same futures.
  var state: [Double] { get set }
  /// What an agent of the true state sees, and what the state probe regresses: finite numbers.
  var observation: [Double] { get }
  /// Checks a state from a file or another program: its count of numbers, and that they are finite.
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
