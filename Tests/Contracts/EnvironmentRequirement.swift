import Core
import Environments
import Pixels
import Testing

/// What every environment must do.
///
/// ```swift
/// @Test(arguments: EnvironmentRequirement.allCases) func corridor(_ requirement: EnvironmentRequirement) throws {
///   try requirement.check(Corridor.self)
/// }
/// ```
public enum EnvironmentRequirement: String, Sendable, CaseIterable {
  case namesMatchValues
  case stepsStayWithinTheirBounds
  case seedDeterminesTheFuture
  case aCopyIsASnapshot
  case aRestoredStateHasTheSameFuture
  case actionsOutsideTheirBoundsAreClipped
  case drawnStatesAreValidAndVaried
  case renderingOverwritesEveryPixelDeterministically
  case differentStatesHaveDifferentPictures

  /// Records an issue in the running test for each difference.
  ///
  /// - Throws: an error if the environment cannot be used at all.
  public func check<E: BuiltInEnvironment>(_ environment: E.Type) throws {
    try E.prepare()
    switch self {
    case .namesMatchValues: try checkNames(environment)
    case .stepsStayWithinTheirBounds: try checkSteps(environment)
    case .seedDeterminesTheFuture:
      let futures = [1, 1, 2, 3, 4].map { (seed: UInt64) in
        var player = RandomPlayer<E>(seed: seed)
        return player.future()
      }
      #expect(futures[0] == futures[1])
      #expect(Set(futures).count > 1, "different seeds give different futures")
    case .aCopyIsASnapshot: checkCopies(environment)
    case .aRestoredStateHasTheSameFuture: checkRestoring(environment)
    case .actionsOutsideTheirBoundsAreClipped: checkClipping(environment)
    case .drawnStatesAreValidAndVaried: try checkDrawnStates(environment)
    case .renderingOverwritesEveryPixelDeterministically: checkFrames(environment)
    case .differentStatesHaveDifferentPictures: checkPictures(environment)
    }
  }
}

private func checkNames<E: BuiltInEnvironment>(_ type: E.Type) throws {
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

private func checkSteps<E: BuiltInEnvironment>(_ type: E.Type) throws {
  for seed in 0..<3 {
    var player = RandomPlayer<E>(seed: UInt64(seed))
    var total = 0.0
    for _ in 0..<E.episodeLength {
      let step = player.step()
      total += step.reward
      #expect(E.rewardRange.contains(step.reward))
      #expect(step.ending != .truncated, "the time limit is Episode's")
      #expect(step.ending == .terminated ? step.discount == 0 : (0...1).contains(step.discount))
      try E.validate(state: player.environment.state)
      let isFinite = player.environment.observation.allSatisfy(\.isFinite)
      #expect(isFinite)
      if step.ending == .terminated { break }
    }
    #expect(E.spec.returnRange(steps: E.episodeLength)?.contains(total) ?? true, "\(total)")
  }
}

private func checkCopies<E: BuiltInEnvironment>(_ type: E.Type) {
  var player = RandomPlayer<E>(seed: 3)
  player.play(2)
  var snapshot = player
  let before = snapshot.environment.state
  let future = player.future()
  #expect(snapshot.environment.state == before, "stepping the original must not change the copy")
  let snapshotFuture = snapshot.future()
  #expect(snapshotFuture == future)
}

private func checkRestoring<E: BuiltInEnvironment>(_ type: E.Type) {
  var player = RandomPlayer<E>(seed: 4)
  player.play(2)
  var restored = player
  restored.environment = E()
  restored.environment.state = player.environment.state
  #expect(restored.environment.state == player.environment.state)
  let futures = (restored.future(), player.future())
  #expect(futures.0 == futures.1)
}

private func checkClipping<E: BuiltInEnvironment>(_ type: E.Type) {
  guard case .continuous(let low, let high) = E.actionSpace else { return }
  for (bound, far) in [(low, low.map { $0 - 3 }), (high, high.map { $0 + 3 })] {
    var (a, b) = (RandomPlayer<E>(seed: 5).environment, RandomPlayer<E>(seed: 5).environment)
    let steps = (a.step(bound), b.step(far))
    #expect(steps.0 == steps.1)
    #expect(a.state == b.state)
  }
}

private func checkDrawnStates<E: BuiltInEnvironment>(_ type: E.Type) throws {
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

private func checkFrames<E: BuiltInEnvironment>(_ type: E.Type) {
  let environment = RandomPlayer<E>(seed: 1).environment
  for (width, height) in [(16, 16), (64, 64), (84, 84), (128, 128), (96, 40), (31, 77)] {
    for format in PixelFormat.allCases {
      var onBlack = PixelBuffer(width: width, height: height, format: format)
      var onWhite = onBlack
      for index in onWhite.bytes.indices { onWhite.bytes[index] = 255 }
      environment.render(into: &onBlack)
      environment.render(into: &onWhite)
      #expect(onBlack == onWhite, "the previous content of the frame must not be visible at \(width)x\(height)")
      #expect(Set(onBlack.bytes).count > 1)
    }
  }
}

private func checkPictures<E: BuiltInEnvironment>(_ type: E.Type) {
  for size in [32, 84] {
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
}

/// An environment with a random policy.
package struct RandomPlayer<E: BuiltInEnvironment> {
  package var environment = E()
  package var random: Random

  package init(seed: UInt64) {
    random = Random(seed: Seed(seed))
    environment.reset(using: &random)
  }

  package mutating func step() -> Step { environment.step(E.actionSpace.sample(using: &random)) }

  /// Takes up to `count` steps. Resets and stops when the episode ends.
  package mutating func play(_ count: Int) {
    for _ in 0..<count where step().ending != .running { return environment.reset(using: &random) }
  }

  /// Returns the states, rewards and discounts of the next steps, resetting after each episode.
  package mutating func future(_ count: Int = 30) -> [[Double]] {
    (0..<count).map { _ in
      let step = self.step()
      let result = environment.state + [step.reward, step.discount]
      if step.ending != .running { environment.reset(using: &random) }
      return result
    }
  }
}
