import Core
import Foundation
import Pixels
import Python
import Testing

@testable import Environments

/// A Gymnasium environment as a value. The tests use the minimal gymnasium of Tests/Games, which needs no package.
@Suite(.serialized) struct GymnasiumTests {
  private typealias E = GymEnvironment
  private static let games = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../Games").path

  private let lamp: Gymnasium

  /// Lamp-v0 with all of its actions.
  init() throws { lamp = try Gymnasium.named("gym:games:Lamp-v0?actions=6", in: Self.games) }

  private func environment(seed: UInt64, _ change: (inout EpisodeSettings) -> Void = { _ in }) throws -> E {
    var settings = EpisodeSettings()
    change(&settings)
    var environment = E(lamp).configured(by: settings)
    var random = Random(seed: Seed(seed))
    try environment.reset(using: &random)
    return environment
  }

  private func episode(_ settings: EpisodeSettings = EpisodeSettings(), seed: UInt64) throws -> Episode<E> {
    try Episode(E(lamp), settings, seed: Seed(seed))
  }

  /// Returns the results of the next steps: the observation, reward and picture of each.
  private func future(_ environment: E, _ count: Int = 12) throws -> [[Double]] {
    var environment = environment
    return try (0..<count).map { i in
      let step = try environment.step([Double(i % 3 == 1 ? 1 : 0)])
      var frame = PixelBuffer(width: 11, height: 5, format: .gray)
      try environment.render(into: &frame)
      return try environment.readObservation() + [step.reward] + frame.bytes.map(Double.init)
    }
  }

  @Test func theSpecDescribesTheEnvironment() {
    let spec = E(lamp).spec
    #expect(spec.id == "gym:games:Lamp-v0?actions=6")
    #expect(spec.actionSpace == .discrete(count: 6))
    #expect(spec.episodeLength == 40 && spec.actionRepeat == 1 && spec.observationNames.count == 3)
    #expect(spec.episodeDefaults == EpisodeSettings() && spec.rewardLimit == nil)
    #expect(throws: InputError.self) { try E(lamp).validate(state: [0, 0, 0]) }
    #expect(throws: Never.self) { try E(lamp).checkRendering() }
  }

  @Test func aNameHasOneInstance() throws {
    #expect(try Gymnasium.named("gym:games:Lamp-v0?actions=6", in: Self.games) === lamp)
    #expect(try Environments.named("gym:games:Lamp-v0?actions=6").spec === lamp.spec)
  }

  @Test func seedDeterminesTheFuture() throws {
    let futures = try [1, 1, 2].map { try future(environment(seed: $0)) }
    #expect(futures[0] == futures[1])
    #expect(futures[0] != futures[2])
  }

  @Test func aCopyIsASnapshotAndACheckpoint() throws {
    var original = try environment(seed: 3)
    for _ in 0..<5 { _ = try original.step([1]) }
    let data = try PropertyListEncoder().encode([original])
    let snapshot = original
    let expected = try future(original)
    _ = try original.step([0])
    #expect(try future(snapshot) == expected, "stepping the original must not change the copy")
    let restored = try #require(try PropertyListDecoder().decode([E].self, from: data).first)
    #expect(try restored.readObservation() == snapshot.readObservation())
    #expect(try future(restored) == expected)
  }

  @Test func anEpisodeThatIsNotDeterministicFails() throws {
    var original = try environment(seed: 3)
    _ = try original.step([2])
    let snapshot = original
    #expect(try original.step([1]).ending == .running)
    // The snapshot is replayed, and the replay diverges.
    var other = snapshot
    let (step, count) = try other.hold([1], for: 3)
    #expect(step == Step(reward: 0, discount: 1, ending: .failed) && count == 0)
    #expect(try other.readObservation() == snapshot.readObservation())
  }

