import Core
import Formats
import Foundation

/// What `pixelrl bench` says of its results.
enum BenchReport {
  static let header = [
    "what", "ours ms (least)", "peer", "peer ms (least)", "ratio", "of sgemm", "allocations", "peak MB, ours and peer",
  ]

  /// One line for each peer, or one without any.
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

  /// Three digits that count.
  static func short(_ x: Double) -> String {
    guard x != 0, x.isFinite else { return x == 0 ? "0" : "?" }
    let digits = max(0, 2 - Int(log10(abs(x)).rounded(.down)))
    return String(format: "%.\(digits)f", x)
  }
}
