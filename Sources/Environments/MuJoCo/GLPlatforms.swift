#if MuJoCo
  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// Khronos's EGL 1.5: contexts without a surface, on a GPU if there is one, else on Mesa's software renderer.
  @safe struct EGL: GLPlatform, @unchecked Sendable {
    static let name = "EGL"
    static let packages = "libegl1 libgl1-mesa-dri"

    private typealias Address = UnsafeMutableRawPointer
    private typealias GetProcAddress = @convention(c) (UnsafePointer<CChar>) -> Address?
    private typealias GetPlatformDisplay = @convention(c) (UInt32, Address?, UnsafePointer<Int>?) -> Address?
    private typealias Initialize =
      @convention(c) (Address, UnsafeMutablePointer<Int32>?, UnsafeMutablePointer<Int32>?)
      -> UInt32
    private typealias BindAPI = @convention(c) (UInt32) -> UInt32
    private typealias ChooseConfig =
      @convention(c) (
        Address, UnsafePointer<Int32>, UnsafeMutablePointer<Address?>, Int32, UnsafeMutablePointer<Int32>
      ) -> UInt32
    private typealias CreateContext = @convention(c) (Address, Address?, Address?, UnsafePointer<Int32>?) -> Address?
    private typealias MakeCurrent = @convention(c) (Address, Address?, Address?, Address?) -> UInt32
    private typealias DestroyContext = @convention(c) (Address, Address) -> UInt32
    private typealias QueryDevices =
      @convention(c) (
        Int32, UnsafeMutablePointer<Address?>, UnsafeMutablePointer<Int32>
      ) -> UInt32

    let library: SharedLibrary
    private let display: Address
    private let config: Address?
    private let address: GetProcAddress
    private let bind: BindAPI
    private let create: CreateContext
    private let current: MakeCurrent
    private let discard: DestroyContext

    init?() {
      guard let library = SharedLibrary(["libEGL.so.1"]),
        let address = unsafe library.function("eglGetProcAddress", as: GetProcAddress.self),
        let open = unsafe library.function("eglGetPlatformDisplay", as: GetPlatformDisplay.self),
        let initialize = unsafe library.function("eglInitialize", as: Initialize.self),
        let bind = library.function("eglBindAPI", as: BindAPI.self),
        let choose = unsafe library.function("eglChooseConfig", as: ChooseConfig.self),
        let create = unsafe library.function("eglCreateContext", as: CreateContext.self),
        let current = unsafe library.function("eglMakeCurrent", as: MakeCurrent.self),
        let discard = unsafe library.function("eglDestroyContext", as: DestroyContext.self)
      else { return nil }
      self.library = library
      unsafe (self.address, self.create, self.current, self.discard) = unsafe (address, create, current, discard)
      self.bind = bind

      // GPUs first (EGL_PLATFORM_DEVICE_EXT), then Mesa without a device (EGL_PLATFORM_SURFACELESS_MESA).
      var displays = unsafe Self.devices(address).map { unsafe (UInt32(0x313F), Optional($0)) }
      unsafe displays.append((0x31DD, nil))
      for unsafe(platform, device) in unsafe displays {
        guard let display = unsafe open(platform, device, nil), unsafe initialize(display, nil, nil) != 0,
          bind(Self.openGL) != 0
        else { continue }
        // EGL_RENDERABLE_TYPE with EGL_OPENGL_BIT, and any EGL_SURFACE_TYPE. Some drivers have no such config.
        var (config, count): (Address?, Int32) = (nil, 0)
        _ = unsafe choose(display, [0x3040, 0x8, 0x3033, 0, 0x3038], &config, 1, &count)
        guard let trial = unsafe create(display, count > 0 ? config : nil, nil, nil) else { continue }
        let works = unsafe current(display, nil, nil, trial) != 0
        _ = unsafe current(display, nil, nil, nil)
        _ = unsafe discard(display, trial)
        guard works else { continue }
        unsafe (self.display, self.config) = unsafe (display, count > 0 ? config : nil)
        return
      }
      return nil
    }

    /// EGL_OPENGL_API, which is set per thread.
    private static let openGL: UInt32 = 0x30A2

    private static func devices(_ address: GetProcAddress) -> [Address] {
      guard let symbol = unsafe address("eglQueryDevicesEXT") else { return unsafe [] }
      let query = unsafe unsafeBitCast(symbol, to: QueryDevices.self)
      var devices = unsafe [Address?](repeating: nil, count: 16)
      var count: Int32 = 0
      guard unsafe query(16, &devices, &count) != 0 else { return unsafe [] }
      return unsafe devices.prefix(Int(count)).compactMap { unsafe $0 }
    }

    func makeContext() -> UnsafeMutableRawPointer? {
      guard bind(Self.openGL) != 0 else { return nil }
      return unsafe create(display, config, nil, nil)
    }

    func makeCurrent(_ context: UnsafeMutableRawPointer?) -> Bool {
      guard bind(Self.openGL) != 0 else { return false }
      return unsafe current(display, nil, nil, context) != 0
    }

    func destroy(_ context: UnsafeMutableRawPointer) { _ = unsafe discard(display, context) }

    func function<F>(_ name: String, as type: F.Type) -> F? {
      guard let symbol = unsafe address(name) else { return nil }
      return unsafe unsafeBitCast(symbol, to: type)
    }
  }

  /// Mesa's OSMesa, which draws on the CPU into a block of memory.
  @safe struct OSMesa: GLPlatform, @unchecked Sendable {
    static let name = "OSMesa"
    static let packages = "libosmesa6"

    private typealias Address = UnsafeMutableRawPointer
    private typealias CreateContext = @convention(c) (UInt32, Int32, Int32, Int32, Address?) -> Address?
    private typealias MakeCurrent = @convention(c) (Address?, Address?, UInt32, Int32, Int32) -> UInt8
    private typealias DestroyContext = @convention(c) (Address) -> Void
    private typealias GetProcAddress = @convention(c) (UnsafePointer<CChar>) -> Address?

    let library: SharedLibrary
    private let create: CreateContext
    private let current: MakeCurrent
    private let discard: DestroyContext
    private let address: GetProcAddress
    /// A window of one pixel, which is never drawn to.
    private let window: Address

    init?() {
      guard let library = SharedLibrary(["libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"]),
        let create = unsafe library.function("OSMesaCreateContextExt", as: CreateContext.self),
        let current = unsafe library.function("OSMesaMakeCurrent", as: MakeCurrent.self),
        let discard = unsafe library.function("OSMesaDestroyContext", as: DestroyContext.self),
        let address = unsafe library.function("OSMesaGetProcAddress", as: GetProcAddress.self)
      else { return nil }
      self.library = library
      unsafe (self.create, self.current, self.discard, self.address) = unsafe (create, current, discard, address)
      unsafe window = Address.allocate(byteCount: 4, alignment: 4)
    }

    /// Creates an OSMESA_RGBA context with a 24-bit depth buffer and an 8-bit stencil buffer.
    func makeContext() -> UnsafeMutableRawPointer? { unsafe create(0x1908, 24, 8, 0, nil) }

    func makeCurrent(_ context: UnsafeMutableRawPointer?) -> Bool {
      guard let context = unsafe context else { return current(nil, nil, 0, 0, 0) != 0 }
      return unsafe current(context, window, 0x1401, 1, 1) != 0
    }

    func destroy(_ context: UnsafeMutableRawPointer) { unsafe discard(context) }

    func function<F>(_ name: String, as type: F.Type) -> F? {
      guard let symbol = unsafe address(name) else { return nil }
      return unsafe unsafeBitCast(symbol, to: type)
    }
  }
#endif