  @Test func terminatedAndTruncatedAreDistinguished() throws {
    var (ended, cut) = (try environment(seed: 4), try environment(seed: 4))
    let steps = (try ended.step([4]), try cut.step([5]))
    #expect(steps.0.ending == .terminated && steps.0.discount == 0)
    #expect(steps.1.ending == .truncated && steps.1.discount == 1)
    #expect(steps.0.reward == steps.1.reward)
  }

  @Test(arguments: [true, false]) func theLossOfALifeSetsTheDiscountToZeroIfRequested(_ isRequested: Bool) throws {
    var environment = try environment(seed: 5) { $0.lifeLoss = isRequested }
    #expect(try environment.step([0]).discount == 1)
    let step = try environment.step([3])
    #expect(step.ending == .running && step.discount == (isRequested ? 0 : 1))
  }

  @Test func repeatedActionsEqualSingleSteps() throws {
    var (held, stepped) = (try environment(seed: 6), try environment(seed: 6))
    let (total, count) = try held.hold([1], for: 4)
    let rewards = try (0..<4).map { _ in try stepped.step([1]).reward }
    #expect(count == 4 && total.reward == rewards.reduce(0, +))
    #expect(try held.readObservation() == stepped.readObservation())
    #expect(try held.hold([4], for: 4).count == 1)
  }

  @Test func theEpisodeAppliesTheTimeLimit() throws {
    var settings = EpisodeSettings()
    (settings.actionRepeat, settings.timeLimit) = (4, 10)
    var episode = try episode(settings, seed: 1)
    #expect(try (0..<3).map { _ in try episode.step([1]).ending } == [.running, .running, .truncated])
    #expect(episode.steps == 10)
  }

  @Test func noOpsAreTakenAtTheStart() throws {
    var starts: Set<[Double]> = []
    for seed in 0..<12 {
      starts.insert(try environment(seed: UInt64(seed)) { $0.noOpStarts = 20 }.readObservation())
    }
    // Without no-ops, the speed is 0 at the start.
    #expect(starts.contains { $0[1] != 0 })
  }

  @Test func parallelEpisodesEqualSequentialOnes() throws {
    func episodes() throws -> [Episode<E>] { try (0..<3).map { try episode(seed: UInt64($0)) } }
    var (together, single) = (try episodes(), try episodes())
    for step in 0..<8 {
      let actions = (0..<3).map { [Double(($0 + step) % 2)] }
      let steps = try together.step([0, 1, 2], actions)
      #expect(try steps == single.indices.map { try single[$0].step(actions[$0]) })
    }
    #expect(try together.map { try $0.observation } == single.map { try $0.observation })
    #expect(try together.map { try $0.frame } == single.map { try $0.frame })
  }

  @Test func announcedStepsEqualUnannouncedOnes() throws {
    var (announced, single) = (try episode(seed: 1), try episode(seed: 1))
    // The sixth action ends the episode. Those announced after it have no effect.
    let actions = [[1.0], [1], [0], [1], [1], [4], [1], [1], [1], [1], [1]]
    let replays = lamp.replays
    for i in 0..<6 {
      _ = (try announced.frame, try single.frame)
      try announced.announce(Array(actions[i...].prefix(5)))
      #expect(try announced.step(actions[i]) == single.step(actions[i]))
      #expect(try announced.observation == single.observation && announced.frame == single.frame)
    }
    #expect(announced.ending == .terminated)
    try announced.reset()
    try single.reset()
    #expect(try announced.observation == single.observation && announced.frame == single.frame)
    #expect(lamp.replays == replays)
    // Taking a different action than the announced one replays the episode.
    try announced.announce([[1], [1]])
    #expect(try announced.step([0]) == single.step([0]))
    #expect(lamp.replays == replays + 1)
    let copy = announced
    try announced.announce([[1], [1], [1]])
    var other = copy
    #expect(try other.step([0]) == single.step([0]))
    #expect(try other.observation == single.observation)
    // Reset while announced actions are pending.
    try announced.reset()
    try single.reset()
    #expect(try announced.observation == single.observation)
  }

