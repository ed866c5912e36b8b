import Core
import Foundation

/// A new folder that only this user can access. It is removed with its contents when its owner is destroyed, or before by
/// `remove`, for an owner that lives until the program ends.
public final class TemporaryFolder: Sendable {
  public let path: String

  /// - Parameters:
  ///   - name: how its name begins.
  ///   - parent: the folder in which it is made; nil for the system's folder of temporary files (`TMPDIR`).
  /// - Throws: `WorldError` with the path and the system's reason.
  public init(_ name: String, in parent: String? = nil) throws {
    let parent = parent ?? NSTemporaryDirectory()
    var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw systemFailure(parent) }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit { remove() }

  public func remove() {
    let (parent, name) = split(path)
    try? Folder(path: parent, followingLink: true).remove(name)
  }
}
