import Core
import Formats

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The progress of a run.
public struct RunProgress: Sendable, Hashable {
  /// The step of the last line of metrics: simulator steps of a training, updates of a pretraining or with a dataset.
  public var step: Int?
  /// The step at which the run ends.
  public var goal: Int?
  /// The return from the summary, otherwise of the last evaluation after training has started, otherwise of the last
  /// training episode; nil if there is none yet.
  public var returned: Double?

  public init(step: Int? = nil, goal: Int? = nil, returned: Double? = nil) {
    (self.step, self.goal, self.returned) = (step, goal, returned)
  }
}

extension RunProgress {
  /// How the return of a summary was computed: `mean of the last three evaluations`.
  public static func meaning(of summary: JSON) -> String {
    meaning(of: (summary["evaluations"]?.array ?? []).count { ($0.array?.first?.int ?? 0) > 0 })
  }

  /// - Parameter evaluations: The number of evaluations without that of the untrained agent.
  public static func meaning(of evaluations: Int) -> String {
    switch evaluations {
    case 1: "the only evaluation"
    case 2: "mean of both evaluations"
    default: "mean of the last three evaluations"
    }
  }
}

extension SettingsFile {
  /// Whether the settings are those of a training that learns from a dataset, and does not act.
  public var isOffline: Bool {
    self["training"]?.entries.contains { $0.key == "dataset" && !$0.text.isEmpty } == true
  }

  /// The step at which a run ends; nil if it does not count steps.
  var length: Int? {
    let entries = groups.flatMap(\.entries)
    return RunProgress.goal(isOffline: isOffline) { key in entries.first { $0.key == key }?.text }
  }
}

extension RunProgress {
  /// The step at which a run with these settings ends; nil if it does not count steps.
  ///
  /// - Parameters:
  ///   - isOffline: Whether it is a training that learns from a dataset, and does not act.
  ///   - text: Returns a setting as text.
  public static func goal(isOffline: Bool, _ text: (_ key: String) -> String?) -> Int? {
    func number(_ key: String) -> Int? { text(key).flatMap { Int(text: $0) } }
    if isOffline { return number("updates") }
    if let steps = number("env-steps") { return steps }
    guard let steps = number("ae-steps") else { return nil }
    // The updates after the axes of the latents are computed are further ones.
    let further = text("latent-form") == "smooth" ? number("axes-steps") ?? 0 : 0
    let (sum, overflows) = steps.addingReportingOverflow(further)
    return overflows ? steps : sum
  }
}

extension RunDirectory {
  /// The progress of the run, from the end of its metrics. Missing and damaged parts are nil.
  public var progress: RunProgress {
    var progress = Self.progress(of: path)
    progress.goal = (try? settings())?.length
    return progress
  }

  /// The progress of the run in a folder, without its goal, for which all settings would be read.
  public static func progress(of path: String) -> RunProgress {
    var progress = RunProgress()
    guard let folder = try? Folder(path: path, followingLink: true) else { return progress }
    var played: Double?
    let lines = (try? tail(of: "metrics.jsonl", in: folder, limit: 1 << 18)) ?? []
    for line in lines.reversed() {
      guard let metrics = try? JSON(parsing: line) else { continue }
      let step = metrics["step"]?.int
      if progress.step == nil { progress.step = step }
      // Step 0 is the evaluation of the untrained agent.
      if step != 0, let evaluated = metrics["evaluation/return"]?.double {
        progress.returned = evaluated
        break
      }
      if played == nil { played = metrics["train/return"]?.double }
    }
    progress.returned = progress.returned ?? played
    let summary = (try? folder.bytes(of: "summary.json", limit: 1 << 26)).flatMap { try? JSON(parsing: $0) }
    if let mean = summary?["return_mean"]?.double { progress.returned = mean }
    return progress
  }
}

extension RunDirectory {
  /// The numbers of the run by name: the last value of each metric, and those of the summary, which win.
  public var numbers: [String: Double] {
    var numbers: [String: Double] = [:]
    for line in (try? tail(of: "metrics.jsonl", in: folder(), limit: 1 << 18)) ?? [] {
      for member in (try? JSON(parsing: line))?.members ?? [] { numbers[member.key] = member.value.double }
    }
    for member in (try? json("summary.json"))?.members ?? [] {
      if let number = member.value.double { numbers[member.key] = number }
    }
    return numbers
  }
}

/// Returns the last whole lines of a file, reading at most `limit` bytes.
private func tail(of name: String, in folder: Folder, limit: Int) throws -> [ArraySlice<UInt8>] {
  let descriptor = try folder.openFile(name, O_RDONLY)
  defer { close(descriptor) }
  let size = Int(lseek(descriptor, 0, SEEK_END))
  let start = max(0, size - limit)
  var bytes = [UInt8](repeating: 0, count: max(0, size - start))
  var count = 0
  while count < bytes.count {
    let got = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe pread(descriptor, buffer.baseAddress! + count, buffer.count - count, off_t(start + count))
    }
    if got < 0 && errno == EINTR { continue }
    guard got >= 0 else { throw systemFailure(folder.path(of: name)) }
    if got == 0 { break }
    count += got
  }
  let newline = UInt8(ascii: "\n")
  guard let last = bytes[..<count].lastIndex(of: newline) else { return [] }
  // If reading began inside the file, the first line is not whole.
  let first = start == 0 ? 0 : (bytes.firstIndex(of: newline) ?? last) + 1
  return first < last ? bytes[first..<last].split(separator: newline) : []
}
