#if MuJoCo
  import Core

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// The folder of the DeepMind Control suite's models. It is outside the repository; `make models` downloads them.
  enum SuiteFolder {
    static let version = "1.0.50"

    /// `$PIXELRL_MODELS`, or `pixelrl/dm_control-VERSION` in `$XDG_CACHE_HOME` or `~/.cache`.
    static var path: String {
      if let chosen = variable("PIXELRL_MODELS") { return chosen }
      let cache = variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "") + "/.cache"
      return "\(cache)/pixelrl/dm_control-\(version)"
    }

    /// Returns the text of a model.
    /// - Throws: `WorldError` that says how to get the models.
    static func text(of file: String) throws -> String {
      do { return String(decoding: try readBytes(from: "\(path)/\(file)", limit: 1 << 24), as: UTF8.self) } catch {
        throw WorldError(
          "\(error): run 'make models' to download the models of the DeepMind Control suite (dm_control \(version))"
        )
      }
    }

    private static func variable(_ name: String) -> String? {
      guard let value = unsafe getenv(name) else { return nil }
      let text = unsafe String(cString: value)
      return text.isEmpty ? nil : text
    }
  }
#endif
