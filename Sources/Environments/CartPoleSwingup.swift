import Core

/// `cartpole swingup` of the DeepMind Control suite.
public struct CartPoleSwingup: CartPoleTask {
  public static var id: String { "cartpole-swingup" }
  public static var note: String { "swing a hanging pole up and balance it over the middle of the rail" }

  var cartPole = CartPole()
  public init() {}

  public mutating func reset(using random: inout Random) { resetHanging(using: &random) }
  func reward(action: Double) -> Double { smoothReward(action: action) }
}
