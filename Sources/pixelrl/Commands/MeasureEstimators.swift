import ArgumentParser
import Core
import Pixels
import Runs
import Tabular

/// `pixelrl estimators`
struct MeasureEstimators: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estimators",
    abstract: "Measure bias, variance and cost of gradient estimators against the exact gradient.",
    discussion: """
      Each problem is small enough to compute the gradient of the return exactly. Bias and variance are those of one \
      estimate from a batch, in units of the gradient's norm and its square, with 95% confidence intervals. If the \
      interval of a bias starts at 0, there is no evidence of bias. '!' marks a bias that an unbiased estimator would \
      show in less than 1 of 1000 cases.
      """)

  enum PolicyKind: String, ExpressibleByArgument, CaseIterable {
    case tabular, network
  }

  @Option(
    help: ArgumentHelp(
      "two-state, chain, gridworld, tiger (with observed states), or a .json file", valueName: "problem"))
  var problem = "chain"

  @Option(help: ArgumentHelp("tabular: a softmax over a table of logits; network: a small network", valueName: "kind"))
  var policy = PolicyKind.tabular

  @Option(
    parsing: .unconditional, help: ArgumentHelp("trajectories per estimate (default: 10)", valueName: "n"),
    transform: wholeNumber)
  var batch = 10

  @Option(
    parsing: .unconditional, help: ArgumentHelp("the number of estimates (default: 20000)", valueName: "n"),
    transform: wholeNumber)
  var trials = 20_000

  @Option(
    parsing: .unconditional, help: ArgumentHelp("the seed (default: 0)", valueName: "n"), transform: wholeNumber)
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditional, help: ArgumentHelp("time steps per trajectory (default: 10)", valueName: "n"),
    transform: wholeNumber)
  var horizon = 10

  @Option(parsing: .unconditional, help: ArgumentHelp("the discount (default: the problem's)", valueName: "number"))
  var discount: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("the error of the flawed critic, in standard deviations of the true Q", valueName: "number"))
  var criticError = 0.5

  @Option(help: ArgumentHelp("the estimators to measure, separated by commas (default: all)", valueName: "names"))
  var only: String?

  @Option(
    help: ArgumentHelp(
      "a new folder for estimators.txt, estimators.json, bias.png and variance.png (default: none)",
      valueName: "folder"), completion: .directory)
  var out: String?

  @Flag(help: "print the results as JSON in the last line")
  var json = false

  func run() throws {
    guard criticError >= 0, criticError <= 1e6 else {
      throw InputError("--critic-error takes a number from 0 to 1000000, not '\(criticError)'")
    }
    let estimators = try only.map { try $0.split(separator: ",").map { try Estimators.named(String($0)) } }
    guard estimators?.isEmpty != true else { throw InputError("--only takes names, such as reinforce,reward-to-go") }
    let named = try Problems.named(problem)
    let process = try discount.map { try named.process.discounted(by: $0) } ?? named.process
    let pairs = process.stateCount * process.actionCount
    guard pairs <= GradientProblem.maximumPairs else {
      throw InputError(
        "\(problem): has \(pairs) pairs of states and actions: use a problem with at most \(GradientProblem.maximumPairs)"
      )
    }
    var random = Seed(seed).stream("policy")
    let table =
      switch policy {
      case .tabular: PolicyTable(SoftmaxPolicy(for: process, spread: 1, using: &random))
      case .network: PolicyTable(NetworkPolicy(for: process, using: &random))
      }
    let laboratory = try EstimatorTrial(
      GradientProblem(process, policy: table, horizon: horizon, criticError: criticError, seed: Seed(seed)),
      batch: batch, trials: trials, seed: Seed(seed))
    let folder = try out.map { try NewFolder(at: $0) }
    let report = EstimatorReport(
      title: "\(named.id), \(policy.rawValue) policy, batch \(batch), horizon \(horizon)",
      laboratory: laboratory, measurements: laboratory.measure(estimators ?? Estimators.all))
    for line in report.lines { try printLine(line) }
    if let folder {
      let out = folder.path
      try writeAtomically(Array((report.lines.joined(separator: "\n") + "\n").utf8), to: out + "/estimators.txt")
      try writeAtomically(Array(report.json.indented.utf8), to: out + "/estimators.json")
      try PNG.write(report.biasPlot.picture(), to: out + "/bias.png")
      try PNG.write(report.variancePlot.picture(), to: out + "/variance.png")
      try folder.commit()
      try printLine("written: \(folder.place)")
    }
    if json { try printLine(report.json.description) }
  }
}
