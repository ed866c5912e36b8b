import Core
import Formats
import Foundation

/// The table and the JSON of `pixelrl bench`.
enum BenchReport {
  static let header = [
    "benchmark", "pixelrl ms (min)", "peer", "peer ms (min)", "ratio", "of sgemm", "allocations",
    "peak MB, pixelrl and peer",
  ]

  /// One row per peer, or a single row if there is no peer.
  static func rows(_ result: BenchmarkResult) -> [[String]] {
    let farewell = result.farewell
    let share = result.shareOfProductRate.map { "\(short(100 * $0)) %" } ?? ""
    let allocations = "\(short(farewell.allocations)) (\(short(farewell.freshBlocks)))"
    func row(_ peer: String, _ timing: String, _ ratio: String, _ memory: String) -> [String] {
      [result.benchmark.name, text(result.ours), peer, timing, ratio, share, allocations, memory]
    }
    guard !result.peers.isEmpty else { return [row("", "", "", short(farewell.peakMegabytes))] }
    return result.peers.map { peer in
      row(
        peer.label, text(peer.timing), short(result.ratio(to: peer.timing)),
        "\(short(farewell.peakMegabytes)) \(short(peer.farewell.peakMegabytes))")
    }
  }

  static func json(_ result: BenchmarkResult) -> JSON {
    let peers = result.peers.map { peer in
      JSON.object([
        .init("peer", .string(peer.label)), .init("ms_median", .number(peer.timing.median)),
        .init("ms_least", .number(peer.timing.least)), .init("ratio", .number(result.ratio(to: peer.timing))),
        .init("peak_mb", .number(peer.farewell.peakMegabytes)),
      ])
    }
    return [
      "id": .string(result.benchmark.id), "name": .string(result.benchmark.name),
      "threads": .integer(result.benchmark.threads), "ms_median": .number(result.ours.median),
      "ms_least": .number(result.ours.least), "of_sgemm": result.shareOfProductRate.map(JSON.number) ?? .null,
      "allocations": .number(result.farewell.allocations), "fresh_blocks": .number(result.farewell.freshBlocks),
      "peak_mb": .number(result.farewell.peakMegabytes), "peers": .array(peers),
    ]
  }

  private static func text(_ timing: Timing) -> String { "\(short(timing.median)) (\(short(timing.least)))" }

  /// Formats a value with three significant digits.
  static func short(_ x: Double) -> String {
    guard x != 0, x.isFinite else { return x == 0 ? "0" : "?" }
    let digits = max(0, 2 - Int(log10(abs(x)).rounded(.down)))
    return String(format: "%.\(digits)f", x)
  }
}
