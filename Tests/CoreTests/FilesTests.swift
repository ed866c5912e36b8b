import Foundation
import Testing

@testable import Core

@Suite struct FilesTests {
  let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "files-\(UUID().uuidString)").path()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

  @Test func writtenBytesAreReadBack() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try writeAtomically([1, 2], to: folder + "/a")
    try writeAtomically(bytes, to: folder + "/a")
    #expect(try readBytes(from: folder + "/a") == bytes)
    try writeAtomically([], to: folder + "/empty")
    #expect(try readBytes(from: folder + "/empty") == [])
    #expect(try names() == ["a", "empty"])
  }

  @Test func uncommittedFileIsRemoved() throws {
    do {
      var file = try AtomicFile(path: folder + "/b")
      try file.append([1, 2, 3])
      #expect(try names().count == 1)
    }
    #expect(try names() == [])
  }

  @Test func overwriteChangesOnlyTheGivenBytes() throws {
    var file = try AtomicFile(path: folder + "/c")
    try file.append([1, 2, 3, 4])
    try file.overwrite([9, 8], at: 1)
    try file.append([5])
    try file.commit()
    #expect(try readBytes(from: folder + "/c") == [1, 9, 8, 4, 5])
  }

  @Test func errorsContainThePath() throws {
    let missing = folder + "/no/such/file"
    #expect(throws: WorldError(path: missing, "No such file or directory")) { try writeAtomically([1], to: missing) }
    #expect(throws: WorldError(path: missing, "No such file or directory")) { try readBytes(from: missing) }
    #expect(throws: WorldError(path: folder, "is a folder, not a file")) { try readBytes(from: folder) }
    // A folder has this name, so the rename fails and the temporary file is removed.
    try FileManager.default.createDirectory(atPath: folder + "/taken", withIntermediateDirectories: true)
    #expect(throws: WorldError(path: folder + "/taken", "Is a directory")) {
      try writeAtomically([1], to: folder + "/taken")
    }
    #expect(try names() == ["taken"])
    try writeAtomically([1, 2, 3], to: folder + "/d")
    #expect(throws: WorldError(path: folder + "/d", "has 3 bytes, more than the limit of 2")) {
      try readBytes(from: folder + "/d", limit: 2)
    }
  }
}
