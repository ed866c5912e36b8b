import Agents
import Autoencoders
import Core
import Environments
import Formats
import Foundation
import Pixels
import Representations
import Runs
import Tensors
import Testing

@testable import Training

/// Runs a small pretraining and a small training on its latents.
private func withRuns(_ body: (_ pretrained: RunDirectory, _ trained: RunDirectory) throws -> Void) throws {
  try withFolder { folder in
    let pipeline = Pipeline(folder: folder)
    let pretrained = try pipeline.pretrain()
    let record = try AutoencoderRecord(folder: pretrained.path)
    let encoder = try LatentEncoder<KeypointAutoencoder>(folder: pretrained.path, record: record)
    let first = try record.recording(of: pretrained.path, CartPoleSwingup.spec, pipeline.episode)
    try body(pretrained, try pipeline.train(encoder, of: pretrained.path, first: first, agentSteps: 120))
  }
}

@Suite struct EvaluationReportTests {
  @Test func deterministicReturnsEqualTheRunsLastEvaluation() throws {
    try withRuns { _, trained in
      let lines = try String(contentsOfFile: trained.file("metrics.jsonl"), encoding: .utf8).split(separator: "\n")
      let last = try #require(
        try lines.map { try JSON(parsing: Array($0.utf8)) }.last { $0["evaluation/return"] != nil })
      let saved = try SavedAgent(path: trained.path)
      let report = try EvaluationReport(
        of: saved, episodes: saved.training.evaluationEpisodes, seed: Seed(2), interval: span)
      let (deterministic, sampled) = (report.modes[0], report.modes[1])
      #expect(saved.step == last["step"]?.int)
      #expect(deterministic.evaluation.mean == last["evaluation/return"]?.double)
      #expect(deterministic.evaluation.deviation == last["evaluation/deviation"]?.double)
      #expect(deterministic.evaluation.lengths == [160, 160] && deterministic.meanLength == 160)
      #expect(sampled.evaluation.returns != deterministic.evaluation.returns)
      #expect(deterministic.interval.contains(deterministic.evaluation.mean))

      let again = try EvaluationReport(of: saved, episodes: 2, seed: Seed(2), interval: span)
      #expect(again.json == report.json)
      let other = try EvaluationReport(of: saved, episodes: 2, seed: Seed(3), interval: span)
      #expect(zip(other.modes, report.modes).allSatisfy { $0.evaluation.returns != $1.evaluation.returns })
    }
  }

  @Test func anInterruptedTrainingHasTheAgentOfItsLastEvaluation() throws {
    try withRuns { pretrained, trained in
      try FileManager.default.removeItem(atPath: trained.file("summary.json"))
      let report = try EvaluationReport(
        of: SavedAgent(path: trained.path), episodes: 1, seed: Seed(2), isFilmed: true, interval: span)
      #expect(report.json["finished"]?.bool == false && report.json["step"]?.int ?? 0 > 0)
      let out = trained.file("film")
      try makeFolder(out)
      try report.write(to: out)
      #expect(try folderEntries(out) == ["episode-sampled.png", "episode.png", "evaluation.json"])
      // A frame before each of the 20 agent steps, and the last frame.
      #expect(animationFrames(try readBytes(from: out + "/episode.png")) == 21)
      // The reconstructions are next to the frames.
      #expect(try PNG.read(out + "/episode.png").frame.width > 600)

      try FileManager.default.removeItem(atPath: trained.file("agent.safetensors"))
      let early = #expect(throws: InputError.self) { try SavedAgent(path: trained.path) }
      #expect(
        early?.description.contains("has no agent yet, which the first evaluation after the start writes") == true)
      #expect(throws: InputError.self) { try SavedAgent(path: pretrained.path) }
    }
  }
}

/// The range from the minimum to the maximum.
private func span(_ values: [Double]) -> ClosedRange<Double> { (values.min() ?? 0)...(values.max() ?? 0) }

