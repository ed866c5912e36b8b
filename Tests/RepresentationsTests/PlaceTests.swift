import Agents
import Autoencoders
import Core
import Replay
import Tensors
import Testing

@testable import Representations

/// Whose gradient moves what, at every place of the encoder.
@Suite struct PlaceTests {
  /// What an update of the agent moves, by the place: said here a second time and in other words than the catalog's.
  private static let moves: [String: (encoder: Bool, decoder: Bool, byCritic: Bool)] = [
    "frozen": (false, false, false),
    "random": (false, false, false),
    "rounds": (false, false, false),
    "bursts": (false, false, false),
    "parallel": (true, true, false),
    "finetune": (true, true, true),
    "joint": (true, true, true),
    "critic-only": (true, false, true),
    "augmented": (true, false, true),
  ]

  private static let learning = PlaceCase.all { $0.when == .eachUpdate }
  private static let byCritic = PlaceCase.all { $0.when == .eachUpdate && $0.teachers.contains(.critic) }
  private static let inRounds = PlaceCase.all { $0.when == .rounds }

  @Test(arguments: PlaceCase.all) func anUpdateMovesWhatThePlaceSays(_ argument: PlaceCase) throws {
    let expected = try #require(Self.moves[argument.place.id], "say here what moves at \(argument.place.id)")
    var learners = try Learners(argument.place)
    for update in 1...3 {
      let (encoder, decoder, agent) = (learners.encoderBits, learners.decoderBits, learners.agent)
      let (batch, lesson, metrics) = try learners.update()
      #expect((learners.encoderBits != encoder) == expected.encoder, "update \(update)")
      #expect((learners.decoderBits != decoder) == expected.decoder, "update \(update)")
      #expect(batch.wantsObservationGradient == expected.byCritic)
      #expect((lesson.observationGradient != nil) == expected.byCritic)
      #expect((metrics["encoder/gradient"] != nil) == expected.byCritic)
      #expect((metrics["autoencoder/error"] != nil) == expected.decoder)
      #expect(
        learners.frames.hasMoved == expected.encoder && learners.frames.revision == (expected.encoder ? update : 0))
      #expect(agent.parameters.map { $0.value.array } != learners.agent.parameters.map { $0.value.array })
    }
  }

  /// Each parameter by itself: that none is left out, and that none moves that has no teacher.
  @Test(arguments: learning) func everyParameterHasItsTeachers(_ argument: PlaceCase) throws {
    let expected = try #require(Self.moves[argument.place.id])
    var learners = try Learners(argument.place)
    let before = learners.frames.encoder.model.parameters
    for _ in 0..<3 { try learners.update() }
    for (old, new) in zip(before, learners.frames.encoder.model.parameters) {
      let hasMoved = old.value.array != new.value.array
      #expect(hasMoved == (old.name.isOfDecoder ? expected.decoder : expected.encoder), "\(old.name)")
    }
  }

  // MARK: - The critic's gradient

  /// What the encoder learns is the same to the bit in an update that teaches the actor and in one that does not.
  @Test(arguments: learning, [1, 2]) func theActorTeachesTheEncoderNothing(_ argument: PlaceCase, _ update: Int) throws
  {
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

  /// A critic that asks for nothing teaches nothing: where the reconstruction teaches as well, all is as in `parallel`.
  @Test(arguments: byCritic) func aGradientOfZeroTeachesNothing(_ argument: PlaceCase) throws {
    func silenced(_ lesson: Lesson, _ batch: Batch) -> Lesson {
      var lesson = lesson
      lesson.observationGradient = .zeros(batch.observation.shape)
      return lesson
    }
    var learners = try Learners(argument.place)
    let (encoder, decoder) = (learners.encoderBits, learners.decoderBits)
    for _ in 0..<3 { try learners.update(teach: silenced) }
    guard argument.place.teachers.contains(.reconstruction) else {
      #expect(learners.encoderBits == encoder && learners.decoderBits == decoder)
      return
    }
    var one = try Learners(argument.place)
    var alone = try Learners(.parallel)
    let errors = [try one.update(teach: silenced), try alone.update()].compactMap { $0.metrics["autoencoder/error"] }
    #expect(errors.count == 2 && abs(errors[0] - errors[1]) < 1e-5)
    for (a, b) in zip(try one.frames.shares, try alone.frames.shares) { #expect(distance(a, b) < 1e-6) }
  }

  /// Both teachers' shares add up: the moments that Adam keeps after one update are those of the sum of the gradients.
  @Test func criticAndReconstructionAddUp() throws {
    func shares(_ place: Place) throws -> [Tensor] {
      var learners = try Learners(place) { $0.reconstructionWeight = 3 }
      try learners.update()
      return try learners.frames.shares
    }
    var critic = Place.criticOnly
    critic.frameStack = 1
    let (both, byCritic, byPixels) = (try shares(.joint), try shares(critic), try shares(.parallel))
    var (ofCritic, ofPixels) = (0.0, 0.0)
    for i in both.indices {
      #expect(distance(both[i], byCritic[i] + byPixels[i]) < 1e-6)
      ofCritic += square(byCritic[i]).sum().item
      ofPixels += square(byPixels[i]).sum().item
    }
    #expect(ofCritic > 1e-6 && ofPixels > 1e-6, "\(ofCritic) and \(ofPixels)")
  }

  // MARK: - Without the critic

  /// Beside another agent, and even where a gradient is given that nobody asked for, the encoder becomes the same.
  @Test func inParallelTheAgentsLessonDoesNotMatter() throws {
    var one = try Learners(.parallel, agentSeed: 1)
    var other = try Learners(.parallel, agentSeed: 2)
    var given = try Learners(.parallel, agentSeed: 3)
    for _ in 0..<3 {
      let losses = [try one.update().lesson, try other.update().lesson].map { $0.metrics[Lesson.criticLoss] }
      #expect(losses[0] != losses[1])
      try given.update { lesson, batch in
        var lesson = lesson
        lesson.observationGradient = Tensor(repeating: 1, batch.observation.shape)
        return lesson
      }
    }
    #expect(one.encoderBits == other.encoderBits && one.decoderBits == other.decoderBits)
    #expect(one.encoderBits == given.encoderBits && one.decoderBits == given.decoderBits)
    // Where the critic teaches it does matter.
    var first = try Learners(.joint, agentSeed: 1)
    var second = try Learners(.joint, agentSeed: 2)
    try first.update()
    try second.update()
    #expect(first.encoderBits != second.encoderBits)
  }

  // MARK: - When

  @Test(arguments: learning) func aPeriodMovesTheEncoderAtItsUpdatesOnly(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place) { ($0.period, $0.tau) = (2, 0.5) }
    for update in 1...4 {
      let (encoder, decoder) = (learners.encoderBits, learners.decoderBits)
      let target = learners.frames.target?.parameters.map { $0.value.array }
      let (batch, lesson, metrics) = try learners.update()
      let isDue = update % 2 == 0
      #expect((learners.encoderBits != encoder) == isDue, "update \(update)")
      #expect((learners.decoderBits != decoder) == (isDue && argument.place.teachers.contains(.reconstruction)))
      #expect(batch.wantsObservationGradient == (isDue && argument.place.teachers.contains(.critic)))
      #expect((lesson.observationGradient != nil) == batch.wantsObservationGradient)
      #expect(metrics.entries.isEmpty != isDue)
      if let target { #expect((target != learners.frames.target?.parameters.map { $0.value.array }) == isDue) }
    }
  }

  @Test(arguments: byCritic) func theTargetsEncoderFollows(_ argument: PlaceCase) throws {
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
    #expect(distance(seen, batch.nextObservation) > 1e-4, "it lags behind")
    // Actions of the past are no encoder's.
    #expect(seen.columns(12..<14).array == batch.nextObservation.columns(12..<14).array)
  }

  @Test(arguments: PlaceCase.all) func targetsSeeThroughTheEncoderItself(_ argument: PlaceCase) throws {
    let isTaughtByCritic = try #require(Self.moves[argument.place.id]).byCritic
    var learners = try Learners(argument.place)
    #expect(learners.frames.target == nil)
    #expect(try learners.update().batch.targetObservation == nil)
    // What the critic does not move is followed by nobody.
    #expect((try Learners(argument.place) { $0.tau = 0.5 }.frames.target != nil) == isTaughtByCritic)
  }

  // MARK: - Rounds

  @Test(arguments: PlaceCase.all) func roundsComeWhereTheyAreDue(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place)
    learners.frames.begin(at: 50)
    let before = learners.encoderBits
    #expect(try learners.frames.learn(from: &learners.replay, step: 90) == nil)
    #expect(learners.encoderBits == before)
    let metrics = try learners.frames.learn(from: &learners.replay, step: 110)
    #expect((metrics != nil) == (argument.place.when == .rounds))
    #expect((learners.encoderBits != before) == (argument.place.when == .rounds))
  }

  @Test(arguments: inRounds) func betweenRoundsTheEncoderStays(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place)
    let decoder = learners.decoderBits
    for step in [60, 130] {
      _ = try learners.frames.learn(from: &learners.replay, step: step)
      let (encoder, revision) = (learners.encoderBits, learners.frames.revision)
      for _ in 0..<3 {
        let (batch, sight) = learners.frames.batch(
          of: try learners.replay.draw(8, using: &learners.random), from: learners.replay)
        #expect(sight == nil)
        #expect(try learners.frames.learn(from: learners.agent.update(batch), sight).entries.isEmpty)
      }
      #expect(learners.encoderBits == encoder && learners.frames.revision == revision)
    }
    #expect(learners.frames.revision == 1 && learners.decoderBits != decoder)
  }

  /// After a round the replay buffer holds what the new encoder sees, in the standardisation that the agent knows.
  @Test(arguments: inRounds) func aRoundSeesTheReplayAnew(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place)
    let before = learners.frames.encoder
    _ = try #require(try learners.frames.learn(from: &learners.replay, step: 100))
    let after = learners.frames.encoder
    #expect(after.mean.array == before.mean.array && after.deviation.array == before.deviation.array)
    let held = learners.replay.allFrames
    let seen = after.encodeAll(held)
    #expect(distance(Tensor(held.latents, seen.shape), seen) < 1e-6)
    #expect(distance(before.encodeAll(held), seen) > 1e-4)
  }

  /// Rewards, actions and the known latents teach in `bursts` alone.
  @Test(arguments: inRounds) func burstsReadActionsAndRewards(_ argument: PlaceCase) throws {
    var learners = try Learners(argument.place)
    let metrics = try #require(try learners.frames.learn(from: &learners.replay, step: 100))
    let reads = argument.place.id == "bursts"
    #expect((metrics["autoencoder/action-error"] != nil) == reads)
    #expect((metrics["autoencoder/reward-error"] != nil) == reads)
    /// How far the latents are moved by a round in which they must stay near, by so much.
    func drift(_ weight: Double) throws -> Double {
      var learners = try Learners(argument.place) { ($0.retrainLatentWeight, $0.retrainSteps) = (weight, 8) }
      let held = learners.replay.allFrames
      let before = learners.frames.encoder.encodeAll(held)
      _ = try learners.frames.learn(from: &learners.replay, step: 100)
      return square(learners.frames.encoder.encodeAll(held) - before).mean().item
    }
    let (free, held) = (try drift(0), try drift(1000))
    if reads { #expect(held < 0.5 * free) } else { #expect(held == free) }
  }
}

extension EncodedFrames {
  /// The first moments of Adam: after one update a tenth of each parameter's gradient, zeros where there was none. Steps do
  /// not show small gradients: all are of one size at first.
  fileprivate var shares: [Tensor] {
    get throws { try #require(optimizer).moments.map(\.first) }
  }
}
