import Core
import Foundation
import Pixels
import Testing

@testable import Environments

/// Different Gymnasium environments in one program, each in its own Python process.
@Suite(.serialized) struct TwoGymnasiumsTests {
  private static let games = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../Games").path

  private func environment(_ name: String) throws -> GymEnvironment {
    GymEnvironment(try Gymnasium.named("gym:games:\(name)", in: Self.games))
  }

  @Test func eachHasItsOwnSpec() throws {
    let (lamp, levers) = (try environment("Lamp-v0").spec, try environment("Levers-v0?kind=float64").spec)
    #expect(lamp.id == "gym:games:Lamp-v0" && levers.id == "gym:games:Levers-v0?kind=float64")
    #expect(lamp.actionSpace == .discrete(count: 2))
    #expect(levers.actionSpace == .continuous(low: [0, -2, 1], high: [1, 1, 1]))
    #expect(lamp.episodeLength == 40 && levers.episodeLength == 10_000)
  }

  @Test func interleavedEpisodesEqualSeparateOnes() throws {
    let (lamp, levers) = (try environment("Lamp-v0"), try environment("Levers-v0?kind=float64"))
    let lampActions = (0..<20).map { [Double($0 % 3 == 1 ? 1 : 0)] }
    let leverActions = (0..<20).map { [Double($0) / 20, Double($0 % 4) - 2, 1] }

    /// Takes a step. Returns the observation and the reward.
    func play(_ episode: inout Episode<GymEnvironment>, _ action: [Double]) throws -> [Double] {
      let step = try episode.step(action)
      return try episode.observation + [step.reward]
    }
    func alone(_ environment: GymEnvironment, _ actions: [[Double]]) throws -> [[Double]] {
      var episode = try Episode(environment, seed: Seed(1))
      return try actions.map { try play(&episode, $0) }
    }
    var (one, other) = (try Episode(lamp, seed: Seed(1)), try Episode(levers, seed: Seed(1)))
    var (results, otherResults): ([[Double]], [[Double]]) = ([], [])
    for (action, otherAction) in zip(lampActions, leverActions) {
      results.append(try play(&one, action))
      otherResults.append(try play(&other, otherAction))
    }
    #expect(otherResults.map { Array($0[..<3]) } == leverActions)
    #expect(try alone(lamp, lampActions) == results && alone(levers, leverActions) == otherResults)
  }

  @Test func aFailureDoesNotAffectOtherEnvironments() throws {
    let (fuse, levers) = (try environment("Fuse-v0?at=3"), try environment("Levers-v0?kind=float64"))
    var (failing, sound) = (try Episode(fuse, seed: Seed(1)), try Episode(levers, seed: Seed(1)))
    for number in 0..<2 {
      _ = try failing.step([1])
      _ = try sound.step([Double(number), 0, 1])
    }
    let error = #expect(throws: WorldError.self) { try failing.step([1]) }
    #expect(error?.description.hasPrefix("gym:games:Fuse-v0?at=3: ValueError: the fuse has blown") == true)
    #expect(try sound.step([0.5, -1, 1]).ending == .running)
    #expect(try sound.observation == [0.5, -1, 1])
    // The process has ended. The next episode uses another one.
    try failing.reset()
    #expect(try failing.step([1]).ending == .running)
  }

  @Test func aFailureCanEndOnlyTheEpisode() throws {
    var settings = EpisodeSettings()
    settings.gymFailure = .truncate
    let (fuse, levers) = (try environment("Fuse-v0?at=2"), try environment("Levers-v0?kind=float64"))
    var (failing, sound) = (try Episode(fuse, settings, seed: Seed(1)), try Episode(levers, settings, seed: Seed(1)))
    for _ in 0..<6 {
      #expect(try failing.step([1]).ending == .running)
      #expect(try failing.step([1]) == Step(reward: 0, ending: .failed))
      #expect(try sound.step([1, 1, 1]).ending == .running)
      try failing.reset()
    }
  }

  /// As from a checkpoint: each episode continues in its own environment.
  @Test func storedEpisodesFindTheirEnvironments() throws {
    let environments = [try environment("Lamp-v0"), try environment("Levers-v0?kind=float64")]
    var episodes = try environments.map { try Episode($0, seed: Seed(2)) }
    _ = try episodes[0].step([1])
    _ = try episodes[1].step([0.25, 0, 1])
    let data = try PropertyListEncoder().encode(episodes)
    var stored = try PropertyListDecoder().decode([Episode<GymEnvironment>].self, from: data)
    #expect(stored.map(\.spec.id) == environments.map(\.spec.id))
    #expect(try stored.map { try $0.observation } == episodes.map { try $0.observation })
    try stored[0].validate(against: episodes[0])
    try stored[1].validate(against: episodes[1])
    #expect(try stored[0].step([0]) == episodes[0].step([0]))
    #expect(throws: InputError("an episode belongs to gym:games:Lamp-v0, not to gym:games:Levers-v0?kind=float64")) {
      try environments[0].validate(against: environments[1])
    }
  }
}