@Suite struct InspectionTests {
  @Test func aTrainingHasAllPictures() throws {
    try withRuns { _, trained in
      var options = Inspection.Options()
      (options.frames, options.episodes, options.steps) = (2, 2, [0, 3])
      let inspection = try Inspection(of: trained.path, options)
      let folder = try inspection.write()
      let expected = [
        "reconstructions", "keypoints", "traversals", "probe", "episode", "film", "projection-value",
        "projection-return", "projection-state", "values",
      ]
      #expect(inspection.pictures.map(\.file) == expected.map { "\($0).png" })
      #expect(try folderEntries(folder) == (expected.map { "\($0).png" } + ["inspection.json"]).sorted())
      let json = try JSON(parsing: readBytes(from: "\(folder)/inspection.json"))
      for (picture, entry) in zip(inspection.pictures, try #require(json["pictures"]?.array)) {
        #expect(entry["file"]?.text == picture.file && entry["caption"]?.text == picture.caption)
        let read = try PNG.read("\(folder)/\(picture.file)")
        #expect(read.text["environment"] == "cartpole-swingup" && read.text["Title"] == picture.title)
        #expect(Set(read.frame.bytes).count > 2, "\(picture.file) shows nothing")
      }
      let chosen = try #require(json["reconstructions"]?["chosen"]?.array)
      #expect(chosen.map { $0["frame"]?.int } == [0, 3] && chosen[1]["step"]?.int == 3)
      let worst = try #require(json["reconstructions"]?["worst"]?.array).compactMap { $0["error"]?.double }
      #expect(worst == worst.sorted(by: >) && worst.count == 2)
      #expect(animationFrames(try readBytes(from: "\(folder)/film.png")) == 21, "the first episode's frames")
      let keypoints = try #require(json["keypoints"]?["x"]?.array)
      #expect(keypoints.count == 8 && keypoints[0].array?.allSatisfy { (0...1).contains($0.double ?? -1) } == true)
      // 21 frames of each episode; play continued after all of them.
      #expect(json["values"]?["value"]?.array?.count == 42)

      // A second inspection replaces the first, and leaves nothing else behind.
      options.steps = nil
      _ = try Inspection(of: trained.path, options).write()
      #expect(try folderEntries(trained.path).filter { $0.contains("inspection") } == ["inspection"])
      options.steps = [42]
      let error = #expect(throws: InputError.self) { try Inspection(of: trained.path, options) }
      #expect(error?.description.contains("--steps 42 is not one of the 42 frames") == true)
    }
  }

  @Test func theProbeOfAPretrainingIsReproduced() throws {
    try withRuns { pretrained, _ in
      let inspection = try Inspection(of: pretrained.path)
      let files = inspection.pictures.map(\.file)
      #expect(
        files == [
          "probe.png", "reconstructions.png", "keypoints.png", "traversals.png", "episode.png", "film.png",
          "projection-state.png",
        ])
      #expect(animationFrames(try readBytes(from: pretrained.file("film.png"))) == 21)
      #expect(inspection.notes.count == 1)
      let (found, recorded) = (inspection.json["probe"]?["r2"], inspection.json["probe"]?["recorded"])
      for name in CartPoleSwingup.observationNames {
        let (a, b) = (try #require(found?[name]?.double), try #require(recorded?[name]?.double))
        #expect(abs(a - b) <= 0.5e-4, "\(name): the same frames and the same network give the same R²")
      }
    }
  }

