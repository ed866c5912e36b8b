import Core
import Pixels
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The machine that a run ran on.
public enum Host {
  /// Bytes of the machine's memory.
  public static var memory: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }

  /// The most memory that this process has held so far, in MB of a million bytes.
  public static var peakMegabytes: Double {
    var usage = rusage()
    guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return .nan }
    return Double(usage.ru_maxrss) * 1024 / 1e6
  }

  /// Its system, processor, processors and memory; the machine's own name is left out.
  static var facts: JSON {
    var system = utsname()
    guard unsafe uname(&system) == 0 else { return .null }
    return [
      "system": .string(text(&system.sysname)), "release": .string(text(&system.release)),
      "architecture": .string(text(&system.machine)), "processor": .string(processor),
      "processors": .integer(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
      "memory_bytes": .integer(memory),
    ]
  }

  /// The threads that are computed with, and what the environment asked for.
  static var threads: JSON {
    let asked = unsafe getenv("OMP_NUM_THREADS").map { unsafe String(cString: $0) }
    return ["count": .integer(Threads.count), "omp_num_threads": asked.map { .string($0) } ?? .null]
  }

  /// The versions of the compiler and of the libraries that results depend on.
  static var libraries: JSON {
    [
      "swift": .string(compiler), "onednn": oneDNNVersion.map { .string($0) } ?? .null,
      "libpng": .string(PNG.libraryVersions.png), "zlib": .string(PNG.libraryVersions.zlib),
    ]
  }

  /// The compiler has no name for its own version: the newest that is known here.
  private static var compiler: String {
    #if compiler(>=6.4)
      "6.4 or newer"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  /// The processor's name as Linux tells it, else empty: a fact that a run does not depend on.
  private static var processor: String {
    guard let bytes = try? readBytes(from: "/proc/cpuinfo", limit: 1 << 24) else { return "" }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("model name") }), let colon = line.firstIndex(of: ":") else {
      return ""
    }
    return String(line[line.index(after: colon)...].drop { $0 == " " })
  }

  private static func text<Characters>(_ field: inout Characters) -> String {
    unsafe withUnsafeBytes(of: &field) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}

/// `20250131-235959`, in local time: how the names of new results begin.
public func timestamp() -> String {
  var now = time(nil)
  var parts = unsafe tm()
  guard unsafe localtime_r(&now, &parts) != nil else { return "\(now)" }
  let fields = unsafe [
    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
  ]
  let texts = fields.map { $0 < 10 ? "0\($0)" : "\($0)" }
  return texts[..<3].joined() + "-" + texts[3...].joined()
}

/// Nanoseconds since 1970.
public func nanoseconds() -> Int {
  var now = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &now)
  return Int(now.tv_sec) * 1_000_000_000 + Int(now.tv_nsec)
}
