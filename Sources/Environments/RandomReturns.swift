extension Environments {
  /// The returns of random play: means of ten episodes with seed 0, rounded to integers from 10 on and to tenths below.
  /// The tests compute them again, which takes 15 seconds. `pixelrl envs` computes those that are missing here.
  public static let randomReturns: [String: Double] = [
    "cartpole-swingup": 155, "cartpole-balance": 283, "cartpole-balance-sparse": 32, "cartpole-swingup-sparse": 0.8,
    "pendulum-swingup": 0, "catch": -0.4,
    "reacher-easy": 76, "reacher-hard": 12, "ball-in-cup-catch": 7.1, "cheetah-run": 11,
    "walker-stand": 134, "walker-walk": 39, "walker-run": 24,
    "finger-spin": 1, "finger-turn-easy": 88, "finger-turn-hard": 2.6,
    "hopper-stand": 4.6, "hopper-hop": 0, "acrobot-swingup": 0.2, "acrobot-swingup-sparse": 0, "point-mass-easy": 4.8,
    "humanoid-stand": 3.7, "humanoid-walk": 0.8, "humanoid-run": 0.6, "fish-upright": 284, "fish-swim": 87,
    "swimmer-6": 58, "swimmer-15": 57, "quadruped-walk": 107, "quadruped-run": 106, "manipulator-bring-ball": 1.2,
    "mujoco-cartpole-swingup": 155,
  ]
}
