import Pixels

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The physics shared by the cart-pole tasks: a pole hinged on a cart that slides on a rail.
///
/// This project implements the equations of motion itself. The constants, the integrator and the soft stops at the ends
/// of the rail match the DeepMind Control suite's `cartpole.xml` in MuJoCo, so returns can be compared with published
/// ones.
struct CartPole: Sendable, Hashable, Codable {
  /// [x, θ, ẋ, θ̇]: the cart's position in metres, the pole's angle in radians from upright (positive to the right),
  /// and their rates.
  var state = SIMD4<Double>(0, .pi, 0, 0)

  var x: Double { state[0] }
  var angle: Double { state[1] }
  var angularVelocity: Double { state[3] }

  // SI units
  static let timestep = 0.01
  static let gravity = 9.81
  static let gear = 10.0  // newtons at action 1
  static let cartMass = 1.0
  static let poleMass = 0.1
  static let poleLength = 1.0
  static let poleRadius = 0.045
  static let cartDamping = 5e-4
  static let poleDamping = 2e-6
  /// The position of the soft stop at each end, in metres.
  static let railEnd = 1.8

  /// The moment of inertia of the pole, a capsule of uniform density, about its hinge.
  static let poleInertia: Double = {
    let (m, r, h) = (poleMass, poleRadius, poleLength)
    let sphere = m * (4 / 3 * r) / (4 / 3 * r + h)  // both caps; volumes over πr²
    let cylinder = m - sphere
    let capShift = h * h / 4 + 3 / 8 * h * r  // from the capsule's centre to the caps' centres
    let aboutCenter = cylinder * (3 * r * r + h * h) / 12 + sphere * (2 / 5 * r * r + capShift)
    return aboutCenter + m * h * h / 4
  }()

  /// Advances one time step with the classic Runge-Kutta method.
  /// - Parameter force: on the cart, in newtons.
  mutating func advance(force: Double) {
    let h = Self.timestep
    let k1 = Self.derivative(state, force)
    let k2 = Self.derivative(state + h / 2 * k1, force)
    let k3 = Self.derivative(state + h / 2 * k2, force)
    let k4 = Self.derivative(state + h * k3, force)
    state += h / 6 * (k1 + 2 * (k2 + k3) + k4)
  }

  /// [ẋ, θ̇, ẍ, θ̈] by Lagrange's equations, M q̈ = f:
  ///
  ///     [M+m     ml cosθ] [ẍ]   [F - bẋ + ml θ̇² sinθ]
  ///     [ml cosθ J      ] [θ̈] = [mgl sinθ - cθ̇      ]
  private static func derivative(_ state: SIMD4<Double>, _ force: Double) -> SIMD4<Double> {
    let (x, theta, dx, dtheta) = (state[0], state[1], state[2], state[3])
    let ml = poleMass * poleLength / 2
    let (sinTheta, cosTheta) = (sin(theta), cos(theta))
    let m11 = cartMass + poleMass
    let m12 = ml * cosTheta
    let m22 = poleInertia
    let determinant = m11 * m22 - m12 * m12
    let f1 = force - cartDamping * dx + ml * dtheta * dtheta * sinTheta
    let f2 = ml * gravity * sinTheta - poleDamping * dtheta

    let free = (m22 * f1 - m12 * f2) / determinant  // ẍ without the stops
    let stop = stopForce(x, dx, free: free, mobility: m22 / determinant)
    let ddx = free + m22 / determinant * stop
    let ddtheta = (m11 * f2 - m12 * (f1 + stop)) / determinant
    return SIMD4(dx, dtheta, ddx, ddtheta)
  }

  /// Returns the force of a stop on the cart, 0 away from the stops: MuJoCo's soft constraint in one dimension.
  ///
  /// At depth p, the reference acceleration is -B ẋ - K d p, that of a critically damped spring. The impedance d(p)
  /// regularises it: f = (a* - a) / (A + R), R = (1 - d) / d · A₀. The stop never pulls.
  private static func stopForce(_ x: Double, _ dx: Double, free: Double, mobility: Double) -> Double {
    let depth = abs(x) - railEnd
    guard depth > 0 else { return 0 }
    let side: Double = x < 0 ? 1 : -1  // direction away from the stop
    let timeConstant = 0.08
    let (softest, stiffest, width) = (0.9, 0.95, 0.001)
    let p = min(depth / width, 1)
    let d = softest + (stiffest - softest) * (p <= 0.5 ? 2 * p * p : 1 - 2 * (1 - p) * (1 - p))
    let stiffness = 1 / (stiffest * stiffest * timeConstant * timeConstant)
    let damping = 2 / (stiffest * timeConstant)
    let reference = -damping * side * dx + stiffness * d * depth
    let regularizer = (1 - d) / d * uprightMobility
    return side * max(0, (reference - side * free) / (mobility + regularizer))
  }

  /// The cart's acceleration per newton with the pole upright. MuJoCo scales the regularizer by it.
  private static let uprightMobility: Double = {
    let ml = poleMass * poleLength / 2
    return poleInertia / ((cartMass + poleMass) * poleInertia - ml * ml)
  }()
}

extension CartPole {
  /// Draws the scene in metres. The pole is drawn thicker than it is: 3 pixels wide at 64x64.
  func draw(on canvas: inout Canvas) {
    canvas.view(center: Point(0, 0), width: 4.8, height: 2.6)
    canvas.minimumWidth = 1.5
    canvas.fill(Palette.ground)
    canvas.rectangle(center: Point(0, -0.31), width: 4.44, height: 0.22, Palette.rail)
    for side in [-1.0, 1.0] {
      canvas.rectangle(center: Point(side * 2.22, -0.21), width: 0.24, height: 0.42, Palette.rail)
    }
    canvas.rectangle(center: Point(x, 0), width: 0.6, height: 0.4, Palette.body)
    let tip = Point(x + Self.poleLength * sin(angle), Self.poleLength * cos(angle))
    canvas.capsule(from: Point(x, 0), to: tip, radius: 0.115, Palette.pole)
    canvas.circle(center: Point(x, 0), radius: 0.06, Palette.hinge)
  }
}
