import Core

/// Exploration beside the agent's own, whichever agent it is: now and then an action is drawn and held for a while.
///
/// This is ε z-greedy exploration (Dabney, Ostrovski and Barreto 2021, arXiv 2006.01782): noise that is drawn anew at every
/// step averages out before a heavy body has moved. Here the time is uniform and the action extreme, since a weak motor
/// gets nowhere by half measures (Seyde et al. 2021, arXiv 2111.02552).
struct HeldExploration: Codable {
  /// The probability ε that a step on which nothing is held begins to hold an action.
  let chance: Double
  /// The longest time, in agent steps.
  let limit: Int
  private var random: Random
  private var held: [Float] = []
  private var remaining = 0

  init(chance: Double, limit: Int, random: Random) {
    self.chance = chance
    self.limit = limit
    self.random = random
  }

  /// Checks that a value read from a checkpoint can explore in a space.
  func validate(in space: ActionSpace) throws(InputError) {
    guard (0...limit).contains(remaining), remaining == 0 || held.count == space.arrayCount, space.holds(held) else {
      throw InputError("what is held, \(held) for \(remaining) steps, is no action")
    }
  }

  /// An episode begins: nothing is held.
  mutating func begin() { remaining = 0 }

  /// The action of the next step, in the policy's units; nil leaves it to the agent.
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
