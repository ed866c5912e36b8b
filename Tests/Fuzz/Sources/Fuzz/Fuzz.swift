import Core
import Foundation

/// Something that reads bytes from anywhere.
struct Reader: Sendable {
  let name: String
  /// Sound inputs that the project's own writers made, to begin with.
  let seeds: @Sendable () throws -> [[UInt8]]
  /// Reads bytes and traps where what was read breaks a promise; throws `InputError` where it refuses them.
  let read: @Sendable ([UInt8]) throws -> Void
}

private let readers: [Reader] = [
  .json, .settings, .manifest, .numPy, .numPyArchive, .safetensors, .png, .state,
]

/// The one that the environment variable `READER` names.
private let reader: Reader = {
  let name = ProcessInfo.processInfo.environment["READER"] ?? ""
  guard let reader = readers.first(where: { $0.name == name }) else {
    fatalError("READER is one of \(readers.map(\.name).joined(separator: ", ")), not '\(name)'")
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

/// The package manager renames a program's main function to this: first writes the seeds where `SEEDS` names a folder.
@_cdecl("Fuzz_main")
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  if let folder = ProcessInfo.processInfo.environment["SEEDS"] {
    do {
      for (index, seed) in try reader.seeds().enumerated() { try writeAtomically(seed, to: "\(folder)/seed-\(index)") }
    } catch { fatalError("no seeds: \(error)") }
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
    // Refused with a reason, as it should be.
  } catch { fatalError("an error of another kind: \(error)") }
  return 0
}

/// Reads what was written from what was read: it cannot be refused.
func again<Result>(_ read: () throws -> Result) -> Result {
  do { return try read() } catch { fatalError("what was read and written is refused: \(error)") }
}
