#if MuJoCo
  import CMuJoCo
  import Core
  import Pixels

  /// MuJoCo's own renderer, drawing into memory by the OpenGL that `GLDriver` finds: exactly MuJoCo's pixels, slowly.
  ///
  /// As in dm_control: its default options, groups 0 to 2 of geoms, sites and tendons, with skybox and haze. Each
  /// simulation has one of its own; its context is current only during a draw, so that any thread may be next.
  @safe final class GLRenderer {
    private let context: GLContext
    private let scene = UnsafeMutablePointer<mjvScene>.allocate(capacity: 1)
    private let buffers = UnsafeMutablePointer<mjrContext>.allocate(capacity: 1)
    private var option = mjvOption()
    private var format: Format
    private var pixels: [UInt8] = []

    /// What the buffers were made for.
    private struct Format: Equatable {
      var width: Int
      var height: Int
      var samples: Int
    }

    /// Ends the program where there is no OpenGL, as MuJoCo's own errors do: `Environment.drawer` asks before.
    init() {
      switch GLDriver.found {
      case .success(let driver): context = driver.makeContext()
      case .failure(let error): unsafe shim_fail(error.description)
      }
      unsafe mjv_defaultScene(scene)
      unsafe mjr_defaultContext(buffers)
      unsafe mjv_defaultOption(&option)
      // dm_control's one exception from the defaults.
      option.flags.8 = 0  // mjVIS_RANGEFINDER
      format = Format(width: 0, height: 0, samples: 0)
    }

    deinit {
      _ = context.whileCurrent { unsafe mjr_freeContext(buffers) }
      unsafe mjv_freeScene(scene)
      unsafe scene.deallocate()
      unsafe buffers.deallocate()
    }

    /// Draws a simulation's present state into every pixel of a frame.
    /// - Parameter style: antialiasing takes as many samples of a pixel as OpenGL has, if those are fewer.
    func draw(_ simulation: Simulation, camera: Int, _ style: RenderStyle, into frame: inout PixelBuffer) {
      let wanted = Format(
        width: frame.width, height: frame.height, samples: style.antialiasing > 1 ? style.antialiasing : 0)
      let drawn: Void? = context.whileCurrent {
        if format != wanted {
          makeBuffers(simulation, wanted)
          format = wanted
        }
        unsafe scene.pointee.flags.0 = style.shadows ? 1 : 0  // mjRND_SHADOW
        unsafe scene.pointee.flags.2 = style.reflections ? 1 : 0  // mjRND_REFLECTION
        var view = mjvCamera()
        unsafe mjv_defaultCamera(&view)
        view.type = Int32(mjCAMERA_FIXED.rawValue)
        view.fixedcamid = Int32(camera)
        unsafe mjv_updateScene(
          simulation.model, simulation.data, &option, nil, &view, Int32(mjCAT_ALL.rawValue), scene)
        let whole = mjrRect(left: 0, bottom: 0, width: Int32(frame.width), height: Int32(frame.height))
        unsafe mjr_setBuffer(Int32(mjFB_OFFSCREEN.rawValue), buffers)
        unsafe mjr_render(whole, scene, buffers)
        unsafe mjr_readPixels(&pixels, nil, whole, buffers)
      }
      precondition(drawn != nil, "OpenGL gave a context and takes it no longer")
      copyPixels(into: &frame)
    }

    /// Textures, meshes and buffers of a frame's size, which MuJoCo makes from a model.
    private func makeBuffers(_ simulation: Simulation, _ format: Format) {
      let model = unsafe simulation.model
      let (visual, size) = unsafe (model.pointee.vis, format)
      defer { unsafe model.pointee.vis = visual }
      unsafe model.pointee.vis.global.offwidth = Int32(size.width)
      unsafe model.pointee.vis.global.offheight = Int32(size.height)
      unsafe model.pointee.vis.quality.offsamples = Int32(size.samples)
      unsafe mjv_makeScene(model, scene, 1000)
      unsafe mjr_makeContext(model, buffers, Int32(mjFONTSCALE_100.rawValue))
      pixels = [UInt8](repeating: 0, count: 3 * size.width * size.height)
    }

    /// OpenGL's rows come from the bottom up.
    private func copyPixels(into frame: inout PixelBuffer) {
      let stride = 3 * frame.width
      for row in 0..<frame.height {
        let from = (frame.height - 1 - row) * stride
        switch frame.format {
        case .rgb: frame.bytes.replaceSubrange(row * stride..<(row + 1) * stride, with: pixels[from..<from + stride])
        case .gray:
          for column in 0..<frame.width {
            let at = from + 3 * column
            frame.bytes[row * frame.width + column] = Color(pixels[at], pixels[at + 1], pixels[at + 2]).luminance
          }
        }
      }
    }
  }
#endif
