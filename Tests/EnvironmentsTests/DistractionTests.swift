import Core
import Foundation
import Pixels
import Testing

@testable import Environments

/// Distractions change what is seen, and only that.
@Suite struct EpisodeDistractionTests {
  /// A task and a way to draw it.
  struct Look: Sendable, CustomTestStringConvertible {
    let member: Member
    let renderer: Renderer
    var testDescription: String { "\(member.type.id), \(renderer.text)" }

    static let flat = Member.all.filter { !Environments.drawsScenes($0.type.id) }.map {
      Look(member: $0, renderer: .software)
    }
    static let all =
      flat
      + ["walker-walk", "reacher-easy", "finger-spin"].flatMap { id in
        Member.all.filter { $0.type.id == id }.flatMap { member in
          [Renderer.software, .sketch].map { Look(member: member, renderer: $0) }
        }
      }
    /// Those that draw each part in one colour.
    static let plain = all.filter { $0.renderer == .sketch || !Environments.drawsScenes($0.member.type.id) }
  }

  static let kinds = ["moving-background", "color-changes", "camera-changes"]

  func settings(_ look: Look, _ kinds: [String] = [], level: DistractionLevel = .hard) throws -> EpisodeSettings {
    var settings = EpisodeSettings()
    settings.size = 64
    settings.style.renderer = look.renderer
    for kind in kinds { try settings.set(kind, to: level.text) }
    return settings
  }

  /// Returns the frames of the first steps with the same actions.
  private func frames(_ look: Look, _ settings: EpisodeSettings, seed: UInt64 = 1, count: Int = 3) -> [PixelBuffer] {
    func play<E: BuiltInEnvironment>(_ type: E.Type) -> [PixelBuffer] {
      var episode = Episode<E>(settings, seed: Seed(seed))
      var random = Random(seed: Seed(1))
      return (0..<count).map { _ in
        defer { _ = episode.step(E.actionSpace.sample(using: &random)) }
        return episode.frame
      }
    }
    return play(look.member.type)
  }

  /// Returns the first frame from a state that does not depend on the seed.
  private func frame(_ look: Look, _ settings: EpisodeSettings, seed: UInt64 = 1) -> PixelBuffer {
    func draw<E: BuiltInEnvironment>(_ type: E.Type) -> PixelBuffer {
      let start = Episode<E>(seed: Seed(3)).environment.state
      var episode = Episode<E>(settings, seed: Seed(seed))
      episode.reset(to: start)
      return episode.frame
    }
    return draw(look.member.type)
  }

  @Test(arguments: Look.all, kinds) func aSeedDeterminesTheFrames(_ look: Look, kind: String) throws {
    let settings = try settings(look, [kind])
    let first = frames(look, settings)
    #expect(frames(look, settings) == first)
    #expect(frame(look, settings, seed: 1) != frame(look, settings, seed: 2))
    #expect(try frame(look, self.settings(look)) == frame(look, self.settings(look), seed: 2))
    // The state stays, and only the distraction moves.
    let levels = settings.distractions
    var (style, pictures) = (settings.style, Set<PixelBuffer>())
    style.distraction = Distraction(levels, Seed(1).stream("distraction"))
    style.distraction?.begin()
    for _ in 0..<3 {
      var picture = settings.blankFrame
      look.member.type.init().render(into: &picture, as: style)
      pictures.insert(picture)
      style.distraction?.advance(by: 8)
    }
    #expect(pictures.count == 3)
  }

  @Test(arguments: Look.all) func levelNoneChangesNothing(_ look: Look) throws {
    let plain = try settings(look)
    let none = try settings(look, Self.kinds, level: .none)
    #expect(none == plain && frames(look, none) == frames(look, plain))
    let stored = try PropertyListEncoder().encode(none)
    let members = try #require(
      unsafe PropertyListSerialization.propertyList(from: stored, format: nil) as? [String: Any])
    #expect(members.keys.allSatisfy { !$0.lowercased().contains("distraction") }, "as in older checkpoints")
    // Each kind changes only what it says.
    for kind in Self.kinds { #expect(try frame(look, settings(look, [kind], level: .easy)) != frame(look, plain)) }
  }

