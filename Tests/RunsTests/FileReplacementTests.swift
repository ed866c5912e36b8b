import Core
import Foundation
import Testing

@testable import Runs

#if canImport(Glibc)
  import Glibc
#endif

/// A record that lists names, one per line.
private func record(_ names: String...) -> (name: String, bytes: [UInt8]) {
  ("record.txt", Array(names.joined(separator: "\n").utf8))
}

private func names(_ record: [UInt8]) -> [String]? {
  String(decoding: record, as: UTF8.self).split(separator: "\n").map(String.init)
}

private func replace(_ folder: String, _ files: [(name: String, bytes: [UInt8])]) throws {
  try replaceFiles(inFolder: "look", of: Folder(path: folder), files, earlier: names)
}

@Suite struct FileReplacementTests {
  @Test func onlyFilesOfEarlierCallsAreReplaced() throws {
    try withFolder { folder in
      try replace(folder, [record("a", "b"), ("a", [1]), ("b", [2])])
      // A user's own files.
      try writeAtomically([7], to: folder + "/look/notes")
      try makeFolder(folder + "/look/mine")
      try writeAtomically([8], to: folder + "/look/mine/a")
      try replace(folder, [record("a", "c"), ("a", [3]), ("c", [4])])
      #expect(try folderEntries(folder + "/look") == ["a", "c", "mine", "notes", "record.txt"])
      #expect(try readBytes(from: folder + "/look/a") == [3])
      #expect(try readBytes(from: folder + "/look/notes") == [7] && readBytes(from: folder + "/look/mine/a") == [8])
      #expect(try folderEntries(folder) == ["look"], "nothing else is left")
    }
  }

  @Test func aUsersFileWithTheSameNameIsNotOverwritten() throws {
    try withFolder { folder in
      try makeFolder(folder + "/look")
      try writeAtomically([7], to: folder + "/look/a")
      let error = #expect(throws: WorldError.self) { try replace(folder, [record("a"), ("a", [1])]) }
      #expect(error?.description.contains("look/a: would be overwritten, but was not written by pixelrl") == true)
      #expect(try folderEntries(folder + "/look") == ["a"] && readBytes(from: folder + "/look/a") == [7])
    }
  }

  /// Files in other folders that a forged record names are not removed.
  @Test func aForgedRecordRemovesNothingElsewhere() throws {
    try withFolder { folder in
      try writeAtomically([7], to: folder + "/outside")
      try makeFolder(folder + "/look")
      try writeAtomically(record("../outside", "..", "\(folder)/outside", "").bytes, to: folder + "/look/record.txt")
      try replace(folder, [record("a"), ("a", [1])])
      #expect(try readBytes(from: folder + "/outside") == [7])
    }
  }

  @Test func aLinkIsRemovedAndNotFollowed() throws {
    try withFolder { folder in
      try makeFolder(folder + "/outside")
      try writeAtomically([7], to: folder + "/outside/a")
      try writeAtomically(record("a").bytes, to: folder + "/outside/record.txt")
      #expect(unsafe symlink(folder + "/outside", folder + "/look") == 0)
      try replace(folder, [record("b"), ("b", [1])])
      #expect(try folderEntries(folder + "/outside") == ["a", "record.txt"])
      #expect(try readBytes(from: folder + "/outside/a") == [7])
      #expect(try folderEntries(folder + "/look") == ["b", "record.txt"])
      // A file that is a link is replaced by a file.
      #expect(unsafe unlink(folder + "/look/b") == 0 && symlink(folder + "/outside/a", folder + "/look/b") == 0)
      try replace(folder, [record("b"), ("b", [2])])
      #expect(try readBytes(from: folder + "/outside/a") == [7] && readBytes(from: folder + "/look/b") == [2])
    }
  }

  @Test func aFailureChangesNothing() throws {
    try withFolder { folder in
      try replace(folder, [record("a"), ("a", [1])])
      let tooLong = String(repeating: "x", count: 300)
      #expect(throws: WorldError.self) { try replace(folder, [record("c"), ("c", [1]), (tooLong, [2])]) }
      #expect(try folderEntries(folder + "/look") == ["a", "record.txt"])
    }
  }
}
