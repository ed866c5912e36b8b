import Agents
import Core
import Environments
import Replay
import Tensors

/// Episodes to look into: what was to be seen, and where an agent acted, what it expected and what it got.
struct InspectedPlay: Sendable {
  /// Frames within the time limit.
  var recording: Recording
  /// `[N, Z]`, a row for each frame.
  let latents: Tensor
  /// The agent's value of each frame; NaN where the episode is over, empty where no agent acted.
  var values: [Double] = []
  /// The discounted sum of the rewards that followed each frame.
  var returns: [Double] = []
  var discount = 1.0

  /// The agent step of a frame within its episode.
  func step(of frame: Int) -> Int {
    frame - (recording.episodes[..<frame].lastIndex { $0 != recording.episodes[frame] }.map { $0 + 1 } ?? 0)
  }

  /// The frames that have a value and a return.
  var judged: [Int] { values.indices.filter { values[$0].isFinite && returns[$0].isFinite } }
}

extension Player {
  /// Plays with the best actions from the start states of an evaluation.
  ///
  /// Play goes on past the time limit until what is cut off weighs less than 1 %, so that the return of the last frame is
  /// observed as wholly as that of the first: time that is up ends no reward.
  func inspectedPlay(episodes count: Int, seed: Seed) -> InspectedPlay {
    var agent = agent
    let discount = agent.settings.discount
    let limit = episode.timeLimit > 0 ? episode.timeLimit : E.episodeLength
    let repeats = episode.actionRepeat > 0 ? episode.actionRepeat : E.actionRepeat
    var settings = episode
    settings.timeLimit = limit + repeats * horizon(of: discount)
    var recording = Recording(
      frame: Episode<E>(settings, seed: seed).blankFrame, observationNames: E.observationNames,
      actionSpace: E.actionSpace)
    var (values, returns) = ([Double](), [Double]())

    for index in 0..<count {
      var episode = Episode<E>(settings, seed: seed.child("evaluation \(index)"))
      var history = History(layout)
      observer.observe([episode]).withElements { history.begin(with: $0) }
      recording.begin(frame: episode.frame, observation: episode.observation)
      let first = recording.count - 1
      var (outcomes, expected) = ([Step](), [Double]())
      while episode.ending == .running {
        let o = Tensor([1, layout.observationSize], of: Float.self) { history.write(into: &$0, at: 0) }
        expected.append(agent.value(o).item)
        let a = agent.act(o, .exploit)  // [1, A]
        let isWithin = episode.steps < limit
        let outcome = a.withElements { episode.step(layout.actionSpace.denormalized($0)) }
        guard outcome.ending != .failed else { break }
        outcomes.append(outcome)
        observer.observe([episode]).withElements { latent in
          a.withElements { history.append(action: $0, latent: latent) }
        }
        if isWithin {
          recording.append(
            action: a.array, step: outcome, frame: episode.frame, observation: episode.observation)
        }
      }
      // What lies beyond is bootstrapped: it weighs little by now, or nothing where the task itself is over.
      let last = Tensor([1, layout.observationSize], of: Float.self) { history.write(into: &$0, at: 0) }
      var following = episode.ending == .terminated ? 0 : agent.value(last).item
      // G_t = r_t + γ d_t G_{t+1}
      var sums = [Double](repeating: .nan, count: outcomes.count)
      for t in outcomes.indices.reversed() {
        following = outcomes[t].reward + discount * outcomes[t].discount * following
        sums[t] = following
      }
      let frames = recording.count - first
      values += (0..<frames).map { $0 < expected.count ? expected[$0] : .nan }
      returns += (0..<frames).map { $0 < sums.count ? sums[$0] : .nan }
    }
    return InspectedPlay(
      recording: recording, latents: observer.observe(recording), values: values, returns: returns,
      discount: discount)
  }

  /// Agent steps after which γ has fallen below 1 %, at most 1000.
  private func horizon(of discount: Double) -> Int {
    guard discount < 1 else { return 0 }
    var (steps, weight) = (0, 1.0)
    while weight > 0.01 && steps < 1000 { (steps, weight) = (steps + 1, weight * discount) }
    return steps
  }
}
