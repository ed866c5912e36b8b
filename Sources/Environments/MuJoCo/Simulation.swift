#if MuJoCo
  import CMuJoCo

  /// MuJoCo's working memory: one state at a time, and all that follows from it. One thread at a time uses it, which
  /// `SuiteModel` sees to.
  @safe final class Simulation: @unchecked Sendable {
    /// A copy of its own, since targets are placed by moving parts of the model.
    let model: UnsafeMutablePointer<mjModel>
    let data: UnsafeMutablePointer<mjData>
    let placements: [Placement]
    /// Which state it holds, 0 for none that counts: a state that is here already is not set again.
    var stamp: UInt64 = 0
    /// What its pictures are drawn with, once there was one.
    var reader: SceneReader?
    /// MuJoCo's own, made when it is first asked for.
    lazy var glRenderer = GLRenderer()

    init(copying original: UnsafeMutablePointer<mjModel>, placements: [Placement]) {
      guard let model = unsafe mj_copyModel(nil, original), let data = unsafe mj_makeData(model) else {
        preconditionFailure("there is no memory for a simulation")
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

    /// Steps the physics, then brings positions and velocities of all parts up to date with the new state.
    ///
    /// The suite does it like this: sensors of touch, force and acceleration tell of the state before.
    /// - Parameter isCurrent: whether all that the first step needs has been computed when this state was reached.
    func advance(_ steps: Int, isCurrent: Bool) {
      var remaining = steps
      if isCurrent, unsafe model.pointee.opt.integrator != Int32(mjINT_RK4.rawValue) {
        unsafe mj_step2(model, data)
        remaining -= 1
      }
      for _ in 0..<remaining { unsafe mj_step(model, data) }
      unsafe mj_step1(model, data)
    }

    /// Computes positions, velocities and what depends on them, without motors.
    func settle() {
      let actuation = Int32(mjDSBL_ACTUATION.rawValue)
      let flags = unsafe model.pointee.opt.disableflags
      unsafe model.pointee.opt.disableflags = flags | actuation
      unsafe mj_forward(model, data)
      unsafe model.pointee.opt.disableflags = flags
    }

    /// Computes positions and velocities of all parts.
    func follow() { unsafe mj_step1(model, data) }

    /// Back to the model's own pose, at rest.
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

    /// Positions of all joints in MuJoCo's order.
    var positions: [Double] {
      get { unsafe Array(UnsafeBufferPointer(start: data.pointee.qpos, count: positionCount)) }
      set { for (index, x) in newValue.enumerated() { unsafe data.pointee.qpos[index] = x } }
    }

    var velocities: [Double] {
      get { unsafe Array(UnsafeBufferPointer(start: data.pointee.qvel, count: velocityCount)) }
      set { for (index, x) in newValue.enumerated() { unsafe data.pointee.qvel[index] = x } }
    }

    /// States of the actuators that have one.
    var activations: [Double] {
      unsafe Array(UnsafeBufferPointer(start: data.pointee.act, count: Int(model.pointee.na)))
    }

    var control: [Double] {
      get { unsafe Array(UnsafeBufferPointer(start: data.pointee.ctrl, count: Int(model.pointee.nu))) }
      set { for (index, x) in newValue.enumerated() { unsafe data.pointee.ctrl[index] = x } }
    }

    /// The first position of a joint; hinges and slides have no other.
    subscript(joint name: String) -> Double {
      get { unsafe data.pointee.qpos[Int(model.pointee.jnt_qposadr[index(of: .joint(name))])] }
      set { unsafe data.pointee.qpos[Int(model.pointee.jnt_qposadr[index(of: .joint(name))])] = newValue }
    }

    /// The first velocity of a joint.
    subscript(velocityOf name: String) -> Double {
      get { unsafe data.pointee.qvel[Int(model.pointee.jnt_dofadr[index(of: .joint(name))])] }
      set { unsafe data.pointee.qvel[Int(model.pointee.jnt_dofadr[index(of: .joint(name))])] = newValue }
    }

    /// The number at a place of `positions`.
    subscript(address: Int) -> Double {
      get { unsafe data.pointee.qpos[address] }
      set { unsafe data.pointee.qpos[address] = newValue }
    }

    /// The joints in MuJoCo's order.
    var joints: [Joint] { (0..<(unsafe Int(model.pointee.njnt))).map(joint) }

    func joint(named name: String) -> Joint { joint(index(of: .joint(name))) }

    private func joint(_ index: Int) -> Joint {
      let range = unsafe (model.pointee.jnt_range[2 * index], model.pointee.jnt_range[2 * index + 1])
      let isLimited = unsafe model.pointee.jnt_limited[index] != 0
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

    /// Contacts of the present state.
    var contactCount: Int { unsafe Int(data.pointee.ncon) }

    // MARK: - Parts

    func index(of element: Element) -> Int {
      let index = unsafe mj_name2id(model, Int32(element.kind.rawValue), element.name)
      precondition(index >= 0, "the model has no \(element)")
      return Int(index)
    }

    /// Where the origin of a body, geom or site is, in metres.
    func position(of element: Element) -> SIMD3<Double> {
      let at = index(of: element)
      return switch element {
      case .body: unsafe vector(data.pointee.xpos, at)
      case .geom: unsafe vector(data.pointee.geom_xpos, at)
      case .site: unsafe vector(data.pointee.site_xpos, at)
      case .joint: unsafe vector(data.pointee.xanchor, at)
      case .sensor: preconditionFailure("a sensor has no position of its own")
      }
    }

    /// Where a body's centre of mass is.
    func centerOfMass(ofBody name: String) -> SIMD3<Double> {
      unsafe vector(data.pointee.xipos, index(of: .body(name)))
    }

    /// How a body, geom or site is turned.
    func frame(of element: Element) -> Frame {
      let at = index(of: element)
      return switch element {
      case .body: unsafe Frame(rows: data.pointee.xmat, at)
      case .geom: unsafe Frame(rows: data.pointee.geom_xmat, at)
      case .site: unsafe Frame(rows: data.pointee.site_xmat, at)
      case .joint, .sensor: preconditionFailure("a \(element) has no frame")
      }
    }

    /// A body's orientation as w, x, y, z.
    func quaternion(ofBody name: String) -> SIMD4<Double> {
      let at = 4 * index(of: .body(name))
      let q = unsafe data.pointee.xquat!
      return unsafe SIMD4(q[at], q[at + 1], q[at + 2], q[at + 3])
    }

    /// The size of a geom or site, as its type means it: the first number of a sphere is its radius.
    func size(of element: Element) -> SIMD3<Double> {
      let at = index(of: element)
      return switch element {
      case .geom: unsafe vector(model.pointee.geom_size, at)
      case .site: unsafe vector(model.pointee.site_size, at)
      default: preconditionFailure("a \(element) has no size")
      }
    }

    /// Makes a sphere larger or smaller.
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

    /// Sets how a hinge or slide resists its velocity.
    func setDamping(ofJoint name: String, _ damping: Double) {
      unsafe model.pointee.dof_damping[Int(model.pointee.jnt_dofadr[index(of: .joint(name))])] = damping
    }

    /// Scales the softness of a body's contacts by the inverse mass that the body has along a joint of its own.
    func setContactSoftness(ofBody name: String, along joint: String) {
      let dof = unsafe Int(model.pointee.jnt_dofadr[index(of: .joint(joint))])
      unsafe model.pointee.body_invweight0[2 * index(of: .body(name))] = model.pointee.dof_invweight0[dof]
    }

    /// Sets how far a plane reaches to each side, in metres.
    func setExtent(ofPlane name: String, _ extent: Double) {
      let at = index(of: .geom(name))
      for axis in 0..<2 { unsafe model.pointee.geom_size[3 * at + axis] = extent }
    }

    /// Moves the cameras that follow a centre of mass nearer to it or farther away.
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
      default: preconditionFailure("a \(element) cannot be seen")
      }
    }

    /// What a sensor reads; most are vectors of three.
    func sensor(_ name: String) -> [Double] {
      let at = index(of: .sensor(name))
      let (start, count) = unsafe (Int(model.pointee.sensor_adr[at]), Int(model.pointee.sensor_dim[at]))
      return (start..<start + count).map { unsafe data.pointee.sensordata[$0] }
    }

    // MARK: - What a task places anew in each episode

    /// The numbers of `placements`, which are part of a state.
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
