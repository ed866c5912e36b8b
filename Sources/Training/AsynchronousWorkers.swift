import Agents
import Core
import Dispatch
import Environments
import Replay
import Synchronization
import Tensors

/// What a worker hands over: what its policy did, and how it stands now.
struct Segment<E: Environment, A: Agent>: Sendable {
  let lane: Int
  let rollout: Rollout
  /// Return and simulator steps of the episodes that ended in it.
  let finished: [(sum: Double, length: Int)]
  let worker: Worker<E, A>
}

/// One of the asynchronous workers (notes 1.4.5): an environment, and a copy of the policy that acts in it.
///
/// A value: a thread plays a copy of it, and what the trainer holds is the worker as it was when it last handed over.
struct Worker<E: Environment, A: Agent>: Sendable, Codable {
  /// Of the newest parameters when the segment began; its random numbers are the worker's own.
  var agent: A
  var episode: Episode<E>
  var history: History
  /// The updates that these parameters had had.
  var copiedAt = 0
  var hasBegun = false

  /// Takes the newest parameters.
  mutating func copy(_ newest: A, updates: Int) {
    agent.blend(toward: newest, rate: 1)
    copiedAt = updates
  }

  /// Plays T steps with one policy, or to the end of the episode in which they end.
  ///
  /// - Throws: what is wrong with the world, or `NotFinite`.
  mutating func play(
    _ demand: Rollout.Demand, lane: Int, through observer: some Observer, _ settings: TrainingSettings
  ) throws -> Segment<E, A> {
    let (layout, width) = (history.layout, history.layout.actionSpace.arrayCount)
    let size = layout.observationSize
    var (observations, next, actions) = ([Float](), [Float](), [Float]())
    var (rewards, discounts, isLast) = ([Float](), [Float](), [Bool]())
    var finished: [(sum: Double, length: Int)] = []
    if !hasBegun { try begin(try observer.observe([episode])) }
    while rewards.count < demand.horizon || (demand.wholeEpisodes && isLast.last == false) {
      let o = observation
      let a = agent.act(o, .explore)
      guard a.isFinite else {
        throw NotFinite(step: episode.totalSteps, quantity: "the action", value: .nan, in: agent)
      }
      let outcome = try episode.step(a.withElements { layout.actionSpace.denormalized($0.extracting(0..<width)) })
      let latent = try observer.observe([episode])
      guard Float(outcome.reward).isFinite, latent.isFinite else { throw try notFinite(after: outcome) }
      guard outcome.ending != .failed else {
        if !isLast.isEmpty { isLast[isLast.count - 1] = true }
        try beginNext(through: observer)
        continue
      }
      let step = settings.learned(outcome, of: episode.spec)
      a.withElements { a in latent.withElements { history.append(action: a, latent: $0) } }
      observations += o.array
      actions += a.array
      rewards.append(Float(step.reward))
      discounts.append(Float(step.discount))
      next += observation.array
      isLast.append(outcome.ending != .running)
      guard outcome.ending != .running else { continue }
      finished.append((episode.episodeReturn, episode.steps))
      try beginNext(through: observer)
    }
    let count = rewards.count
    isLast[count - 1] = true
    let rollout = Rollout(
      observation: Tensor(observations, [count, size]), action: Tensor(actions, [count, width]),
      reward: Tensor(rewards, [count, 1]), discount: Tensor(discounts, [count, 1]),
      nextObservation: Tensor(next, [count, size]), lane: [Int](repeating: lane, count: count), isLast: isLast)
    return Segment(lane: lane, rollout: rollout, finished: finished, worker: self)
  }

  private mutating func beginNext(through observer: some Observer) throws {
    try episode.reset()
    try begin(try observer.observe([episode]))
  }

  private mutating func begin(_ latent: Tensor) throws {
    guard latent.isFinite else { throw try notFinite(after: nil) }
    latent.withElements { history.begin(with: $0) }
    hasBegun = true
  }

  /// What is not finite of the environment's last step, or else of what is seen of it.
  private func notFinite(after outcome: Step?) throws -> NotFinite {
    let spoiled = try episode.spoiled(after: outcome)
    return NotFinite(
      step: episode.totalSteps, quantity: spoiled?.quantity ?? "the observation", value: spoiled?.value ?? .nan,
      moment: spoiled.map { _ in episode.moment }, in: agent)
  }

  /// `[1, O]`
  private var observation: Tensor {
    Tensor([1, history.layout.observationSize], of: Float.self) { history.write(into: &$0, at: 0) }
  }
}

/// What threads hand over, in the order of its arrival.
final class Arrivals<Element: Sendable>: Sendable {
  private let waiting = Mutex<[Element]>([])
  private let count = DispatchSemaphore(value: 0)

  func put(_ element: Element) {
    waiting.withLock { $0.append(element) }
    count.signal()
  }

  /// The earliest that nobody has taken; waits for it.
  func take() -> Element {
    count.wait()
    return waiting.withLock { $0.removeFirst() }
  }
}

extension Trainer {
  /// Learns from the segment that arrives next, and lets its worker go on with what was learned.
  ///
  /// While one worker waits for its update the others play on: when their segments arrive, the parameters are no longer
  /// those that played. How many updates came in between is the lag, `workers/lag`: 0 of one worker, about W - 1 of W.
  /// Which segment arrives first is up to the machine, and so no seed fixes the run.
  ///
  /// - Throws: `StepNotTaken` where the world failed: the trainer is then as it was before.
  mutating func learnFromNextWorker(report: (Metrics) throws -> Void) throws {
    if !workersPlay {
      workersPlay = true
      for lane in state.workers.indices { send(lane) }
    }
    let segment: Segment<E, A>
    do { segment = try arrivals.take().get() } catch let error as NotFinite { throw error } catch {
      throw StepNotTaken(reason: error)
    }
    guard let experience = segment.rollout as? A.Settings.Experience else {
      preconditionFailure("asynchronous workers give rollouts, which \(A.id) does not learn from")
    }
    let lane = segment.lane
    state.envSteps += segment.worker.episode.totalSteps - state.workers[lane].episode.totalSteps
    state.workers[lane] = segment.worker
    finished = segment.finished
    if let last = finished.last { state.lastReturn = last.sum }

    var metrics = state.agent.update(experience)
    metrics["workers/lag"] = Double(state.updates - segment.worker.copiedAt)
    state.updates += 1
    try requireFinite(metrics, step: state.envSteps, in: state.agent)
    send(lane)
    try report(metrics)
  }

  /// Lets a worker play its next segment on a thread of its own, with the newest parameters.
  private func send(_ lane: Int) {
    guard let demand = state.agent.settings.demand as? Rollout.Demand else {
      preconditionFailure("asynchronous workers give rollouts, which \(A.id) does not ask for")
    }
    var worker = state.workers[lane]
    worker.copy(state.agent, updates: state.updates)
    let (arrivals, observer, settings) = (arrivals, state.observer, settings)
    DispatchQueue.global().async { [worker] in
      // One observation at a time is no work to be shared, and the other processors have workers of their own.
      let before = Threads.count
      Threads.set(1)
      defer { Threads.set(before) }
      var worker = worker
      arrivals.put(Result { try worker.play(demand, lane: lane, through: observer, settings) })
    }
  }
}
