/// How an episode stands after a step. Only `terminated` stops bootstrapping.
public enum Ending: String, Sendable, Hashable, CaseIterable, Codable {
  /// The episode goes on.
  case running
  /// The task itself is over: no reward can follow.
  case terminated
  /// The time is up: reward would have followed, so learning bootstraps through it.
  case truncated
  /// The environment failed: the step was not taken, and there is nothing to learn from it.
  case failed

  /// Whether an episode has come to an end of its own.
  public var isOrdinary: Bool { self == .terminated || self == .truncated }
}

/// What the environment answers to an action.
public struct Step: Sendable, Hashable, Codable {
  public var reward: Double
  /// The weight of all that follows, without the agent's own discount: 0 after `terminated`, else usually 1.
  public var discount: Double
  public var ending: Ending

  public init(reward: Double, discount: Double = 1, ending: Ending = .running) {
    self.reward = reward
    self.discount = discount
    self.ending = ending
  }
}

/// The actions that an environment takes. An action is an array of numbers: one for each continuous dimension, or the
/// index of a discrete choice alone.
public enum ActionSpace: Sendable, Hashable, Codable, CustomStringConvertible {
  /// Box-bounded real actions; `low` and `high` have one bound a dimension.
  case continuous(low: [Double], high: [Double])
  /// One of `count` choices, given as `[index]`.
  case discrete(count: Int)

  /// Numbers an action array holds.
  public var arrayCount: Int {
    switch self {
    case .continuous(let low, _): low.count
    case .discrete: 1
    }
  }

  /// Numbers a policy network speaks of: the dimensions of a continuous action, the choices of a discrete one.
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

  /// Uniform over the space.
  public func sample(using random: inout Random) -> [Double] {
    switch self {
    case .continuous(let low, let high): zip(low, high).map { random.uniform($0, $1) }
    case .discrete(let count): [Double(random.integer(below: count))]
    }
  }

  /// A corner of a box, each as likely; any choice of discrete ones.
  public func sampleExtreme(using random: inout Random) -> [Double] {
    switch self {
    case .continuous(let low, let high): zip(low, high).map { random.chance(0.5) ? $0 : $1 }
    case .discrete: sample(using: &random)
    }
  }

  /// Checks an action from a file or another program: its count of numbers, that they are finite, and a discrete one's range.
  /// - Throws: `InputError` that says what is wrong.
  public func validate(_ action: [Double]) throws(InputError) {
    guard action.count == arrayCount else {
      throw InputError("an action has \(arrayCount) number\(arrayCount == 1 ? "" : "s"), not \(action.count)")
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

// MARK: - The policy's units

extension ActionSpace {
  /// A policy's action, each dimension in [-1, 1] or an index, in the environment's units.
  public func denormalized(_ action: Span<Float>) -> [Double] {
    switch self {
    case .continuous(let low, let high):
      low.indices.map { low[$0] + (high[$0] - low[$0]) * (Double(action[$0]) + 1) / 2 }
    case .discrete: [Double(action[0])]
    }
  }

  /// Whether numbers of actions in the policy's units are such: finite, and choices where there are choices.
  public func holds(_ actions: some Sequence<Float>) -> Bool {
    switch self {
    case .continuous: actions.allSatisfy(\.isFinite)
    case .discrete(let count): actions.allSatisfy { $0 >= 0 && $0 < Float(count) && $0 == $0.rounded() }
    }
  }

  /// An action of the environment in the policy's units.
  public func normalized(_ action: [Double]) -> [Float] {
    switch self {
    case .continuous(let low, let high):
      // A coordinate of one value has nothing to choose: any number means it.
      low.indices.map { low[$0] < high[$0] ? Float(2 * (action[$0] - low[$0]) / (high[$0] - low[$0]) - 1) : 0 }
    case .discrete: [Float(action[0])]
    }
  }
}
