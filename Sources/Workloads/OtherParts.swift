import Core
import Environments
import Pixels
import Replay

/// One simulator step and its 84x84 RGB frame.
func renderedStep(_ arguments: Arguments) throws -> Workload {
  var episode = Episode<CartPoleSwingup>(seed: Seed(1))
  var random = Seed(1).stream("actions")
  var frame = PixelBuffer(width: 84, height: 84)
  return Workload {
    if episode.step([random.uniform(-1, 1)]).ending != .running { episode.reset() }
    episode.render(into: &frame)
  }
}

/// Only the rendering of a frame, after 50 random steps: `--env NAME --size 84 --renderer software --samples 4
/// --shadows 1`. `--shadows 0` also disables reflections.
func drawnScene(_ arguments: Arguments) throws -> Workload {
  let environment = try Environments.named(arguments.text("env") ?? CartPoleSwingup.id)
  let size = try arguments.integer("size", default: 84)
  var style = RenderStyle()
  style.antialiasing = try arguments.integer("samples", default: style.antialiasing)
  style.shadows = try arguments.integer("shadows", default: 1) > 0
  style.reflections = style.shadows
  if let name = arguments.text("renderer") {
    guard let renderer = Renderer(rawValue: name) else { throw InputError("unknown renderer '\(name)'") }
    style.renderer = renderer
  }
  return try drawnScene(environment, style, size)
}

private func drawnScene(_ environment: some Environment, _ style: RenderStyle, _ size: Int) throws -> Workload {
  var random = Seed(1).stream("actions")
  var environment = environment
  try environment.reset(using: &random)
  for _ in 0..<50 { _ = try environment.step(environment.spec.actionSpace.sample(using: &random)) }
  var frame = PixelBuffer(width: size, height: size)
  return Workload { [environment] in try environment.render(into: &frame, as: style) }
}

/// One agent step of Pong in each of N Python processes, with its 84x84 frame, as in data collection. `--ahead 1`
/// announces only the next action, as an agent must. Random play can announce as many as fit.
func gymnasiumSteps(_ arguments: Arguments) throws -> Workload {
  let count = try arguments.integer("processes", default: 1)
  let environment = try Environments.named(arguments.text("env") ?? "gym:ALE/Pong-v5")
  func steps(_ environment: some Environment) throws -> Workload {
    let spec = environment.spec
    let ahead = try arguments.integer("ahead", default: max(spec.lookahead, 1))
    var episodes = try (0..<count).map { try Episode(environment, spec.episodeDefaults, seed: Seed(UInt64($0))) }
    var random = Seed(1).stream("actions")
    var actions = (0..<count).map { _ in (0..<ahead).map { _ in spec.actionSpace.sample(using: &random) } }
    var frame = episodes[0].blankFrame
    return Workload {
      for i in 0..<count {
        _ = try episodes[i].step(actions[i].removeFirst())
        if episodes[i].ending != .running { try episodes[i].reset() }
        try episodes[i].render(into: &frame)
        actions[i].append(spec.actionSpace.sample(using: &random))
        try episodes[i].announce(actions[i])
      }
    }
  }
  return try steps(environment)
}

/// Samples a batch from a full replay buffer of a million latents.
func replaySample(_ arguments: Arguments) throws -> Workload {
  let batch = try arguments.integer("batch", default: 128)
  let capacity = try arguments.integer("capacity", default: 1_000_000)
  let layout = HistoryLayout(
    latentSize: 32, frames: 3, actions: 2, actionSpace: .continuous(low: [-1], high: [1]))
  let ring = Ring(capacity: capacity, layout: layout)
  var random = Seed(1).stream("replay")
  return Workload { _ = try ring.buffer.sample(batch, using: &random) }
}

/// Holds a replay buffer for a closure, which cannot own a noncopyable value.
private final class Ring {
  var buffer: ReplayBuffer

  init(capacity: Int, layout: HistoryLayout) {
    buffer = ReplayBuffer(capacity: capacity, layout: layout)
    var random = Seed(1).stream("latents")
    let latent = (0..<layout.latentSize).map { _ in Float(random.normal()) }
    for i in 0..<capacity {
      // Episodes of 1000 steps.
      if i % 1001 == 0 {
        buffer.begin(lane: 0, latent: latent.span)
      } else {
        let ending: Ending = i % 1001 == 1000 ? .truncated : .running
        buffer.append(lane: 0, action: [0.5].span, step: Step(reward: 1, ending: ending), latent: latent.span)
      }
    }
  }
}

/// Encodes an 84x84 frame as PNG.
func encodedPicture(_ arguments: Arguments) throws -> Workload { try encoding(frames(1)[0], arguments) }

/// Encodes a grid of 3 x 8 frames of 84x84 as PNG.
func encodedGrid(_ arguments: Arguments) throws -> Workload {
  let frames = frames(24)
  let rows = (0..<3).map { Array(frames[$0 * 8..<$0 * 8 + 8]) }
  return try encoding(ImageGrid(rows: rows, scale: 1).picture(), arguments)
}

/// `--picture FILE` also writes the picture to a file, for a peer to encode.
private func encoding(_ picture: PixelBuffer, _ arguments: Arguments) throws -> Workload {
  if let path = arguments.text("picture") { try PNG.write(picture, to: path) }
  return Workload { _ = try PNG.encode(picture) }
}

private func frames(_ count: Int) -> [PixelBuffer] {
  var episode = Episode<CartPoleSwingup>(seed: Seed(1))
  return (0..<count).map { _ in
    _ = episode.step([1])
    var frame = PixelBuffer(width: 84, height: 84)
    episode.render(into: &frame)
    return frame
  }
}
