import Core
import Tensors

/// B transitions to learn from.
public struct Batch: Sendable {
  /// `[B, O]`
  public var observation: Tensor
  /// `[B, A]` in the policy's units, or `[B, 1]` indices.
  public var action: Tensor
  /// `[B, 1]`
  public var reward: Tensor
  /// `[B, 1]`: the environment's discount, 0 where the task ended; never "done".
  public var discount: Tensor
  /// `[B, O]`
  public var nextObservation: Tensor
  /// Where in the buffer each was drawn from, B of them; empty for a batch of elsewhere.
  public var slots: [Int] = []
  /// `[B, 1]`: how often each is drawn in units of a uniform draw, N P(i), where they are drawn by priority.
  public var frequency: Tensor?
  /// The moments that transitions of n steps pass over; nil where n is 1 or nobody asked.
  public var between: Between?
  /// `[B, O]`: the next observation as target networks see it; nil: as everybody does.
  public var targetObservation: Tensor?
  /// Whether the gradient of the critic's loss by `observation` is asked for.
  public var wantsObservationGradient = false

  /// `[B, O]`: what target networks look at.
  public var nextObservationOfTarget: Tensor { targetObservation ?? nextObservation }

  /// The n - 1 moments between the first and the last of each transition: that of step k of transition b is in row
  /// (k - 1) B + b.
  public struct Between: Sendable {
    /// `[(n - 1) B, O]`; where the transition has no such step its first observation, of weight 0.
    public var observation: Tensor
    /// `[(n - 1) B, 1]`: γ^k d_t ⋯ d_{t+k-1}, what a reward at that moment weighs in the transition's own.
    public var weight: Tensor

    public init(observation: Tensor, weight: Tensor) {
      self.observation = observation
      self.weight = weight
    }
  }

  public init(observation: Tensor, action: Tensor, reward: Tensor, discount: Tensor, nextObservation: Tensor) {
    self.observation = observation
    self.action = action
    self.reward = reward
    self.discount = discount
    self.nextObservation = nextObservation
  }
}

/// A ring of latents: each is stored once, and histories are built when a batch is drawn.
///
/// Environments that are stepped side by side write to lanes of their own, so that a lane is a sequence of whole
/// episodes. A slot holds a latent and the transition that starts there; an episode's last latent has none.
public struct ReplayBuffer: ~Copyable, Sendable {
  public let layout: HistoryLayout
  /// Slots of a lane.
  public let laneCapacity: Int
  var latents: [Float]
  var actions: [Float]
  var rewards: [Float]
  var discounts: [Float]
  var marks: [Mark]
  var lanes: [Lane]
  /// What transitions are drawn by; nil where uniformly.
  var priorities: Priorities?

  /// What a slot is in its episode.
  struct Mark: OptionSet {
    let rawValue: UInt8
    static let first = Mark(rawValue: 1)
    /// A transition starts here: the next slot holds its successor.
    static let transition = Mark(rawValue: 2)
  }

  struct Lane: Codable {
    /// Slots written since the start.
    var written = 0
    var inEpisode = false
    /// Changes since the start, and which of them touched each segment last.
    var changes = 0
    var revisions: [Int] = []
  }

  /// - Parameters:
  ///   - capacity: latents that are kept, over all lanes.
  ///   - isPrioritized: whether transitions are drawn by priority, not uniformly.
  public init(capacity: Int, lanes: Int = 1, layout: HistoryLayout, isPrioritized: Bool = false) {
    precondition(
      capacity >= Self.leastCapacity(lanes: lanes, layout: layout), "\(capacity) slots are too few for \(lanes) lanes")
    self.layout = layout
    laneCapacity = capacity / lanes
    let slots = laneCapacity * lanes
    latents = [Float](repeating: 0, count: slots * layout.latentSize)
    actions = [Float](repeating: 0, count: slots * layout.actionSpace.arrayCount)
    rewards = [Float](repeating: 0, count: slots)
    discounts = [Float](repeating: 0, count: slots)
    marks = [Mark](repeating: [], count: slots)
    self.lanes = [Lane](repeating: Lane(), count: lanes)
    if isPrioritized { priorities = Priorities(tree: SumTree(count: slots)) }
  }

  /// The smallest capacity that can hold a transition with its history in every lane.
  public static func leastCapacity(lanes: Int, layout: HistoryLayout) -> Int { lanes * (layout.reach + 3) }

  /// Bytes that a buffer of this size takes.
  public static func byteCount(capacity: Int, layout: HistoryLayout) -> Int {
    capacity * (4 * (layout.latentSize + layout.actionSpace.arrayCount + 2) + 1)
  }

