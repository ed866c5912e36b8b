import Core
import Environments

/// The settings that were found to serve a task best, where they are not everybody's: the defaults that the commands start
/// from for it. `experiments/suite`, `experiments/full-look` and `experiments/exploration` have the trials.
public enum TaskDefaults {
  /// Texts as one types them, by the title of the group in a settings file and the setting's key.
  public typealias Settings = [String: [String: String]]

  public static func of(_ environment: String) -> Settings { all[environment] ?? [:] }

  /// A group as a task starts from it.
  public static func group<Group: SettingsGroup>(of environment: String) throws -> Group {
    var group = Group()
    for (key, text) in of(environment)[Group.title] ?? [:] { try group.set(key, to: text) }
    return group
  }

  // Returns of three steps were measured without the entropies between, which act like a smaller temperature; agents on the
  // latents of autoencoders whose decoders draw without keypoints too. Of two seeds of cartpole with --keypoints-alone one came
  // to 851 (before: 839), the other to 718 (before: 852).
  public static let all: [String: Settings] = [
    "cartpole-swingup": ["encoder": freeDrawing],
    // Rare rewards: noise that holds, returns that reach back, and no temperature that drowns them.
    "pendulum-swingup": [
      "training": ["explore-chance": "0.2", "return-steps": "3"],
      "agent": ["initial-temperature": "0.01", "entropy-between": "false"],
    ],
    // Flat colours tell the links apart. A target that is reached teaches nothing more: short episodes show many. What leads to
    // it is over in twenty decisions, and a discount that sees no farther tells a good one from a bad one more clearly. Small
    // batches and networks serve as well, in less time.
    "reacher-easy": [
      "environment": sketch, "encoder": freeDrawing,
      "collection": ["collect-steps": "4000"],
      "pretraining": ["ae-steps": "1500", "ae-batch": "16", "target-blur": "1", "target-gain": "2"],
      "training": ["training-time-limit": "100", "return-steps": "3"],
      "agent": ["discount": "0.95", "hidden": "128", "entropy-between": "false"],
    ],
    // The same: a ball that lies in the cup teaches nothing more.
    "ball-in-cup-catch": [
      "environment": sketch, "encoder": freeDrawing, "pretraining": ["ae-batch": "16"],
      "training": ["training-time-limit": "100", "return-steps": "3"],
      "agent": ["hidden": "128", "entropy-between": "false"],
    ],
    "cheetah-run": ["environment": sketch, "encoder": freeDrawing, "collection": ["collect-steps": "4000"]],
    "finger-spin": ["environment": sketch, "encoder": freeDrawing, "collection": ["collect-steps": "4000"]],
    "walker-walk": ["environment": sketch, "encoder": freeDrawing, "collection": ["collect-steps": "4000"]],
    // Random play hardly shows a pole that stands in view: frames of the agent's own play do. Most keypoints follow the cart:
    // axes tell how the pole leans as loudly.
    "mujoco-cartpole-swingup": [
      "encoder": freeDrawing.merging(
        ["encoder": "rounds", "retrain-rounds": "2", "retrain-every": "20000", "retrain-steps": "4000"]
      ) { $1 },
      "pretraining": ["target-blur": "2", "frame-sampling": "error", "latent-form": "smooth"],
      "training": ["updates-per-step": "2"],
    ],
  ]

  private static let freeDrawing = ["keypoints-alone": "false"]
  private static let sketch = ["renderer": Renderer.sketch.rawValue]
}
