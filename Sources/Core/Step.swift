/// The state of an episode after a step. Only `terminated` stops bootstrapping.
public enum Ending: String, Sendable, Hashable, CaseIterable, Codable {
  /// The episode continues.
  case running
  /// The task reached a terminal state: no reward can follow.
  case terminated
  /// The time limit was reached. Reward could have followed, so updates bootstrap from the last state.
  case truncated
  /// The environment failed. The step was not taken, and its transition must not be used.
  case failed

  /// Whether the episode ended normally.
  public var isOrdinary: Bool { self == .terminated || self == .truncated }
}

/// The result of an action in an environment.
public struct Step: Sendable, Hashable, Codable {
  public var reward: Double
  /// The weight of all later rewards, without the agent's discount: 0 after `terminated`, otherwise usually 1.
  public var discount: Double
  public var ending: Ending

  public init(reward: Double, discount: Double = 1, ending: Ending = .running) {
    self.reward = reward
    self.discount = discount
    self.ending = ending
  }
}

/// The action space of an environment. An action is an array of values: one for each continuous dimension, or only the
/// index of a discrete choice.
public enum ActionSpace: Sendable, Hashable, Codable, CustomStringConvertible {
  /// A box. `low` and `high` have one bound per dimension.
  case continuous(low: [Double], high: [Double])
  /// One of `count` choices, as `[index]`.
  case discrete(count: Int)

  /// The space of an action without values: there is nothing to choose.
  public static let empty = ActionSpace.continuous(low: [], high: [])

  /// The number of values in an action array.
  public var arrayCount: Int {
    switch self {
    case .continuous(let low, _): low.count
    case .discrete: 1
    }
  }

  /// The number of outputs of a policy network: the dimensions of a continuous action, or the choices of a discrete
  /// one.
  public var networkSize: Int {
    switch self {
    case .continuous(let low, _): low.count
    case .discrete(let count): count
    }
  }

  public var isContinuous: Bool { if case .continuous = self { true } else { false } }

  public var description: String {
    switch self {
    case .continuous(let low, let high):
      if Set(low).count == 1, Set(high).count == 1 {
        "continuous \(low.count) in [\(low[0].text), \(high[0].text)]"
      } else {
        "continuous \(low.count)"
      }
    case .discrete(let count): "discrete \(count)"
    }
  }

  /// Samples uniformly from the space.
  public func sample(using random: inout Random) -> [Double] {
    switch self {
    case .continuous(let low, let high): zip(low, high).map { random.uniform($0, $1) }
    case .discrete(let count): [Double(random.integer(below: count))]
    }
  }

  /// Samples uniformly from the corners of a box, or from the discrete choices.
  public func sampleExtreme(using random: inout Random) -> [Double] {
    switch self {
    case .continuous(let low, let high): zip(low, high).map { random.chance(0.5) ? $0 : $1 }
    case .discrete: sample(using: &random)
    }
  }

  /// Checks an action from a file or another program: its number of values, that they are finite, and the range of a
  /// discrete action.
  ///
  /// - Throws: `InputError` if the action is invalid.
  public func validate(_ action: [Double]) throws(InputError) {
    guard action.count == arrayCount else {
      throw InputError("an action has \(counted(arrayCount, "value")), not \(action.count)")
    }
    guard action.allSatisfy(\.isFinite) else { throw InputError("an action must be finite, not \(action)") }
    if case .discrete(let count) = self {
      let index = action[0]
      guard index == index.rounded(), index >= 0, index < Double(count) else {
        throw InputError("a discrete action is a whole number from 0 to \(count - 1), not \(index)")
      }
    }
  }
}

// MARK: - Normalized actions

extension ActionSpace {
  /// Converts a policy's action, with each dimension in [-1, 1] or an index, to the environment's units.
  public func denormalized(_ action: Span<Float>) -> [Double] {
    switch self {
    case .continuous(let low, let high):
      low.indices.map { low[$0] + (high[$0] - low[$0]) * (Double(action[$0]) + 1) / 2 }
    case .discrete: [Double(action[0])]
    }
  }

  /// Returns whether normalized action values are valid: finite, and for a discrete space valid indices.
  public func holds(_ actions: some Sequence<Float>) -> Bool {
    switch self {
    case .continuous: actions.allSatisfy(\.isFinite)
    case .discrete(let count): actions.allSatisfy { $0 >= 0 && $0 < Float(count) && $0 == $0.rounded() }
    }
  }

  /// Converts an action in the environment's units to [-1, 1], or to an index.
  public func normalized(_ action: [Double]) -> [Float] {
    switch self {
    case .continuous(let low, let high):
      // A dimension with low == high has only one value, so any normalized value represents it.
      low.indices.map { low[$0] < high[$0] ? Float(2 * (action[$0] - low[$0]) / (high[$0] - low[$0]) - 1) : 0 }
    case .discrete: [Float(action[0])]
    }
  }

  /// Encodes a normalized action as the input of a network, `networkSize` values: the action itself, or a one-hot vector
  /// of its index.
  public func networkInput(of action: ArraySlice<Float>) -> [Float] {
    switch self {
    case .continuous: Array(action)
    case .discrete(let count): (0..<count).map { Float($0) == action[action.startIndex] ? 1 : 0 }
    }
  }
}