  /// Bytes that this buffer takes.
  public var byteCount: Int {
    4 * (latents.count + actions.count + rewards.count + discounts.count) + marks.count
  }

  /// Latents held now.
  public var count: Int { lanes.reduce(0) { $0 + min($1.written, laneCapacity) } }

  /// Begins an episode in a lane with its first latent, Z numbers. An episode that was going on there ends without
  /// its last transition.
  public mutating func begin(lane: Int, latent: Span<Float>) {
    append(latent, lane: lane, mark: .first)
    lanes[lane].inEpisode = true
  }

  /// Adds a transition: the action taken at the lane's newest latent, in the policy's units, and what it led to. After
  /// the last step of an episode its true successor is stored too, before the next `begin`.
  public mutating func append(lane: Int, action: Span<Float>, step: Step, latent: Span<Float>) {
    precondition(lanes[lane].inEpisode, "a transition needs an episode: begin one in lane \(lane)")
    let slot = self.slot(lane, lanes[lane].written - 1)
    let width = layout.actionSpace.arrayCount
    precondition(action.count == width, "an action has \(width) numbers, not \(action.count)")
    for i in 0..<width { actions[slot * width + i] = action[i] }
    rewards[slot] = Float(step.reward)
    discounts[slot] = Float(step.discount)
    marks[slot].insert(.transition)
    append(latent, lane: lane, mark: [])
    lanes[lane].inEpisode = step.ending == .running
    touch(slot, lane)
    admit(slot)
  }

  private mutating func append(_ latent: Span<Float>, lane: Int, mark: Mark) {
    precondition(latent.count == layout.latentSize, "a latent has \(layout.latentSize) numbers, not \(latent.count)")
    let slot = self.slot(lane, lanes[lane].written)
    for i in 0..<latent.count { latents[slot * layout.latentSize + i] = latent[i] }
    marks[slot] = mark
    lanes[lane].written += 1
    touch(slot, lane)
    expel(lane)
  }

  /// Puts other latents in the place of a lane's, as when the encoder has learned on.
  ///
  /// - Parameter all: `[N, Z]`, a row for each latent that was ever written to the lane, in their order; those that were
  ///   overwritten since are passed over.
  public mutating func replaceLatents(lane: Int, with all: Tensor) {
    let (written, size) = (lanes[lane].written, layout.latentSize)
    precondition(all.shape == [written, size], "\(written) latents of \(size) are replaced by \(all.shape)")
    all.withElements { all in
      for position in max(0, written - laneCapacity)..<written {
        let start = slot(lane, position) * size
        for i in 0..<size { latents[start + i] = all[position * size + i] }
      }
    }
    lanes[lane].changes += 1
    lanes[lane].revisions = lanes[lane].revisions.map { _ in lanes[lane].changes }
  }

  func slot(_ lane: Int, _ position: Int) -> Int { lane * laneCapacity + position % laneCapacity }

  /// Draws B transitions, uniformly or by priority, with their histories: of one step, or of up to n steps in one.
  ///
  /// A transition of m steps from t leads to o_{t+m}, with `Σ_k γ^k (d_t ⋯ d_{t+k-1}) r_{t+k}` as its reward and
  /// `γ^{m-1} d_t ⋯ d_{t+m-1}` as its discount (Sutton and Barto 2018, 7.1): an agent that then discounts by γ once more
  /// bootstraps as it should. m is n, or less where the episode ends sooner, be it by truncation.
  ///
  /// - Parameters:
  ///   - steps: n.
  ///   - agentDiscount: γ; without meaning where n is 1.
  ///   - seesBetween: whether the moments that a transition passes over are given too.
  /// - Throws: `InputError` if the buffer holds no transition yet.
  public func sample(
    _ batchSize: Int, steps: Int = 1, discount agentDiscount: Double = 1, seesBetween: Bool = false,
    using random: inout Random
  ) throws -> Batch {
    let (places, frequency) = try draw(batchSize, using: &random)
    var batch = batch(at: places, steps: steps, discount: agentDiscount)
    if seesBetween, steps > 1 { batch.between = between(places, steps: steps, discount: agentDiscount) }
    batch.slots = places.map { slot($0.lane, $0.position) }
    batch.frequency = frequency
    return batch
  }

