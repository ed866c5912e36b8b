import Core
import Foundation
import Pixels
import Testing

@testable import Environments

@Suite struct EpisodeTests {
  func settings(_ pairs: [String: String]) -> EpisodeSettings {
    var settings = EpisodeSettings()
    for (key, text) in pairs {
      do { try settings.set(key, to: text) } catch { Issue.record(error) }
    }
    return settings
  }

  /// All settings that affect an episode, with values other than the defaults.
  var everything: EpisodeSettings {
    settings([
      "size": "40x24", "color": "gray", "action-repeat": "3", "frame-stack": "3", "sticky-actions": "0.3",
      "flicker": "0.3", "occlusion": "0.2", "pixel-noise": "8", "time-limit": "50",
    ])
  }

  @Test(arguments: Member.all) func aCopyIsASnapshotUnderEverySetting(_ member: Member) {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      var episode = Episode<E>(everything, seed: Seed(1))
      var policy = Random(seed: Seed(2))
      for _ in 0..<2 where episode.ending == .running { _ = episode.step(E.actionSpace.sample(using: &policy)) }
      var (copy, copyPolicy) = (episode, policy)
      for _ in 0..<60 {
        if episode.ending != .running { episode.reset() }
        if copy.ending != .running { copy.reset() }
        let step = episode.step(E.actionSpace.sample(using: &policy))
        let copiedStep = copy.step(E.actionSpace.sample(using: &copyPolicy))
        #expect(copiedStep == step)
        #expect(copy.environment.state == episode.environment.state)
        #expect(copy.frames == episode.frames)
      }
      #expect(copy.totalSteps == episode.totalSteps)
    }
    check(member.type)
  }

  @Test(arguments: Member.all, [1, 3, 7]) func truncatesExactlyAtTheLimit(_ member: Member, actionRepeat: Int) {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      var random = Random(seed: Seed(3))
      var episode = Episode<E>(settings(["action-repeat": "\(actionRepeat)", "time-limit": "8"]), seed: Seed(0))
      while episode.ending == .running {
        #expect(episode.steps < 8 && episode.steps % actionRepeat == 0)
        let step = episode.step(E.actionSpace.sample(using: &random))
        #expect(step.ending == episode.ending)
      }
      #expect(episode.ending == .terminated ? episode.steps <= 8 : episode.ending == .truncated && episode.steps == 8)
      #expect(episode.totalSteps == episode.steps)
    }
    check(member.type)
  }

  @Test(arguments: Member.all) func episodesEndAtTheTimeLimitOfTheTask(_ member: Member) {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      var random = Random(seed: Seed(3))
      var episode = Episode<E>(seed: Seed(0))
      while episode.ending == .running { _ = episode.step(E.actionSpace.sample(using: &random)) }
      let length = episode.steps
      #expect(episode.ending == .terminated ? length <= E.episodeLength : length == E.episodeLength)
      #expect(episode.ending.isOrdinary)
      episode.reset()
      #expect(episode.steps == 0 && episode.ending == .running && episode.episodeReturn == 0)
      #expect(episode.totalSteps == length)
    }
    check(member.type)
  }

  @Test func aTerminationAtTheLimitIsATermination() {
    var episode = Episode<Catch>(settings(["time-limit": "9", "action-repeat": "4"]), seed: Seed(0))
    while episode.ending == .running { _ = episode.step([1]) }
    #expect(episode.ending == .terminated && episode.steps == 9)
  }

  @Test func repeatedRewardsAddUp() {
    var slow = Episode<CartPoleBalance>(settings(["action-repeat": "5"]), seed: Seed(4))
    var fast = Episode<CartPoleBalance>(settings(["action-repeat": "1"]), seed: Seed(4))
    let step = slow.step([0.4])
    let sum = (0..<5).map { _ in fast.step([0.4]).reward }.reduce(0, +)
    #expect(step.reward == sum && slow.steps == 5 && slow.environment.state == fast.environment.state)
    #expect(slow.episodeReturn == sum)
  }

  @Test func resetToAStateSetsIt() {
    var episode = Episode<CartPoleSwingup>(seed: Seed(0))
    episode.reset(to: [1, 2, 3, 4])
    #expect(episode.environment.state == [1, 2, 3, 4])
    #expect(episode.frames.allSatisfy { $0 == episode.frame })
    let allowed = episode.randomize()
    #expect(allowed && episode.environment.state != [1, 2, 3, 4])
  }

  @Test func stickyActionsHaveTheirProbability() {
    var episode = Episode<Catch>(settings(["sticky-actions": "0.25", "time-limit": "2"]), seed: Seed(5))
    var repeated = 0
    for _ in 0..<4000 {
      episode.reset(to: [0, 0, 2])
      _ = episode.step([2])
      #expect(episode.environment.state[2] == 3, "the first action of an episode has no previous one to repeat")
      _ = episode.step([0])
      if episode.environment.state[2] == 4 { repeated += 1 }
    }
    #expect(abs(Double(repeated) / 4000 - 0.25) < 0.03)
  }

  @Test func flickerHasItsProbability() {
    var episode = Episode<PendulumSwingup>(
      settings(["flicker": "0.4", "size": "16", "time-limit": "100000"]), seed: Seed(6))
    var black = 0
    for _ in 0..<4000 {
      _ = episode.step([0.3])
      let frame = episode.frame
      #expect(frame == episode.frame, "rendering twice gives the same frame")
      if frame.bytes.allSatisfy({ $0 == 0 }) { black += 1 }
    }
    #expect(abs(Double(black) / 4000 - 0.4) < 0.03)
  }

  @Test func theBarCoversOnlyItsRows() {
    let plain = Episode<CartPoleSwingup>(seed: Seed(7)).frame
    let barred = Episode<CartPoleSwingup>(
      settings(["occlusion": "0.25", "occlusion-position": "1"]), seed: Seed(7)
    ).frame
    let covered = plain.height * 3 / 4 * plain.stride
    let isSameAbove = barred.bytes[..<covered] == plain.bytes[..<covered]
    #expect(isSameAbove)
    #expect(barred.bytes[covered...].allSatisfy { $0 == 128 } && plain.bytes[covered...].contains { $0 != 128 })
  }

  @Test func pixelNoiseHasItsStandardDeviation() {
    let plain = Episode<CartPoleSwingup>(seed: Seed(8)).frame
    var episode = Episode<CartPoleSwingup>(settings(["pixel-noise": "6"]), seed: Seed(8))
    let noisy = episode.frame
    let errors = zip(noisy.bytes, plain.bytes).map { Double($0) - Double($1) }
    let mean = errors.reduce(0, +) / Double(errors.count)
    let variance = errors.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(errors.count)
    #expect(abs(mean) < 0.2 && abs(variance.squareRoot() - 6) < 0.2)
    episode.reset(to: episode.environment.state)
    #expect(episode.frame != noisy, "each step has new noise")
  }

  @Test func framesAreTheLastOnesOldestFirst() {
    var episode = Episode<PendulumSwingup>(settings(["frame-stack": "3", "size": "24"]), seed: Seed(9))
    var expected = [episode.frame, episode.frame, episode.frame]
    #expect(episode.frames == expected)
    for _ in 0..<5 {
      _ = episode.step([1])
      expected = expected.dropFirst() + [episode.frame]
      #expect(episode.frames == expected)
    }
    #expect(expected[1] != expected[2])
  }

  @Test(arguments: [16, 64, 84, 128]) func framesHaveTheirSizeAndColour(size: Int) {
    let gray = Episode<Catch>(settings(["size": "\(size)", "color": "gray"]), seed: Seed(0)).frame
    #expect(gray.width == size && gray.height == size && gray.format == .gray)
    #expect(Episode<Catch>(settings(["size": "\(size)"]), seed: Seed(0)).frame.format == .rgb)
    let wide = Episode<Catch>(settings(["size": "\(size)x40"]), seed: Seed(0)).frame
    #expect(wide.width == size && wide.height == 40)
  }

  /// Checkpoints of older versions have a number as the size, and say nothing about stretched pictures.
  @Test func olderCheckpointsHaveTheSameSettings() throws {
    let stored = try PropertyListEncoder().encode(settings(["size": "32"]))
    let members = try #require(
      unsafe PropertyListSerialization.propertyList(from: stored, format: nil) as? [String: Any])
    #expect(members["size"] as? Int == 32 && members.keys.allSatisfy { !$0.lowercased().contains("fit") })
    for text in PictureFit.allCases.map(\.text) {
      let settings = settings(["size": "96x64", "fit": text])
      let again = try PropertyListDecoder().decode(EpisodeSettings.self, from: PropertyListEncoder().encode(settings))
      #expect(again == settings && again.fit.text == text && again.size == FrameSize(width: 96, height: 64))
    }
  }

  /// Camera settings must not change the start states or the sticky actions.
  @Test func streamsAreIndependent() {
    var (plain, disturbed) = (
      Episode<PendulumSwingup>(settings(["sticky-actions": "0.5"]), seed: Seed(10)),
      Episode<PendulumSwingup>(
        settings(["sticky-actions": "0.5", "flicker": "0.5", "pixel-noise": "9"]), seed: Seed(10))
    )
    for number in 0..<50 {
      if number % 10 == 0 {
        plain.reset()
        disturbed.reset()
      }
      let action = [Double(number % 3) - 1]
      let steps = (plain.step(action), disturbed.step(action))
      #expect(steps.0 == steps.1)
      #expect(plain.environment.state == disturbed.environment.state)
      _ = disturbed.frame
    }
  }

  @Test func invalidSettingsAreRejected() {
    var settings = EpisodeSettings()
    #expect(throws: InputError.self) { try settings.set("flicker", to: "1.5") }
    #expect(throws: InputError.self) { try settings.set("size", to: "-3") }
    #expect(throws: InputError.self) { try settings.set("color", to: "cmyk") }
    #expect(throws: InputError("unknown setting 'fliker': did you mean 'flicker'?")) {
      try settings.set("fliker", to: "0.1")
    }
  }

  @Test func steppingAfterTheEndTraps() async {
    await #expect(processExitsWith: .failure) {
      var episode = Episode<Catch>(seed: Seed(0))
      while episode.ending == .running { _ = episode.step([1]) }
      _ = episode.step([1])
    }
  }
}
