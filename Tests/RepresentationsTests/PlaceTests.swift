import Agents
import Autoencoders
import Core
import Replay
import Tensors
import Testing

@testable import Representations

/// Which losses change which parameters, for every place of the encoder.
@Suite struct PlaceTests {
  /// What an update of the agent changes, by place. Written independently of the catalog.
  private static let moves: [String: (encoder: Bool, decoder: Bool, byCritic: Bool)] = [
    "frozen": (false, false, false),
    "random": (false, false, false),
    "rounds": (false, false, false),
    "bursts": (false, false, false),
    "parallel": (true, true, false),
    "finetune": (true, true, true),
    "joint": (true, true, true),
    "critic-only": (true, false, true),
    "augmented": (true, false, true), "joint-augmented": (true, true, true),
  ]

  /// What an update changes at a place: as listed, or for a new place, as its losses say.
  private static func moves(at place: Place) -> (encoder: Bool, decoder: Bool, byCritic: Bool) {
    if let listed = moves[place.id] { return listed }
    guard place.when == .eachUpdate else { return (false, false, false) }
    let byCritic = place.losses.contains(.critic)
    let reconstructs = place.losses.contains(.reconstruction)
    return (byCritic || reconstructs, reconstructs, byCritic)
  }

  private static let learning = PlaceCase.all { $0.when == .eachUpdate }
  private static let byCritic = PlaceCase.all { $0.when == .eachUpdate && $0.losses.contains(.critic) }
  private static let inRounds = PlaceCase.all { $0.when == .rounds }

