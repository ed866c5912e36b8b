import Agents
import Autoencoders
import Core
import Environments
import Foundation
import Representations
import Testing

@testable import Runs
@testable import Training

/// Checkpoints with changed contents and valid checksums: each is decoded or rejected with an error. A trap would end
/// the tests' process.
@Suite(.serialized) struct ForgedCheckpointTests {
  /// The number of changes tried for each run; `FORGERIES=2000` tries more.
  private static let count = ProcessInfo.processInfo.environment["FORGERIES"].flatMap(Int.init) ?? 60

  private struct Tally {
    var (forged, refused, decoded) = (0, 0, 0)
  }

  /// Changes the only checkpoint of a run in many ways, and resumes the run from each.
  private func forge(
    _ name: String, _ run: RunDirectory, _ resume: (RunDirectory) throws -> Void
  ) throws {
    let path = run.path
    try? FileManager.default.removeItem(atPath: "\(path)/summary.json")
    let checkpoints = "\(path)/checkpoints"
    // Not the last one, after which no training is left.
    let all = try folderEntries(checkpoints)
    let newest = try #require(all.dropLast().last)
    for other in all where other != newest { try FileManager.default.removeItem(atPath: "\(checkpoints)/\(other)") }
    let checkpoint = try Checkpoint(path: "\(checkpoints)/\(newest)")
    var random = Seed(8).stream("forgeries of \(name)")
    var tally = Tally()
    for number in 0..<Self.count {
      let part = checkpoint.manifest.parts[random.integer(below: checkpoint.manifest.parts.count)]
      let bytes = try checkpoint.bytes(of: part.name)
      guard let (change, forged) = try Forgery.change(part.name, bytes, using: &random) else { continue }
      let copy = "\(path)-\(number)"
      defer { try? FileManager.default.removeItem(atPath: copy) }
      try FileManager.default.copyItem(atPath: path, toPath: copy)
      try Forgery.put(forged, under: part.name, into: Checkpoint(path: "\(copy)/checkpoints/\(newest)"))
      if let log = ProcessInfo.processInfo.environment["FORGERIES_LOG"] {
        // The last line names the change that trapped.
        try Data("\(name) \(part.name): \(change)\n".utf8).write(to: URL(filePath: log))
      }
      tally.forged += 1
      do {
        try resume(RunDirectory(existing: copy))
        tally.decoded += 1
      } catch is DamagedFile { tally.refused += 1 } catch is WorldError { tally.refused += 1 } catch is NotFinite {
        tally.refused += 1
      } catch { Issue.record("\(name) \(part.name), \(change): \(error)") }
    }
    #expect(tally.refused > tally.forged / 4, "\(name): \(tally)")
    // The unchanged checkpoint resumes.
    try resume(run)
  }

  private func train<E: BuiltInEnvironment, A: Agent, R: Representation>(
    _ name: String, _ environment: E.Type, _ agent: A.Type, through representation: R, _ settings: A.Settings,
    first: Recording? = nil, environments: Int = 2,
    episode: EpisodeSettings = EpisodeSettings()
  ) throws {
    var training = TrainingSettings()
    (training.envSteps, training.environments, training.replay) = (330, environments, 160)
    (training.evaluateEvery, training.evaluationEpisodes, training.seedUpdates) = (150, 1, 3)
    (training.checkpointEvery, training.keepCheckpoints, training.updatesPerStep) = (100, 100, 0.3)
    (training.exploreChance, training.returnSteps) = (A.Settings.Experience.isOffPolicy ? 0.3 : 0, 2)
    let work = TrainingRun(
      E(), A.self, through: representation, agent: settings, episode: episode, training: training, first: first,
      seed: Seed(3))
    try withFolder { folder in
      let facts = RunDirectory.Facts(
        command: "train", environment: E.id, member: A.id, seed: 1, commandLine: ["pixelrl"], version: "test")
      let run = try RunDirectory(at: "\(folder)/run", facts, settings: work.groups)
      _ = try work.run(in: run)
      try forge(name, run) { _ = try work.run(in: $0) }
    }
  }

  private let short = smallEpisode(timeLimit: 60)

  @Test func softActorCritic() throws {
    var settings = SAC.Settings()
    (settings.hidden, settings.batch) = (4, 4)
    try train(
      "sac", CartPoleSwingup.self, SAC.self, through: TrueState(CartPoleSwingup.spec), settings, episode: short)
  }

  @Test func rainbow() throws {
    var settings = Rainbow.Settings()
    (settings.hidden, settings.batch) = (4, 4)
    var episode = EpisodeSettings()
    episode.stickyActions = 0.2
    try train("rainbow", Catch.self, Rainbow.self, through: TrueState(Catch.spec), settings, episode: episode)
  }

  @Test func actorCriticWithWorkers() throws {
    var settings = ActorCritic.Settings()
    (settings.hidden, settings.batchHorizon, settings.workers) = (4, 7, 2)
    try train(
      "actor-critic", CartPoleSwingup.self, ActorCritic.self, through: TrueState(CartPoleSwingup.spec), settings,
      episode: short)
  }

