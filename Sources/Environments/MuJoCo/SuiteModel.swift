#if MuJoCo
  import CMuJoCo
  import Core
  import Pixels
  import Synchronization

  /// A compiled model of the suite. All environments of a task share it and its pool of simulations. It never changes.
  @safe final class SuiteModel: @unchecked Sendable {
    let layout: StateLayout
    /// The names of the values of `Environment.state`.
    let stateNames: [String]
    let actionSpace: ActionSpace
    /// The state before the first episode: the model's default pose at rest.
    let start: PhysicsState

    private let model: UnsafeMutablePointer<mjModel>
    private let placements: [Placement]
    /// Whether there are free bodies or ball joints.
    private let hasRotations: Bool
    /// The simulations that are not in use, the longest idle first.
    private let idle = Mutex<[Simulation]>([])
    /// The textures and meshes, read when the first picture is drawn.
    private let assets = Mutex<SceneReader.Assets?>(nil)

    /// MuJoCo's compiler has global state.
    private static let compiling = Mutex(())

    /// Compiles a model.
    ///
    /// - Parameters:
    ///   - file: The file name, such as `reacher.xml`.
    ///   - placements: The numbers that the task draws for each episode.
    ///   - edit: Edits the model's text.
    ///   - adjust: Changes the compiled model.
    /// - Throws: `WorldError` that says how to get the models, or why MuJoCo cannot load this one.
    init(
      _ file: String, placements: [Placement] = [], edit: ((inout MJCF) throws -> Void)? = nil,
      adjust: (Simulation) -> Void = { _ in }
    ) throws {
      let compiled = unsafe try Self.compile(file, edit)
      defer { unsafe mj_deleteModel(compiled) }
      let first = unsafe Simulation(copying: compiled, placements: placements)
      adjust(first)
      guard let model = unsafe mj_copyModel(nil, first.model) else {
        throw WorldError(path: file, "not enough memory for the model")
      }
      unsafe self.model = model
      self.placements = placements
      hasRotations = first.positionCount != first.velocityCount
      layout = unsafe StateLayout(model, placements: placements.count)
      stateNames = Self.names(first, placements)
      actionSpace = Self.actions(first)
      var start = PhysicsState(numbers: [Double](repeating: 0, count: layout.count))
      first.reset()
      first.save(into: &start.numbers, layout)
      self.start = start
    }

    deinit { unsafe mj_deleteModel(model) }

    private static func compile(
      _ file: String, _ edit: ((inout MJCF) throws -> Void)?
    ) throws -> UnsafeMutablePointer<mjModel> {
      try MuJoCoVersion.check()
      // Read even without `edit`: the error says how to get the models.
      var source = try MJCF(file)
      try edit?(&source)
      let path = "\(SuiteFolder.path)/\(file)"
      return unsafe try compiling.withLock { _ in
        shim_install_handlers()
        var reason = [CChar](repeating: 0, count: 1024)
        let model =
          if edit == nil {
            unsafe mj_loadXML(path, nil, &reason, Int32(reason.count))
          } else {
            unsafe shim_compile(source.text, Int32(source.text.utf8.count), &reason, Int32(reason.count))
          }
        guard let model = unsafe model else {
          let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
          throw WorldError(path: path, "MuJoCo cannot load it: \(String(decoding: text, as: UTF8.self))")
        }
        return unsafe model
      }
    }

    // MARK: - Simulations

    /// Calls a closure with a simulation in the given state.
    func look<Result>(at state: PhysicsState, _ body: (Simulation) -> Result) -> Result {
      let simulation = borrow(state)
      defer { giveBack(simulation) }
      return body(simulation)
    }

    /// Draws a state from a camera into every pixel of a frame.
    func draw(_ state: PhysicsState, camera: Int, _ style: RenderStyle, into frame: inout PixelBuffer) {
      self.look(at: state) { simulation in
        switch style.renderer {
        case .sketch: frame.draw { canvas in canvas.draw(simulation, camera: camera, style.distraction) }
        case .software: reader(of: simulation).draw(simulation, camera: camera, style, into: &frame)
        case .gl: simulation.glRenderer.draw(simulation, camera: camera, style, into: &frame)
        }
      }
    }

    private func reader(of simulation: Simulation) -> SceneReader {
      if let reader = simulation.reader { return reader }
      let assets = assets.withLock { assets in
        let found = unsafe assets ?? SceneReader.Assets(model)
        assets = found
        return found
      }
      let reader = SceneReader(simulation, assets)
      simulation.reader = reader
      return reader
    }

    /// Calls a closure with a simulation in the given state, then stores the simulation's new state.
    func change<Result>(_ state: inout PhysicsState, _ body: (Simulation) -> Result) -> Result {
      let simulation = borrow(state)
      defer { giveBack(simulation) }
      let result = body(simulation)
      simulation.save(into: &state.numbers, layout)
      state.stamp = PhysicsState.newStamp()
      // MuJoCo normalises rotations each time it uses them, which may change their last bit. If the model has
      // rotations, each state is therefore set again before it is used, so that results do not depend on other users in
      // between.
      simulation.stamp = hasRotations ? 0 : state.stamp
      return result
    }

    /// Returns a simulation in the given state, if possible one that already holds it.
    private func borrow(_ state: PhysicsState) -> Simulation {
      let found = idle.withLock { idle -> Simulation? in
        guard let index = idle.firstIndex(where: { $0.stamp == state.stamp }) ?? idle.indices.first else { return nil }
        return idle.remove(at: index)
      }
      let simulation = unsafe found ?? Simulation(copying: model, placements: placements)
      if state.stamp == 0 || simulation.stamp != state.stamp {
        simulation.load(state.numbers, layout)
        simulation.stamp = hasRotations ? 0 : state.stamp
      }
      return simulation
    }

    private func giveBack(_ simulation: Simulation) { idle.withLock { $0.append(simulation) } }

    // MARK: - Names

    private static func actions(_ simulation: Simulation) -> ActionSpace {
      let count = unsafe Int(simulation.model.pointee.nu)
      let range = unsafe simulation.model.pointee.actuator_ctrlrange!
      return .continuous(
        low: (0..<count).map { unsafe range[2 * $0] }, high: (0..<count).map { unsafe range[2 * $0 + 1] })
    }

    private static func names(_ simulation: Simulation, _ placements: [Placement]) -> [String] {
      var positions: [String] = []
      var velocities: [String] = []
      for joint in 0..<(unsafe Int(simulation.model.pointee.njnt)) {
        let name = named(simulation, mjOBJ_JOINT, joint)
        let type = unsafe UInt32(simulation.model.pointee.jnt_type[joint])
        let rotation = ["qw", "qx", "qy", "qz"].map { "\(name)-\($0)" }
        let turns = ["x", "y", "z"].map { "\(name)-turn-\($0)" }
        switch type {
        case mjJNT_FREE.rawValue:
          positions += ["x", "y", "z"].map { "\(name)-\($0)" } + rotation
          velocities += ["x", "y", "z"].map { "\(name)-\($0)" } + turns
        case mjJNT_BALL.rawValue:
          positions += rotation
          velocities += turns
        default:
          positions.append(name)
          velocities.append(name)
        }
      }
      let activations = (0..<(unsafe Int(simulation.model.pointee.na))).map { index in
        "\(named(simulation, mjOBJ_ACTUATOR, index))-activation"
      }
      return positions + velocities.map { "\($0)-velocity" } + activations + placements.map(\.name)
        + velocities.map { "\($0)-warm-start" }
    }

    private static func named(_ simulation: Simulation, _ kind: mjtObj, _ index: Int) -> String {
      guard let name = unsafe mj_id2name(simulation.model, Int32(kind.rawValue), Int32(index)) else {
        return "\(index)"
      }
      return unsafe String(cString: name)
    }
  }
#endif
