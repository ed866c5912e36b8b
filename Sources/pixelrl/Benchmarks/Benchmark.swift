import Core

/// A workload of pixelrl and the peers that it is compared with.
struct Benchmark {
  /// The name for `--only`. Benchmarks can share one.
  let id: String
  let name: String
  /// The arguments of `Workloads`: a workload and its options.
  let ours: [String]
  let peers: [Peer]
  var threads: Int
  /// The maximum number of rounds.
  var rounds = Int.max

  struct Peer {
    let label: String
    let side: Side
  }

  enum Side {
    /// A script in the peers' folder, and its options.
    case script([String])
    /// A workload of `Workloads` to compare with, and its options.
    case workloads([String])
  }
}

/// The result of a benchmark.
struct BenchmarkResult {
  let benchmark: Benchmark
  let ours: Timing
  let peers: [(label: String, timing: Timing, farewell: WorkloadProcess.Totals)]
  let farewell: WorkloadProcess.Totals
  /// Our floating-point operations per second, divided by what as many processes as we have threads would compute of
  /// square matrix products, measured with one thread in the same rounds. Nil if the workload does not count them.
  let shareOfProductRate: Double?

  /// How many times as long a peer takes: the median of the ratios of each round, in which both run one after the
  /// other.
  func ratio(to peer: Timing) -> Double { median(zip(ours.rounds, peer.rounds).map { $1 / $0 }) }
}

/// Milliseconds per iteration, one value per round.
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

/// Runs benchmarks with `Workloads` and the peers' scripts.
struct BenchmarkRunner {
  let workloads: String
  /// If nil, the peers' scripts do not run.
  let python: String?
  let scripts: String
  let rounds: Int
  /// The approximate time of a process's turn in a round, in milliseconds.
  let turn = 100.0

  /// Runs a benchmark. All processes take turns in each round, so that other load on the machine affects all of them.
  func hold(_ benchmark: Benchmark) throws -> BenchmarkResult {
    var processes: [WorkloadProcess] = []
    defer { for process in processes { process.abandon() } }
    func start(
      _ label: String, _ program: String, _ arguments: [String], threads: Int = benchmark.threads
    ) throws -> WorkloadProcess {
      let process = try WorkloadProcess(label, program, arguments, threads: threads)
      processes.append(process)
      return process
    }
    let ours = try start("pixelrl", workloads, benchmark.ours)
    // Both sides of the ratio are measured by the same clock.
    let clock = benchmark.ours.firstIndex(of: "--clock").map { benchmark.ours[$0...].prefix(2) } ?? []
    let products = ours.operations > 0 ? try start("square products", workloads, ["sgemm"] + clock, threads: 1) : nil
    for peer in benchmark.peers {
      switch peer.side {
      case .workloads(let options): _ = try start(peer.label, workloads, options)
      case .script(let words):
        guard let python else { continue }
        _ = try start(peer.label, python, ["\(scripts)/\(words[0])"] + words.dropFirst())
      }
    }
    // Warm up, then measure how many iterations fill a turn.
    let counts = try processes.map { process in
      _ = try process.run(2)
      return max(1, Int(turn / (try process.run(1))))
    }
    var timings = processes.map { _ in Timing() }
    for _ in 0..<min(rounds, benchmark.rounds) {
      for (i, process) in processes.enumerated() {
        timings[i].rounds.append(try process.run(counts[i]))
      }
    }
    let totals = try processes.map { try $0.end() }
    let share = products.map { products in
      median(
        zip(timings[0].rounds, timings[1].rounds).map {
          ours.operations / $0 / (Double(benchmark.threads) * products.operations / $1)
        })
    }
    let first = products == nil ? 1 : 2
    return BenchmarkResult(
      benchmark: benchmark, ours: timings[0],
      peers: (first..<processes.count).map { (processes[$0].label, timings[$0], totals[$0]) },
      farewell: totals[0], shareOfProductRate: share)
  }
}