  /// With the strongest background, the pixels that are equal under two patterns are those of bodies.
  @Test(arguments: Look.all) func theBackgroundIsBehindTheBodies(_ look: Look) throws {
    let plain = try frame(look, settings(look))
    let covered = try (1...5).map { try frame(look, settings(look, ["moving-background"]), seed: $0) }
    func color(_ frame: PixelBuffer, _ pixel: Int) -> [UInt8] { Array(frame.bytes[3 * pixel..<3 * pixel + 3]) }
    let pixels = 0..<64 * 64
    let bodies = pixels.filter { pixel in covered.allSatisfy { color($0, pixel) == color(covered[0], pixel) } }
    #expect((20...2000).contains(bodies.count), "\(bodies.count) pixels of bodies")
    #expect(bodies.count { color(plain, $0) == color(covered[0], $0) } == bodies.count)
  }

  /// Parts with one colour each have another one, at the same pixels.
  @Test(arguments: Look.plain) func changedColorsLeaveTheSilhouette(_ look: Look) throws {
    let plain = try frame(look, settings(look))
    let changed = try frame(look, settings(look, ["color-changes"]))
    func color(_ frame: PixelBuffer, _ pixel: Int) -> SIMD3<Int> {
      SIMD3(Int(frame.bytes[3 * pixel]), Int(frame.bytes[3 * pixel + 1]), Int(frame.bytes[3 * pixel + 2]))
    }
    var groups: [SIMD3<Int>: [Int]] = [:]
    for pixel in 0..<64 * 64 { groups[color(plain, pixel), default: []].append(pixel) }
    // Smaller groups can be mixtures at edges that are equal by chance.
    let parts = groups.filter { $0.value.count >= 20 }
    #expect(parts.count > 1)
    var differs = false
    for (old, pixels) in parts {
      let counts = Dictionary(pixels.map { (color(changed, $0), 1) }, uniquingKeysWith: +)
      let (new, count) = try #require(counts.max { $0.value < $1.value })
      // Mixtures of two colours at edges may be equal in one picture only.
      #expect(Double(count) >= 0.8 * Double(pixels.count))
      // 0.3 of 255
      for channel in 0..<3 { #expect(abs(new[channel] - old[channel]) <= 77) }
      if new != old { differs = true }
    }
    #expect(differs)
  }

  /// The centre of what is drawn over the most frequent colour.
  @Test(arguments: Look.plain) func theCameraMovesWhatIsSeen(_ look: Look) throws {
    func center(_ settings: EpisodeSettings, seed: UInt64) -> SIMD2<Double> {
      let frame = frame(look, settings, seed: seed)
      let colors = (0..<64 * 64).map { Array(frame.bytes[3 * $0..<3 * $0 + 3]) }
      let counts = Dictionary(colors.map { ($0, 1) }, uniquingKeysWith: +)
      let ground = counts.max { $0.value < $1.value }?.key
      let parts = colors.indices.filter { colors[$0] != ground }
      let sum = parts.map { SIMD2(Double($0 % 64), Double($0 / 64)) }.reduce(SIMD2(), +)
      return sum / Double(parts.count)
    }
    let plain = try center(settings(look), seed: 1)
    let moved = try (1...6).map { center(try settings(look, ["camera-changes"]), seed: $0) }
    #expect(moved.allSatisfy { $0 != plain })
    let farthest = moved.map { ($0 - plain) * ($0 - plain) }.map { $0.sum().squareRoot() }.max() ?? 0
    #expect((1...40).contains(farthest), "moved by \(farthest) pixels")
  }

  @Test(arguments: Look.all) func aStoredEpisodeContinuesWithTheSameFrames(_ look: Look) throws {
    func check<E: BuiltInEnvironment>(_ type: E.Type) throws {
      var settings = try settings(look, Self.kinds)
      (settings.size, settings.frameStack, settings.timeLimit) = (24, 2, 6 * E.actionRepeat)
      var episode = Episode<E>(settings, seed: Seed(1))
      var random = Random(seed: Seed(2))
      for _ in 0..<4 { _ = episode.step(E.actionSpace.sample(using: &random)) }
      let stored = try PropertyListEncoder().encode(episode)
      var restored = try PropertyListDecoder().decode(Episode<E>.self, from: stored)
      try restored.validate(against: Episode<E>(settings, seed: Seed(1)))
      let plain = Episode<E>(try self.settings(look), seed: Seed(1))
      #expect(throws: InputError.self) { try restored.validate(against: plain) }
      for _ in 0..<10 {
        #expect(restored.frames == episode.frames)
        if episode.ending != .running {
          episode.reset()
          restored.reset()
        }
        let action = E.actionSpace.sample(using: &random)
        #expect(episode.step(action) == restored.step(action))
      }
    }
    try check(look.member.type)
  }

  /// Distractions must not change start states, dynamics or sticky actions.
  @Test(arguments: Look.all) func theTaskStaysTheSame(_ look: Look) throws {
    func check<E: BuiltInEnvironment>(_ type: E.Type) throws {
      var (plain, distracted) = (try settings(look), try settings(look, Self.kinds))
      (plain.stickyActions, distracted.stickyActions) = (0.5, 0.5)
      var episodes = (Episode<E>(plain, seed: Seed(1)), Episode<E>(distracted, seed: Seed(1)))
      var random = Random(seed: Seed(2))
      for number in 0..<20 {
        if number % 5 == 0 {
          episodes.0.reset()
          episodes.1.reset()
        }
        let action = E.actionSpace.sample(using: &random)
        #expect(episodes.0.step(action) == episodes.1.step(action))
        #expect(episodes.0.environment.state == episodes.1.environment.state)
        _ = episodes.1.frame
      }
    }
    try check(look.member.type)
  }

  @Test func whatCannotBeDistractedIsRefused() throws {
    var settings = EpisodeSettings()
    try Painted().checkDistractions(settings)
    try settings.set("color-changes", to: "easy")
    let error = #expect(throws: InputError.self) { try Painted().checkDistractions(settings) }
    #expect(error?.description.hasPrefix("--color-changes easy cannot be used with painted") == true)
    try CartPoleSwingup().checkDistractions(settings)
    for member in Member.all where Environments.drawsScenes(member.type.id) {
      let environment = member.type.init()
      for renderer in [Renderer.software, .sketch] {
        settings.style.renderer = renderer
        try environment.checkDistractions(settings)
      }
      settings.style.renderer = .gl
      #expect(throws: InputError.self) { try environment.checkDistractions(settings) }
    }
    #expect(throws: InputError("--moving-background takes none, easy, medium or hard, not '0.1'")) {
      try settings.set("moving-background", to: "0.1")
    }
  }
}

/// An environment that draws without a canvas.
private struct Painted: BuiltInEnvironment {
  static var id: String { "painted" }
  static var note: String { "one colour" }
  static var actionSpace: ActionSpace { .discrete(count: 2) }
  static var episodeLength: Int { 10 }
  static var stateNames: [String] { ["level"] }
  static var observationNames: [String] { ["level"] }

  private var level = 0.0

  mutating func reset(using random: inout Random) { level = 0 }
  mutating func step(_ action: [Double]) -> Step { Step(reward: 0) }
  var state: [Double] {
    get { [level] }
    set { level = newValue[0] }
  }
  var observation: [Double] { state }
  func render(into frame: inout PixelBuffer) {
    for index in frame.bytes.indices { frame.bytes[index] = UInt8(level) }
  }
}
