import Core

/// What is measured, and against whom.
struct Benchmark {
  /// What one types after `--only`.
  let id: String
  let name: String
  /// The workloads's workload and its options.
  let ours: [String]
  let peers: [Peer]
  var threads: Int
  /// Turns of each side at most.
  var rounds = Int.max

  struct Peer {
    let label: String
    let side: Side
  }

  enum Side {
    /// In the peers' folder, with its options.
    case script([String])
    /// What the workloads measures of others, with its options.
    case workloads([String])
  }
}

/// What a benchmark gave.
struct BenchmarkResult {
  let benchmark: Benchmark
  let ours: Timing
  let peers: [(label: String, timing: Timing, farewell: WorkloadProcess.Totals)]
  let farewell: WorkloadProcess.Totals
  /// Our floating-point operations in a second over those of square products in the same rounds; nil where they do
  /// not matter.
  let shareOfProductRate: Double?

  /// How many times longer a peer takes: the median over the rounds, whose turns lie side by side in time.
  func ratio(to peer: Timing) -> Double { median(zip(ours.rounds, peer.rounds).map { $1 / $0 }) }
}

/// Milliseconds of an iteration, one for each round.
struct Timing {
  var rounds: [Double] = []
  var median: Double { pixelrl.median(rounds) }
  var least: Double { rounds.min() ?? .nan }
}

func median(_ values: [Double]) -> Double {
  guard !values.isEmpty else { return .nan }
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// Where the two sides' programs are.
struct BenchmarkRunner {
  let workloads: String
  /// nil: ours runs alone.
  let python: String?
  let scripts: String
  let rounds: Int
  /// About how long a turn takes, in milliseconds.
  let turn = 100.0

  /// Lets both sides take turns, so that whatever else the machine does meets both.
  func hold(_ benchmark: Benchmark) throws -> BenchmarkResult {
    var contestants: [WorkloadProcess] = []
    defer { for process in contestants { process.abandon() } }
    func enter(_ label: String, _ program: String, _ arguments: [String]) throws -> WorkloadProcess {
      let process = try WorkloadProcess(label, program, arguments, threads: benchmark.threads)
      contestants.append(process)
      return process
    }
    let ours = try enter("pixelrl", workloads, benchmark.ours)
    let products = ours.operations > 0 ? try enter("square products", workloads, ["sgemm"]) : nil
    for peer in benchmark.peers {
      switch peer.side {
      case .workloads(let options): _ = try enter(peer.label, workloads, options)
      case .script(let words):
        guard let python else { continue }
        _ = try enter(peer.label, python, ["\(scripts)/\(words[0])"] + words.dropFirst())
      }
    }
    // Warm up, and see how many iterations fill a turn.
    let counts = try contestants.map { process in
      _ = try process.run(2)
      return max(1, Int(turn / (try process.run(1))))
    }
    var timings = contestants.map { _ in Timing() }
    for _ in 0..<min(rounds, benchmark.rounds) {
      for (i, process) in contestants.enumerated() {
        timings[i].rounds.append(try process.run(counts[i]))
      }
    }
    let farewells = try contestants.map { try $0.end() }
    let share = products.map { products in
      median(zip(timings[0].rounds, timings[1].rounds).map { ours.operations / $0 / (products.operations / $1) })
    }
    let first = products == nil ? 1 : 2
    return BenchmarkResult(
      benchmark: benchmark, ours: timings[0],
      peers: (first..<contestants.count).map { (contestants[$0].label, timings[$0], farewells[$0]) },
      farewell: farewells[0], shareOfProductRate: share)
  }
}
