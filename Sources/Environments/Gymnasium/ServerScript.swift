import Core
import Formats

/// The Python program that runs an environment: all of its modules, followed by a call of the last one.
enum ServerScript {
  /// The modules in the order in which they import each other. `pixelrl_atari` imports NumPy only if it is used.
  private static let modules: [(name: String, source: [UInt8])] = [
    ("pixelrl_spaces", PackageResources.pixelrl_spaces_py), ("pixelrl_pictures", PackageResources.pixelrl_pictures_py),
    ("pixelrl_games", PackageResources.pixelrl_games_py), ("pixelrl_atari", PackageResources.pixelrl_atari_py),
    ("pixelrl_supervision", PackageResources.pixelrl_supervision_py),
    ("pixelrl_service", PackageResources.pixelrl_service_py),
  ]

  static let bytes: [UInt8] = {
    // A JSON string is also a valid Python string.
    let calls = modules.map { name, source in
      "define(\(JSON.string(name)), \(JSON.string(String(decoding: source, as: UTF8.self))))"
    }
    let head = """
      import sys, types
      def define(name, source):
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile(source, name + ".py", "exec"), module.__dict__)

      """
    let call = "sys.modules['pixelrl_service'].main(*sys.argv[1:])\n"
    return Array((head + calls.joined(separator: "\n") + "\n" + call).utf8)
  }()
}
