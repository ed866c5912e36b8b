import Core

/// `cartpole balance_sparse` of the DeepMind Control suite.
public struct CartPoleBalanceSparse: CartPoleTask {
  public static var id: String { "cartpole-balance-sparse" }
  public static var note: String { "the balancing that rewards nothing but an upright pole near the middle" }

  var cartPole = CartPole()
  public init() {}

  public mutating func reset(using random: inout Random) { resetUpright(using: &random) }
  func reward(action: Double) -> Double { sparseReward }
}
