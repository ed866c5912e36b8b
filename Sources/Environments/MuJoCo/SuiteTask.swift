#if MuJoCo
  import Core
  import Pixels

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// A task of the DeepMind Control suite (Tassa 2018). It adds a model, a start state distribution, a reward and an
  /// observation.
  protocol SuiteTask: BuiltInEnvironment {
    /// The model, or the error if it cannot be loaded. Compiled on first use.
    static var compiled: Result<SuiteModel, any Error> { get }
    /// The number of physics steps per environment step.
    static var substeps: Int { get }
    /// The index of the camera.
    static var camera: Int { get }

    var physics: PhysicsState { get set }

    /// Draws a start state. Before, the simulation is in the model's default pose at rest.
    static func start(_ simulation: Simulation, using random: inout Random)
    /// Returns the reward of the current state and of the action that led to it, clipped to its bounds.
    static func reward(_ simulation: Simulation) -> Double
    /// Returns the observation of an agent that learns from the true state.
    static func observe(_ simulation: Simulation) -> [Double]
  }

  extension SuiteTask {
    static var substeps: Int { 1 }
    static var camera: Int { 0 }

    static var model: SuiteModel {
      switch compiled {
      case .success(let model): model
      case .failure(let error): preconditionFailure("\(id) cannot load its model: \(error)")
      }
    }

    public static func prepare() throws { _ = try compiled.get() }
    public func openGLDriver(for style: RenderStyle) throws -> String? {
      style.renderer == .gl ? try GLDriver.found.get().name : nil
    }
    public func checkDistractions(_ settings: EpisodeSettings) throws(InputError) {
      guard settings.style.renderer == .gl, let flag = settings.distractionFlag else { return }
      throw InputError("\(flag) cannot be used with --renderer gl: use --renderer software or sketch")
    }
    public static var actionSpace: ActionSpace { model.actionSpace }
    public static var episodeLength: Int { 1000 }
    public static var actionRepeat: Int { 2 }
    public static var stateNames: [String] { model.stateNames }

    public mutating func reset(using random: inout Random) {
      Self.model.change(&physics) { simulation in
        simulation.reset()
        Self.start(simulation, using: &random)
        simulation.settle()
      }
    }

    public mutating func step(_ action: [Double]) -> Step {
      guard case .continuous(let low, let high) = Self.actionSpace else {
        preconditionFailure("the suite's actions are continuous")
      }
      let clipped = action.indices.map { min(max(action[$0], low[$0]), high[$0]) }
      let reward = Self.model.change(&physics) { simulation in
        simulation.control = clipped
        simulation.advance(Self.substeps, isCurrent: true)
        return Self.reward(simulation)
      }
      return Step(reward: reward)
    }

    /// The positions, velocities, actuator states, placements and the solver's warm start. If the warm start is missing
    /// from a state that is set, that of the start of an episode is used.
    public var state: [Double] {
      get { Array(physics.numbers[..<Self.model.layout.stateCount]) }
      set {
        let start = Self.model.start.numbers
        physics = PhysicsState(numbers: newValue + start[newValue.count...])
        Self.model.change(&physics) { $0.settle() }
        // Restore the given values: MuJoCo has normalised rotations and computed another warm start.
        physics.numbers.replaceSubrange(0..<newValue.count, with: newValue)
        physics.stamp = PhysicsState.newStamp()
      }
    }

    public static func validate(state: [Double]) throws(InputError) {
      let names = stateNames
      let short = model.layout.warmStart.lowerBound
      guard state.count == names.count || state.count == short else {
        throw InputError(
          "a state of \(id) has \(short) numbers (\(names[..<short].joined(separator: ", "))), or \(names.count) with "
            + "the solver's warm start, not \(state.count)")
      }
      guard state.allSatisfy(\.isFinite) else { throw InputError("a state must be finite, not \(state)") }
    }

    public var observation: [Double] { Self.model.look(at: physics, Self.observe) }

    public func render(into frame: inout PixelBuffer) { render(into: &frame, as: RenderStyle()) }

    public func render(into frame: inout PixelBuffer, as style: RenderStyle) {
      Self.model.draw(physics, camera: Self.camera, style, into: &frame)
    }
  }

  // MARK: - Shared by several tasks

  extension Simulation {
    /// Draws each joint with a range uniformly from its range, hinges without a range from all angles, and rotations
    /// from all rotations. Slides without a range and the positions of free bodies do not change.
    func drawJoints(using random: inout Random) {
      for joint in joints {
        switch joint.kind {
        case .limited(let range): self[joint.address] = random.uniform(range.lowerBound, range.upperBound)
        case .hinge: self[joint.address] = random.uniform(-.pi, .pi)
        case .slide: break
        case .ball: setRotation(at: joint.address, (0..<4).map { _ in random.normal() })
        // Positive numbers only, as in the suite.
        case .free: setRotation(at: joint.address + 3, (0..<4).map { _ in random.uniform() })
        }
      }
    }

    /// Sets a rotation to the normalised quaternion `q`.
    func setRotation(at address: Int, _ q: [Double]) {
      let norm = q.map { $0 * $0 }.reduce(0, +).squareRoot()
      for (index, x) in q.enumerated() { self[address + index] = x / norm }
    }

    /// Repeats a draw until there are no contacts.
    func drawUntilFree(_ draw: () -> Void) {
      for _ in 0..<1000 {
        draw()
        settle()
        if contactCount == 0 { return }
      }
      preconditionFailure("1000 drawn start states all have contacts")
    }
  }

  func length(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }

  /// Returns the mean of a soft reward for each small control: 1 at 0, 0 at the bounds.
  func smallControl(_ control: [Double]) -> Double {
    let each = control.map { tolerance($0, margin: 1, sigmoid: .quadratic, valueAtMargin: 0) }
    return each.reduce(0, +) / Double(each.count)
  }

  /// Concatenates arrays.
  func concatenated<Element>(_ parts: [Element]...) -> [Element] { parts.flatMap { $0 } }

  extension [Double] {
    /// log(1 + x) of each value, the scale of touch sensors in observations.
    var logarithmic: [Double] { map { log1p($0) } }
  }
  extension SIMD3<Double> {
    var numbers: [Double] { [x, y, z] }
  }
#endif
