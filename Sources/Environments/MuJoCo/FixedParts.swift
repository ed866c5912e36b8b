#if MuJoCo
  import CMuJoCo

  /// What of a model stays where it is, whatever the state: what belongs to the world and is moved neither by joints, nor by
  /// motion capture, nor by a task's placements.
  struct FixedParts {
    let cameras: [Bool]
    let areLightsFixed: Bool
    private let geoms: [Bool]
    private let sites: [Bool]

    init(_ simulation: Simulation) {
      let model = unsafe simulation.model.pointee
      let placed = simulation.placements.map(\.element)
      func isPlaced(_ kind: mjtObj, _ index: Int) -> Bool {
        placed.contains { $0.kind == kind && simulation.index(of: $0) == index }
      }
      var bodies: [Bool] = []
      for body in 0..<Int(model.nbody) {
        let isWithParent = unsafe model.body_jntnum[body] == 0 && model.body_mocapid[body] < 0
        bodies.append(
          unsafe body == 0
            || bodies[Int(model.body_parentid[body])] && isWithParent && !isPlaced(mjOBJ_BODY, body))
      }
      func stays(_ mode: Int32, _ body: Int32) -> Bool {
        mode == Int32(mjCAMLIGHT_FIXED.rawValue) && bodies[Int(body)]
      }
      cameras = (0..<Int(model.ncam)).map { unsafe stays(model.cam_mode[$0], model.cam_bodyid[$0]) }
      areLightsFixed = (0..<Int(model.nlight)).allSatisfy {
        unsafe stays(model.light_mode[$0], model.light_bodyid[$0])
      }
      geoms = (0..<Int(model.ngeom)).map { unsafe bodies[Int(model.geom_bodyid[$0])] && !isPlaced(mjOBJ_GEOM, $0) }
      sites = (0..<Int(model.nsite)).map { unsafe bodies[Int(model.site_bodyid[$0])] && !isPlaced(mjOBJ_SITE, $0) }
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
