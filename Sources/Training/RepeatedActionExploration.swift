import Core

/// Exploration on top of any agent's own: with some probability an action is sampled and repeated for several steps.
///
/// This is ε z-greedy exploration (Dabney, Ostrovski and Barreto 2021, arXiv 2006.01782): noise that is sampled at
/// every step averages out before a heavy body moves. Here the duration is uniform, and the action is extreme because a
/// weak motor needs full torque (Seyde et al. 2021, arXiv 2111.02552).
struct RepeatedActionExploration: Codable {
  /// The probability ε of starting to repeat an action, at each step without one.
  let chance: Double
  /// The maximum duration in agent steps.
  let limit: Int
  private var random: Random
  private var held: [Float] = []
  private var remaining = 0

  init(chance: Double, limit: Int, random: Random) {
    self.chance = chance
    self.limit = limit
    self.random = random
  }

  /// Checks that a value read from a checkpoint fits an action space.
  func validate(in space: ActionSpace) throws(InputError) {
    guard (0...limit).contains(remaining), remaining == 0 || held.count == space.arrayCount, space.holds(held) else {
      throw InputError("\(held), repeated for \(remaining) steps, is not a valid action")
    }
  }

  /// Starts an episode: no action is repeated.
  mutating func begin() { remaining = 0 }

  /// Returns the action of the next step, in the policy's units, or nil if the agent chooses.
  mutating func act(in space: ActionSpace) -> [Float]? {
    if remaining == 0 {
      guard random.chance(chance) else { return nil }
      held = space.normalized(space.sampleExtreme(using: &random))
      remaining = 1 + random.integer(below: limit)
    }
    remaining -= 1
    return held
  }
}
