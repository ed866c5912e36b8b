import Core
import Pixels
import Testing

@testable import Environments

/// A catalog entry as a test argument.
struct Member: Sendable, CustomTestStringConvertible {
  let type: any BuiltInEnvironment.Type
  var testDescription: String { type.id }
  /// The environments of the catalog that are available on this machine.
  static let all = Environments.all.filter { (try? $0.prepare()) != nil }.map(Member.init)
}

extension Member {
  /// Returns the catalog entry with the given name, ready to be used.
  init(id: String) throws {
    type = try #require(Environments.all.first { $0.id == id }, "\(id) is not in the catalog")
    try type.prepare()
  }
}

/// The contract of every environment of the catalog.
@Suite struct ContractTests {
  @Test func idsAreUniqueAndFound() throws {
    #expect(Set(Environments.all.map { $0.id }).count == Environments.all.count)
    for member in Member.all {
      let found = try Environments.named(member.type.id)
      #expect(type(of: found) == member.type && found.spec.id == member.type.id)
    }
    #expect(throws: InputError("unknown environment 'cartpole-swinup': did you mean 'cartpole-swingup'?")) {
      try Environments.named("cartpole-swinup")
    }
  }

  @Test(arguments: Member.all) func namesMatchValues(_ member: Member) throws {
    func check<E: BuiltInEnvironment>(_ type: E.Type) throws {
      let environment = E()
      #expect(E.spec.actionSpace == E.actionSpace && E.spec.observationNames == E.observationNames)
      #expect(environment.state.count == E.stateNames.count)
      #expect(environment.observation.count == E.observationNames.count)
      #expect(Set(E.stateNames).count == E.stateNames.count)
      #expect(Set(E.observationNames).count == E.observationNames.count)
      try E.validate(state: environment.state)
      #expect(throws: InputError.self) { try E.validate(state: environment.state + [0]) }
      #expect(throws: InputError.self) { try E.validate(state: environment.state.map { _ in .nan }) }
      #expect(E.episodeLength > 0 && E.actionRepeat > 0 && !E.note.isEmpty)
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func stepsStayWithinTheirBounds(_ member: Member) throws {
    func check<E: BuiltInEnvironment>(_ type: E.Type) throws {
      for seed in 0..<3 {
        var player = Player<E>(seed: UInt64(seed))
        for _ in 0..<E.episodeLength {
          let step = player.step()
          #expect(E.rewardRange.contains(step.reward))
          #expect(step.ending != .truncated, "the time limit is Episode's")
          #expect(step.ending == .terminated ? step.discount == 0 : (0...1).contains(step.discount))
          try E.validate(state: player.environment.state)
          let isFinite = player.environment.observation.allSatisfy(\.isFinite)
          #expect(isFinite)
          if step.ending == .terminated { break }
        }
      }
    }
    try check(member.type)
  }

  /// The known random returns that `pixelrl envs` prints are correct to the printed digits.
  @Test(arguments: Member.all) func theDeclaredRandomReturnIsCorrect(_ member: Member) throws {
    func check<E: BuiltInEnvironment>(_ type: E.Type) throws {
      let measured = E().randomReturn(episodes: 10, seed: Seed(0))
      if let range = E.spec.returnRange(steps: E.episodeLength) { #expect(range.contains(measured)) }
      guard let declared = Environments.randomReturns[E.id] else { return }
      #expect(abs(measured - declared) <= (declared >= 10 ? 0.5 : 0.05) + rounding(member) * declared, "\(measured)")
    }
    try check(member.type)
  }

  /// The relative difference of a return that is allowed between machines, since MuJoCo may round differently.
  private func rounding(_ member: Member) -> Double {
    #if MuJoCo
      if member.type is any SuiteTask.Type { return 0.05 }
    #endif
    return 1e-9
  }

  @Test(arguments: Member.all) func seedDeterminesTheFuture(_ member: Member) {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      let futures = [1, 1, 2, 3, 4].map { (seed: UInt64) in
        var player = Player<E>(seed: seed)
        return player.future()
      }
      #expect(futures[0] == futures[1])
      #expect(Set(futures).count > 1, "different seeds give different futures")
    }
    check(member.type)
  }

  @Test(arguments: Member.all) func aCopyIsASnapshot(_ member: Member) {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      var player = Player<E>(seed: 3)
      player.play(2)
      var snapshot = player
      let before = snapshot.environment.state
      let future = player.future()
      #expect(snapshot.environment.state == before, "stepping the original must not change the copy")
      let snapshotFuture = snapshot.future()
      #expect(snapshotFuture == future)
    }
    check(member.type)
  }

  @Test(arguments: Member.all) func aRestoredStateHasTheSameFuture(_ member: Member) {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      var player = Player<E>(seed: 4)
      player.play(2)
      var restored = player
      restored.environment = E()
      restored.environment.state = player.environment.state
      #expect(restored.environment.state == player.environment.state)
      let futures = (restored.future(), player.future())
      #expect(futures.0 == futures.1)
    }
    check(member.type)
  }

  @Test(arguments: Member.all) func actionsOutsideTheirBoundsAreClipped(_ member: Member) {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      guard case .continuous(let low, let high) = E.actionSpace else { return }
      for (bound, far) in [(low, low.map { $0 - 3 }), (high, high.map { $0 + 3 })] {
        var (a, b) = (Player<E>(seed: 5).environment, Player<E>(seed: 5).environment)
        let steps = (a.step(bound), b.step(far))
        #expect(steps.0 == steps.1)
        #expect(a.state == b.state)
      }
    }
    check(member.type)
  }

  @Test(arguments: Member.all) func drawnStatesAreValidAndVaried(_ member: Member) throws {
    func check<E: BuiltInEnvironment>(_ type: E.Type) throws {
      var random = Random(seed: Seed(6))
      var environment = E()
      guard environment.randomize(using: &random) else { return }
      var states = Set([environment.state])
      for _ in 0..<20 {
        _ = environment.randomize(using: &random)
        try E.validate(state: environment.state)
        states.insert(environment.state)
        var next = environment
        let step = next.step(E.actionSpace.sample(using: &random))
        #expect(E.rewardRange.contains(step.reward))
      }
      #expect(states.count > 1)
    }
    try check(member.type)
  }
}