  @Test func announcesNoMoreStepsThanTheTimeLimitAllows() throws {
    var settings = EpisodeSettings()
    (settings.actionRepeat, settings.timeLimit) = (4, 6)
    var (announced, single) = (try episode(settings, seed: 2), try episode(settings, seed: 2))
    let replays = lamp.replays
    try announced.announce([[1], [0], [1]])
    for action in [[1.0], [0]] {
      #expect(try announced.step(action) == single.step(action))
      #expect(try announced.observation == single.observation)
    }
    #expect(announced.ending == .truncated && announced.steps == 6)
    // The second action is cut to two simulator steps, and was announced with two.
    #expect(lamp.replays == replays)
  }

  @Test func announcementsIncludeStickyActions() throws {
    var settings = EpisodeSettings()
    settings.stickyActions = 0.5
    var (announced, single) = (try episode(settings, seed: 3), try episode(settings, seed: 3))
    let replays = lamp.replays
    for i in 0..<20 {
      let actions = (0..<3).map { [Double((i + $0) % 2)] }
      try announced.announce(actions)
      #expect(try announced.step(actions[0]) == single.step(actions[0]))
      #expect(try announced.observation == single.observation)
    }
    // Sticky actions were announced too. Otherwise the episode would have been replayed.
    #expect(lamp.replays == replays)
  }

  @Test(arguments: PictureFit.allCases) func picturesDrawnWithAStepEqualRequestedOnes(_ fit: PictureFit) throws {
    var (rendered, other) = (try environment(seed: 7) { $0.fit = fit }, try environment(seed: 7) { $0.fit = fit })
    for size in [9, 9, 9, 5, 5] {
      var (frame, late) = (PixelBuffer(width: size, height: 7), PixelBuffer(width: size, height: 7))
      try rendered.render(into: &frame)
      // Not rendered before, so the picture is requested now.
      let fresh = other
      try fresh.render(into: &late)
      #expect(frame == late)
      _ = try rendered.step([1])
      _ = try other.step([1])
      other = copyWithoutCache(other)
    }
  }

  /// Returns a copy as read from a checkpoint.
  private func copyWithoutCache(_ environment: E) -> E {
    let data = try? PropertyListEncoder().encode([environment])
    return data.flatMap { try? PropertyListDecoder().decode([E].self, from: $0).first } ?? environment
  }

  /// An episode of stretched pictures shares its process with others of the same environment.
  @Test func picturesAreFittedIntoTheFrame() throws {
    let stretched = try environment(seed: 7)
    var picture = PixelBuffer(width: 44, height: 20)
    try stretched.render(into: &picture)
    for fit in PictureFit.allCases {
      let environment = try environment(seed: 7) { $0.fit = fit }
      for (width, height, format) in [(12, 12, PixelFormat.rgb), (12, 12, .gray), (8, 20, .rgb)] {
        var frame = PixelBuffer(width: width, height: height, format: format)
        try environment.render(into: &frame)
        #expect(frame == picture.fitted(to: frame.size, fit).converted(to: format), "\(fit)")
      }
    }
  }

  @Test(arguments: [
    (288, 512, false, "64", "36x64"), (288, 512, false, "36x64", nil), (600, 400, false, "64", "64x44"),
    (600, 400, false, "64x44", nil), (160, 210, false, "84", "64x84"), (160, 210, true, "84", nil),
    (160, 210, true, "96x64", "72x96"), (512, 512, false, "64", nil), (512, 500, false, "64", nil),
  ])
  func stretchingIsSaid(width: Int, height: Int, isAtari: Bool, frame: String, better: String?) throws {
    let answer = """
      {"actions": {"count": 2}, "observation": 0, "width": \(width), "height": \(height), "channels": 3, "places": 2,
       "time_limit": null, "repeats": 1, "atari": \(isAtari), "undrawn": ""}
      """
    let facts = try GymFacts(answer, of: "gym:E")
    let advice = facts.adviceAgainstStretching(to: try #require(FrameSize(text: frame)))
    #expect((advice == nil) == (better == nil))
    if let better {
      #expect(advice?.contains("draws \(width)x\(height), which is stretched to ") == true)
      #expect(advice?.contains(": use --size \(better) for frames with its proportions, or --fit letterbox") == true)
    }
  }

  @Test func picturesAreResizedByArea() throws {
    let environment = try environment(seed: 1)
    var frame = PixelBuffer(width: 44, height: 20)
    try environment.render(into: &frame)
    var small = PixelBuffer(width: 11, height: 5)
    try environment.render(into: &small)
    #expect(small == frame.resized(width: 11, height: 5))
    #expect(Set(frame.bytes) == [0, 40, 200, 255])
  }
}

/// Conversion of actions, observations and pictures of other kinds than the lamp's.
@Suite struct GymSpacesTests {
  private static let games = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../Games").path
  private let settings = GymSettings(EpisodeSettings())

