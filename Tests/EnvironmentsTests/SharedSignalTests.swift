import Core
import Foundation
import Testing

@testable import Environments

/// Both sides spin, sleep and wake up at arbitrary times. No request and no answer is lost.
@Suite struct SharedSignalTests {
  private static let games = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../Games").path

  /// Returns the lamp's observations in 500 steps.
  ///
  /// - Parameters:
  ///   - pause: The maximum duration of a step in microseconds.
  ///   - ours: The maximum time between two steps in microseconds.
  ///   - mayLook: Whether both sides may spin before they sleep.
  ///   - lookahead: The number of steps announced ahead.
  private func observations(pause: Int, ours: Int, mayLook: Bool, lookahead: Int = 0) throws -> [[Double]] {
    var episode = EpisodeSettings()
    episode.gymTimeout = 20  // a lost wake-up would run into it
    var settings = GymSettings(episode)
    settings.mayLook = mayLook
    let process = try GymProcess(
      try GymName("gym:games:Lamp-v0?pause=\(pause)"), python: Gymnasium.python, in: Self.games)
    var trace = Trace(actionCount: 1)
    var random = Random(seed: Seed(UInt64(pause + ours)))
    try process.beginReset(trace, settings)
    let entries = (0..<500).map { Trace.Entry(action: [Double($0 % 2)], repeats: 1) }
    return try entries.enumerated().map { i, entry in
      try process.announce(Array(entries[i...].prefix(lookahead)), settings)
      if ours > 0 { usleep(UInt32(random.uniform(0, Double(ours)))) }
      trace = trace.appending(entry, after: i)
      _ = try process.step(entry, in: trace, settings)
      return try process.observe(settings).numbers
    }
  }

  @Test(arguments: [true, false]) func nothingIsLostWhicheverSideSleeps(_ mayLook: Bool) throws {
    let expected = try observations(pause: 0, ours: 0, mayLook: mayLook)
    #expect(Set(expected.map { $0[0] }).count > 3)
    // Similar to the spin times: 1500 microseconds in Swift, 400 in Python.
    for (pause, ours) in [(3000, 0), (0, 800), (3000, 800)] {
      #expect(
        try observations(pause: pause, ours: ours, mayLook: mayLook) == expected, "pauses of \(pause) and \(ours)")
      #expect(
        try observations(pause: pause, ours: ours, mayLook: mayLook, lookahead: 3) == expected,
        "pauses of \(pause) and \(ours), announced")
    }
  }
}
