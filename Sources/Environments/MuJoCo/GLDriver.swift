#if MuJoCo
  import Core

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// An OpenGL that needs no display: EGL of a graphics card or of Mesa, else OSMesa, whichever this machine has.
  ///
  /// Both are looked for when first asked for, not linked. `MUJOCO_GL`, as MuJoCo's Python package reads it, chooses one.
  struct GLDriver: Sendable {
    /// What OpenGL calls itself and its maker, and the way to it: `llvmpipe (LLVM 15.0.6, 256 bits) of Mesa, by EGL`.
    let name: String
    private let platform: any GLPlatform

    static let found = Result { () throws(WorldError) in try GLDriver() }

    private init() throws(WorldError) {
      let chosen = unsafe getenv("MUJOCO_GL").map { unsafe String(cString: $0).lowercased() } ?? ""
      let kinds: [any GLPlatform.Type] = [EGL.self, OSMesa.self]
      guard let kind = kinds.first(where: { $0.name.lowercased() == chosen }) else {
        try self.init(kinds, "MuJoCo's own renderer needs an OpenGL without a display")
        return
      }
      try self.init([kind], "MUJOCO_GL asks for \(kind.name), which cannot be had")
    }

    /// - Parameters:
    ///   - kinds: what is tried, in this order.
    ///   - need: who wants what, for the error.
    init(_ kinds: [any GLPlatform.Type], _ need: String) throws(WorldError) {
      for kind in kinds {
        guard let platform = kind.init(), let context = GLContext(platform),
          let name = context.whileCurrent({ platform.describe() })
        else { continue }
        // MuJoCo looks for the functions of OpenGL among the names that all libraries see.
        platform.library.publish()
        self.platform = platform
        self.name = "\(name), by \(kind.name)"
        return
      }
      let packages = kinds.map { "'apt-get install \($0.packages)'" }.joined(separator: " or ")
      throw WorldError("\(need): \(packages) brings one, and --renderer software needs none")
    }

    func makeContext() -> GLContext {
      guard let context = GLContext(platform) else { preconditionFailure("\(name) has no context left") }
      return context
    }
  }

  /// A way to contexts of OpenGL that draw into memory.
  protocol GLPlatform: Sendable {
    static var name: String { get }
    /// Debian's packages of it.
    static var packages: String { get }
    var library: SharedLibrary { get }

    /// nil where the library is missing, or has nothing to draw with.
    init?()
    func makeContext() -> UnsafeMutableRawPointer?
    /// Makes a context this thread's own, or with nil takes the one that is.
    func makeCurrent(_ context: UnsafeMutableRawPointer?) -> Bool
    func destroy(_ context: UnsafeMutableRawPointer)
    func function<F>(_ name: String, as type: F.Type) -> F?
  }

  extension GLPlatform {
    /// What the current context says it is.
    fileprivate func describe() -> String? {
      typealias GetString = @convention(c) (UInt32) -> UnsafePointer<CChar>?
      guard let get = unsafe function("glGetString", as: GetString.self), let renderer = unsafe get(0x1F01),
        let vendor = unsafe get(0x1F00)
      else { return nil }
      return unsafe "\(String(cString: renderer)) of \(String(cString: vendor))"
    }
  }

  /// A context, current on a thread only while something is drawn with it.
  @safe final class GLContext {
    private let platform: any GLPlatform
    private let handle: UnsafeMutableRawPointer

    fileprivate init?(_ platform: any GLPlatform) {
      guard let handle = unsafe platform.makeContext() else { return nil }
      self.platform = platform
      unsafe self.handle = handle
    }

    deinit { unsafe platform.destroy(handle) }

    /// nil where the context cannot be made current.
    func whileCurrent<Result>(_ body: () -> Result?) -> Result? {
      guard unsafe platform.makeCurrent(handle) else { return nil }
      defer { _ = unsafe platform.makeCurrent(nil) }
      return body()
    }
  }

  /// A library that is loaded at run time, for good.
  @safe struct SharedLibrary: @unchecked Sendable {
    private let file: String
    private let handle: UnsafeMutableRawPointer

    /// The first of several files that there is.
    init?(_ files: [String]) {
      for file in files {
        guard let handle = unsafe dlopen(file, RTLD_NOW | RTLD_LOCAL) else { continue }
        self.file = file
        unsafe self.handle = handle
        return
      }
      return nil
    }

    /// - Parameter type: the C function's own type.
    func function<F>(_ name: String, as type: F.Type) -> F? {
      guard let symbol = unsafe dlsym(handle, name) else { return nil }
      return unsafe unsafeBitCast(symbol, to: type)
    }

    /// Shows its names to all other libraries.
    func publish() { _ = unsafe dlopen(file, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD) }
  }
#endif