  @Test(arguments: PlaceCase.all) func updatesChangeWhatThePlaceSays(_ argument: PlaceCase) throws {
    let expected = Self.moves(at: argument.place)
    var learners = try Learners(argument.place)
    for update in 1...3 {
      let (encoder, decoder, agent) = (learners.encoderBits, learners.decoderBits, learners.agent)
      let (batch, lesson, metrics) = try learners.update()
      #expect((learners.encoderBits != encoder) == expected.encoder, "update \(update)")
      #expect((learners.decoderBits != decoder) == expected.decoder, "update \(update)")
      #expect(batch.needsObservationGradient == expected.byCritic)
      #expect((lesson.observationGradient != nil) == expected.byCritic)
      #expect((metrics["encoder/gradient"] != nil) == expected.byCritic)
      #expect((metrics["autoencoder/error"] != nil) == expected.decoder)
      #expect(
        learners.frames.hasMoved == expected.encoder && learners.frames.revision == (expected.encoder ? update : 0))
      #expect(agent.parameters.map { $0.value.array } != learners.agent.parameters.map { $0.value.array })
    }
  }

  /// Checks each parameter: all that have a loss change, and all others do not.
  @Test(arguments: learning) func everyParameterIsTrainedByItsLosses(_ argument: PlaceCase) throws {
    let expected = Self.moves(at: argument.place)
    var learners = try Learners(argument.place)
    let before = learners.frames.encoder.model.parameters
    for _ in 0..<3 { try learners.update() }
    for (old, new) in zip(before, learners.frames.encoder.model.parameters) {
      let hasMoved = old.value.array != new.value.array
      #expect(hasMoved == (old.name.isOfDecoder ? expected.decoder : expected.encoder), "\(old.name)")
    }
  }

  // MARK: - The critic's gradient

  /// The encoder's update is identical whether the actor is updated or not.
  @Test(arguments: learning, [1, 2]) func theActorDoesNotTrainTheEncoder(_ argument: PlaceCase, _ update: Int) throws {
    var with = try Learners(argument.place, actorPeriod: update)
    var without = try Learners(argument.place, actorPeriod: 1000)
    for _ in 1...update {
      try with.update()
      try without.update()
    }
    func bits(_ agent: SAC, _ part: String) -> [[Float]] {
      agent.parameters.filter { $0.name.hasPrefix(part) }.map { $0.value.array }
    }
    #expect(bits(with.agent, "actor.") != bits(without.agent, "actor."))
    #expect(bits(with.agent, "critics.") == bits(without.agent, "critics."))
    #expect(with.encoderBits == without.encoderBits && with.decoderBits == without.decoderBits)
  }

  /// With a zero gradient from the critic, only the reconstruction trains the encoder, as in `parallel`.
  @Test(arguments: byCritic) func aZeroGradientChangesNothing(_ argument: PlaceCase) throws {
    func withoutGradient(_ lesson: Lesson, _ batch: Batch) -> Lesson {
      var lesson = lesson
      lesson.observationGradient = .zeros(batch.observation.shape)
      return lesson
    }
    var learners = try Learners(argument.place)
    let (encoder, decoder) = (learners.encoderBits, learners.decoderBits)
    for _ in 0..<3 { try learners.update(teach: withoutGradient) }
    guard argument.place.losses.contains(.reconstruction) else {
      #expect(learners.encoderBits == encoder && learners.decoderBits == decoder)
      return
    }
    var one = try Learners(argument.place)
    var parallel = Place.parallel
    parallel.shifts = argument.place.shifts
    var alone = try Learners(parallel)
    let errors = [try one.update(teach: withoutGradient), try alone.update()].compactMap {
      $0.metrics["autoencoder/error"]
    }
    #expect(errors.count == 2 && abs(errors[0] - errors[1]) < 1e-5)
    for (a, b) in zip(try one.frames.shares, try alone.frames.shares) { #expect(distance(a, b) < 1e-6) }
  }

  /// The gradients of both losses are added: Adam's moments after one update are those of the sum.
  @Test func gradientsOfCriticAndReconstructionAreAdded() throws {
    func shares(_ place: Place) throws -> [Tensor] {
      var learners = try Learners(place) { $0.reconstructionWeight = 3 }
      try learners.update()
      return try learners.frames.shares
    }
    var critic = Place.criticOnly
    critic.frameStack = 1
    let (both, critics, reconstructions) = (try shares(.joint), try shares(critic), try shares(.parallel))
    var (criticSize, reconstructionSize) = (0.0, 0.0)
    for i in both.indices {
      #expect(distance(both[i], critics[i] + reconstructions[i]) < 1e-6)
      criticSize += square(critics[i]).sum().item
      reconstructionSize += square(reconstructions[i]).sum().item
    }
    #expect(criticSize > 1e-6 && reconstructionSize > 1e-6, "\(criticSize) and \(reconstructionSize)")
  }

  // MARK: - Without the critic

  /// The encoder does not depend on the agent, not even on a gradient that was not requested.
  @Test func parallelEncodersDoNotDependOnTheAgent() throws {
    var one = try Learners(.parallel, agentSeed: 1)
    var other = try Learners(.parallel, agentSeed: 2)
    var withGradient = try Learners(.parallel, agentSeed: 3)
    for _ in 0..<3 {
      let losses = [try one.update().lesson, try other.update().lesson].map { $0.metrics[Lesson.criticLoss] }
      #expect(losses[0] != losses[1])
      try withGradient.update { lesson, batch in
        var lesson = lesson
        lesson.observationGradient = Tensor(repeating: 1, batch.observation.shape)
        return lesson
      }
    }
    #expect(one.encoderBits == other.encoderBits && one.decoderBits == other.decoderBits)
    #expect(one.encoderBits == withGradient.encoderBits && one.decoderBits == withGradient.decoderBits)
    // With the critic's loss the agent does matter.
    var first = try Learners(.joint, agentSeed: 1)
    var second = try Learners(.joint, agentSeed: 2)
    try first.update()
    try second.update()
    #expect(first.encoderBits != second.encoderBits)
  }

  // MARK: - Schedule

  @Test(arguments: learning) func theEncoderChangesOnlyAtItsPeriod(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place) { ($0.period, $0.tau) = (2, 0.5) }
    for update in 1...4 {
      let (encoder, decoder) = (learners.encoderBits, learners.decoderBits)
      let target = learners.frames.target?.parameters.map { $0.value.array }
      let (batch, lesson, metrics) = try learners.update()
      let isDue = update % 2 == 0
      #expect((learners.encoderBits != encoder) == isDue, "update \(update)")
      #expect((learners.decoderBits != decoder) == (isDue && argument.place.losses.contains(.reconstruction)))
      #expect(batch.needsObservationGradient == (isDue && argument.place.losses.contains(.critic)))
      #expect((lesson.observationGradient != nil) == batch.needsObservationGradient)
      #expect(metrics.entries.isEmpty != isDue)
      if let target { #expect((target != learners.frames.target?.parameters.map { $0.value.array }) == isDue) }
    }
  }

  @Test(arguments: byCritic) func theTargetEncoderFollows(_ argument: PlaceCase) throws {
    let tau = 0.25
    var learners = try Learners(argument.place) { $0.tau = tau }
    for _ in 0..<3 {
      let before = try #require(learners.frames.target).parameters
      let (batch, _, _) = try learners.update()
      let seen = try #require(batch.targetObservation)
      #expect(seen.shape == batch.nextObservation.shape)
      let (after, encoder) = (try #require(learners.frames.target).parameters, learners.frames.encoder.model.parameters)
      for (i, (name, value)) in after.enumerated() {
        #expect(distance(value, (1 - tau) * before[i].value + tau * encoder[i].value) < 1e-6, "\(name)")
      }
    }
    let (batch, _, _) = try learners.update()
    let seen = try #require(batch.targetObservation)
    #expect(distance(seen, batch.nextObservation) > 1e-4, "the target encoder must lag behind")
    // Past actions do not depend on an encoder.
    #expect(seen.columns(12..<14).array == batch.nextObservation.columns(12..<14).array)
  }

  @Test(arguments: PlaceCase.all) func targetCriticsUseTheEncoderByDefault(_ argument: PlaceCase) throws {
    let isTaughtByCritic = Self.moves(at: argument.place).byCritic
    var learners = try Learners(argument.place)
    #expect(learners.frames.target == nil)
    #expect(try learners.update().batch.targetObservation == nil)
    // There is a target encoder only if the critic trains the encoder.
    #expect((try Learners(argument.place) { $0.tau = 0.5 }.frames.target != nil) == isTaughtByCritic)
  }

  // MARK: - Rounds

  @Test(arguments: PlaceCase.all) func roundsHappenWhenTheyAreDue(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place)
    learners.frames.begin(at: 50)
    let before = learners.encoderBits
    #expect(try learners.frames.learn(from: &learners.replay, step: 90, check: {}) == nil)
    #expect(learners.encoderBits == before)
    let metrics = try learners.frames.learn(from: &learners.replay, step: 110, check: {})
    #expect((metrics != nil) == (argument.place.when == .rounds))
    #expect((learners.encoderBits != before) == (argument.place.when == .rounds))
  }

  @Test(arguments: inRounds) func theEncoderDoesNotChangeBetweenRounds(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place)
    let decoder = learners.decoderBits
    for step in [60, 130] {
      _ = try learners.frames.learn(from: &learners.replay, step: step, check: {})
      let (encoder, revision) = (learners.encoderBits, learners.frames.revision)
      for _ in 0..<3 {
        let (batch, batchEncoding) = learners.frames.batch(
          of: try learners.replay.draw(8, using: &learners.random), from: learners.replay)
        #expect(batchEncoding == nil)
        #expect(try learners.frames.learn(from: learners.agent.update(batch), batchEncoding).entries.isEmpty)
      }
      #expect(learners.encoderBits == encoder && learners.frames.revision == revision)
    }
    #expect(learners.frames.revision == 1 && learners.decoderBits != decoder)
  }

  /// After a round the replay buffer contains the latents of the new encoder, with unchanged standardisation.
  @Test(arguments: inRounds) func aRoundUpdatesTheLatentsInReplay(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place)
    let before = learners.frames.encoder
    _ = try #require(try learners.frames.learn(from: &learners.replay, step: 100, check: {}))
    let after = learners.frames.encoder
    #expect(after.mean.array == before.mean.array && after.deviation.array == before.deviation.array)
    let frames = learners.replay.allFrames
    let latents = after.encodeAll(frames)
    #expect(distance(Tensor(frames.latents, latents.shape), latents) < 1e-6)
    #expect(distance(before.encodeAll(frames), latents) > 1e-4)
  }

  /// Only `bursts` has losses for rewards, actions and cached latents.
  @Test(arguments: inRounds) func burstsPredictActionsAndRewards(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place)
    let metrics = try #require(try learners.frames.learn(from: &learners.replay, step: 100, check: {}))
    let isBursts = argument.place.id == "bursts"
    #expect((metrics["autoencoder/action-error"] != nil) == isBursts)
    #expect((metrics["autoencoder/reward-error"] != nil) == isBursts)
    /// Returns how far a round moves the latents, with a weight of the loss of cached latents.
    func drift(_ weight: Double) throws -> Double {
      var learners = try Learners(argument.place) { ($0.retrainLatentWeight, $0.retrainSteps) = (weight, 8) }
      let frames = learners.replay.allFrames
      let before = learners.frames.encoder.encodeAll(frames)
      _ = try learners.frames.learn(from: &learners.replay, step: 100, check: {})
      return square(learners.frames.encoder.encodeAll(frames) - before).mean().item
    }
    let (free, anchored) = (try drift(0), try drift(1000))
    if isBursts { #expect(anchored < 0.5 * free) } else { #expect(anchored == free) }
  }
}

extension EncodedFrames {
  /// Adam's first moments: after one update a tenth of each parameter's gradient, zeros if there was none. The steps
  /// themselves do not show small gradients, because Adam's first steps all have the same size.
  fileprivate var shares: [Tensor] {
    get throws { try #require(optimizer).moments.map(\.first) }
  }
}
