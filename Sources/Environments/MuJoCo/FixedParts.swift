#if MuJoCo
  import CMuJoCo

  /// The parts of a model that never move: those attached to the world that are not moved by joints, motion capture or
  /// a task's placements.
  struct FixedParts {
    let cameras: [Bool]
    let areLightsFixed: Bool
    private let geoms: [Bool]
    private let sites: [Bool]

    init(_ simulation: Simulation) {
      let model = unsafe simulation.model
      let placed = simulation.placements.map(\.element)
      func isPlaced(_ kind: mjtObj, _ index: Int) -> Bool {
        placed.contains { $0.kind == kind && simulation.index(of: $0) == index }
      }
      var bodies: [Bool] = []
      for body in 0..<(unsafe Int(model.pointee.nbody)) {
        let isWithParent = unsafe model.pointee.body_jntnum[body] == 0 && model.pointee.body_mocapid[body] < 0
        let parent = unsafe Int(model.pointee.body_parentid[body])
        bodies.append(body == 0 || bodies[parent] && isWithParent && !isPlaced(mjOBJ_BODY, body))
      }
      func stays(_ mode: Int32, _ body: Int32) -> Bool {
        mode == Int32(bitPattern: mjCAMLIGHT_FIXED.rawValue) && bodies[Int(body)]
      }
      cameras = (0..<(unsafe Int(model.pointee.ncam))).map { camera in
        unsafe stays(model.pointee.cam_mode[camera], model.pointee.cam_bodyid[camera])
      }
      areLightsFixed = (0..<(unsafe Int(model.pointee.nlight))).allSatisfy { light in
        unsafe stays(model.pointee.light_mode[light], model.pointee.light_bodyid[light])
      }
      geoms = (0..<(unsafe Int(model.pointee.ngeom))).map { geom in
        let body = unsafe Int(model.pointee.geom_bodyid[geom])
        return bodies[body] && !isPlaced(mjOBJ_GEOM, geom)
      }
      sites = (0..<(unsafe Int(model.pointee.nsite))).map { site in
        let body = unsafe Int(model.pointee.site_bodyid[site])
        return bodies[body] && !isPlaced(mjOBJ_SITE, site)
      }
    }

    func contains(_ geom: mjvGeom) -> Bool {
      switch UInt32(bitPattern: geom.objtype) {
      case mjOBJ_GEOM.rawValue: geoms[Int(geom.objid)]
      case mjOBJ_SITE.rawValue: sites[Int(geom.objid)]
      default: false
      }
    }
  }
#endif
