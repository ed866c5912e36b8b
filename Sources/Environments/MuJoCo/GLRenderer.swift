#if MuJoCo
  import CMuJoCo
  import Core
  import Pixels

  /// MuJoCo's own renderer, which draws into memory with the OpenGL driver that `GLDriver` finds: exactly MuJoCo's
  /// pixels, but slow.
  ///
  /// It uses the default options, as dm_control does: groups 0 to 2 of geoms, sites and tendons, with skybox and haze.
  /// Each simulation has its own renderer. The context is current only while drawing, so any thread can draw next.
  @safe final class GLRenderer {
    private let context: GLContext
    private let scene = UnsafeMutablePointer<mjvScene>.allocate(capacity: 1)
    private let buffers = UnsafeMutablePointer<mjrContext>.allocate(capacity: 1)
    private var option = mjvOption()
    private var format: Format
    private var pixels: [UInt8] = []

    /// The frame size and number of samples of the buffers.
    private struct Format: Equatable {
      var width: Int
      var height: Int
      var samples: Int
    }

    /// Ends the program if there is no OpenGL, as MuJoCo's own errors do. `Environment.openGLDriver` checks this before.
    init() {
      switch GLDriver.found {
      case .success(let driver): context = driver.makeContext()
      case .failure(let error): unsafe shim_fail(error.description)
      }
      unsafe mjv_defaultScene(scene)
      unsafe mjr_defaultContext(buffers)
      unsafe mjv_defaultOption(&option)
      // The only option that dm_control changes.
      option.flags.8 = 0  // mjVIS_RANGEFINDER
      format = Format(width: 0, height: 0, samples: 0)
    }

    deinit {
      _ = context.whileCurrent { unsafe mjr_freeContext(buffers) }
      unsafe mjv_freeScene(scene)
      unsafe scene.deallocate()
      unsafe buffers.deallocate()
    }

    /// Draws the current state of a simulation into every pixel of a frame.
    /// - Parameter style: The style. OpenGL may support fewer samples per pixel.
    func draw(_ simulation: Simulation, camera: Int, _ style: RenderStyle, into frame: inout PixelBuffer) {
      let requested = Format(
        width: frame.width, height: frame.height, samples: style.antialiasing > 1 ? style.antialiasing : 0)
      let drawn: Void? = context.whileCurrent {
        if format != requested {
          makeBuffers(simulation, requested)
          format = requested
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
      precondition(drawn != nil, "OpenGL cannot make a context current that it created")
      copyPixels(into: &frame)
    }

    /// Makes MuJoCo create textures, meshes and buffers of the frame's size for a model.
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

    /// Copies the pixels. OpenGL's rows are in bottom-up order.
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
