import Foundation

/// Calls `body` with a temporary folder, which is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "/imports-tests-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { _ = try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}
