import Core
import Runs
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// What a run takes of the machine.
public struct MachineSettings: SettingsGroup, Hashable {
  public var threads = 1

  public init() {}

  public static let title = "machine"
  public static var fields: [Field<Self>] {
    [
      Field(
        "threads", \.threads, 0...1024,
        "threads to compute with; 0: as many as there are processors that nothing else uses when the run begins; unless "
          + "given, OMP_NUM_THREADS where that is set")
    ]
  }

  /// The default, or what `OMP_NUM_THREADS` has in its place.
  public static var byDefault: MachineSettings {
    var settings = MachineSettings()
    // A list such as `4,2` is of nested levels: the first counts.
    let asked = unsafe getenv("OMP_NUM_THREADS").map { unsafe String(cString: $0) }
    if let count = asked?.split(separator: ",").first.flatMap({ Int($0) }), (1...1024).contains(count) {
      settings.threads = count
    }
    return settings
  }

  /// Computes with so many threads from now on: as many as a run that goes on had, where the number was left open.
  public func apply(goingOn run: RunDirectory.Facts?) {
    Threads.set(threads > 0 ? threads : run?.threads ?? Host.freeProcessors)
  }
}
