#if MuJoCo
  import Core

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// An OpenGL driver that needs no display: EGL with a GPU or Mesa, else OSMesa.
  ///
  /// The libraries are loaded on first use, not linked. `MUJOCO_GL` selects one, as in MuJoCo's Python package.
  struct GLDriver: Sendable {
    /// OpenGL's renderer, vendor and platform: `llvmpipe (LLVM 15.0.6, 256 bits) of Mesa, by EGL`.
    let name: String
    private let platform: any GLPlatform

    static let found = Result { () throws(WorldError) in try GLDriver() }

    private init() throws(WorldError) {
      let chosen = unsafe getenv("MUJOCO_GL").map { unsafe String(cString: $0).lowercased() } ?? ""
      let kinds: [any GLPlatform.Type] = [EGL.self, OSMesa.self]
      guard let kind = kinds.first(where: { $0.name.lowercased() == chosen }) else {
        try self.init(kinds, "MuJoCo's renderer needs OpenGL without a display")
        return
      }
      try self.init([kind], "MUJOCO_GL requires \(kind.name), which is not available")
    }

    /// - Parameters:
    ///   - kinds: The platforms to try, in this order.
    ///   - need: The first part of the error message: what needs OpenGL.
    init(_ kinds: [any GLPlatform.Type], _ need: String) throws(WorldError) {
      for kind in kinds {
        guard let platform = kind.init(), let context = GLContext(platform),
          let name = context.whileCurrent({ platform.describe() })
        else { continue }
        // MuJoCo looks up the OpenGL functions among the global symbols.
        platform.library.publish()
        self.platform = platform
        self.name = "\(name), by \(kind.name)"
        return
      }
      let packages = kinds.map { "'apt-get install \($0.packages)'" }.joined(separator: " or ")
      throw WorldError("\(need): install it with \(packages), or use --renderer software")
    }

    func makeContext() -> GLContext {
      guard let context = GLContext(platform) else { preconditionFailure("\(name) cannot create another context") }
      return context
    }
  }

  /// A platform that creates OpenGL contexts that draw into memory.
  protocol GLPlatform: Sendable {
    static var name: String { get }
    /// The Debian packages that provide it.
    static var packages: String { get }
    var library: SharedLibrary { get }

    /// Returns nil if the library is missing or cannot draw.
    init?()
    func makeContext() -> UnsafeMutableRawPointer?
    /// Makes a context current on this thread. Nil releases the current one.
    func makeCurrent(_ context: UnsafeMutableRawPointer?) -> Bool
    func destroy(_ context: UnsafeMutableRawPointer)
    func function<F>(_ name: String, as type: F.Type) -> F?
  }

  extension GLPlatform {
    /// Returns the renderer and vendor of the current context.
    fileprivate func describe() -> String? {
      typealias GetString = @convention(c) (UInt32) -> UnsafePointer<CChar>?
      guard let get = unsafe function("glGetString", as: GetString.self), let renderer = unsafe get(0x1F01),
        let vendor = unsafe get(0x1F00)
      else { return nil }
      return unsafe "\(String(cString: renderer)) of \(String(cString: vendor))"
    }
  }

  /// An OpenGL context that is current on a thread only while it is used for drawing.
  @safe final class GLContext {
    private let platform: any GLPlatform
    private let handle: UnsafeMutableRawPointer

    fileprivate init?(_ platform: any GLPlatform) {
      guard let handle = unsafe platform.makeContext() else { return nil }
      self.platform = platform
      unsafe self.handle = handle
    }

    deinit { unsafe platform.destroy(handle) }

    /// Calls a closure while the context is current. Returns nil if the context cannot be made current.
    func whileCurrent<Result>(_ body: () -> Result?) -> Result? {
      guard unsafe platform.makeCurrent(handle) else { return nil }
      defer { _ = unsafe platform.makeCurrent(nil) }
      return body()
    }
  }

  /// A library that is loaded at run time and never unloaded.
  @safe struct SharedLibrary: @unchecked Sendable {
    private let file: String
    private let handle: UnsafeMutableRawPointer

    /// Loads the first of several files that exists.
    init?(_ files: [String]) {
      for file in files {
        guard let handle = unsafe dlopen(file, RTLD_NOW | RTLD_LOCAL) else { continue }
        self.file = file
        unsafe self.handle = handle
        return
      }
      return nil
    }

    /// Returns the function with the given name, or nil if there is none.
    /// - Parameter type: The type of the C function.
    func function<F>(_ name: String, as type: F.Type) -> F? {
      guard let symbol = unsafe dlsym(handle, name) else { return nil }
      return unsafe unsafeBitCast(symbol, to: type)
    }

    /// Makes its symbols global.
    func publish() { _ = unsafe dlopen(file, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD) }
  }
#endif
