import Core

/// `cartpole balance_sparse` of the DeepMind Control suite.
public struct CartPoleBalanceSparse: CartPoleTask {
  public static var id: String { "cartpole-balance-sparse" }
  public static var note: String { "cartpole-balance with a sparse reward: 1 if the pole is upright near the middle" }

  var cartPole = CartPole()
  public init() {}

  public mutating func reset(using random: inout Random) { resetUpright(using: &random) }
  func reward(action: Double) -> Double { sparseReward }
}
