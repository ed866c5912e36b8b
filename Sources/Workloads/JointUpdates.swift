import Agents
import Autoencoders
import Core
import Environments
import Pixels
import Replay
import Representations
import Tensors

/// Two SAC updates with an encoder that is trained jointly, as in a training run. The replay buffer stores frames as
/// bytes, a draw of them becomes a batch, the agent learns from it, and the encoder learns from the agent's gradients.
/// Only every second update trains the actor, so two updates are one period of the schedule.
///
///     workloads joint --scheme sac-ae --batch 128 --part whole
///
/// - `--scheme`: `sac-ae`, `keypoint` or `augmented`; see below.
/// - `--part`: `whole`; `frames`, only drawing frames and converting their bytes to floats; `ready`, everything else,
///   with prepared frames; `frozen`, the same agent on a batch of latents from the replay buffer.
func jointUpdates(_ arguments: Arguments) throws -> Workload {
  let name = arguments.text("scheme") ?? "sac-ae"
  guard var scheme = Scheme.all[name] else { throw InputError.unknown("scheme", name, known: Scheme.all.keys.sorted()) }
  scheme.agent.batch = try arguments.integer("batch", default: scheme.agent.batch)
  guard let part = Part(rawValue: arguments.text("part") ?? "whole") else {
    throw InputError("--part must be whole, frames, ready or frozen")
  }
  if part == .frozen { scheme.place = .frozen }
  func workload<Model: Autoencoder>(_ kind: Model.Type) throws -> Workload {
    let learner = try Learner<Model>(scheme, part)
    var operations = 0
    // Encoder forward and backward on o, encoder and target encoder forward on o', decoder forward and backward.
    if name == "sac-ae", part == .whole {
      operations = 2 * scheme.agent.batch * (encoderPassesOperations + (2 + 3) * encoderOperations)
    }
    return Workload(operations: operations) { for _ in 0..<2 { try learner.update() } }
  }
  return try workload(Autoencoders.named(arguments.text("kind") ?? scheme.kind))
}

private enum Part: String {
  case whole, frames, ready, frozen
}

/// The encoder and agent of a workload.
private struct Scheme {
  var kind: String
  var place: Place
  /// The height and width of a frame in pixels.
  var side = 64
  /// The number of stacked frames that the encoder takes.
  var stack = 1
  /// The numbers of latents and actions in an observation.
  var history = (frames: 1, actions: 0)
  var agent = SAC.Settings()
  var encoder = EncoderSettings()
  var pretraining = PretrainingSettings()

  static let all = ["sac-ae": sacAE, "keypoint": keypoint, "augmented": augmented]

  /// SAC+AE (Yarats et al. 2019) with its sizes and rates. It differs as follows: the encoder runs once on o, and the
  /// gradients of the critics and the decoder are backpropagated together; the actor has no separate bottleneck and
  /// takes the critics' latents; the target critics and the target encoder are updated at each update, not at every
  /// second one; the decoder reconstructs the frame itself, not one of 32 levels with noise.
  private static var sacAE: Scheme {
    var scheme = Scheme(kind: RegularizedAutoencoder.id, place: .joint, side: 84, stack: 3)
    scheme.agent.hidden = 1024
    scheme.agent.criticLayerNorm = false
    scheme.agent.temperatureLearningRate = 1e-4
    scheme.encoder.tau = 0.05
    scheme.pretraining.background = false
    scheme.pretraining.changeWeight = 0
    scheme.pretraining.targetBlur = 0
    scheme.pretraining.targetGain = 1
    return scheme
  }

  /// This project's keypoint encoder, trained from random weights jointly with the agent.
  private static var keypoint: Scheme {
    var scheme = Scheme(kind: KeypointAutoencoder.id, place: .joint, history: (3, 2))
    scheme.agent.batch = 32
    return scheme
  }

  /// Randomly shifted frames as in DrQ, without reconstruction.
  private static var augmented: Scheme {
    var scheme = Scheme(kind: "conv", place: .augmented, stack: 3)
    scheme.agent.batch = 64
    scheme.encoder.shift = 3
    return scheme
  }
}

/// An agent with its encoder and replay buffer.
private final class Learner<Model: Autoencoder> {
  private var replay: ReplayBuffer
  private var frames: EncodedFrames<Model>
  private var agent: SAC
  private let part: Part
  private var random = Seed(1).stream("draws")
  private var ready: (draw: ReplayDraw, shown: DrawFrames)?

  init(_ scheme: Scheme, _ part: Part) throws {
    self.part = part
    let recording = Learner.recording(of: 3000, side: scheme.side)
    var initial = Seed(1).stream("initial weights")
    let encoder = try LatentEncoder<Model>(
      untrainedFor: recording, frameStack: scheme.stack, modelSettings: Model.Settings(), scheme.pretraining,
      using: &initial)
    frames = EncodedFrames(
      encoder, place: scheme.place, settings: scheme.encoder, pretraining: scheme.pretraining, isPretrained: false,
      seed: Seed(1))
    let layout = HistoryLayout(
      latentSize: encoder.latentSize, frames: scheme.history.frames, actions: scheme.history.actions,
      actionSpace: recording.actionSpace)
    replay = ReplayBuffer(capacity: recording.count, layout: layout, memory: frames.memory)
    agent = SAC(
      observationSize: layout.observationSize, actionSpace: recording.actionSpace, settings: scheme.agent, seed: Seed(1)
    )
    fillReplay(with: recording)
    if part == .ready {
      let draw = try draw()
      ready = (draw, frames.frames(of: draw, from: replay))
    }
  }

  func update() throws {
    guard part != .frames else {
      _ = frames.frames(of: try draw(), from: replay)
      return
    }
    let (batch, encoding) =
      if let (draw, shown) = ready { frames.batch(of: draw, showing: shown, from: replay) } else {
        frames.batch(of: try draw(), from: replay)
      }
    let lesson = agent.update(batch)
    _ = try frames.learn(from: lesson, encoding)
  }

  private func draw() throws -> ReplayDraw {
    try replay.draw(agent.settings.batch, discount: agent.settings.discount, using: &random)
  }

  private func fillReplay(with recording: Recording) {
    let size = replay.layout.latentSize
    let latents = replay.memory.keepsLatents ? frames.latents(of: recording).array : []
    for i in 0..<recording.count {
      let latent = Array(latents.isEmpty ? [] : latents[i * size..<(i + 1) * size])
      let frame = recording.frame(i).bytes
      if i > 0, recording.episodes[i] == recording.episodes[i - 1], let step = recording.steps[i - 1] {
        replay.append(
          lane: 0, action: Array(recording.action(i - 1)).span, step: step, latent: latent.span, frame: frame)
      } else {
        replay.begin(lane: 0, latent: latent.span, frame: frame)
      }
    }
  }

  /// Records frames of random play.
  private static func recording(of count: Int, side: Int) -> Recording {
    var episode = Episode<CartPoleSwingup>(seed: Seed(1))
    var random = Seed(1).stream("actions")
    var frame = PixelBuffer(width: side, height: side)
    var recording = Recording(
      frame: frame, observationNames: episode.spec.observationNames, actionSpace: episode.spec.actionSpace)
    while recording.count < count {
      if recording.count == 0 || episode.ending != .running {
        episode.reset()
        episode.render(into: &frame)
        recording.begin(frame: frame, observation: episode.observation)
      }
      let action = random.uniform(-1, 1)
      let step = episode.step([action])
      episode.render(into: &frame)
      recording.append(action: [Float(action)], step: step, frame: frame, observation: episode.observation)
    }
    return recording
  }
}
