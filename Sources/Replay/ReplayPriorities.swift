import Core

/// Prioritised replay (Schaul, Quan, Antonoglou and Silver 2016, arXiv 1511.05952): what surprised is drawn more often.
extension ReplayBuffer {
  /// What a buffer that draws by priority knows of its slots.
  struct Priorities: Codable {
    /// A leaf a slot; zero where no transition starts whose whole history is still there.
    var tree: SumTree
    /// The largest so far: a new transition has it, so that everything is seen at least once.
    var highest: Float = 1

    /// A slot that cannot be drawn stays so.
    mutating func set(_ slot: Int, to value: Float) {
      precondition(value > 0, "a priority is positive, not \(value)")
      guard tree[slot] != 0 else { return }
      tree[slot] = value
      highest = max(highest, value)
    }
  }

  /// Checks priorities that were read from a checkpoint: only what can be drawn has one.
  func validatePriorities() throws(InputError) {
    guard let priorities else { return }
    guard priorities.highest > 0, priorities.highest.isFinite, priorities.tree.total.isFinite else {
      throw InputError("the highest priority is \(priorities.highest), the sum of all \(priorities.tree.total)")
    }
    for slot in marks.indices where priorities.tree[slot] != 0 {
      let lane = slot / laneCapacity
      guard lanes[lane].written > slot - lane * laneCapacity,
        candidates(lane).contains(place(of: slot).position), marks[slot].contains(.transition)
      else { throw InputError("slot \(slot) has a priority and nothing to draw") }
    }
  }

  /// Whether transitions are drawn by priority.
  public var isPrioritized: Bool { priorities != nil }

  /// Gives transitions that were drawn the priorities that an agent found for them.
  ///
  /// - Parameters:
  ///   - slots: as `Batch.slots` says.
  ///   - values: one for each, positive; of a slot that was drawn twice the last one counts.
  public mutating func prioritize(_ slots: [Int], by values: [Float]) {
    precondition(slots.count == values.count, "\(values.count) priorities for \(slots.count) transitions")
    precondition(isPrioritized, "a buffer that draws uniformly has no priorities")
    for (slot, value) in zip(slots, values) { priorities?.set(slot, to: value) }
  }

  /// The slot's transition can be drawn from now on.
  mutating func admit(_ slot: Int) {
    guard let highest = priorities?.highest else { return }
    priorities?.tree[slot] = highest
  }

  /// A latent was written to a lane: what the slot held is gone, and the oldest have lost what came before them.
  mutating func expel(_ lane: Int) {
    guard isPrioritized else { return }
    let written = lanes[lane].written
    var gone = [slot(lane, written - 1)]
    if written > laneCapacity {
      let oldest = written - laneCapacity
      for position in oldest..<oldest + reach { gone.append(slot(lane, position)) }
    }
    for slot in gone { priorities?.tree[slot] = 0 }
  }

  /// Draws transitions by priority, one from each of equal parts of the sum of all (Schaul 2016, 3.3).
  ///
  /// - Returns: slots, and how often each is drawn in units of a uniform draw: N P(i).
  func drawByPriority(_ count: Int, from tree: SumTree, using random: inout Random) throws
    -> (slots: [Int], frequencies: [Float])
  {
    guard tree.nonzeroCount > 0 else { throw Self.nothingToDraw }
    let part = Double(tree.total) / Double(count)
    let slots = (0..<count).map { tree.leaf(at: Float((Double($0) + random.uniform()) * part)) }
    return (slots, slots.map { Float(tree.nonzeroCount) * tree[$0] / tree.total })
  }

  /// The lane of a slot, and the last position that was written to it.
  func place(of slot: Int) -> Moment {
    let (lane, offset) = (slot / laneCapacity, slot % laneCapacity)
    let last = lanes[lane].written - 1
    return Moment(lane: lane, position: last - (last - offset) % laneCapacity)
  }
}