  @Test(arguments: [Place.rounds, .joint, .augmented]) func encodersThatAreTrained(_ place: Place) throws {
    let episode = smallEpisode(timeLimit: 60)
    let first = try collect(CartPoleSwingup(), episode, collectionSettings(12), seed: Seed(1))
    var (pretraining, model) = (PretrainingSettings(), KeypointAutoencoder.Settings())
    (pretraining.steps, pretraining.batch, pretraining.actionWeight) = (2, 4, 0.5)
    (model.keypoints, model.filters) = (4, 4)
    var learner = try Pretraining(
      KeypointAutoencoder.self, on: first, modelSettings: model, settings: pretraining, seed: Seed(1))
    while !learner.isDone { _ = try learner.update() }
    var settings = SAC.Settings()
    (settings.hidden, settings.batch) = (4, 4)
    var encoder = EncoderSettings()
    (encoder.retrainRounds, encoder.retrainEvery, encoder.retrainSteps, encoder.tau) = (1, 120, 2, 0.5)
    try train(
      place.id, CartPoleSwingup.self, SAC.self,
      through: EncodedFrames(
        try learner.finished(), place: place, settings: encoder, pretraining: pretraining, seed: Seed(3)),
      settings, first: first, environments: 1, episode: episode)
  }
}

/// Changes the contents of a part of a checkpoint.
private enum Forgery {
  /// Returns a description of the change and the changed bytes, or nil if the bytes are equal.
  static func change(_ name: String, _ bytes: [UInt8], using random: inout Random) throws -> (String, [UInt8])? {
    guard name.hasSuffix(".plist") else {
      var forged = bytes
      switch random.integer(below: 4) {
      case 0: forged.removeLast(min(forged.count, 1 + random.integer(below: 40)))
      case 1: forged += [UInt8](repeating: 0, count: 1 + random.integer(below: 40))
      case 2: forged = forged.map { _ in 0xff }
      default:
        for _ in 0..<20 { forged[random.integer(below: forged.count)] = UInt8(random.integer(below: 256)) }
      }
      return forged == bytes ? nil : ("bytes", forged)
    }
    let tree = try unsafe PropertyListSerialization.propertyList(from: Data(bytes), format: nil)
    var (nodes, path) = (0, "")
    count(tree, &nodes)
    var index = random.integer(below: nodes)
    let forged = changed(tree, at: &index, "", &path, using: &random)
    let encoded = try PropertyListSerialization.data(fromPropertyList: forged, format: .binary, options: 0)
    return (path, [UInt8](encoded))
  }

  /// Writes a part into a checkpoint, with valid checksums.
  static func put(_ bytes: [UInt8], under name: String, into checkpoint: Checkpoint) throws {
    var manifest = checkpoint.manifest
    for i in manifest.parts.indices where manifest.parts[i].name == name {
      (manifest.parts[i].byteCount, manifest.parts[i].hash) = (bytes.count, xxHash64(bytes))
    }
    try writeAtomically(bytes, to: "\(checkpoint.path)/\(name)")
    try writeAtomically(manifest.bytes, to: "\(checkpoint.path)/\(CheckpointManifest.name)")
  }

  /// Only the first elements of long arrays are changed.
  private static func shown(_ elements: [Any]) -> Range<Int> { 0..<min(elements.count, 3) }

  private static func count(_ tree: Any, _ nodes: inout Int) {
    nodes += 1
    if let members = tree as? [String: Any] { for member in members.values { count(member, &nodes) } }
    if let elements = tree as? [Any] { for i in shown(elements) { count(elements[i], &nodes) } }
  }

  private static func changed(
    _ tree: Any, at index: inout Int, _ here: String, _ path: inout String, using random: inout Random
  ) -> Any {
    defer { index -= 1 }
    if index == 0 {
      let (what, value) = other(tree, using: &random)
      path = "\(here) \(what)"
      return value
    }
    if var members = tree as? [String: Any] {
      for (key, value) in members.sorted(by: { $0.key < $1.key }) {
        index -= 1
        if index >= 0 { members[key] = changed(value, at: &index, "\(here).\(key)", &path, using: &random) }
      }
      return members
    }
    if var elements = tree as? [Any] {
      for i in shown(elements) {
        index -= 1
        if index >= 0 { elements[i] = changed(elements[i], at: &index, "\(here)[\(i)]", &path, using: &random) }
      }
      return elements
    }
    return tree
  }

  /// Returns a replacement for a value: of another size or type, or too large.
  private static func other(_ value: Any, using random: inout Random) -> (String, Any) {
    func pick<Value>(_ choices: [Value]) -> Value { choices[random.integer(below: choices.count)] }
    let anything: [(String, Any)] = [
      ("a string", "x"), ("-1", -1), ("0", 0), ("1", 1), ("the maximum", Int.max), ("the minimum", Int.min),
      ("2^40", 1 << 40),
      ("nan", Double.nan), ("inf", Double.infinity), ("1e300", 1e300), ("-0.5", -0.5), ("empty", [Any]()),
      ("no members", [String: Any]()), ("no data", Data()), ("true", true), ("nothing", "$null"),
    ]
    if random.chance(0.4) { return pick(anything) }
    if var members = value as? [String: Any], let key = members.keys.sorted().randomElement(using: &random) {
      members[key] = nil
      return ("without \(key)", members)
    }
    if let elements = value as? [Any], let last = elements.last {
      return pick([
        ("one less", Array(elements.dropLast())), ("one more", elements + [last]), ("twice", elements + elements),
        ("reversed", Array(elements.reversed())),
      ])
    }
    if let data = value as? Data {
      return pick([
        ("4 bytes less", data.dropLast(4)), ("4 bytes more", data + Data([0, 0, 128, 63])),
        ("nan", Data(repeating: 0xff, count: data.count)), ("3 bytes", Data([1, 2, 3])),
        ("large", Data(repeating: 0x7e, count: data.count)),
      ])
    }
    return pick(anything)
  }
}