  /// Starts a process and an episode.
  private func process(_ id: String) throws -> (GymProcess, Trace) {
    let process = try GymProcess(try GymName(id), python: Gymnasium.python, in: Self.games)
    let trace = Trace(actionCount: process.facts.actionSpace.arrayCount)
    try process.beginReset(trace, settings)
    return (process, trace)
  }

  @Test(arguments: [("binary", [2, 2, 2], [0, 0, 0]), ("discrete", [2, 3, 4], [0, 5, -1])])
  func combinedDiscreteActionsAreDigits(_ kind: String, _ sizes: [Int], _ starts: [Int]) throws {
    var (process, trace) = try process("gym:games:Switches-v0?kind=\(kind)")
    let count = sizes.reduce(1, *)
    #expect(process.facts.actionSpace == .discrete(count: count))
    for action in 0..<count {
      let entry = Trace.Entry(action: [Double(action)], repeats: 1)
      trace = trace.appending(entry, after: action)
      _ = try process.step(entry, in: trace, settings)
      let digits = [action % sizes[0], action / sizes[0] % sizes[1], action / sizes[0] / sizes[1]]
      let expected: [Double] = zip(digits, starts).map { digit, start in Double(digit + start) }
      #expect(try process.observe(settings).numbers == expected)
    }
  }

  @Test func theErrorForTooManyChoicesGivesAdvice() {
    let error = #expect(throws: InputError.self) { try self.process("gym:games:Switches-v0?count=13") }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("MultiBinary(13) have 8192 combinations") && text.contains("TransformAction"))
  }

  /// The lamp has three lives, and action 3 costs one. Its reset does not report them, but its no-ops do.
  @Test(arguments: [("Mortal", 0), ("Mortal", 2), ("Lamp", 2)])
  func aLifeLostOnTheFirstStepCounts(_ game: String, _ noOps: Int) throws {
    let process = try GymProcess(
      try GymName("gym:games:\(game)-v0?actions=6"), python: Gymnasium.python, in: Self.games)
    for (action, isLost) in [(3.0, true), (1, false)] {
      let trace = Trace(Trace.Start(seed: 1, noOps: noOps), actionCount: 1)
      try process.beginReset(trace, settings)
      let entry = Trace.Entry(action: [action], repeats: 1)
      #expect(try process.step(entry, in: trace.appending(entry, after: 0), settings).lostLife == isLost)
    }
  }

  /// Integers and booleans have ranges of equal width per value. A coordinate with one value has a range of width 0.
  @Test(arguments: [
    ("int64", [-0.5, -2.5, 1], [1.5, 1.5, 1]), ("bool", [-0.5, -0.5, 1], [1.5, 1.5, 1]),
    ("float64", [0, -2, 1], [1, 1, 1]),
  ])
  func numbersBetweenBounds(_ kind: String, _ low: [Double], _ high: [Double]) throws {
    var (process, trace) = try process("gym:games:Levers-v0?kind=\(kind)")
    #expect(process.facts.actionSpace == .continuous(low: low, high: high))
    for (count, action) in [low, [0.4, -1.6, 1], [0.6, 0.4, 1], [0.6, 0.6, 1], high].enumerated() {
      let entry = Trace.Entry(action: action, repeats: 1)
      trace = trace.appending(entry, after: count)
      _ = try process.step(entry, in: trace, settings)
      let bounds = (kind == "bool" ? [0.0, 0, 1] : [0, -2, 1], [1.0, 1, 1])
      let expected = action.indices.map { i in
        min(max(kind == "float64" ? action[i] : action[i].rounded(.toNearestOrEven), bounds.0[i]), bounds.1[i])
      }
      #expect(try process.observe(settings).numbers == expected)
    }
  }

