import Agents
import Core
import Environments
import Foundation
import Pixels
import Representations
import Runs
import Testing

@testable import Training

/// Calls `body` with a temporary folder, which is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "/training-tests-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { _ = try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// Small frames, so that tests are fast.
func smallEpisode(size: FrameSize = 16, timeLimit: Int = 0) -> EpisodeSettings {
  var settings = EpisodeSettings()
  (settings.size, settings.color, settings.timeLimit) = (size, .gray, timeLimit)
  return settings
}

func collectionSettings(
  _ steps: Int, _ policy: CollectionPolicy = .held, holdLimit: Int = 8, episodeSteps: Int = 0
) -> CollectionSettings {
  var settings = CollectionSettings()
  (settings.steps, settings.policy, settings.holdLimit, settings.episodeSteps) = (
    steps, policy, holdLimit, episodeSteps
  )
  return settings
}

/// `catch` with actions whose range is not symmetric, so that writing and reading them may change the last bit.
private struct Throttle: BuiltInEnvironment {
  static var id: String { "throttle" }
  static var note: String { "catch with a throttle" }
  static var actionSpace: ActionSpace { .continuous(low: [0], high: [0.7]) }
  static var episodeLength: Int { Catch.episodeLength }
  static var stateNames: [String] { Catch.stateNames }
  static var observationNames: [String] { Catch.observationNames }

  private var inner = Catch()

  mutating func reset(using random: inout Random) { inner.reset(using: &random) }
  mutating func step(_ action: [Double]) -> Step { inner.step([action[0] < 0.35 ? 0 : 1]) }
  func render(into frame: inout PixelBuffer) { inner.render(into: &frame) }
  var state: [Double] {
    get { inner.state }
    set { inner.state = newValue }
  }
  var observation: [Double] { inner.observation }
}

@Suite struct CollectionTests {
  /// A pretraining that is resumed reads its frames and actions from its folder: the first process has the same.
  @Test func aFirstProcessTrainsOnWhatAResumedOneReads() throws {
    try withFolder { folder in
      let run = try RunDirectory(
        at: "\(folder)/run",
        .init(
          command: "pretrain-ae", environment: "throttle", member: "keypoint", seed: 1, commandLine: [], version: "0"),
        settings: [])
      let origin = PlayedFrames(of: Throttle(), smallEpisode(), collectionSettings(200, .correlated))
      let (first, again) = (
        try origin.frames(in: run, seed: Seed(1), say: { _ in }),
        try origin.frames(in: run, seed: Seed(1), say: { _ in })
      )
      for i in 0..<first.count - 1 {
        #expect(Array(first.action(i)) == Array(again.action(i)) && first.frame(i).bytes == again.frame(i).bytes)
      }
    }
  }

  @Test func recordingsOfSeveralEnvironmentsAreConcatenated() throws {
    var settings = collectionSettings(31)
    settings.environments = 3
    let together = try collect(Catch(), smallEpisode(), settings, seed: Seed(1))
    // 11, 10 and 10 steps, in two episodes each, of which the first ends after 9.
    #expect(together.environmentSteps == 31)
    #expect(together.episodes == [10, 3, 10, 2, 10, 2].enumerated().flatMap { Array(repeating: $0, count: $1) })
    // The first environment plays as it does alone.
    let alone = try collect(Catch(), smallEpisode(), collectionSettings(11), seed: Seed(1))
    #expect(Array(together.frames.prefix(alone.frames.count)) == alone.frames)
    #expect(Array(together.actions.prefix(alone.actions.count)) == alone.actions)
    // The others play differently.
    let starts = [0, 13, 25].map { Array(together.observations[$0 * 3..<$0 * 3 + 30]) }
    #expect(Set(starts).count == 3)
    // Fewer steps than environments.
    settings.steps = 2
    #expect(try collect(Catch(), smallEpisode(), settings, seed: Seed(1)).episodes == [0, 0, 1, 1])
  }

