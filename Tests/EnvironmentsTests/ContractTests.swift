import Core
import Pixels
import Testing

@testable import Environments

/// A catalog entry as a test argument.
struct Member: Sendable, CustomTestStringConvertible {
  let type: any Environment.Type
  var testDescription: String { type.id }
  /// All of the catalog that can be played here.
  static let all = Environments.all.filter { (try? $0.prepare()) != nil }.map(Member.init)
}

/// What every environment of the catalog promises.
@Suite struct ContractTests {
  @Test func idsAreUniqueAndFound() throws {
    #expect(Set(Environments.all.map { $0.id }).count == Environments.all.count)
    for member in Member.all { #expect(try Environments.named(member.type.id) == member.type) }
    #expect(throws: InputError("unknown environment 'cartpole-swinup': did you mean 'cartpole-swingup'?")) {
      try Environments.named("cartpole-swinup")
    }
  }

  @Test(arguments: Member.all) func namesFitNumbers(_ member: Member) {
    func check<E: Environment>(_ type: E.Type) {
      let environment = E()
      #expect(environment.state.count == E.stateNames.count)
      #expect(environment.observation.count == E.observationNames.count)
      #expect(Set(E.stateNames).count == E.stateNames.count)
      #expect(Set(E.observationNames).count == E.observationNames.count)
      #expect(E.complaint(about: environment.state) == nil)
      #expect(E.complaint(about: environment.state + [0]) != nil)
      #expect(E.complaint(about: environment.state.map { _ in .nan }) != nil)
      #expect(E.episodeLength > 0 && E.actionRepeat > 0 && !E.note.isEmpty)
    }
    check(member.type)
  }

  @Test(arguments: Member.all) func stepsStayWithinTheirBounds(_ member: Member) {
    func check<E: Environment>(_ type: E.Type) {
      for seed in 0..<3 {
        var player = Player<E>(seed: UInt64(seed))
        for _ in 0..<E.episodeLength {
          let step = player.step()
          #expect(E.rewardRange.contains(step.reward))
          #expect(step.ending != .truncated, "the time limit is Episode's")
          #expect(step.discount == (step.ending == .terminated ? 0 : 1))
          #expect(E.complaint(about: player.environment.state) == nil)
          let isFinite = player.environment.observation.allSatisfy(\.isFinite)
          #expect(isFinite)
          if step.ending == .terminated { break }
        }
      }
    }
    check(member.type)
  }

  /// What `pixelrl envs` says, to the digits that it says; where nothing is declared it plays.
  @Test(arguments: Member.all) func theDeclaredRandomReturnIsTrue(_ member: Member) {
    func check<E: Environment>(_ type: E.Type) {
      guard let declared = Environments.randomReturns[E.id] else { return }
      let measured = E.randomReturn(episodes: 10, seed: Seed(0))
      let range = E.returnRange(steps: E.episodeLength)
      #expect(range?.contains(measured) == true)
      #expect(abs(measured - declared) <= (declared >= 10 ? 0.5 : 0.05) + rounding(member) * declared, "\(measured)")
    }
    check(member.type)
  }

  /// By how much of it a return may differ between machines, whose MuJoCo may round otherwise.
  private func rounding(_ member: Member) -> Double {
    #if MuJoCo
      if member.type is any SuiteTask.Type { return 0.05 }
    #endif
    return 1e-9
  }

  @Test(arguments: Member.all) func seedFixesTheFuture(_ member: Member) {
    func check<E: Environment>(_ type: E.Type) {
      var (one, same, other) = (Player<E>(seed: 1), Player<E>(seed: 1), Player<E>(seed: 2))
      let futures = [one.future(), same.future(), other.future()]
      #expect(futures[0] == futures[1])
      #expect(futures[0] != futures[2])
    }
    check(member.type)
  }

  @Test(arguments: Member.all) func aCopyIsASnapshot(_ member: Member) {
    func check<E: Environment>(_ type: E.Type) {
      var player = Player<E>(seed: 3)
      for _ in 0..<2 { _ = player.step() }
      var snapshot = player
      let before = snapshot.environment.state
      let future = player.future()
      #expect(snapshot.environment.state == before, "playing the original must not move the copy")
      let snapshotFuture = snapshot.future()
      #expect(snapshotFuture == future)
    }
    check(member.type)
  }

  @Test(arguments: Member.all) func aStateSetAgainHasTheSameFuture(_ member: Member) {
    func check<E: Environment>(_ type: E.Type) {
      var player = Player<E>(seed: 4)
      for _ in 0..<2 { _ = player.step() }
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
    func check<E: Environment>(_ type: E.Type) {
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

  @Test(arguments: Member.all) func drawnStatesAreValidAndVaried(_ member: Member) {
    func check<E: Environment>(_ type: E.Type) {
      var random = Random(seed: Seed(6))
      var environment = E()
      guard environment.randomize(using: &random) else { return }
      var states = Set([environment.state])
      for _ in 0..<20 {
        _ = environment.randomize(using: &random)
        #expect(E.complaint(about: environment.state) == nil)
        states.insert(environment.state)
        var next = environment
        let step = next.step(E.actionSpace.sample(using: &random))
        #expect(E.rewardRange.contains(step.reward))
      }
      #expect(states.count > 10)
    }
    check(member.type)
  }
}

/// What every picture promises.
@Suite struct RenderContractTests {
  static let frames = [(16, 16), (64, 64), (84, 84), (128, 128), (96, 40), (31, 77)]

  @Test(arguments: Member.all, frames) func everyPixelIsDrawnAndTheSameEachTime(_ member: Member, size: (Int, Int)) {
    func check<E: Environment>(_ type: E.Type) {
      let environment = Player<E>(seed: 1).environment
      for format in PixelFormat.allCases {
        var onBlack = PixelBuffer(width: size.0, height: size.1, format: format)
        var onWhite = onBlack
        for index in onWhite.bytes.indices { onWhite.bytes[index] = 255 }
        environment.render(into: &onBlack)
        environment.render(into: &onWhite)
        #expect(onBlack == onWhite, "what was in the frame must not show")
        #expect(Set(onBlack.bytes).count > 2)
      }
    }
    check(member.type)
  }

  @Test(arguments: Member.all, [32, 84]) func otherPositionsLookOtherwise(_ member: Member, size: Int) {
    func check<E: Environment>(_ type: E.Type) {
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
        #expect(pictures.count == observations.count)
      }
    }
    check(member.type)
  }
}

/// An environment with a random policy.
struct Player<E: Environment> {
  var environment = E()
  var random: Random

  init(seed: UInt64) {
    random = Random(seed: Seed(seed))
    environment.reset(using: &random)
  }

  mutating func step() -> Step { environment.step(E.actionSpace.sample(using: &random)) }

  /// Rewards and states of the next steps; past the end of an episode too, where nothing may restart.
  mutating func future(_ count: Int = 30) -> [[Double]] {
    (0..<count).map { _ in
      let step = self.step()
      return environment.state + [step.reward, step.discount]
    }
  }
}
