import Core

/// `cartpole balance` of the DeepMind Control suite.
public struct CartPoleBalance: CartPoleTask {
  public static var id: String { "cartpole-balance" }
  public static var note: String { "keep an upright pole balanced over the middle of the rail" }

  var cartPole = CartPole()
  public init() {}

  public mutating func reset(using random: inout Random) { resetUpright(using: &random) }
  func reward(action: Double) -> Double { smoothReward(action: action) }
}