  @Test func episodesEndWithTheTask() throws {
    // An episode of catch has 9 steps and terminates.
    let recording = try collect(Catch(), smallEpisode(), collectionSettings(30), seed: Seed(1))
    #expect(recording.environmentSteps == 30)
    #expect(recording.count == 30 + 4)
    #expect(recording.episodes == (0..<4).flatMap { [Int](repeating: $0, count: $0 == 3 ? 4 : 10) })
    for i in 0..<recording.count {
      let isLast = i + 1 == recording.count || recording.episodes[i + 1] != recording.episodes[i]
      #expect((recording.steps[i] == nil) == isLast)
      if isLast { #expect(recording.action(i).allSatisfy { $0 == 0 }) }
    }
    #expect(recording.steps[8]?.ending == .terminated && recording.steps[8]?.discount == 0)
    // Each frame shows the recorded state.
    var frame = PixelBuffer(width: 16, height: 16, format: .gray)
    for i in [0, 5, 9, 12] {
      var environment = Catch()
      let observation = Array(recording.observation(i))
      environment.state = [
        (observation[0] + 1) * 2, ((1 - observation[1]) * 4.5).rounded(), (observation[2] + 1) * 2,
      ]
      environment.render(into: &frame)
      #expect(recording.frame(i) == frame)
    }
  }

  @Test func episodesAreTruncated() throws {
    let recording = try collect(
      CartPoleSwingup(), smallEpisode(), collectionSettings(25, episodeSteps: 10), seed: Seed(1))
    #expect(recording.environmentSteps == 25 * CartPoleSwingup.actionRepeat)
    #expect(recording.episodes.filter { $0 == 0 }.count == 11 && recording.episodes.last == 2)
    #expect(recording.steps[9]?.ending == .running && recording.steps[9]?.discount == 1)
  }

  /// The exploration length of the pendulum, 25 agent steps, is for random play only.
  @Test func onlyRandomPlayEndsAtTheExplorationLength() throws {
    var training = TrainingSettings()
    (training.frames, training.actions) = (1, 0)
    let observer = TrueState(PendulumSwingup.spec)
    let layout = training.layout(latentSize: observer.latentSize, actionSpace: PendulumSwingup.actionSpace)
    var settings = SAC.Settings()
    settings.hidden = 8
    let agent = SAC(
      observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: settings, seed: Seed(1))
    let (episode, collection) = (smallEpisode(size: 8), collectionSettings(250))
    let played = try collect(
      PendulumSwingup(), episode, collection,
      by: TrainedPolicy(agent: agent, representation: observer, layout: layout), seed: Seed(1))
    #expect(played.episodes == [Int](repeating: 0, count: 251))
    let random = try collect(PendulumSwingup(), episode, collection, seed: Seed(1))
    #expect(random.episodes == (0..<10).flatMap { [Int](repeating: $0, count: 26) })
  }

  @Test func heldActionsRepeatUpToTheLimit() throws {
    let recording = try collect(
      PendulumSwingup(), smallEpisode(size: 8), collectionSettings(300, holdLimit: 5), seed: Seed(1))
    var runs: [Int] = []
    for i in 0..<300 {
      if i > 0, recording.action(i).first == recording.action(i - 1).first {
        runs[runs.count - 1] += 1
      } else {
        runs.append(1)
      }
    }
    #expect(Set(runs.dropLast()) == [1, 2, 3, 4, 5])
  }

  @Test(arguments: [CollectionPolicy.held, .correlated])
  func theFirstDiscreteActionIsAsLikelyAsWanted(_ policy: CollectionPolicy) throws {
    var settings = collectionSettings(2000, policy, holdLimit: 1)
    func shares() throws -> [Double] {
      let recording = try collect(Catch(), smallEpisode(size: 8), settings, seed: Seed(1))
      var counts = [0.0, 0, 0]
      for i in 0..<recording.count where recording.steps[i] != nil {
        counts[Int(recording.action(i).first ?? .nan)] += 1 / 2000
      }
      return counts
    }
    for share in try shares() { #expect(abs(share - 1 / 3) < 0.05) }
    settings.noOpChance = 0.9
    for (share, wanted) in zip(try shares(), [0.9, 0.05, 0.05]) { #expect(abs(share - wanted) < 0.025) }
    settings.noOpChance = 1
    #expect(try shares().first.map { abs($0 - 1) < 1e-9 } == true)
  }

  @Test func correlatedActionsAreARandomWalk() throws {
    let recording = try collect(
      PendulumSwingup(), smallEpisode(size: 8), collectionSettings(1000, .correlated), seed: Seed(1))
    let actions = (0..<1000).map { Double(recording.action($0).first ?? .nan) }
    #expect(actions.allSatisfy { (-1...1).contains($0) })
    let mean = actions.reduce(0, +) / 1000
    let variance = actions.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1000
    let covariance = zip(actions, actions.dropFirst()).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } / 999
    // The autocorrelation is 1 - 1/8 per step, reduced by clipping at the bounds.
    #expect((0.75...0.95).contains(covariance / variance), "\(covariance / variance)")
    #expect(variance > 0.15)
  }

  @Test func uniformStatesStartEachEpisode() throws {
    let recording = try collect(
      Catch(), smallEpisode(size: 8), collectionSettings(200, .uniform, episodeSteps: 2), seed: Seed(1))
    let starts = recording.episodes.indices.filter {
      $0 == 0 || recording.episodes[$0] != recording.episodes[$0 - 1]
    }
    #expect(Set(starts.map { recording.observation($0)[recording.observation($0).startIndex + 1] }).count > 5)
  }

  @Test func theSeedDeterminesTheFrames() throws {
    func record(_ seed: UInt64) throws -> Recording {
      try collect(CartPoleSwingup(), smallEpisode(), collectionSettings(40), seed: Seed(seed))
    }
    let (one, same, other) = (try record(1), try record(1), try record(2))
    #expect(one.frames == same.frames && one.actions == same.actions && one.observations == same.observations)
    #expect(one.actions != other.actions)
  }

  @Test(arguments: [true, false]) func aDatasetRoundTrips(_ isDiscrete: Bool) throws {
    func check<E: BuiltInEnvironment>(_ environment: E.Type) throws {
      let settings = smallEpisode(timeLimit: isDiscrete ? 0 : 40)
      let recording = try collect(E(), settings, collectionSettings(35, episodeSteps: 12), seed: Seed(3))
      try withFolder { folder in
        let manifest = FrameDatasetManifest(environment: E.id, settings: settings, seed: Seed(3), policy: "held")
        try recording.write(to: folder + "/data", manifest: manifest)
        let dataset = try FrameDataset(path: folder + "/data")
        let read = try Recording(dataset, observationNames: E.observationNames, actionSpace: E.actionSpace)
        #expect(read.frames == recording.frames && read.observations == recording.observations)
        #expect(read.episodes == recording.episodes)
        #expect(zip(read.actions, recording.actions).allSatisfy { abs($0 - $1) < 1e-6 })
        // The ending is not stored, since training only needs rewards and discounts.
        #expect(read.steps.map { $0?.reward } == recording.steps.map { $0?.reward })
        #expect(read.steps.map { $0?.discount } == recording.steps.map { $0?.discount })
        #expect(throws: InputError.self) {
          try Recording(dataset, observationNames: ["one"], actionSpace: E.actionSpace)
        }
      }
    }
    if isDiscrete { try check(Catch.self) } else { try check(CartPoleSwingup.self) }
  }
}
