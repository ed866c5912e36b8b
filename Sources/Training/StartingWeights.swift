import Agents
import Core
import Environments
import Networks
import Replay
import Representations
import Runs
import Tensors

/// The run whose weights a new training begins with. Its optimisers, replay buffer, schedules and counters start new.
public struct StartingWeights: SettingsGroup, Hashable {
  /// The folder of a training; empty: random weights.
  public var from = ""

  public init() {}
  public init(_ path: String) { from = path }

  public static let title = TrainingSettings.title
  public static var fields: [Field<Self>] {
    [
      Field(
        "from", \.from,
        "run of 'pixelrl train' whose weights at its last evaluation this new run begins with; its settings of the "
          + "environment, the encoder, the agent and the history are then the defaults; none: random weights")
    ]
  }

  /// The copy in the new run's folder, so that the run can resume without the other one.
  static let kept = "start.safetensors"
}

extension TrainingSettings {
  /// The settings that change the size or the scale of an observation.
  public static let historyKeys = [key(of: \.frames), key(of: \.actions), key(of: \.differenceScale)]
}

// MARK: - What must fit

extension SavedAgent {
  /// Checks that a new training can begin with these weights, as far as that does not depend on the sizes of networks.
  ///
  /// - Throws: `InputError` that names what differs, and what to type instead.
  public func check(beginning agent: String, in spec: EnvironmentSpec, _ given: EncoderSettings) throws {
    guard agent == facts.member else {
      throw InputError(
        "\(run.path) has the agent \(facts.member), whose weights do not fit \(agent): use --agent \(facts.member), or "
          + "leave out --from")
    }
    guard given.observe == encoder.observe else {
      throw InputError(
        "the agent of \(run.path) observes \(encoder.observe.phrase), not \(given.observe.phrase): use --observe "
          + "\(encoder.observe.rawValue), or leave out --from")
    }
    let own = try Environments.named(facts.environment, timeout: episode.gymTimeout).spec
    guard own.actionSpace.isSameSize(as: spec.actionSpace) else {
      throw InputError(
        "\(run.path) has actions of \(own.id) (\(own.actionSpace)), which are not those of \(spec.id) "
          + "(\(spec.actionSpace)): use --env \(own.id), or another environment with such actions")
    }
    guard encoder.observe == .latent else {
      let (mine, other) = (own.observationNames.count, spec.observationNames.count)
      guard mine == other else {
        throw InputError(
          "\(run.path) observes \(mine) numbers of \(own.id), but \(spec.id) has \(other): use --env \(own.id), or "
            + "another environment with \(mine)")
      }
      return
    }
    guard own.id == spec.id else {
      throw InputError(
        "the encoder of \(run.path) is for frames of \(own.id), not of \(spec.id): use --env \(own.id), or leave out "
          + "--from")
    }
    try check(Places.named(given.place))
  }

  /// Checks that the place of the encoder starts as that of the run did.
  private func check(_ place: Place) throws {
    guard place.start != .either, (place.start == .random) != startedAtRandom else { return }
    let fitting = Places.all.filter { $0.start == .either || ($0.start == .random) == startedAtRandom }.map(\.id)
    throw InputError(
      "the encoder of \(run.path) \(startedAtRandom ? "started from random weights" : "was pretrained"), so that "
        + "--encoder \(place.id) cannot continue with it: use --encoder \(fitting.joined(separator: ", "))")
  }

  /// Whether the run made its encoder from random weights.
  private var startedAtRandom: Bool { encoder.autoencoder.isEmpty }

  /// The value of `--autoencoder` of a training that begins with these weights.
  public var startingAutoencoder: String { encoder.observe == .state || startedAtRandom ? "" : run.path }

  /// Checks that the weights fit a new agent.
  ///
  /// - Throws: `InputError` that names the settings that change the sizes of its networks.
  func check<A: Agent>(
    beginning agent: A, settings: A.Settings, history given: TrainingSettings, _ layout: HistoryLayout
  )
    throws
  {
    func fits(_ settings: A.Settings) -> Bool {
      var agent = A(
        observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: settings, seed: Seed(0))
      return (try? agent.begin(with: tensors)) != nil
    }
    var agent = agent
    do { try agent.begin(with: tensors) } catch let mismatch as InputError {
      let own = try agentSettings(of: A.self)
      let sizes = [(training.frames, given.frames), (training.actions, given.actions)]
      var differing = zip(TrainingSettings.historyKeys, sizes).filter { $1.0 != $1.1 }.map { key, values in
        (key: key, mine: values.0.text, given: values.1.text)
      }
      if differing.isEmpty {
        differing = try zip(own.record, settings.record).filter { mine, given in
          guard mine.text != given.text else { return false }
          var changed = own
          try changed.set(mine.key, to: given.text)
          return !fits(changed)
        }.map { mine, given in (key: mine.key, mine: mine.text, given: given.text) }
      }
      guard !differing.isEmpty else { throw WorldError(path: run.file(Self.weights), mismatch.description) }
      let reasons = differing.map { "--\($0.key) \($0.mine), not \($0.given)" }.joined(separator: ", and ")
      throw InputError(
        "the weights of \(run.path) do not fit: it was made with \(reasons); leave "
          + "\(differing.count == 1 ? "the flag" : "these flags") out")
    }
  }
}

// MARK: - In the new run

extension SavedAgent {
  /// The run as an input of another one, with the fingerprint of its weights.
  var input: RunDirectory.Input {
    get throws {
      RunDirectory.Input(
        name: StartingWeights.key(of: \.from), path: run.path, absolutePath: try absolutePath(run.path),
        fingerprint: xxHash64(try readBytes(from: run.file(Self.weights))))
    }
  }

  /// Copies the weights into the folder of the new run.
  func keep(in new: RunDirectory) throws {
    try writeAtomically(readBytes(from: run.file(Self.weights)), to: new.file(StartingWeights.kept))
  }
}

extension Trainer {
  /// Begins with the weights that are kept in the run's folder, if there are any.
  mutating func begin(from run: RunDirectory) throws {
    let path = run.file(StartingWeights.kept)
    guard exists(path) else { return }
    do { try state.agent.begin(with: Safetensors(weightsAt: path).tensors) } catch let error as InputError {
      throw WorldError(path: path, error.description)
    }
  }
}

extension ObservationKind {
  fileprivate var phrase: String { self == .state ? "the true state" : "latents" }
}

extension ActionSpace {
  /// Whether networks for the two spaces have the same outputs. Agents act in their own units, so bounds may differ.
  fileprivate func isSameSize(as other: ActionSpace) -> Bool {
    isContinuous == other.isContinuous && networkSize == other.networkSize
  }
}
