import Core

/// Prioritised replay (Schaul, Quan, Antonoglou and Silver 2016, arXiv 1511.05952): transitions with large errors are
/// drawn more often.
extension ReplayBuffer {
  /// The priorities of a buffer's slots.
  struct Priorities: Codable {
    /// One leaf per slot; zero if no transition with its whole history in the buffer starts there.
    var tree: SumTree
    /// The largest priority so far. A new transition gets it, so that every transition is likely to be drawn once.
    var highest: Float = 1

    /// Sets the priority of a slot. Does nothing for a slot that cannot be drawn.
    mutating func set(_ slot: Int, to value: Float) {
      precondition(value > 0, "a priority must be positive, not \(value)")
      guard tree[slot] != 0 else { return }
      tree[slot] = value
      highest = max(highest, value)
    }
  }

  /// Checks priorities that were read from a checkpoint: only slots that can be drawn may have one.
  func validatePriorities() throws(InputError) {
    guard let priorities else { return }
    guard priorities.highest > 0, priorities.highest.isFinite, priorities.tree.total.isFinite else {
      throw InputError("the highest priority is \(priorities.highest), the sum of all \(priorities.tree.total)")
    }
    for slot in marks.indices where priorities.tree[slot] != 0 {
      let lane = slot / laneCapacity
      guard lanes[lane].written > slot - lane * laneCapacity,
        candidates(lane).contains(place(of: slot).position), marks[slot].contains(.transition)
      else { throw InputError("slot \(slot) has a priority but no transition") }
    }
  }

  /// Whether transitions are drawn by priority.
  public var isPrioritized: Bool { priorities != nil }

  /// Sets the priorities of transitions that were drawn.
  ///
  /// - Parameters:
  ///   - slots: the slots, as in `Batch.slots`.
  ///   - values: one positive priority per slot. If a slot occurs twice, the last value is used.
  public mutating func prioritize(_ slots: [Int], by values: [Float]) {
    precondition(slots.count == values.count, "\(values.count) priorities for \(slots.count) transitions")
    precondition(isPrioritized, "a buffer that draws uniformly has no priorities")
    for (slot, value) in zip(slots, values) { priorities?.set(slot, to: value) }
  }

  /// Makes the slot's transition available for drawing.
  mutating func admit(_ slot: Int) {
    guard let highest = priorities?.highest else { return }
    priorities?.tree[slot] = highest
  }

  /// Makes slots unavailable after a write to a lane: the overwritten one, and the oldest, whose history is incomplete.
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

  /// Draws transitions by priority, one from each of `count` equal parts of the total (Schaul 2016, 3.3).
  ///
  /// - Returns: slots, and how often each is drawn relative to a uniform draw: N P(i).
  func drawByPriority(_ count: Int, from tree: SumTree, using random: inout Random) throws
    -> (slots: [Int], frequencies: [Float])
  {
    guard tree.nonzeroCount > 0 else { throw Self.nothingToDraw }
    let part = Double(tree.total) / Double(count)
    let slots = (0..<count).map { tree.leaf(at: Float((Double($0) + random.uniform()) * part)) }
    return (slots, slots.map { Float(tree.nonzeroCount) * tree[$0] / tree.total })
  }

  /// Returns the lane of a slot, and the last position that was written to it.
  func place(of slot: Int) -> Moment {
    let (lane, offset) = (slot / laneCapacity, slot % laneCapacity)
    let last = lanes[lane].written - 1
    return Moment(lane: lane, position: last - (last - offset) % laneCapacity)
  }
}
