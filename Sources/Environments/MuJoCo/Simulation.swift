#if MuJoCo
  import CMuJoCo

  /// MuJoCo's working memory: the current state and everything derived from it. `SuiteModel` makes sure that only one
  /// thread at a time uses it.
  @safe final class Simulation: @unchecked Sendable {
    /// A separate copy of the model, since targets are placed by moving parts of it.
    let model: UnsafeMutablePointer<mjModel>
    let data: UnsafeMutablePointer<mjData>
    let placements: [Placement]
    /// The stamp of the state that it holds, or 0 if none can be reused. A state that it already holds is not set
    /// again.
    var stamp: UInt64 = 0
    /// The scene reader, created with the first picture.
    var reader: SceneReader?
    /// MuJoCo's renderer, created on first use.
    lazy var glRenderer = GLRenderer()

    init(copying original: UnsafeMutablePointer<mjModel>, placements: [Placement]) {
      guard let model = unsafe mj_copyModel(nil, original), let data = unsafe mj_makeData(model) else {
        preconditionFailure("not enough memory for a simulation")
      }
      unsafe self.model = model
      unsafe self.data = data
      self.placements = placements
    }

    deinit {
      unsafe mj_deleteData(data)
      unsafe mj_deleteModel(model)
    }

    // MARK: - Time

    /// Steps the physics, then computes the positions and velocities of all parts in the new state.
    ///
    /// As in the suite, sensors of touch, force and acceleration report the state before.
    /// - Parameter isCurrent: Whether the positions and velocities of the current state, which the first step needs,
    ///   are already computed.
    func advance(_ steps: Int, isCurrent: Bool) {
      var remaining = steps
      if isCurrent, unsafe model.pointee.opt.integrator != Int32(mjINT_RK4.rawValue) {
        unsafe mj_step2(model, data)
        remaining -= 1
      }
      for _ in 0..<remaining { unsafe mj_step(model, data) }
      unsafe mj_step1(model, data)
    }

    /// Computes everything that depends on positions and velocities, with motors disabled.
    func settle() {
      let actuation = Int32(mjDSBL_ACTUATION.rawValue)
      let flags = unsafe model.pointee.opt.disableflags
      unsafe model.pointee.opt.disableflags = flags | actuation
      unsafe mj_forward(model, data)
      unsafe model.pointee.opt.disableflags = flags
    }

    /// Computes the positions and velocities of all parts.
    func follow() { unsafe mj_step1(model, data) }

    /// Resets to the model's default pose at rest.
    func reset() {
      unsafe mj_resetData(model, data)
      settle()
    }

    var time: Double {
      get { unsafe data.pointee.time }
      set { unsafe data.pointee.time = newValue }
    }

    // MARK: - Coordinates

    var positionCount: Int { unsafe Int(model.pointee.nq) }
    var velocityCount: Int { unsafe Int(model.pointee.nv) }

    /// The positions of all joints in MuJoCo's order.
    var positions: [Double] {
      get { unsafe Array(UnsafeBufferPointer(start: data.pointee.qpos, count: positionCount)) }
      set { for (index, x) in newValue.enumerated() { unsafe data.pointee.qpos[index] = x } }
    }

    var velocities: [Double] {
      get { unsafe Array(UnsafeBufferPointer(start: data.pointee.qvel, count: velocityCount)) }
      set { for (index, x) in newValue.enumerated() { unsafe data.pointee.qvel[index] = x } }
    }

    /// The states of the actuators that have one.
    var activations: [Double] {
      unsafe Array(UnsafeBufferPointer(start: data.pointee.act, count: Int(model.pointee.na)))
    }

    var control: [Double] {
      get { unsafe Array(UnsafeBufferPointer(start: data.pointee.ctrl, count: Int(model.pointee.nu))) }
      set { for (index, x) in newValue.enumerated() { unsafe data.pointee.ctrl[index] = x } }
    }

    /// The first position of a joint. Hinges and slides have only one.
    subscript(joint name: String) -> Double {
      get { unsafe data.pointee.qpos[Int(model.pointee.jnt_qposadr[index(of: .joint(name))])] }
      set { unsafe data.pointee.qpos[Int(model.pointee.jnt_qposadr[index(of: .joint(name))])] = newValue }
    }

    /// The first velocity of a joint.
    subscript(velocityOf name: String) -> Double {
      get { unsafe data.pointee.qvel[Int(model.pointee.jnt_dofadr[index(of: .joint(name))])] }
      set { unsafe data.pointee.qvel[Int(model.pointee.jnt_dofadr[index(of: .joint(name))])] = newValue }
    }

    /// The position with the given index in `positions`.
    subscript(address: Int) -> Double {
      get { unsafe data.pointee.qpos[address] }
      set { unsafe data.pointee.qpos[address] = newValue }
    }

    /// The joints in MuJoCo's order.
    var joints: [Joint] { (0..<(unsafe Int(model.pointee.njnt))).map(joint) }

    func joint(named name: String) -> Joint { joint(index(of: .joint(name))) }

    private func joint(_ index: Int) -> Joint {
      let range = unsafe (model.pointee.jnt_range[2 * index], model.pointee.jnt_range[2 * index + 1])
      let isLimited = unsafe shim_is_limited(model, Int32(index)) != 0
      let kind: Joint.Kind =
        switch unsafe UInt32(model.pointee.jnt_type[index]) {
        case mjJNT_FREE.rawValue: .free
        case mjJNT_BALL.rawValue: .ball
        case _ where isLimited: .limited(range.0...range.1)
        case mjJNT_HINGE.rawValue: .hinge
        default: .slide
        }
      return Joint(kind: kind, address: unsafe Int(model.pointee.jnt_qposadr[index]))
    }

    /// The number of contacts in the current state.
    var contactCount: Int { unsafe Int(data.pointee.ncon) }

    // MARK: - Parts

    func index(of element: Element) -> Int {
      let index = unsafe mj_name2id(model, Int32(element.kind.rawValue), element.name)
      precondition(index >= 0, "the model has no \(element)")
      return Int(index)
    }

    /// Returns the position of the origin of a body, geom or site, or of a joint's anchor, in metres.
    func position(of element: Element) -> SIMD3<Double> {
      let at = index(of: element)
      return switch element {
      case .body: unsafe vector(data.pointee.xpos, at)
      case .geom: unsafe vector(data.pointee.geom_xpos, at)
      case .site: unsafe vector(data.pointee.site_xpos, at)
      case .joint: unsafe vector(data.pointee.xanchor, at)
      case .sensor: preconditionFailure("a sensor has no position")
      }
    }

    /// Returns the position of a body's centre of mass.
    func centerOfMass(ofBody name: String) -> SIMD3<Double> {
      unsafe vector(data.pointee.xipos, index(of: .body(name)))
    }

    /// Returns the orientation of a body, geom or site.
    func frame(of element: Element) -> Frame {
      let at = index(of: element)
      return switch element {
      case .body: unsafe Frame(rows: data.pointee.xmat, at)
      case .geom: unsafe Frame(rows: data.pointee.geom_xmat, at)
      case .site: unsafe Frame(rows: data.pointee.site_xmat, at)
      case .joint, .sensor: preconditionFailure("a \(element) has no frame")
      }
    }

    /// Returns a body's orientation as a quaternion w, x, y, z.
    func quaternion(ofBody name: String) -> SIMD4<Double> {
      let at = 4 * index(of: .body(name))
      let q = unsafe data.pointee.xquat!
      return unsafe SIMD4(q[at], q[at + 1], q[at + 2], q[at + 3])
    }

    /// Returns the size of a geom or site. Its meaning depends on the type: the first number of a sphere is its radius.
    func size(of element: Element) -> SIMD3<Double> {
      let at = index(of: element)
      return switch element {
      case .geom: unsafe vector(model.pointee.geom_size, at)
      case .site: unsafe vector(model.pointee.site_size, at)
      default: preconditionFailure("a \(element) has no size")
      }
    }

    /// Sets the radius of a sphere.
    func setRadius(of element: Element, _ radius: Double) {
      let at = index(of: element)
      switch element {
      case .geom:
        unsafe model.pointee.geom_size[3 * at] = radius
        unsafe model.pointee.geom_rbound[at] = radius
      case .site: unsafe model.pointee.site_size[3 * at] = radius
      default: preconditionFailure("a \(element) has no radius")
      }
    }

    /// Sets the damping of a hinge or slide.
    func setDamping(ofJoint name: String, _ damping: Double) {
      unsafe model.pointee.dof_damping[Int(model.pointee.jnt_dofadr[index(of: .joint(name))])] = damping
    }

    /// Scales the softness of a body's contacts with its inverse mass along one of its joints.
    func setContactSoftness(ofBody name: String, along joint: String) {
      let dof = unsafe Int(model.pointee.jnt_dofadr[index(of: .joint(joint))])
      unsafe model.pointee.body_invweight0[2 * index(of: .body(name))] = model.pointee.dof_invweight0[dof]
    }

    /// Sets the half-size of a plane in both directions, in metres.
    func setExtent(ofPlane name: String, _ extent: Double) {
      let at = index(of: .geom(name))
      for axis in 0..<2 { unsafe model.pointee.geom_size[3 * at + axis] = extent }
    }

    /// Scales the distance of the cameras that follow a centre of mass.
    func moveTrackingCameras(by factor: Double) {
      for camera in 0..<(unsafe Int(model.pointee.ncam)) {
        guard unsafe model.pointee.cam_mode[camera] == Int32(mjCAMLIGHT_TRACKCOM.rawValue) else { continue }
        for axis in 3 * camera..<3 * camera + 3 {
          unsafe model.pointee.cam_poscom0[axis] += (factor - 1) * model.pointee.cam_pos[axis]
          unsafe model.pointee.cam_pos[axis] *= factor
        }
      }
    }

    /// Makes a geom or site invisible.
    func hide(_ element: Element) {
      let alpha = 4 * index(of: element) + 3
      switch element {
      case .geom: unsafe model.pointee.geom_rgba[alpha] = 0
      case .site: unsafe model.pointee.site_rgba[alpha] = 0
      default: preconditionFailure("a \(element) is not visible")
      }
    }

    /// Returns the values of a sensor. Most have three.
    func sensor(_ name: String) -> [Double] {
      let at = index(of: .sensor(name))
      let (start, count) = unsafe (Int(model.pointee.sensor_adr[at]), Int(model.pointee.sensor_dim[at]))
      return (start..<start + count).map { unsafe data.pointee.sensordata[$0] }
    }

    // MARK: - Placements

    /// The values of `placements`, which are part of the state.
    var placed: [Double] {
      get { placements.map { unsafe number($0).pointee } }
      set { for (placement, x) in zip(placements, newValue) { unsafe number(placement).pointee = x } }
    }

    private func number(_ placement: Placement) -> UnsafeMutablePointer<Double> {
      let at = index(of: placement.element)
      let axis = placement.axis
      return switch (placement.element, placement.isRotation) {
      case (.geom, false): unsafe model.pointee.geom_pos + (3 * at + axis)
      case (.site, false): unsafe model.pointee.site_pos + (3 * at + axis)
      case (.body, false): unsafe model.pointee.body_pos + (3 * at + axis)
      case (.body, true): unsafe model.pointee.body_quat + (4 * at + axis)
      default: preconditionFailure("a task cannot place a \(placement.element)")
      }
    }

    func vector(_ base: UnsafeMutablePointer<Double>, _ index: Int) -> SIMD3<Double> {
      unsafe SIMD3(base[3 * index], base[3 * index + 1], base[3 * index + 2])
    }
  }
#endif
