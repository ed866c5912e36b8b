import Core
import Runs
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The machine's resources that a run uses.
public struct MachineSettings: SettingsGroup, Hashable {
  public var threads = 1

  public init() {}

  public static let title = "machine"
  public static var fields: [Field<Self>] {
    [
      Field(
        "threads", \.threads, 0...1024,
        "number of compute threads; 0: one for each CPU core that is idle when the run begins; without the flag, "
          + "OMP_NUM_THREADS applies if it is set")
    ]
  }

  /// The default settings, with the number of threads from `OMP_NUM_THREADS` if it is set.
  public static var byDefault: MachineSettings {
    var settings = MachineSettings()
    // In a list such as `4,2`, for nested parallelism, the first number counts.
    let asked = unsafe getenv("OMP_NUM_THREADS").map { unsafe String(cString: $0) }
    if let count = asked?.split(separator: ",").first.flatMap({ Int($0) }), (1...1024).contains(count) {
      settings.threads = count
    }
    return settings
  }

  /// Sets the number of compute threads of this process. If the setting is 0, a resumed run uses as many as before.
  public func apply(resuming run: RunDirectory.Facts?) {
    Threads.set(threads > 0 ? threads : run?.threads ?? Host.idleCores)
  }
}
