import Core
import Foundation

/// A parser of untrusted bytes.
struct Reader: Sendable {
  let name: String
  /// Valid inputs from the project's own writers, as the initial corpus.
  let seeds: @Sendable () throws -> [[UInt8]]
  /// Parses bytes. Traps if the result violates an invariant, and throws `InputError` if the bytes are invalid.
  let read: @Sendable ([UInt8]) throws -> Void
}

private let readers: [Reader] = [
  .json, .settings, .manifest, .numPy, .numPyArchive, .safetensors, .png, .state,
]

/// The reader selected by the environment variable `READER`.
private let reader: Reader = {
  let name = ProcessInfo.processInfo.environment["READER"] ?? ""
  guard let reader = readers.first(where: { $0.name == name }) else {
    fatalError("READER must be one of \(readers.map(\.name).joined(separator: ", ")), not '\(name)'")
  }
  return reader
}()

/// libFuzzer's main function.
@_extern(c, "LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The main function, under the name that the package manager expects. If `SEEDS` is set, writes the seeds to that
/// folder and exits.
@_cdecl("Fuzz_main")
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  if let folder = ProcessInfo.processInfo.environment["SEEDS"] {
    do {
      for (index, seed) in try reader.seeds().enumerated() { try writeAtomically(seed, to: "\(folder)/seed-\(index)") }
    } catch { fatalError("cannot write seeds: \(error)") }
    return 0
  }
  var (count, arguments) = (count, arguments)
  return runDriver(&count, &arguments, testOneInput)
}

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try reader.read(Array(UnsafeBufferPointer(start: start, count: count)))
  } catch is InputError {
    // Rejected with a reason, as expected.
  } catch { fatalError("unexpected error type: \(error)") }
  return 0
}

/// Parses output that was written from a parsed value. It must be valid.
func again<Result>(_ read: () throws -> Result) -> Result {
  do { return try read() } catch { fatalError("written output is rejected: \(error)") }
}
