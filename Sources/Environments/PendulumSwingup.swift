import Core
import Pixels

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// `pendulum swingup` of the DeepMind Control suite: the motor is too weak to lift the pendulum without swinging it.
///
/// This project implements the equation of motion itself. The constants and the integrator (semi-implicit Euler with
/// implicit damping) match the suite's `pendulum.xml` in MuJoCo.
public struct PendulumSwingup: DrawnEnvironment, Hashable {
  public static var id: String { "pendulum-swingup" }
  public static var note: String { "swing a pendulum up with a weak motor; reward only within 8 degrees of upright" }
  public static var actionSpace: ActionSpace { .continuous(low: [-1], high: [1]) }
  public static var episodeLength: Int { 1000 }
  public static var actionRepeat: Int { 4 }
  /// Random torques never reach the top, so only start states near it have a reward.
  public static var explorationLength: Int? { 100 }
  public static var stateNames: [String] { ["angle", "angle-velocity"] }
  public static var observationNames: [String] { ["cos", "sin", "angle-velocity"] }

  // SI units
  static let timestep = 0.02
  static let gravity = 9.81
  static let mass = 1.0
  static let length = 0.5
  static let bobRadius = 0.05
  static let damping = 0.1
  static let inertia = mass * (length * length + 2 / 5 * bobRadius * bobRadius)
  static let uprightCosine = cos(8 * Double.pi / 180)

  /// The angle from upright in radians, positive to the right.
  var angle = Double.pi
  var angularVelocity = 0.0

  public init() {}

  public mutating func reset(using random: inout Random) {
    angle = random.uniform(-.pi, .pi)
    angularVelocity = 0
  }

  /// J θ̈ = u + mgl sinθ - c θ̇, with the damping evaluated at the end of the step.
  public mutating func step(_ action: [Double]) -> Step {
    let u = min(max(action[0], -1), 1)
    let h = Self.timestep
    let torque = u + Self.mass * Self.gravity * Self.length * sin(angle) - Self.damping * angularVelocity
    angularVelocity += h * torque / (Self.inertia + h * Self.damping)
    angle += h * angularVelocity
    return Step(reward: tolerance(cos(angle), Self.uprightCosine...1))
  }

  public var state: [Double] {
    get { [angle, angularVelocity] }
    set { (angle, angularVelocity) = (newValue[0], newValue[1]) }
  }

  public var observation: [Double] { [cos(angle), sin(angle), angularVelocity] }

  public mutating func randomize(using random: inout Random) -> Bool {
    angle = random.uniform(-.pi, .pi)
    angularVelocity = random.uniform(-9, 9)
    return true
  }

  public func draw(on canvas: inout Canvas) {
    canvas.view(center: Point(0, 0), width: 1.4, height: 1.4)
    canvas.minimumWidth = 1.5
    canvas.fill(Palette.ground)
    let bob = Point(Self.length * sin(angle), Self.length * cos(angle))
    canvas.capsule(from: Point(0, 0), to: bob, radius: 0.035, Palette.body)
    canvas.circle(center: Point(0, 0), radius: 0.05, Palette.hinge)
    canvas.circle(center: bob, radius: 0.12, Palette.pole)
  }
}
