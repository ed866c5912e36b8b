#if MuJoCo
  import CMuJoCo
  import Pixels
  import Scenes

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// Reads the scene of a simulation as MuJoCo's visualiser passes it to its renderer, without OpenGL.
  @safe final class SceneReader {
    /// The textures and meshes of a model, shared by all simulations.
    struct Assets: Sendable {
      let textures: [Scenes.Texture]
      let sky: Scenes.Texture?
      let meshes: [Mesh]
      let heightFields: [Mesh]
    }

    private let assets: Assets
    private let scene: UnsafeMutablePointer<mjvScene>
    private let option: UnsafeMutablePointer<mjvOption>
    private var renderer = SceneRenderer()
    private let fixed: FixedParts

    init(_ simulation: Simulation, _ assets: Assets) {
      let model = unsafe simulation.model
      self.assets = assets
      fixed = FixedParts(simulation)
      unsafe scene = .allocate(capacity: 1)
      unsafe option = .allocate(capacity: 1)
      unsafe mjv_defaultScene(scene)
      unsafe mjv_makeScene(model, scene, 1000)
      unsafe mjv_defaultOption(option)
    }

    deinit {
      unsafe mjv_freeScene(scene)
      unsafe scene.deallocate()
      unsafe option.deallocate()
    }

    func draw(_ simulation: Simulation, camera: Int, _ style: RenderStyle, into frame: inout PixelBuffer) {
      let read = read(simulation, camera: camera, style.distraction)
      renderer.draw(
        read, SceneQuality(shadows: style.shadows, reflections: style.reflections, antialiasing: style.antialiasing),
        into: &frame)
    }

    /// Returns the scene from a camera of the model.
    func read(_ simulation: Simulation, camera: Int, _ distraction: Distraction? = nil) -> Scene {
      var view = mjvCamera()
      unsafe mjv_defaultCamera(&view)
      view.type = Int32(mjCAMERA_FIXED.rawValue)
      view.fixedcamid = Int32(camera)
      unsafe mjv_updateScene(
        simulation.model, simulation.data, option, nil, &view, Int32(mjCAT_ALL.rawValue), scene)
      let (left, right) = unsafe scene.pointee.camera
      var cameras = (left, right)
      let average = unsafe mjv_averageCamera(&cameras.0, &cameras.1)
      var (position, forward, up) = (vector(average.pos), vector(average.forward), vector(average.up))
      if distraction?.camera != nil {
        var pose = CameraPose(position: SIMD3(position), forward: SIMD3(forward), up: SIMD3(up))
        simulation.move(&pose, distraction)
        (position, forward, up) = (SIMD3(pose.position), SIMD3(pose.forward), SIMD3(pose.up))
      }
      var read = Scene(
        camera: Camera(
          position: position, forward: forward, up: up,
          slope: average.frustum_top / average.frustum_near, nearest: average.frustum_near))
      read.sky = assets.sky
      read.lights = lights(position, forward)
      read.background = distraction?.background
      read.isStill = fixed.areLightsFixed && fixed.cameras[camera] && distraction == nil
      read.parts = unsafe (0..<Int(scene.pointee.ngeom)).compactMap {
        unsafe part(scene.pointee.geoms[$0], distraction)
      }
      return read
    }

    private func lights(_ position: SIMD3<Float>, _ forward: SIMD3<Float>) -> [Light] {
      let count = unsafe min(Int(scene.pointee.nlight), Int(mjMAXLIGHT))
      return unsafe withUnsafePointer(to: &scene.pointee.lights) { all in
        unsafe all.withMemoryRebound(to: mjvLight.self, capacity: count) { lights in
          (0..<count).compactMap { index in
            guard unsafe shim_is_drawn(lights + index) != 0 else { return nil }
            let light = unsafe lights[index]
            let kind: Light.Kind =
              unsafe shim_is_directional(lights + index) != 0
              ? .directional
              : .spot(
                exponent: light.exponent, rim: light.cutoff >= 180 ? -1 : cos(light.cutoff * .pi / 180),
                attenuation: vector(light.attenuation))
            let isHead = light.headlight != 0
            return Light(
              kind, position: isHead ? position : vector(light.pos), direction: isHead ? forward : vector(light.dir),
              ambient: vector(light.ambient), diffuse: vector(light.diffuse), specular: vector(light.specular),
              castsShadow: light.castshadow != 0)
          }
        }
      }
    }

    private func part(_ geom: mjvGeom, _ distraction: Distraction?) -> Part? {
      guard geom.rgba.3 > 0 else { return nil }
      let size = vector(geom.size)
      let shape: Shape
      switch UInt32(bitPattern: geom.type) {
      case mjGEOM_PLANE.rawValue: shape = .plane(halfSizes: SIMD2(size.x, size.y))
      case mjGEOM_SPHERE.rawValue, mjGEOM_ELLIPSOID.rawValue: shape = .ellipsoid(radii: size)
      case mjGEOM_CAPSULE.rawValue: shape = .capsule(radius: size.x, halfLength: size.z)
      case mjGEOM_CYLINDER.rawValue: shape = .cylinder(radii: SIMD2(size.x, size.y), halfLength: size.z)
      case mjGEOM_BOX.rawValue: shape = .box(halfSizes: size)
      // Even IDs are meshes. The next ID is the mesh's hull, which is not drawn.
      case mjGEOM_MESH.rawValue:
        guard geom.dataid >= 0, geom.dataid % 2 == 0 else { return nil }
        shape = .mesh(assets.meshes[Int(geom.dataid / 2)])
      case mjGEOM_HFIELD.rawValue:
        guard geom.dataid >= 0 else { return nil }
        shape = .mesh(assets.heightFields[Int(geom.dataid)])
      default: return nil
      }
      let m = geom.mat
      let axes = (
        x: SIMD3(m.0, m.3, m.6), y: SIMD3(m.1, m.4, m.7), z: SIMD3(m.2, m.5, m.8)
      )
      var surface = Surface(
        color: SIMD3(geom.rgba.0, geom.rgba.1, geom.rgba.2), opacity: geom.rgba.3, emission: geom.emission,
        specular: geom.specular, shininess: geom.shininess, reflectance: geom.reflectance)
      if let distraction { surface.color = distraction.color(surface.color, material: Int(geom.texid)) }
      if geom.texid >= 0 {
        let texture = assets.textures[Int(geom.texid)]
        surface.texture = texture
        let isUniform = geom.texuniform != 0
        let isMesh = geom.type == Int32(mjGEOM_MESH.rawValue)
        if isMesh, geom.texcoord != 0 {
          surface.mapping = .own
        } else if texture.isCube {
          surface.mapping = .cube(isUniform || isMesh ? SIMD3(1, 1, 1) : 1 / size)
        } else {
          let of = SIMD2(isUniform || size.x <= 0 ? 1 : size.x, isUniform || size.y <= 0 ? 1 : size.y)
          let density = SIMD2(geom.texrepeat.0, geom.texrepeat.1) / of
          let isPlane = geom.type == Int32(mjGEOM_PLANE.rawValue)
          surface.mapping = .flat(density, center: isPlane ? planeCenter(density, size) : SIMD2(-0.5, -0.5))
        }
      }
      return Part(
        shape, position: vector(geom.pos), axes: axes, surface: surface, isFixed: fixed.contains(geom))
    }
  }

  /// Returns the texture coordinates at the centre of a plane. A size of 0 means that it is infinite.
  private func planeCenter(_ density: SIMD2<Float>, _ size: SIMD3<Float>) -> SIMD2<Float> {
    guard shim_planes_begin_at_corners() != 0 else { return SIMD2(-0.5, -0.5) }
    let corner = 0.5 * density * SIMD2(max(size.x, 0), max(size.y, 0))
    return size.x <= 0 || size.y <= 0 ? corner - 0.5 : corner
  }

  extension SceneReader.Assets {
    init(_ model: UnsafeMutablePointer<mjModel>) {
      var textures: [Scenes.Texture] = []
      var sky: Scenes.Texture?
      for index in 0..<(unsafe Int(model.pointee.ntex)) {
        let pixels = unsafe TexturePixels(model, index)
        let type = unsafe UInt32(bitPattern: model.pointee.tex_type[index])
        let isFlat = type == mjTEXTURE_2D.rawValue
        let texture = Scenes.Texture(
          isFlat ? .flat : .cube, width: pixels.width, height: isFlat ? pixels.height : pixels.width,
          bytes: pixels.bytes)
        textures.append(texture)
        if type == mjTEXTURE_SKYBOX.rawValue, sky == nil { sky = texture }
      }
      self.textures = textures
      self.sky = sky
      meshes = unsafe (0..<Int(model.pointee.nmesh)).map { unsafe Self.mesh(model, $0) }
      heightFields = unsafe (0..<Int(model.pointee.nhfield)).map { unsafe Self.heightField(model, $0) }
    }

    private static func mesh(_ model: UnsafeMutablePointer<mjModel>, _ index: Int) -> Mesh {
      let (first, count) = unsafe (Int(model.pointee.mesh_faceadr[index]), Int(model.pointee.mesh_facenum[index]))
      let vertices = unsafe Int(model.pointee.mesh_vertadr[index])
      // Each triangle has its own corners, because triangles that share a vertex may have different normals there.
      let all = Int32(3 * first)..<Int32(3 * (first + count))
      return Mesh(
        corners: all.map { at in
          let vertex = unsafe model.pointee.mesh_vert + 3 * (vertices + Int(model.pointee.mesh_face[Int(at)]))
          return unsafe SIMD3(vertex[0], vertex[1], vertex[2])
        },
        triangles: (0..<Int32(count)).map { SIMD3(3 * $0, 3 * $0 + 1, 3 * $0 + 2) },
        normals: all.map { at in
          let normal = unsafe shim_normal(model, Int32(index), at)!
          return unsafe SIMD3(normal[0], normal[1], normal[2])
        },
        textureCoordinates: all.compactMap { at in
          unsafe shim_coordinates(model, Int32(index), at).map { unsafe SIMD2($0[0], $0[1]) }
        })
    }

    /// Returns a mesh with two triangles for each square of the grid.
    private static func heightField(_ model: UnsafeMutablePointer<mjModel>, _ index: Int) -> Mesh {
      let (rows, columns) = unsafe (
        Int(model.pointee.hfield_nrow[index]), Int(model.pointee.hfield_ncol[index])
      )
      let size = (0..<4).map { axis in unsafe Float(model.pointee.hfield_size[4 * index + axis]) }
      let start = unsafe Int(model.pointee.hfield_adr[index])
      var corners: [SIMD3<Float>] = []
      for row in 0..<rows {
        for column in 0..<columns {
          let height = unsafe model.pointee.hfield_data[start + row * columns + column]
          corners.append(
            SIMD3(
              size[0] * (2 * Float(column) / Float(columns - 1) - 1), size[1] * (2 * Float(row) / Float(rows - 1) - 1),
              size[2] * height))
        }
      }
      var triangles: [SIMD3<Int32>] = []
      for row in 0..<rows - 1 {
        for column in 0..<columns - 1 {
          let a = Int32(row * columns + column)
          let (b, c) = (a + 1, a + Int32(columns))
          triangles += [SIMD3(a, b, c + 1), SIMD3(a, c + 1, c)]
        }
      }
      return Mesh(corners: corners, triangles: triangles)
    }
  }

  private func vector(_ v: (Float, Float, Float)) -> SIMD3<Float> { SIMD3(v.0, v.1, v.2) }
#endif
