import Core
import Foundation
import Testing

@testable import Runs

@Suite struct NewFolderTests {
  private func inode(_ path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int)
  }

  /// Makes `file` in a new folder.
  private func make(_ path: String, _ file: String = "a") throws {
    let folder = try NewFolder(at: path)
    try writeAtomically([1], to: folder.path + "/" + file)
    try folder.commit(last: file)
  }

  @Test func itAppearsComplete() throws {
    try withFolder { root in
      let folder = try NewFolder(at: root + "/x/y/run/")
      #expect(folder.place == root + "/x/y/run")
      try writeAtomically([1], to: folder.path + "/a")
      #expect(try folderEntries(root + "/x/y").allSatisfy { $0.hasPrefix(".") } && !exists(folder.place))
      try folder.commit()
      #expect(try folderEntries(root + "/x/y") == ["run"] && folderEntries(folder.place) == ["a"])
    }
  }

  /// Without `commit`, nothing remains in an existing folder, and new parent folders are removed.
  @Test func withoutCommitNothingRemains() throws {
    try withFolder { root in
      try makeFolder(root + "/empty")
      for path in ["/x/y/run", "/run", "/empty"] {
        let folder = try NewFolder(at: root + path)
        try makeFolder(folder.path + "/deeper")
        try writeAtomically([1], to: folder.path + "/deeper/a")
      }
      #expect(try folderEntries(root) == ["empty"] && folderEntries(root + "/empty") == [])
    }
  }

  /// An empty folder is kept: it may be a mount point, have special permissions or be a shell's working directory.
  @Test func anEmptyFolderIsKept() throws {
    try withFolder { root in
      let manager = FileManager.default
      try makeFolder(root + "/empty")
      try manager.setAttributes([.posixPermissions: 0o700], ofItemAtPath: root + "/empty")
      try manager.createSymbolicLink(atPath: root + "/link", withDestinationPath: "empty")
      let before = try inode(root + "/empty")
      for path in [root + "/empty", root + "/link", root + "/link/", root + "/empty/."] {
        try make(path)
        #expect(try inode(root + "/empty") == before && folderEntries(root + "/empty") == ["a"], "\(path)")
        #expect(try manager.attributesOfItem(atPath: root + "/empty")[.posixPermissions] as? Int == 0o700)
        let error = #expect(throws: InputError.self) { try make(path) }
        #expect(error?.description.contains("exists and is not empty: choose another folder with --out") == true)
        try manager.removeItem(atPath: root + "/empty/a")
      }
      #expect(try folderEntries(root) == ["empty", "link"])
    }
  }

  @Test func errorsNameAPathThatIsNotAFolder() throws {
    try withFolder { root in
      try writeAtomically([1], to: root + "/file")
      try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: "nothing")
      for (path, reason) in [("/file", "exists and is not a folder"), ("/link", "is a link to a folder that does not")]
      {
        let error = #expect(throws: WorldError.self) { try make(root + path) }
        #expect(error?.description.hasPrefix("\(root)\(path): \(reason)") == true)
      }
      #expect(throws: InputError.self) { try make("") }
      #expect(try folderEntries(root) == ["file", "link"])
    }
  }

  /// Processes may be killed before everything is written, and while complete files are moved.
  @Test func leftoversOfAKilledProcessAreRemoved() throws {
    try withFolder { root in
      try makeFolder(root + "/.run.77.partial/deeper")
      try makeFolder(root + "/.running.78.partial")
      try make(root + "/run")
      #expect(try folderEntries(root) == [".running.78.partial", "run"])

      try makeFolder(root + "/empty/.new.77.partial")
      try make(root + "/empty")
      #expect(try folderEntries(root + "/empty") == ["a"])

      try makeFolder(root + "/cut/.complete.0.partial")
      try writeAtomically([1], to: root + "/cut/settings.yaml")
      try writeAtomically([1], to: root + "/cut/.complete.0.partial/run.json")
      #expect(throws: InputError.self) { try make(root + "/cut") }
      #expect(try folderEntries(root + "/cut") == ["run.json", "settings.yaml"], "the complete run is moved")
    }
  }

  /// The temporary folder of a running process is kept.
  @Test func lockedTemporaryFoldersAreKept() throws {
    try withFolder { root in
      try makeFolder(root + "/.run.77.partial")
      let other = unsafe open(root + "/.run.77.partial", O_RDONLY)
      defer { close(other) }
      #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
      try make(root + "/run")
      #expect(try folderEntries(root) == [".run.77.partial", "run"])
    }
  }

  @Test func listsSkipUnfinishedFolders() throws {
    try withFolder { root in
      for name in ["whole", ".run.77.partial", "run.77.partial"] {
        try makeFolder("\(root)/\(name)")
        try writeAtomically(Array("{}".utf8), to: "\(root)/\(name)/run.json")
      }
      #expect(try RunEntry.all(in: root).map(\.run.name) == ["whole"])
      #expect(try RunDirectory.newest(in: root) { _, _ in true } == nil)
    }
  }
}
