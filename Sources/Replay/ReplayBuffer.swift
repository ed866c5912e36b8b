import Core
import Tensors

/// A ring buffer of moments. Each latent or frame is stored once, and histories are built when a batch is drawn.
///
/// Each parallel environment writes to its own lane, so that a lane is a sequence of whole episodes. A slot holds a
/// moment and the transition that starts there; an episode's last moment has no transition. `memory` says whether a
/// latent, a frame, or both are stored for each moment.
public struct ReplayBuffer: ~Copyable, Sendable {
  public let layout: HistoryLayout
  public let memory: ReplayMemory
  /// The number of slots of a lane.
  public let laneCapacity: Int
  /// Z values per slot, or empty.
  var latents: [Float]
  /// One frame per slot, or empty.
  public internal(set) var frames: FrameMemory
  var actions: [Float]
  var rewards: [Float]
  var discounts: [Float]
  var marks: [Mark]
  var lanes: [Lane]
  /// The priorities of transitions; nil if they are drawn uniformly.
  var priorities: Priorities?

  /// Flags of a slot.
  struct Mark: OptionSet {
    let rawValue: UInt8
    /// An episode begins here.
    static let first = Mark(rawValue: 1)
    /// A transition starts here: the next slot holds its successor.
    static let transition = Mark(rawValue: 2)
  }

  struct Lane: Codable {
    /// The number of moments written since the start.
    var written = 0
    var inEpisode = false
    /// The number of changes since the start.
    var changes = 0
    /// For each segment, the number of the last change in it.
    var revisions: [Int] = []
  }

  /// - Parameters:
  ///   - capacity: the number of moments that are kept, over all lanes.
  ///   - memory: what is stored of each moment.
  ///   - isPrioritized: whether transitions are drawn by priority, not uniformly.
  public init(
    capacity: Int, lanes: Int = 1, layout: HistoryLayout, memory: ReplayMemory = .latents, isPrioritized: Bool = false
  ) {
    precondition(
      capacity >= Self.leastCapacity(lanes: lanes, layout: layout, memory: memory),
      "\(capacity) slots are too few for \(lanes) lanes")
    self.layout = layout
    self.memory = memory
    laneCapacity = capacity / lanes
    let slots = laneCapacity * lanes
    latents = [Float](repeating: 0, count: memory.keepsLatents ? slots * layout.latentSize : 0)
    frames = FrameMemory(frameSize: memory.frameSize, slots: slots)
    actions = [Float](repeating: 0, count: slots * layout.actionSpace.arrayCount)
    rewards = [Float](repeating: 0, count: slots)
    discounts = [Float](repeating: 0, count: slots)
    marks = [Mark](repeating: [], count: slots)
    self.lanes = [Lane](repeating: Lane(), count: lanes)
    if isPrioritized { priorities = Priorities(tree: SumTree(count: slots)) }
  }

  /// The smallest capacity that can hold a transition with its history in every lane.
  public static func leastCapacity(lanes: Int, layout: HistoryLayout, memory: ReplayMemory = .latents) -> Int {
    lanes * (memory.reach(layout) + 3)
  }

  /// The number of past steps that a moment's observation depends on.
  var reach: Int { memory.reach(layout) }

  /// The number of moments in the buffer.
  public var count: Int { lanes.reduce(0) { $0 + min($1.written, laneCapacity) } }

  /// Begins an episode in a lane with its first moment. An episode that was running there ends without its last
  /// transition.
  ///
  /// - Parameters:
  ///   - latent: Z values; ignored if no latents are stored.
  ///   - frame: the bytes of the frame, if frames are stored.
  public mutating func begin(lane: Int, latent: Span<Float>, frame: [UInt8]? = nil) {
    append(latent, frame, lane: lane, mark: .first)
    lanes[lane].inEpisode = true
  }

