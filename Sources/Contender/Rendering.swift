import Core
import Environments
import Pixels

/// A picture of 84x84 RGB of `--env`'s scene, in the look that `--renderer`, `--shadows`, `--reflections` and
/// `--antialiasing` ask for: states of a random episode in turn, each brought to the simulation anew.
func drawnScene(_ arguments: Arguments) throws -> Workload {
  var settings = EpisodeSettings()
  settings.size = try arguments.integer("size", default: 84)
  for field in EpisodeSettings.fields where ["renderer", "shadows", "reflections", "antialiasing"].contains(field.key) {
    if let text = arguments.text(field.key) { try field.set(&settings, text) }
  }
  func drawing<E: Environment>(_ type: E.Type) throws -> Workload {
    _ = try E.drawer(of: settings.look)
    var random = Seed(1).stream("actions")
    var episode = Episode<E>(settings, seed: Seed(1))
    let views = (0..<16).map { _ in
      for _ in 0..<4 where episode.ending == .running { _ = episode.step(E.actionSpace.sample(using: &random)) }
      return episode
    }
    var frame = episode.blankFrame
    var next = 0
    return Workload {
      views[next].render(into: &frame)
      next = (next + 1) % views.count
    }
  }
  return try drawing(try Environments.named(arguments.text("env") ?? "cheetah-run"))
}
