import Core
import Formats
import Pixels
import Plots
import Runs

// The agent's observations, values and returns.

extension Inspection {
  /// Adds the first episode as a strip of frames above curves of value and reward.
  mutating func addEpisode(_ play: InspectedPlay, through drawing: (any LatentDrawing)?) {
    let recording = play.recording
    let length = recording.firstEpisodeLength
    let count = min(8, length)
    let moments = (0..<count).map { $0 * (length - 1) / max(count - 1, 1) }
    let scale = recording.size.magnification(to: 128)
    var grid = ImageGrid(
      rows: drawing.map {
        transposed($0.comparisons(of: recording.stacks(moments, of: $0.frameStack), magnifiedBy: scale))
      } ?? [moments.map { recording.frame($0).magnified(by: scale) }],
      columnCaptions: moments.map { "step \($0)" }, rowCaptions: drawing?.comparisonCaptions ?? ["original"], scale: 1)
    grid.font = .regular
    if drawing != nil { grid.legend = ErrorScale().picture() }
    let strip = grid.picture()

    func points(_ values: [Double]) -> [Point] { (0..<length).map { Point(Double($0), values[$0]) } }
    let rewards = (0..<length).map { recording.steps[$0]?.reward ?? .nan }
    var plots = [
      Plot(title: "", xLabel: "agent step", yLabel: "reward", series: [Plot.Series("", points(rewards))])
    ]
    if !play.values.isEmpty {
      let series = [
        Plot.Series(play.valueName, points(play.values)), Plot.Series(play.returnName, points(play.returns)),
      ]
      plots.insert(Plot(title: "", xLabel: "agent step", yLabel: "discounted", series: series), at: 0)
    }
    let pictures = plots.map { $0.picture(width: max(strip.width, 480), height: 300, theme: .dark) }
    let isPlayed = !play.values.isEmpty
    let isImported = facts.environment.hasPrefix(ImportedPictures.prefix)
    let title = isPlayed ? "What the policy sees" : isImported ? "The first held-out pictures" : "Random play"
    let episode =
      isPlayed
      ? "One episode of deterministic actions"
      : isImported ? "The first episode held out" : "One episode of random play"
    add(
      "episode", title,
      episode
        + (drawing == nil ? ": its frames" : ": its frames, their reconstructions, and the error")
        + (isPlayed
          ? "; below, the agent's value, the observed discounted return, and the reward.\(play.notes)"
          : "; below, the reward."),
      Sheet([("", strip)] + pictures.map { ("", $0) }).picture(),
      [
        "moments": .array(moments.map(JSON.integer)), "reward": .array(rewards.map(JSON.number)),
        "value": .array(play.values.prefix(length).map { .number(short($0)) }),
        "return": .array(play.returns.prefix(length).map { .number(short($0)) }),
      ])
  }

  /// Adds the critics' values against the observed returns.
  mutating func addValues(of play: InspectedPlay) {
    let frames = play.comparedFrames
    guard !frames.isEmpty else {
      notes.append(
        "no value can be compared with a return: the environment truncated every episode (discount "
          + "\(play.discount.text))")
      return
    }
    let (values, returns) = (frames.map { play.values[$0] }, frames.map { play.returns[$0] })
    let agreement = Agreement(of: values, with: returns)
    let bonuses = play.bonuses.isEmpty ? nil : frames.map { play.bonuses[$0] }
    add(
      "values", "Values against observed returns",
      "The agent's value of each frame's best action against the observed discounted return (discount "
        + "\(play.discount.text); episodes continue past the time limit until the rewards left out weigh less than "
        + "1 %). Correlation \(rounded(agreement.correlation, 3)), bias \(rounded(agreement.bias, 2)), root mean "
        + "square error \(rounded(agreement.error, 2)) over \(grouped(Double(frames.count))) frames of "
        + "\(options.episodes) episodes. Points above the line are overestimates.\(play.notes)",
      Scatter(
        title: "correlation \(rounded(agreement.correlation, 3)), bias \(rounded(agreement.bias, 2))",
        xLabel: play.returnName, yLabel: play.valueName, points: zip(returns, values).map(Point.init),
        shades: frames.map { Double(play.step(of: $0)) }, shadeLabel: "agent step", hasDiagonal: true
      ).picture(width: 820, height: 640, theme: .dark),
      [
        "discount": .number(play.discount), "reward_limit": play.rewardLimit.map(JSON.number) ?? .null,
        "value_holds": .string(bonuses == nil ? "rewards" : "rewards and entropies"),
        "correlation": .number(agreement.correlation), "bias": .number(agreement.bias),
        "root_mean_square_error": .number(agreement.error), "left_out": .integer(play.cutCount),
        "mean_entropy_ahead": bonuses.map { JSON.number($0.mean) } ?? .null,
        "episode": .array(frames.map { .integer(play.recording.episodes[$0]) }),
        "step": .array(frames.map { .integer(play.step(of: $0)) }),
        "value": .array(values.map { .number(short($0)) }), "return": .array(returns.map { .number(short($0)) }),
        "entropy_ahead": bonuses.map { JSON.array($0.map { .number(short($0)) }) } ?? .null,
      ])
  }
}

extension InspectedPlay {
  fileprivate var valueName: String { bonuses.isEmpty ? "value" : "value, with entropies" }
  fileprivate var returnName: String {
    rewardLimit == nil ? "observed discounted return" : "observed discounted return, clipped rewards"
  }

  /// Remarks on comparing values with returns, as sentences with a space before each.
  fileprivate var notes: String {
    var notes: [String] = []
    if let rewardLimit {
      notes.append(
        "The return uses rewards as the agent learns from them, clipped to absolute values of at most "
          + "\(rewardLimit.text).")
    }
    let ahead = comparedFrames.compactMap { bonuses.isEmpty ? nil : bonuses[$0] }
    if !ahead.isEmpty {
      notes.append(
        "The value also includes future entropies times the temperature, which the return does not: at these states "
          + "they add up to \(rounded(ahead.mean, 2)) on average (less if multi-step returns leave some out).")
    }
    if cutCount > 0 {
      notes.append(
        "\(grouped(Double(cutCount))) frames are left out: the environment truncated their episode, so that their "
          + "return is unknown.")
    }
    return notes.map { " " + $0 }.joined()
  }
}

/// How well expected values agree with observed ones.
struct Agreement {
  /// Pearson's correlation; NaN if one of them is constant.
  let correlation: Double
  /// The mean of expected minus observed.
  let bias: Double
  /// The root mean square of that difference.
  let error: Double

  init(of expected: [Double], with observed: [Double]) {
    let n = Double(expected.count)
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / n }
    let (a, b) = (mean(expected), mean(observed))
    func moment(_ x: [Double], _ xMean: Double, _ y: [Double], _ yMean: Double) -> Double {
      zip(x, y).reduce(0) { $0 + ($1.0 - xMean) * ($1.1 - yMean) } / n
    }
    let scale = (moment(expected, a, expected, a) * moment(observed, b, observed, b)).squareRoot()
    correlation = scale > 0 ? moment(expected, a, observed, b) / scale : .nan
    bias = a - b
    error = mean(zip(expected, observed).map { ($0 - $1) * ($0 - $1) }).squareRoot()
  }
}