  /// Adds a transition: the action taken at the lane's newest moment, in the policy's units, and its result. The true
  /// successor of an episode's last step is stored too, before the next `begin`.
  public mutating func append(
    lane: Int, action: Span<Float>, step: Step, latent: Span<Float>, frame: [UInt8]? = nil
  ) {
    precondition(lanes[lane].inEpisode, "a transition needs a running episode: begin one in lane \(lane)")
    let slot = self.slot(lane, lanes[lane].written - 1)
    let width = layout.actionSpace.arrayCount
    precondition(action.count == width, "an action has \(width) values, not \(action.count)")
    for i in 0..<width { actions[slot * width + i] = action[i] }
    rewards[slot] = Float(step.reward)
    discounts[slot] = Float(step.discount)
    marks[slot].insert(.transition)
    append(latent, frame, lane: lane, mark: [])
    lanes[lane].inEpisode = step.ending == .running
    touch(slot, lane)
    admit(slot)
  }

  private mutating func append(_ latent: Span<Float>, _ frame: [UInt8]?, lane: Int, mark: Mark) {
    let slot = self.slot(lane, lanes[lane].written)
    if memory.keepsLatents {
      let size = layout.latentSize
      precondition(latent.count == size, "a latent has \(size) values, not \(latent.count)")
      for i in 0..<size { latents[slot * size + i] = latent[i] }
    }
    if memory.frameSize > 0 {
      guard let frame else { preconditionFailure("a replay buffer that stores frames needs a frame for each moment") }
      frames.write(frame.span, at: slot)
    }
    marks[slot] = mark
    lanes[lane].written += 1
    touch(slot, lane)
    expel(lane)
  }

  /// Replaces the latents of a lane, for example after the encoder was trained further.
  ///
  /// - Parameter all: `[N, Z]`, a row for each moment in the lane, from the oldest to the newest.
  public mutating func replaceLatents(lane: Int, with all: Tensor) {
    let (held, size) = (positions(of: lane), layout.latentSize)
    precondition(
      all.shape == [held.count, size], "\(held.count) latents of size \(size) cannot be replaced with \(all.shape)")
    all.withElements { all in
      for (row, position) in held.enumerated() {
        let start = slot(lane, position) * size
        for i in 0..<size { latents[start + i] = all[row * size + i] }
      }
    }
    lanes[lane].changes += 1
    lanes[lane].revisions = lanes[lane].revisions.map { _ in lanes[lane].changes }
  }

  /// The positions in a lane, from the oldest to the newest.
  public func positions(of lane: Int) -> Range<Int> {
    max(0, lanes[lane].written - laneCapacity)..<lanes[lane].written
  }

  func slot(_ lane: Int, _ position: Int) -> Int { lane * laneCapacity + position % laneCapacity }

  /// Draws B transitions of up to n steps with their histories, uniformly or by priority.
  ///
  /// A transition of m steps from t leads to o_{t+m}, with `Σ_k γ^k (d_t ⋯ d_{t+k-1}) r_{t+k}` as its reward and
  /// `γ^{m-1} d_t ⋯ d_{t+m-1}` as its discount (Sutton and Barto 2018, 7.1): an agent that multiplies by γ once more
  /// bootstraps correctly. m is n, or less if the episode ends earlier or its
  /// next moments are not written yet.
  ///
  /// - Parameters:
  ///   - steps: n.
  ///   - agentDiscount: γ; ignored if n is 1.
  ///   - includesIntermediate: whether to include the moments inside the transitions.
  /// - Throws: `InputError` if the buffer holds no transition yet.
  public func draw(
    _ count: Int, steps: Int = 1, discount agentDiscount: Double = 1, includesIntermediate: Bool = false,
    using random: inout Random
  ) throws -> ReplayDraw {
    let (starts, frequency) = try drawStarts(count, using: &random)
    var draw = self.draw(at: starts, steps: steps, discount: agentDiscount)
    draw.frequency = frequency
    if includesIntermediate, steps > 1 {
      draw.weightsBetween = weightsBetween(starts, steps: steps, discount: agentDiscount)
    }
    return draw
  }

  /// Draws a batch, made from the stored latents; see `draw`.
  public func sample(
    _ count: Int, steps: Int = 1, discount agentDiscount: Double = 1, includesIntermediate: Bool = false,
    using random: inout Random
  ) throws -> Batch {
    batch(
      of: try draw(
        count, steps: steps, discount: agentDiscount, includesIntermediate: includesIntermediate, using: &random))
  }

