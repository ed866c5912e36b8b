/// Names from other libraries, mapped to this program's names. They are used for hints in errors and are not accepted
/// as aliases.
///
/// The names come from Stable-Baselines3, its RL Zoo, CleanRL, RLlib, DrQ-v2 and SAC+AE. A name may map to several of
/// ours; the hint is the first one that is valid in the given context.
enum Aliases {
  /// Returns our names for another library's name, the most likely first. Dashes and underscores are equivalent.
  static func ours(for name: String) -> [String] {
    all[name.lowercased().replacing("_", with: "-")] ?? []
  }

  static let all: [String: [String]] = [
    // Training length
    "total-timesteps": ["env-steps"], "timesteps": ["env-steps"], "n-timesteps": ["env-steps"],
    "num-timesteps": ["env-steps"], "total-steps": ["env-steps"], "max-steps": ["env-steps"],
    "num-train-steps": ["env-steps"], "num-train-frames": ["env-steps"], "steps": ["env-steps", "ae-steps"],
    "train-steps": ["env-steps"], "training-steps": ["env-steps"], "frames": ["env-steps"],
    "stop-timesteps": ["env-steps"], "epochs": ["ae-steps", "passes", "env-steps"],
    "num-epochs": ["passes", "ae-steps"], "iterations": ["ae-steps", "env-steps"], "updates": ["ae-steps"],
    // Agent and environment
    "algo": ["agent"], "algorithm": ["agent"], "policy": ["agent"], "run": ["agent"],
    "environment": ["env"], "env-id": ["env"], "env-name": ["env"], "task": ["env"], "task-name": ["env"],
    "domain-name": ["env"], "game": ["env"],
    // Optimisation
    "lr": ["learning-rate", "ae-learning-rate"], "alpha-lr": ["temperature-learning-rate"],
    "learning-rate": ["ae-learning-rate"], "policy-lr": ["learning-rate"], "actor-lr": ["learning-rate"],
    "pi-lr": ["learning-rate"], "actor-learning-rate": ["learning-rate"], "step-size": ["learning-rate"],
    "q-lr": ["critic-learning-rate", "learning-rate"], "critic-lr": ["critic-learning-rate", "learning-rate"],
    "vf-lr": ["critic-learning-rate", "learning-rate"], "encoder-lr": ["ae-learning-rate"],
    "decoder-lr": ["ae-learning-rate"], "batch-size": ["batch", "ae-batch", "minibatch"],
    "train-batch-size": ["batch", "horizon"], "minibatch-size": ["minibatch"], "mini-batch-size": ["minibatch"],
    "sgd-minibatch-size": ["minibatch"], "num-minibatches": ["minibatch"], "max-grad-norm": ["gradient-limit"],
    "grad-clip": ["gradient-limit"], "net-arch": ["hidden"], "hidden-dim": ["hidden"], "hidden-size": ["hidden"],
    "hidden-sizes": ["hidden"], "hiddens": ["hidden"], "fcnet-hiddens": ["hidden"], "policy-kwargs": ["hidden"],
    // Returns and advantages
    "gamma": ["discount"], "discount-factor": ["discount"], "gae": ["gae-lambda"], "lambda": ["gae-lambda"],
    "lambda-": ["gae-lambda"], "lam": ["gae-lambda"], "n-step": ["return-steps"], "nstep": ["return-steps"],
    "nsteps": ["return-steps"], "multi-step": ["return-steps"], "n-steps": ["horizon"], "num-steps": ["horizon"],
    "rollout-fragment-length": ["horizon"], "rollout-length": ["horizon"], "steps-per-epoch": ["horizon"],
    "clip-reward": ["reward-limit"], "clip-rewards": ["reward-limit"], "reward-clip": ["reward-limit"],
    // On-policy agents
    "n-epochs": ["passes"], "update-epochs": ["passes"], "num-sgd-iter": ["passes"], "train-pi-iters": ["passes"],
    "train-v-iters": ["critic-passes"], "n-critic-updates": ["critic-passes"], "vf-iters": ["critic-passes"],
    "clip-range": ["clip"], "clip-coef": ["clip"], "clip-param": ["clip"], "clip-ratio": ["clip"],
    "ent-coef": ["entropy-bonus", "initial-temperature"], "entropy-coeff": ["entropy-bonus"],
    "entropy-coef": ["entropy-bonus"], "entropy": ["entropy-bonus"], "target-kl": ["divergence"],
    "max-kl": ["divergence"], "delta": ["divergence"], "kl-target": ["divergence"],
    "cg-max-steps": ["conjugate-gradients"],
    "cg-iters": ["conjugate-gradients"], "cg-damping": ["damping"], "damping-coeff": ["damping"],
    "backtrack-iters": ["halvings"], "line-search-max-iter": ["halvings"],
    // Off-policy agents
    "buffer-size": ["replay"], "replay-size": ["replay"], "memory-size": ["replay"], "replay-buffer-size": ["replay"],
    "replay-buffer-capacity": ["replay"], "replay-capacity": ["replay"], "capacity": ["replay"],
    "learning-starts": ["seed-updates"], "start-steps": ["seed-updates"], "init-steps": ["seed-updates"],
    "num-seed-frames": ["seed-updates"], "warmup-steps": ["seed-updates"],
    "train-freq": ["updates-per-step"], "train-frequency": ["updates-per-step"], "train-every": ["updates-per-step"],
    "gradient-steps": ["updates-per-step"], "utd": ["updates-per-step"], "update-every": ["updates-per-step"],
    "replay-ratio": ["updates-per-step"], "polyak": ["tau"], "target-update-interval": ["tau"],
    "target-network-frequency": ["tau"], "target-network-update-freq": ["tau"], "critic-tau": ["tau"],
    "policy-delay": ["actor-period"], "policy-frequency": ["actor-period"], "actor-update-freq": ["actor-period"],
    "target-policy-noise": ["target-noise"], "policy-noise": ["target-noise"], "noise-clip": ["target-noise-limit"],
    "target-noise-clip": ["target-noise-limit"], "action-noise": ["exploration-noise"],
    "alpha": ["initial-temperature", "q-weight"], "init-temperature": ["initial-temperature"],
    "temperature": ["initial-temperature"],
    "initial-alpha": ["initial-temperature"], "alpha-learning-rate": ["temperature-learning-rate"],
    "target-entropy": ["target-entropy-scale"], "autotune": ["temperature-learning-rate"],
    "start-e": ["initial-epsilon"], "end-e": ["final-epsilon"], "epsilon": ["initial-epsilon"],
    "epsilon-start": ["initial-epsilon"], "epsilon-end": ["final-epsilon"], "eps-start": ["initial-epsilon"],
    "eps-end": ["final-epsilon"], "exploration-initial-eps": ["initial-epsilon"],
    "exploration-final-eps": ["final-epsilon"], "exploration-fraction": ["epsilon-steps"],
    "epsilon-timesteps": ["epsilon-steps"], "epsilon-decay": ["epsilon-steps"], "eps-decay": ["epsilon-steps"],
    "n-atoms": ["atoms"], "num-atoms": ["atoms"], "v-max": ["return-limit"], "v-min": ["return-limit"],
    "dueling": ["duelling"], "double-q": ["double"], "prioritized": ["prioritised"],
    "prioritized-replay": ["prioritised"], "prioritized-replay-alpha": ["priority-exponent"],
    "prioritized-replay-beta": ["importance-exponent"], "noisy-nets": ["noisy"], "sigma0": ["initial-sigma"],
    // Environments, evaluation and checkpoints
    "n-envs": ["environments"], "num-envs": ["environments"], "num-workers": ["environments"],
    "num-env-runners": ["environments"], "num-envs-per-env-runner": ["environments"],
    "eval-freq": ["evaluate-every"], "eval-every": ["evaluate-every"], "evaluation-interval": ["evaluate-every"],
    "eval-interval": ["evaluate-every"], "eval-every-frames": ["evaluate-every"],
    "eval-episodes": ["evaluation-episodes"], "n-eval-episodes": ["evaluation-episodes", "episodes"],
    "num-eval-episodes": ["evaluation-episodes", "episodes"], "evaluation-duration": ["evaluation-episodes"],
    "n-episodes": ["episodes"], "num-episodes": ["episodes"], "save-freq": ["checkpoint-every"],
    "checkpoint-freq": ["checkpoint-every"], "checkpoint-frequency": ["checkpoint-every"],
    "save-interval": ["checkpoint-every"], "frame-skip": ["action-repeat"], "frameskip": ["action-repeat"],
    "framestack": ["frame-stack", "history-frames"], "n-stack": ["frame-stack", "history-frames"],
    "num-stack": ["frame-stack", "history-frames"],
    "max-episode-steps": ["time-limit"], "episode-length": ["time-limit"], "max-episode-length": ["time-limit"],
    // Observations and encoders
    "image-size": ["size"], "img-size": ["size"], "frame-size": ["size"], "resolution": ["size"], "width": ["size"],
    "height": ["size"], "grayscale": ["color"], "gray": ["color"], "latent-dim": ["latent-size"],
    "z-dim": ["latent-size"], "feature-dim": ["latent-size"], "features-dim": ["latent-size"],
    "encoder-feature-dim": ["latent-size"], "num-filters": ["filters"], "num-keypoints": ["keypoints"],
    "encoder-type": ["encoder", "kind"], "ae": ["autoencoder"], "obs": ["observe"],
    "observation": ["observe"], "obs-type": ["observe"], "data": ["dataset"],
    "beta": ["latent-penalty", "inverse-temperature"],
    "iql-tau": ["expectile"], "offline": ["dataset"], "num-updates": ["updates", "ae-steps"],
    // Files
    "output": ["out"], "output-dir": ["out"], "out-dir": ["out"], "save-dir": ["out"], "log-dir": ["out"],
    "logdir": ["out"], "work-dir": ["out"], "run-dir": ["out"], "exp-name": ["out"], "name": ["out"], "folder": ["out"],
    "config-file": ["config"], "conf": ["config"], "resume-from": ["resume"], "restore": ["resume"],
    "load": ["resume"], "continue": ["resume"], "notes": ["why"], "message": ["why"], "random-seed": ["seed"],
    "render": ["video"], "record-video": ["video"], "save-video": ["video"], "capture-video": ["video"],
    // Agents
    "a2c": ["actor-critic"], "a3c": ["actor-critic"], "advantage-actor-critic": ["actor-critic"],
    "dqn": ["double-dqn"], "ddqn": ["double-dqn"], "d3qn": ["rainbow"], "c51": ["rainbow"], "qr-dqn": ["rainbow"],
    "qrdqn": ["rainbow"], "iqn": ["rainbow"], "per": ["rainbow"], "noisy-dqn": ["rainbow"], "dueling-dqn": ["rainbow"],
    "apex-dqn": ["rainbow"], "ddpg": ["td3"], "soft-actor-critic": ["sac"], "drq": ["augmented", "sac"],
    "drqv2": ["augmented", "sac"],
    "vpg": ["reinforce"], "pg": ["reinforce"], "policy-gradient": ["reinforce"], "npg": ["natural-gradient"],
    "ppo2": ["ppo"], "impala": ["actor-critic"], "td3bc": ["td3-bc"], "td3-plus-bc": ["td3-bc"],
    "behavior-cloning": ["bc"], "behaviour-cloning": ["bc"], "cloning": ["bc"], "imitation": ["bc"],
    "cql": ["iql"], "awac": ["iql"], "drq-bc": ["td3-bc"],
    // Autoencoders and places
    "vae": ["rae"], "beta-vae": ["rae"], "sac-ae": ["rae"], "transporter": ["keypoint"], "pixels": ["latent"],
    "pixel": ["latent"], "image": ["latent"], "random-encoder": ["random"],
    "states": ["state"], "sac-ae-joint": ["joint"], "end-to-end": ["critic-only"], "fine-tune": ["finetune"],
    // Commands
    "evaluate": ["eval"], "test": ["eval"], "play": ["eval"], "enjoy": ["eval"], "pretrain": ["pretrain-ae"],
    "train-ae": ["pretrain-ae"], "autoencoder": ["pretrain-ae"], "plot": ["report"], "visualize": ["inspect"],
    "list": ["runs"], "ls": ["runs"], "environments": ["envs"], "list-envs": ["envs"], "tensorboard": ["watch"],
    "dashboard": ["watch"], "benchmark": ["bench"], "learn": ["train"], "fit": ["train"], "gym": ["gymnasium"],
  ]
}
