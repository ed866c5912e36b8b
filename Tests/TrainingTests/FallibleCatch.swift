import Core
import Environments
import Pixels

/// What makes steps of `FallibleCatch` fail.
protocol StepFault {
  static func check() throws(WorldError)
}

/// `catch` like an environment in another process, whose steps can throw.
struct FallibleCatch<Fault: StepFault>: Environment {
  typealias Failure = WorldError

  private var inner = Catch()

  var spec: EnvironmentSpec { Catch.spec }
  mutating func reset(using random: inout Random) { inner.reset(using: &random) }
  mutating func step(_ action: [Double]) throws(WorldError) -> Step {
    try Fault.check()
    return inner.step(action)
  }
  func render(into frame: inout PixelBuffer) { inner.render(into: &frame) }
  func readObservation() -> [Double] { inner.observation }
  func readState() -> [Double] { inner.state }
  mutating func set(state: [Double]) { inner.state = state }
  func validate(state: [Double]) throws(InputError) { try Catch.validate(state: state) }
}