/// The contract of rendering.
@Suite struct RenderContractTests {
  static let frames = [(16, 16), (64, 64), (84, 84), (128, 128), (96, 40), (31, 77)]

  @Test(arguments: Member.all, frames) func renderingOverwritesEveryPixelDeterministically(
    _ member: Member, size: (Int, Int)
  ) {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      let environment = Player<E>(seed: 1).environment
      for format in PixelFormat.allCases {
        var onBlack = PixelBuffer(width: size.0, height: size.1, format: format)
        var onWhite = onBlack
        for index in onWhite.bytes.indices { onWhite.bytes[index] = 255 }
        environment.render(into: &onBlack)
        environment.render(into: &onWhite)
        #expect(onBlack == onWhite, "the previous content of the frame must not be visible")
        #expect(Set(onBlack.bytes).count > 1)
      }
    }
    check(member.type)
  }

  @Test(arguments: Member.all, [32, 84]) func differentStatesHaveDifferentPictures(_ member: Member, size: Int) {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      var random = Random(seed: Seed(7))
      var environment = E()
      for format in PixelFormat.allCases {
        var pictures = Set<PixelBuffer>()
        var observations = Set<[Double]>()
        for _ in 0..<10 {
          if !environment.randomize(using: &random) { environment.reset(using: &random) }
          var frame = PixelBuffer(width: size, height: size, format: format)
          environment.render(into: &frame)
          pictures.insert(frame)
          observations.insert(environment.observation)
        }
        #expect(pictures.count > 1 || observations.count == 1)
      }
    }
    check(member.type)
  }
}

/// An environment with a random policy.
struct Player<E: BuiltInEnvironment> {
  var environment = E()
  var random: Random

  init(seed: UInt64) {
    random = Random(seed: Seed(seed))
    environment.reset(using: &random)
  }

  mutating func step() -> Step { environment.step(E.actionSpace.sample(using: &random)) }

  /// Takes up to `count` steps. Resets and stops when the episode ends.
  mutating func play(_ count: Int) {
    for _ in 0..<count where step().ending != .running { return environment.reset(using: &random) }
  }

  /// Returns the states, rewards and discounts of the next steps, resetting after each episode.
  mutating func future(_ count: Int = 30) -> [[Double]] {
    (0..<count).map { _ in
      let step = self.step()
      let result = environment.state + [step.reward, step.discount]
      if step.ending != .running { environment.reset(using: &random) }
      return result
    }
  }
}
