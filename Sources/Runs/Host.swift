import Core
import Formats
import Pixels
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The machine that a run ran on.
public enum Host {
  /// The size of the machine's memory in bytes.
  public static var memory: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }

  /// The peak resident memory of this process in MB of a million bytes.
  public static var peakMegabytes: Double {
    var usage = rusage()
    guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return .nan }
    return Double(usage.ru_maxrss) * 1024 / 1e6
  }

  /// The host's name in its network.
  public static var name: String {
    var system = utsname()
    return unsafe uname(&system) == 0 ? text(&system.nodename) : "unknown"
  }

  /// The operating system, processor, number of CPU cores and memory. The host name is left out.
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

  /// The number of CPU cores that this process may use, minus the busy ones, measured over a fifth of a second; at
  /// least 1.
  public static var idleCores: Int {
    let before = processorTimes()
    usleep(200_000)
    let after = processorTimes()
    let busy = after.total > before.total ? (after.busy - before.busy) / (after.total - before.total) : 0
    let all = Double(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    return max(1, min(availableCores, Int((all * (1 - busy)).rounded())))
  }

  /// The number of CPU cores that this process may use, by its affinity and its control group's quota; at least 1.
  public static var availableCores: Int {
    var count = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    // `Cpus_allowed:	ff,ffffffff`
    if let bytes = try? readBytes(from: "/proc/self/status", limit: 1 << 16),
      let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first(where: {
        $0.hasPrefix("Cpus_allowed:")
      })
    {
      let digits = line.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
      count = min(count, digits.reduce(0) { $0 + $1.nonzeroBitCount })
    }
    // `max 100000`, or microseconds of each period.
    if let bytes = try? readBytes(from: "/sys/fs/cgroup/cpu.max", limit: 1 << 12) {
      let numbers = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map { Double($0) }
      if numbers.count == 2, let quota = numbers[0], let period = numbers[1], period > 0 {
        count = min(count, Int((quota / period).rounded(.up)))
      }
    }
    return max(1, count)
  }

  /// The busy time and the total time of all CPU cores since the machine's start, in the same unit.
  private static func processorTimes() -> (busy: Double, total: Double) {
    guard let bytes = try? readBytes(from: "/proc/stat", limit: 1 << 24),
      let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first, line.hasPrefix("cpu ")
    else { return (0, 0) }
    // user nice system idle iowait irq softirq steal; the time of guests is included in user and nice.
    let times = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
    guard times.count == 8 else { return (0, 0) }
    let total = times.reduce(0, +)
    return (total - times[3] - times[4], total)
  }

  /// The number of compute threads, and the value of `OMP_NUM_THREADS`.
  static func threads(_ count: Int) -> JSON {
    let asked = unsafe getenv("OMP_NUM_THREADS").map { unsafe String(cString: $0) }
    return ["count": .integer(count), "omp_num_threads": asked.map { .string($0) } ?? .null]
  }

  /// The versions of the compiler and of the libraries that results depend on.
  static func libraries(muJoCo: String?) -> JSON {
    [
      "swift": .string(compiler), "onednn": oneDNNVersion.map { .string($0) } ?? .null,
      "mujoco": muJoCo.map { .string($0) } ?? .null, "libpng": .string(PNG.libraryVersions.png),
      "zlib": .string(PNG.libraryVersions.zlib),
    ]
  }

  /// The compiler's version. Swift cannot query it, so that this is the newest version that the code knows.
  private static var compiler: String {
    #if compiler(>=6.4)
      "6.4 or newer"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  /// The processor's name from `/proc/cpuinfo`; empty if it cannot be read.
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

/// The local time as `20250131-235959`, the prefix of new results' names.
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

/// The current time in nanoseconds since 1970.
public func nanoseconds() -> Int {
  var now = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &now)
  return Int(now.tv_sec) * 1_000_000_000 + Int(now.tv_nsec)
}
