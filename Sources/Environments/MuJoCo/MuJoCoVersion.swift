#if MuJoCo
  import CMuJoCo
  import Core

  /// The version of MuJoCo, on which the last digits of its physics depend.
  enum MuJoCoVersion {
    /// The version of the library that the program has loaded, such as `3.17.0`.
    static var loaded: String { name(mj_version()) }

    /// Checks that the program has loaded the version that it was built with: structs of other versions have other fields.
    static func check(loaded: Int32 = mj_version(), header: Int32 = shim_header_version()) throws(WorldError) {
      guard loaded != header else { return }
      throw WorldError(
        "pixelrl was built with the headers of MuJoCo \(name(header)), but has loaded the library of \(name(loaded)): "
          + "build it again with 'make build', which uses the same version for both")
    }

    /// The name of a version number: 2.2.2 is 222, and 3.17.0 is 3017000.
    static func name(_ number: Int32) -> String {
      let (major, minor) = number < 1000 ? (Int32(100), Int32(10)) : (1_000_000, 1000)
      return "\(number / major).\(number % major / minor).\(number % minor)"
    }
  }
#endif
