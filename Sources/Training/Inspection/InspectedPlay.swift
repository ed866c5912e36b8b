import Agents
import Core
import Environments
import Replay
import Representations
import Tensors

/// Episodes for inspection: frames, latents and, if an agent acted, its values and the observed returns.
struct InspectedPlay: Sendable {
  /// The frames within the time limit.
  var recording: Recording
  /// `[N, Z]`, a row for each frame.
  let latents: Tensor
  /// The agent's value of each frame; NaN if the episode ended at that frame, empty if no agent acted.
  var values: [Double] = []
  /// The discounted sum of the rewards after each frame, clipped as the agent learns from them. NaN if the episode
  /// ended at that frame, or was truncated while the missing rewards still weigh 1 % or more.
  var returns: [Double] = []
  /// The discounted sum of the bonuses after each frame that the agent's value includes besides the rewards: SAC's
  /// entropies times the temperature. Empty if the agent's value has no such bonuses.
  var bonuses: [Double] = []
  var discount = 1.0
  /// The absolute value to which the rewards of `returns` are clipped; nil if they are not clipped.
  var rewardLimit: Double?

  /// Returns the agent step of a frame within its episode.
  func step(of frame: Int) -> Int {
    frame - (recording.episodes[..<frame].lastIndex { $0 != recording.episodes[frame] }.map { $0 + 1 } ?? 0)
  }

  /// The frames that have a value and a return.
  var comparedFrames: [Int] { values.indices.filter { values[$0].isFinite && returns[$0].isFinite } }
  /// The number of frames that have a value but no return, because their episode was truncated.
  var cutCount: Int { values.indices.count { values[$0].isFinite && returns[$0].isNaN } }
}

extension Player {
  /// Plays episodes with deterministic actions from the start states of an evaluation.
  ///
  /// Play continues past the time limit until the rewards left out weigh less than 1 %, so that the return of the last
  /// frame is as complete as that of the first. If the environment itself truncates an episode, the frames before have
  /// no return: the later rewards are unknown, and bootstrapping from the agent's value would compare the agent with
  /// itself.
  func inspectedPlay(episodes count: Int, seed: Seed) throws -> InspectedPlay {
    var agent = agent
    let discount = agent.settings.discount
    let spec = environment.spec
    let (limit, repeats) = (spec.timeLimit(episode), spec.actionRepeat(episode))
    var settings = episode
    settings.timeLimit = limit + repeats * horizon(of: discount)
    var recording = Recording(
      frame: settings.blankFrame, observationNames: spec.observationNames, actionSpace: spec.actionSpace)
    var (values, returns, bonuses) = ([Double](), [Double](), [Double]())

    for index in 0..<count {
      var play = Play([try Episode(environment, settings, seed: seed.child("evaluation \(index)"))], layout)
      _ = try play.begin([0], through: representation)
      recording.begin(frame: try play.frame(0), observation: try play.episodes[0].observation)
      let first = recording.count - 1
      var (outcomes, expected, seen) = ([Step](), [Double](), [Float]())
      while play.episodes[0].ending == .running {
        let o = play.observation([0])
        expected.append(agent.value(o).item)
        seen += o.array
        let a = agent.act(o, .exploit)  // [1, A]
        let isWithin = play.episodes[0].steps < limit
        let outcome = try play.step([0], a, through: representation).steps[0]
        guard outcome.ending != .failed else { break }
        outcomes.append(training.learned(outcome, of: spec))
        if isWithin {
          recording.append(
            action: a.array, step: outcome, frame: try play.frame(0), observation: try play.episodes[0].observation)
        }
      }
      let last = play.observation([0])
      let bonus = agent.entropyBonus(Tensor(seen + last.array, [expected.count + 1, layout.observationSize]))?.doubles
      // G_t = r_t + γ d_t G_{t+1}, E_t = γ d_t (b_{t+1} + E_{t+1}); the rewards left out have the weight Π_{k≥t} γ d_k
      var (sum, bonusSum, cut) = (0.0, 0.0, 1.0)
      var sums = [Double](repeating: .nan, count: outcomes.count)
      var bonusSums = sums
      for t in outcomes.indices.reversed() {
        let weight = discount * outcomes[t].discount
        sum = outcomes[t].reward + weight * sum
        bonusSum = weight * ((bonus?[t + 1] ?? 0) + bonusSum)
        cut *= weight
        if cut <= leastWeight { (sums[t], bonusSums[t]) = (sum, bonusSum) }
      }
      let frames = recording.count - first
      func ofFrames(_ numbers: [Double]) -> [Double] { (0..<frames).map { $0 < numbers.count ? numbers[$0] : .nan } }
      values += ofFrames(expected)
      returns += ofFrames(sums)
      if bonus != nil { bonuses += ofFrames(bonusSums) }
    }
    return InspectedPlay(
      recording: recording, latents: representation.latents(of: recording), values: values, returns: returns,
      bonuses: bonuses,
      discount: discount, rewardLimit: training.rewardLimit(in: spec))
  }

  /// The number of agent steps after which the power of γ is below 1 %, at most 10,000; 0 if γ is 1.
  private func horizon(of discount: Double) -> Int {
    guard discount < 1 else { return 0 }
    var (steps, weight) = (0, 1.0)
    while weight > leastWeight && steps < 10_000 { (steps, weight) = (steps + 1, weight * discount) }
    return steps
  }
}

/// The weight below which the rest of a return may be left out.
private let leastWeight = 0.01