  /// The transitions that start at given positions of lanes, in their order; see `sample` for those of several steps.
  func batch(at chosen: [(lane: Int, position: Int)], steps: Int = 1, discount agentDiscount: Double = 1) -> Batch {
    let size = layout.observationSize
    let width = layout.actionSpace.arrayCount
    let spans = chosen.map { span(from: $0, atMost: steps, discount: Float(agentDiscount)) }
    func gathered(_ columns: Int, _ write: (inout MutableSpan<Float>, Int, (lane: Int, position: Int)) -> Void)
      -> Tensor
    {
      Tensor([chosen.count, columns], of: Float.self) { target in
        for b in chosen.indices { write(&target, b, chosen[b]) }
      }
    }
    return Batch(
      observation: gathered(size) { writeObservation(into: &$0, at: $1 * size, $2.lane, $2.position) },
      action: gathered(width) { target, b, at in
        let slot = slot(at.lane, at.position)
        for i in 0..<width { target[b * width + i] = actions[slot * width + i] }
      },
      reward: Tensor(spans.map(\.reward), [chosen.count, 1]),
      discount: Tensor(spans.map(\.discount), [chosen.count, 1]),
      nextObservation: gathered(size) {
        writeObservation(into: &$0, at: $1 * size, $2.lane, $2.position + spans[$1].steps)
      })
  }

  /// The moments that transitions of up to n steps pass over.
  private func between(_ chosen: [(lane: Int, position: Int)], steps limit: Int, discount agentDiscount: Double)
    -> Batch.Between
  {
    let (size, count) = (layout.observationSize, chosen.count)
    var weights = [Float](repeating: 0, count: (limit - 1) * count)
    for (b, at) in chosen.enumerated() {
      var weight: Float = 1
      for k in 1..<limit {
        // The newest slot of a lane and the last of an episode start no transition.
        guard marks[slot(at.lane, at.position + k)].contains(.transition) else { break }
        weight *= Float(agentDiscount) * discounts[slot(at.lane, at.position + k - 1)]
        weights[(k - 1) * count + b] = weight
      }
    }
    let observation = Tensor([(limit - 1) * count, size], of: Float.self) { target in
      for row in weights.indices {
        let (at, k) = (chosen[row % count], row / count + 1)
        writeObservation(into: &target, at: row * size, at.lane, at.position + (weights[row] == 0 ? 0 : k))
      }
    }
    return Batch.Between(observation: observation, weight: Tensor(weights, [weights.count, 1]))
  }

  /// The transitions that follow each other from a position on, as one.
  private func span(from start: (lane: Int, position: Int), atMost limit: Int, discount agentDiscount: Float)
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

  /// The places of B transitions and, where they are drawn by priority, how often each is.
  private func draw(_ count: Int, using random: inout Random) throws
    -> (places: [(lane: Int, position: Int)], frequency: Tensor?)
  {
    guard let priorities else { return (try (0..<count).map { _ in try drawPosition(using: &random) }, nil) }
    let (slots, frequencies) = try drawByPriority(count, from: priorities.tree, using: &random)
    return (slots.map { place(of: $0) }, Tensor(frequencies, [count, 1]))
  }

  /// A lane and a position in it where a transition starts whose whole history is still there.
  private func drawPosition(using random: inout Random) throws -> (lane: Int, position: Int) {
    let candidates = lanes.indices.reduce(0) { $0 + self.candidates($1).count }
    // Episodes' last latents start no transition: they are drawn again.
    for _ in 0..<(candidates > 0 ? 100_000 : 0) {
      var (lane, index) = (0, random.integer(below: candidates))
      while index >= self.candidates(lane).count {
        index -= self.candidates(lane).count
        lane += 1
      }
      let position = self.candidates(lane).lowerBound + index
      if marks[slot(lane, position)].contains(.transition) { return (lane, position) }
    }
    throw Self.nothingToDraw
  }

  static var nothingToDraw: InputError {
    InputError("the replay buffer holds no transition to learn from: collect some steps first")
  }

  /// The positions of a lane that have their successor and their whole history: the oldest slots of a full lane have lost
  /// what came before them.
  func candidates(_ lane: Int) -> Range<Int> {
    let written = lanes[lane].written
    let oldest = written <= laneCapacity ? 0 : written - laneCapacity + layout.reach
    return oldest..<max(oldest, written - 1)
  }

  private func writeObservation(into target: inout MutableSpan<Float>, at start: Int, _ lane: Int, _ position: Int) {
    // How far back the episode goes, as far as anything looks.
    var age = 0
    while age < layout.reach, position - age > 0, !marks[slot(lane, position - age)].contains(.first) { age += 1 }
    let known = age
    let (size, width) = (layout.latentSize, layout.actionSpace.arrayCount)
    layout.write(
      into: &target, at: start, latents: latents.span,
      latentStart: { slot(lane, position - min($0, known)) * size },
      pastActions: actions.span,
      actionStart: { $0 <= known ? slot(lane, position - $0) * width : nil })
  }
}
