import Core

/// `cartpole swingup_sparse` of the DeepMind Control suite.
public struct CartPoleSwingupSparse: CartPoleTask {
  public static var id: String { "cartpole-swingup-sparse" }
  public static var note: String { "cartpole-swingup with a sparse reward: 1 if the pole is upright near the middle" }

  var cartPole = CartPole()
  public init() {}

  public mutating func reset(using random: inout Random) { resetHanging(using: &random) }
  func reward(action: Double) -> Double { sparseReward }
}
