import Agents
import Core
import Environments
import Formats
import Foundation
import Pixels
import Representations
import Runs
import Synchronization
import Testing

@testable import Training

/// The steps that have been made, and after how many of them they throw, in the training and in the evaluation beside it.
private let wear = Mutex((steps: 0, limit: Int.max))

private enum Wear: StepFault {
  static func check() throws(WorldError) {
    let isWorn = wear.withLock { wear in
      wear.steps += 1
      return wear.steps > wear.limit
    }
    guard !isWorn else { throw WorldError("worn out") }
  }
}

/// A training that ends with an error has a checkpoint of all that it has learned.
@Suite struct RescueTests {
  private func work<E: Environment>(_ environment: E, every: Int) -> TrainingRun<E, DoubleDQN, TrueState> {
    var (agent, training) = (DoubleDQN.Settings(), TrainingSettings())
    (agent.hidden, agent.batch) = (8, 4)
    (training.envSteps, training.replay, training.updatesPerStep) = (700, 1000, 0.2)
    (training.evaluateEvery, training.evaluationEpisodes, training.checkpointEvery) = (every, 2, 0)
    return TrainingRun(
      environment, DoubleDQN.self, through: TrueState(Catch.spec), agent: agent, episode: smallEpisode(),
      training: training, first: nil, seed: Seed(3))
  }

  private func directory(_ path: String, _ groups: [any SettingsGroup]) throws -> RunDirectory {
    let facts = RunDirectory.Facts(
      command: "train", environment: "catch", member: "double-dqn", seed: 3, commandLine: ["pixelrl"], version: "1",
      why: "")
    return try RunDirectory(at: path, facts, settings: groups)
  }

  /// Resumes the run and returns the steps of its evaluations.
  private func evaluations<E: Environment>(
    resuming run: RunDirectory, _ work: TrainingRun<E, DoubleDQN, TrueState>
  ) throws -> [Int] {
    var lines: [String] = []
    let outcome = JSON.object(try work.run(in: run) { lines.append($0) })
    #expect(lines.contains { $0.hasPrefix("resuming from step") }, "\(lines)")
    #expect(outcome["env_steps"]?.int == 700)
    return outcome["evaluations"]?.array?.compactMap { $0.array?.first?.int } ?? []
  }

  /// The learning curve cannot be written, because a folder has its name.
  @Test(arguments: [0, 300]) func anErrorOfAnEvaluationLosesNoTraining(_ every: Int) throws {
    try withFolder { folder in
      let work = work(Catch(), every: every)
      let whole = try directory("\(folder)/whole", work.groups)
      _ = try work.run(in: whole)
      let run = try directory("\(folder)/run", work.groups)
      try makeFolder(run.file("curve.png"))
      #expect(throws: (any Error).self) { try work.run(in: run) }
      #expect(try folderEntries(run.file("checkpoints")).count == 1)
      try FileManager.default.removeItem(atPath: run.file("curve.png"))
      let steps = try evaluations(resuming: run, work)
      #expect(steps.last == 700 && zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 }, "\(steps)")
      if every == 0 {
        // Only the last evaluation was missing.
        let isTheSame = try readBytes(from: run.file("metrics.jsonl")) == readBytes(from: whole.file("metrics.jsonl"))
        #expect(isTheSame)
      }
    }
  }

  /// The environment breaks in the training and in the evaluation that was begun a few steps before.
  @Test func aFailedStepSavesThoughTheEvaluationBesideItFailsToo() throws {
    try withFolder { folder in
      let work = work(FallibleCatch<Wear>(), every: 300)
      let run = try directory("\(folder)/run", work.groups)
      // Two episodes of nine steps each by the random player and by the untrained agent, then the training.
      wear.withLock { $0 = (0, 36 + 300 + 6) }
      let error = #expect(throws: WorldError.self) { try work.run(in: run) }
      #expect(error?.description.contains("worn out") == true, "\(String(describing: error))")
      #expect(try folderEntries(run.file("checkpoints")).count == 1)
      wear.withLock { $0 = (0, .max) }
      let steps = try evaluations(resuming: run, work)
      #expect(steps.count == 4 && (300..<310).contains(steps[1]) && steps.suffix(2) == [600, 700], "\(steps)")
    }
  }
}