  /// If a coordinate has only one value, the policy's output for it is ignored.
  @Test func aCoordinateWithOneValueIsConstant() {
    let space = ActionSpace.continuous(low: [0, 3], high: [1, 3])
    #expect(space.normalized([0.5, 3]) == [0, 0])
    #expect(space.denormalized([Float(0), 0.7].span) == [0.5, 3])
    #expect(ActionSpace.continuous(low: [-1e20], high: [1e20]).description.contains("1e+20"))
  }

  /// With uniformly drawn actions, all integers are equally likely.
  @Test func wholeNumbersAreEquallyLikely() throws {
    var (process, trace) = try process("gym:games:Levers-v0")
    var (random, counts) = (Random(seed: Seed(1)), [Double: Int]())
    for count in 0..<4000 {
      let entry = Trace.Entry(action: process.facts.actionSpace.sample(using: &random), repeats: 1)
      trace = trace.appending(entry, after: count)
      _ = try process.step(entry, in: trace, settings)
      counts[try process.observe(settings).numbers[1], default: 0] += 1
    }
    #expect(counts.keys.sorted() == [-2, -1, 0, 1])
    // Five standard deviations. With rounding only, the expected count of the outer ones would be 667.
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 140 }, "\(counts)")
  }

  @Test(
    .enabled(if: Python.has("numpy"), "needs a Python with numpy"),
    arguments: ["bytes", "flipped", "floats", "gray", "alpha", "first", "whole", "list", "rows", "bool"])
  func picturesAreAccepted(_ kind: String) throws {
    let (process, _) = try process("gym:games:Painting-v0?kind=\(kind)")
    #expect(process.facts.width == 24 && process.facts.height == 20 && process.facts.undrawn.isEmpty)
    var frame = PixelBuffer(width: 12, height: 10, format: .gray)
    try process.draw(into: &frame, settings)
    #expect(Set(frame.bytes) == [kind == "bool" ? 255 : 51])
  }

  @Test(
    .enabled(if: Python.has("numpy"), "needs a Python with numpy"),
    arguments: [
      ("words", "is of uint16"), ("bright", "is of floats from 51.0 to 51.0"), ("nan", "is of floats from nan to nan"),
      ("line", "of shape (9,)"), ("five", "is of shape (20, 24, 5)"),
    ])
  func invalidPicturesAreRejected(_ kind: String, _ what: String) {
    let error = #expect(throws: WorldError.self) { try self.process("gym:games:Painting-v0?kind=\(kind)") }
    #expect(error?.description.contains(what) == true && error?.description.contains("[height, width, 3]") == true)
  }

  @Test(arguments: [0, 1, 3]) func imageObservationsAreThePictures(_ channels: Int) throws {
    let (process, _) = try process("gym:games:Screen-v0?channels=\(channels)")
    let facts = process.facts
    #expect(facts.width == 50 && facts.height == 30 && facts.channels == max(1, channels))
    #expect(facts.observationNames.isEmpty)
    var frame = PixelBuffer(width: 10, height: 10, format: channels == 3 ? .rgb : .gray)
    try process.draw(into: &frame, settings)
    // Each row is the mean of three rows.
    let rows = (0..<10).map { row in Int(frame.bytes[row * frame.stride]) }
    let means: [Int] = (0..<10).map { row in 6 * (3 * row + 1) }
    #expect(rows == means)
    #expect(channels < 3 || frame.bytes[9 * frame.stride + 1] == 2 * 28)
  }
}

