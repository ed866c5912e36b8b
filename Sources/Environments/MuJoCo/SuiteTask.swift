#if MuJoCo
  import Core
  import Pixels

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// A task of the DeepMind Control suite (Tassa 2018): it adds a model, a start, a reward and an observation.
  protocol SuiteTask: BuiltInEnvironment {
    /// The model, or what is wrong with it; compiled when first asked for.
    static var compiled: Result<SuiteModel, any Error> { get }
    /// Steps of the physics for one of the environment.
    static var substeps: Int { get }
    /// The camera that the pictures come from.
    static var camera: Int { get }

    var physics: PhysicsState { get set }

    /// Draws a start state; the simulation is in the model's own pose, at rest.
    static func start(_ simulation: Simulation, using random: inout Random)
    /// The reward of a state and of the action, clipped to its bounds, that led to it.
    static func reward(_ simulation: Simulation) -> Double
    /// What an agent of the true state sees.
    static func observe(_ simulation: Simulation) -> [Double]
  }

  extension SuiteTask {
    static var substeps: Int { 1 }
    static var camera: Int { 0 }

    static var model: SuiteModel {
      switch compiled {
      case .success(let model): model
      case .failure(let error): preconditionFailure("\(id) was used without its model: \(error)")
      }
    }

    public static func prepare() throws { _ = try compiled.get() }
    public func drawer(of style: RenderStyle) throws -> String? {
      style.renderer == .gl ? try GLDriver.found.get().name : nil
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

    /// Positions, velocities, states of actuators, what the task has placed, and the solver's warm start. Without the
    /// latter, a state is set as one at the start of an episode.
    public var state: [Double] {
      get { Array(physics.numbers[..<Self.model.layout.stateCount]) }
      set {
        let start = Self.model.start.numbers
        physics = PhysicsState(numbers: newValue + start[newValue.count...])
        Self.model.change(&physics) { $0.settle() }
        // As they were given: MuJoCo has normalised rotations, and found a warm start of its own.
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

  // MARK: - What several tasks share

  extension Simulation {
    /// Draws each joint that has a range uniformly from it, a hinge that has none from all angles, and a rotation from all
    /// rotations; other slides and the places of free bodies stay.
    func drawJoints(using random: inout Random) {
      for joint in joints {
        switch joint.kind {
        case .limited(let range): self[joint.address] = random.uniform(range.lowerBound, range.upperBound)
        case .hinge: self[joint.address] = random.uniform(-.pi, .pi)
        case .slide: break
        case .ball: setRotation(at: joint.address, (0..<4).map { _ in random.normal() })
        // Of positive numbers alone, as the suite does it.
        case .free: setRotation(at: joint.address + 3, (0..<4).map { _ in random.uniform() })
        }
      }
    }

    /// Sets a rotation of which only the direction of the four numbers counts.
    func setRotation(at address: Int, _ q: [Double]) {
      let norm = q.map { $0 * $0 }.reduce(0, +).squareRoot()
      for (index, x) in q.enumerated() { self[address + index] = x / norm }
    }

    /// Draws until nothing touches.
    func drawUntilFree(_ draw: () -> Void) {
      for _ in 0..<1000 {
        draw()
        settle()
        if contactCount == 0 { return }
      }
      preconditionFailure("a thousand drawn start states all have contacts")
    }
  }

  func length(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }

  /// The mean of how small each control is, softly: 1 at none, 0 at the bounds.
  func smallControl(_ control: [Double]) -> Double {
    let each = control.map { tolerance($0, margin: 1, sigmoid: .quadratic, valueAtMargin: 0) }
    return each.reduce(0, +) / Double(each.count)
  }

  /// Several runs of numbers or names as one.
  func concatenated<Element>(_ parts: [Element]...) -> [Element] { parts.flatMap { $0 } }

  extension [Double] {
    /// log(1 + x) of each, as touch sensors are seen.
    var logarithmic: [Double] { map { log1p($0) } }
  }
  extension SIMD3<Double> {
    var numbers: [Double] { [x, y, z] }
  }
#endif
