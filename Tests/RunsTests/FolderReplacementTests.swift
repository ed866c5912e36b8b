import Core
import Foundation
import Testing

@testable import Runs

@Suite struct FolderReplacementTests {
  @Test func aFolderIsReplacedWholeOrNotAtAll() throws {
    try withFolder { folder in
      let path = folder + "/pictures"
      try replaceFolder(path) { try writeAtomically([1], to: $0 + "/a") }
      #expect(try folderEntries(path) == ["a"])
      #expect(throws: WorldError.self) {
        try replaceFolder(path) { fresh in
          try writeAtomically([2], to: fresh + "/b")
          throw WorldError("the disk is full")
        }
      }
      #expect(try folderEntries(path) == ["a"], "what failed changes nothing")
      try replaceFolder(path) { try writeAtomically([2], to: $0 + "/b") }
      #expect(try folderEntries(path) == ["b"])
      #expect(try folderEntries(folder) == ["pictures"], "nothing else is left")
    }
  }
}