/// The standard preprocessing of Atari games, with the real emulator.
@Suite(.enabled(if: hasAtari, "needs PIXELRL_PYTHON, a Python with gymnasium and ale-py: see 'make readers'"))
struct AtariTests {
  @Test(arguments: ["frameskip=0", "frameskip=[2,5]", "frameskip=true", "repeat_action_probability=2"])
  func invalidArgumentsAreRejected(_ argument: String) throws {
    let name = try GymName("gym:ALE/Pong-v5?\(argument)")
    let error = #expect(throws: InputError.self) { try GymProcess(name, python: Gymnasium.python, in: nil) }
    #expect(error?.description.contains("takes a ") == true)
  }

  /// A name with its module is the same game with the same protocol.
  @Test func aNameWithItsModuleIsTheSameGame() throws {
    let facts = try ["gym:ALE/Pong-v5", "gym:ale_py:ALE/Pong-v5"].map { id in
      try GymProcess(try GymName(id), python: Gymnasium.python, in: nil).facts
    }
    #expect(facts[0] == facts[1] && facts[1].isAtari && facts[1].actionRepeat == 4)
  }

  @Test(arguments: [
    ("PongNoFrameskip-v4", "Pong"), ("Pong-v0", "Pong"), ("Breakout-v4", "Breakout"),
  ])
  func olderNamesLeadToTheNewest(_ name: String, _ game: String) throws {
    let name = try GymName("gym:ale_py:\(name)")
    let error = #expect(throws: InputError.self) { try GymProcess(name, python: Gymnasium.python, in: nil) }
    #expect(error?.description.contains("use gym:ALE/\(game)-v5") == true)
  }

  /// Uses a separate process, since a process runs one environment.
  @Test func framesAreTheMaximumOfTheLastTwo() throws {
    let name = try GymName("gym:ALE/Pong-v5?repeat_action_probability=0")
    let process = try GymProcess(name, python: Gymnasium.python, in: nil)
    #expect(process.facts.isAtari && process.facts.actionRepeat == 4 && process.facts.timeLimit == 108_000)
    #expect(process.facts.actionSpace == .discrete(count: 6), "the minimal actions")
    #expect(process.facts.observationNames.contains("ball-x"))
    var settings = EpisodeSettings()
    settings.color = .gray
    let gym = GymSettings(settings)

    /// Returns the picture after steps with the given numbers of frames.
    func picture(_ repeats: [Int]) throws -> PixelBuffer {
      var trace = Trace(Trace.Start(seed: 1), actionCount: 1)
      try process.beginReset(trace, gym)
      for (count, repeats) in repeats.enumerated() {
        let entry = Trace.Entry(action: [2], repeats: repeats)
        trace = trace.appending(entry, after: count)
        #expect(try process.step(entry, in: trace, gym).steps == repeats)
      }
      var frame = PixelBuffer(width: process.facts.width, height: process.facts.height, format: .gray)
      try process.draw(into: &frame, gym)
      return frame
    }
    // After 100 frames, the ball is moving. One more step shows the maximum of the last two frames.
    let whole = try picture([100])
    #expect(try picture([96, 4]) == whole)
    #expect(try picture([99, 1]) == whole)
    let before = try picture([98])
    #expect(whole != before)
    // The ball, which is brighter than the background, is visible at both positions.
    func bright(_ frame: PixelBuffer) -> Set<Int> {
      Set(frame.bytes.indices.filter { frame.bytes[$0] > 200 && (34 * 160..<194 * 160).contains($0) })
    }
    let next = try picture([101])
    #expect(!bright(whole).isDisjoint(with: bright(next)), "two maxima in a row share a frame")
  }
}

private let hasAtari: Bool = {
  guard let name = try? GymName("gym:ALE/Pong-v5") else { return false }
  return (try? GymProcess(name, python: Gymnasium.python, in: nil)) != nil
}()