  /// Returns the transitions that start at given positions, in that order; see `draw` for transitions of several steps.
  func draw(at starts: [Moment], steps: Int = 1, discount agentDiscount: Double = 1) -> ReplayDraw {
    let spans = starts.map { span(from: $0, atMost: steps, discount: Float(agentDiscount)) }
    let width = layout.actionSpace.arrayCount
    let taken = Tensor([starts.count, width], of: Float.self) { target in
      for (b, start) in starts.enumerated() {
        let slot = slot(start.lane, start.position)
        for i in 0..<width { target[b * width + i] = actions[slot * width + i] }
      }
    }
    return ReplayDraw(
      starts: starts,
      ends: zip(starts, spans).map { Moment(lane: $0.lane, position: $0.position + $1.steps) }, action: taken,
      reward: Tensor(spans.map(\.reward), [starts.count, 1]),
      discount: Tensor(spans.map(\.discount), [starts.count, 1]))
  }

  /// Returns γ^k d_t ⋯ d_{t+k-1} of the moments inside transitions of up to n steps, those of step 1 first; 0 if there
  /// is no such moment.
  private func weightsBetween(_ starts: [Moment], steps limit: Int, discount agentDiscount: Double) -> [Float] {
    var weights = [Float](repeating: 0, count: (limit - 1) * starts.count)
    for (b, at) in starts.enumerated() {
      var weight: Float = 1
      for k in 1..<limit {
        // The newest slot of a lane and the last of an episode start no transition.
        guard marks[slot(at.lane, at.position + k)].contains(.transition) else { break }
        weight *= Float(agentDiscount) * discounts[slot(at.lane, at.position + k - 1)]
        weights[(k - 1) * starts.count + b] = weight
      }
    }
    return weights
  }

  /// Combines the consecutive transitions from a position on into one.
  private func span(from start: Moment, atMost limit: Int, discount agentDiscount: Float)
    -> (steps: Int, reward: Float, discount: Float)
  {
    var slot = slot(start.lane, start.position)
    var (steps, reward, discount) = (1, rewards[slot], discounts[slot])
    while steps < limit {
      // The newest slot of a lane and the last of an episode start no transition.
      slot = self.slot(start.lane, start.position + steps)
      guard marks[slot].contains(.transition) else { break }
      discount *= agentDiscount
      reward += discount * rewards[slot]
      discount *= discounts[slot]
      steps += 1
    }
    return (steps, reward, discount)
  }

  /// Draws where B transitions start and, if drawn by priority, how often each is drawn.
  private func drawStarts(_ count: Int, using random: inout Random) throws
    -> (starts: [Moment], frequency: Tensor?)
  {
    guard let priorities else { return (try (0..<count).map { _ in try drawPosition(using: &random) }, nil) }
    let (slots, frequencies) = try drawByPriority(count, from: priorities.tree, using: &random)
    return (slots.map { place(of: $0) }, Tensor(frequencies, [count, 1]))
  }

  /// Draws a position where a transition starts whose whole history is still in the buffer.
  private func drawPosition(using random: inout Random) throws -> Moment {
    let candidates = lanes.indices.reduce(0) { $0 + self.candidates($1).count }
    // No transition starts at an episode's last moment: draw again.
    for _ in 0..<(candidates > 0 ? 100_000 : 0) {
      var (lane, index) = (0, random.integer(below: candidates))
      while index >= self.candidates(lane).count {
        index -= self.candidates(lane).count
        lane += 1
      }
      let position = self.candidates(lane).lowerBound + index
      if marks[slot(lane, position)].contains(.transition) { return Moment(lane: lane, position: position) }
    }
    throw Self.nothingToDraw
  }

  static var nothingToDraw: InputError {
    InputError("the replay buffer holds no transition to learn from: collect some steps first")
  }

  /// The positions of a lane that have a successor and their whole history. The oldest slots of a full lane have lost a
  /// part of their history.
  func candidates(_ lane: Int) -> Range<Int> {
    let written = lanes[lane].written
    let oldest = written <= laneCapacity ? 0 : written - laneCapacity + reach
    return oldest..<max(oldest, written - 1)
  }
}
