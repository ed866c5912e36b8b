import Core
import Pixels

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A cart-pole task. It adds a name, a start state distribution and a reward.
protocol CartPoleTask: DrawnEnvironment {
  var cartPole: CartPole { get set }
  /// Returns the reward of the current state, reached with `action`, which is clipped to [-1, 1].
  func reward(action: Double) -> Double
}

extension CartPoleTask {
  public static var actionSpace: ActionSpace { .continuous(low: [-1], high: [1]) }
  public static var episodeLength: Int { 1000 }
  public static var actionRepeat: Int { 8 }
  public static var stateNames: [String] { ["x", "angle", "x-velocity", "angle-velocity"] }
  public static var observationNames: [String] { ["x", "cos", "sin", "x-velocity", "angle-velocity"] }

  public mutating func step(_ action: [Double]) -> Step {
    let action = min(max(action[0], -1), 1)
    cartPole.advance(force: CartPole.gear * action)
    return Step(reward: reward(action: action))
  }

  public var state: [Double] {
    get { [cartPole.state[0], cartPole.state[1], cartPole.state[2], cartPole.state[3]] }
    set { cartPole.state = SIMD4(newValue) }
  }

  public var observation: [Double] {
    let s = cartPole.state
    return [s[0], cos(s[1]), sin(s[1]), s[2], s[3]]
  }

  /// Draws any position on the rail and any angle, with velocities up to those of a swing-up.
  public mutating func randomize(using random: inout Random) -> Bool {
    let x = random.uniform(-CartPole.railEnd, CartPole.railEnd)
    let theta = random.uniform(-.pi, .pi)
    cartPole.state = SIMD4(x, theta, random.uniform(-3, 3), random.uniform(-8, 8))
    return true
  }

  public func draw(on canvas: inout Canvas) { cartPole.draw(on: &canvas) }

  /// Puts the cart near the middle with the pole hanging.
  mutating func resetHanging(using random: inout Random) {
    let x = 0.01 * random.normal()
    let theta = .pi + 0.01 * random.normal()
    cartPole.state = SIMD4(x, theta, 0.01 * random.normal(), 0.01 * random.normal())
  }

  /// Puts the cart near the middle with the pole almost upright.
  mutating func resetUpright(using random: inout Random) {
    let x = random.uniform(-0.1, 0.1)
    let theta = random.uniform(-0.034, 0.034)
    cartPole.state = SIMD4(x, theta, 0.01 * random.normal(), 0.01 * random.normal())
  }

  /// The product of soft rewards for an upright pole, a small control, a slow pole and a centred cart.
  func smoothReward(action: Double) -> Double {
    let upright = (cos(cartPole.angle) + 1) / 2
    let smallControl = (4 + tolerance(action, margin: 1, sigmoid: .quadratic, valueAtMargin: 0)) / 5
    let slow = (1 + tolerance(cartPole.angularVelocity, margin: 5)) / 2
    let centred = (1 + tolerance(cartPole.x, margin: 2)) / 2
    return upright * smallControl * slow * centred
  }

  /// 1 while the pole is upright and the cart is near the middle, else 0.
  var sparseReward: Double { tolerance(cartPole.x, -0.25...0.25) * tolerance(cos(cartPole.angle), 0.995...1) }
}