  /// Both say how well the moving pixels of the same frames are reconstructed, and mean the same pixels.
  @Test(arguments: [0.03, 0.3]) func theReconstructionsOfAPretrainingAreReproduced(_ threshold: Double) throws {
    try withFolder { folder in
      let pretrained = try Pipeline(folder: folder).pretrain(changeThreshold: threshold)
      let summary = try JSON(parsing: readBytes(from: pretrained.file("summary.json")))
      let found = try #require(try Inspection(of: pretrained.path).json["reconstructions"])
      for figure in ["psnr", "psnr_moving"] {
        let (a, b) = (try #require(found[figure]?.double), try #require(summary[figure]?.double))
        #expect(a == b && a.isFinite, "\(figure)")
      }
    }
  }

  @Test func returnsAreDiscountedFromTheEnd() throws {
    let agent = DoubleDQN(
      observationSize: Catch.observationNames.count, actionSpace: Catch.actionSpace, settings: DoubleDQN.Settings(),
      seed: Seed(1))
    var training = TrainingSettings()
    (training.frames, training.actions) = (1, 0)
    let observer = TrueState(Catch.spec)
    let player = TrainedPlayer(
      environment: Catch(), agent: agent, representation: observer,
      layout: training.layout(latentSize: observer.latentSize, actionSpace: Catch.actionSpace),
      episode: smallEpisode(), training: training)
    let play = try player.inspectedPlay(episodes: 3, seed: Seed(4))
    // Nine steps, ten frames. The task terminates at the last frame, which has no value.
    #expect(play.recording.count == 30 && play.comparedFrames.count == 27)
    for episode in 0..<3 {
      let reward = play.recording.steps[10 * episode + 8]?.reward ?? .nan
      #expect(abs(reward) == 1)
      for t in 0..<9 {
        let expected = reward * pow(0.99, Double(8 - t))
        #expect(abs(play.returns[10 * episode + t] - expected) < 1e-12)
      }
      #expect(play.values[10 * episode + 9].isNaN && play.step(of: 10 * episode + 9) == 9)
    }
  }

  @Test func returnsReachBeyondTheTimeLimit() throws {
    let agent = SAC(
      observationSize: CartPoleBalance.observationNames.count, actionSpace: CartPoleBalance.actionSpace,
      settings: SAC.Settings(), seed: Seed(1))
    var training = TrainingSettings()
    (training.frames, training.actions) = (1, 0)
    let observer = TrueState(CartPoleBalance.spec)
    let player = TrainedPlayer(
      environment: CartPoleBalance(), agent: agent, representation: observer,
      layout: training.layout(latentSize: observer.latentSize, actionSpace: CartPoleBalance.actionSpace),
      episode: smallEpisode(timeLimit: 80), training: training)
    let play = try player.inspectedPlay(episodes: 1, seed: Seed(4))
    #expect(play.recording.count == 11 && play.comparedFrames.count == 11)
    for t in 0..<10 {
      let reward = play.recording.steps[t]?.reward ?? .nan
      #expect(abs(play.returns[t] - (reward + 0.99 * play.returns[t + 1])) < 1e-9)
    }
    // An upright pole has a reward of almost 8 per step, so that ten steps would give less than 100.
    #expect(play.returns[10] > 100)
    // SAC's value includes the discounted entropies of the following frames.
    #expect(play.bonuses.count == 11 && play.bonuses.allSatisfy { $0.isFinite && $0 != 0 } && play.cutCount == 0)
  }

  private func play<E: BuiltInEnvironment>(in environment: E.Type, rewardLimit: Double = 0) throws -> InspectedPlay {
    var training = TrainingSettings()
    (training.frames, training.actions, training.rewardLimit) = (1, 0, rewardLimit)
    var settings = DoubleDQN.Settings()
    settings.discount = 0.5
    let agent = DoubleDQN(
      observationSize: E.observationNames.count, actionSpace: E.actionSpace, settings: settings, seed: Seed(1))
    let observer = TrueState(E.spec)
    return try TrainedPlayer(
      environment: E(), agent: agent, representation: observer,
      layout: training.layout(latentSize: observer.latentSize, actionSpace: E.actionSpace), episode: smallEpisode(),
      training: training
    ).inspectedPlay(episodes: 2, seed: Seed(4))
  }

  /// After seven steps the rest weighs less than 1 % at γ = 0.5, so that 14 of twenty frames have a return, which has
  /// only rewards.
  @Test func framesBeforeATruncationAreLeftOut() throws {
    let play = try play(in: Impatient.self)
    #expect(play.values.count == 42 && play.comparedFrames.count == 2 * 14 && play.cutCount == 2 * 6)
    for frame in play.comparedFrames {
      let step = play.step(of: frame)
      let expected = (step..<20).reduce(0) { $0 + pow(0.5, Double($1 - step)) * 3 }
      #expect(abs(play.returns[frame] - expected) < 1e-12 && step <= 13)
    }
    #expect(play.bonuses.isEmpty && play.rewardLimit == nil)
  }

  /// Returns use the same rewards as training.
  @Test func returnsUseClippedRewardsIfTrainingDid() throws {
    let (whole, clipped) = (try play(in: Impatient.self), try play(in: Impatient.self, rewardLimit: 1))
    #expect(clipped.rewardLimit == 1)
    for frame in clipped.comparedFrames { #expect(abs(3 * clipped.returns[frame] - whole.returns[frame]) < 1e-12) }
    #expect(clipped.recording.steps[0]?.reward == 3, "the rewards are shown unclipped")
  }
}

/// Has a reward of 3 at each step and truncates its episodes after twenty steps.
private struct Impatient: BuiltInEnvironment {
  static var id: String { "impatient" }
  static var note: String { "" }
  static var actionSpace: ActionSpace { .discrete(count: 2) }
  static var episodeLength: Int { 1000 }
  static var stateNames: [String] { ["step"] }
  static var observationNames: [String] { ["step"] }

  var steps = 0.0
  var state: [Double] {
    get { [steps] }
    set { steps = newValue[0] }
  }
  var observation: [Double] { [steps / 20] }

  mutating func reset(using random: inout Random) { steps = 0 }
  mutating func step(_ action: [Double]) -> Step {
    steps += 1
    return Step(reward: 3, ending: steps < 20 ? .running : .truncated)
  }
  func render(into frame: inout PixelBuffer) {}
}

/// The number of frames in the `acTL` chunk of an animated PNG.
private func animationFrames(_ bytes: [UInt8]) -> Int {
  bytes[37..<41].elementsEqual("acTL".utf8) ? bytes[41..<45].reduce(0) { $0 << 8 | Int($1) } : 0
}

@Suite struct FilmTests {
  private func recording(frames: Int, size: Int) -> Recording {
    var recording = Recording(
      frame: PixelBuffer(width: size, height: size), observationNames: [], actionSpace: Catch.actionSpace)
    for i in 0..<frames {
      var frame = PixelBuffer(width: size, height: size)
      frame.draw { $0.circle(center: Point(Double(i % size), Double(size) / 2), radius: 2, .white) }
      if i == 0 {
        recording.begin(frame: frame, observation: [])
      } else {
        recording.append(
          action: [Float](repeating: 0, count: recording.actionSize), step: Step(reward: Double(i)), frame: frame,
          observation: [])
      }
    }
    return recording
  }

  @Test func aLongEpisodeIsShownInEvenSteps() throws {
    let (short, long) = (recording(frames: 300, size: 8), recording(frames: 1001, size: 8))
    let whole = Film(of: short, through: nil, short.filmReadings)
    #expect(whole.frames == Array(0..<300) && whole.extent == "all 300 frames")
    let film = Film(of: long, through: nil, long.filmReadings)
    #expect(film.frames == (0...250).map { 4 * $0 })
    #expect(film.extent == "1 of every 4 frames, 251 of 1,001")
    try withFolder { folder in
      try film.write(to: folder + "/film.png", text: ["a": "b"])
      #expect(animationFrames(try readBytes(from: folder + "/film.png")) == 251)
      #expect(try PNG.read(folder + "/film.png").text == ["a": "b"])
    }
  }

  @Test func largeFramesAreShownSmaller() throws {
    let large = recording(frames: 3, size: 400)
    try withFolder { folder in
      try Film(of: large, through: nil, large.filmReadings).write(to: folder + "/film.png")
      let picture = try PNG.read(folder + "/film.png").frame
      #expect(picture.width < 400 && picture.height < 300 && picture.height > 192)
    }
  }

  @Test func readingsBelongToTheirFrames() {
    var two = recording(frames: 3, size: 8)
    two.append(contentsOf: recording(frames: 2, size: 8))
    let readings = two.filmReadings
    #expect(readings[0].values == [0, 1, 2, 0, 1] && two.firstEpisodeLength == 3)
    #expect(readings[1].values.map { $0.isNaN ? -1 : $0 } == [1, 2, -1, 1, -1])
  }
}

@Suite struct AgreementTests {
  @Test func biasErrorAndCorrelation() {
    let agreement = Agreement(of: [2, 4, 6], with: [1, 2, 3])
    #expect(agreement.correlation == 1 && agreement.bias == 2)
    #expect(abs(agreement.error - (14.0 / 3).squareRoot()) < 1e-12)
    #expect(Agreement(of: [1, 2, 3], with: [3, 2, 1]).correlation == -1)
    #expect(Agreement(of: [1, 1], with: [1, 2]).correlation.isNaN)
  }
}
