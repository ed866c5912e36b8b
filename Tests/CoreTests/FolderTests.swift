import Foundation
import Testing

@testable import Core

#if canImport(Glibc)
  import Glibc
#endif

/// Operations on a folder change nothing outside of it.
@Suite struct FolderTests {
  let root: String
  /// The target of the links: a folder with a file of three bytes, and a file in a subfolder.
  let outside: String
  let folder: Folder

  init() throws {
    root = FileManager.default.temporaryDirectory.appending(path: "folder-\(UUID().uuidString)").path()
    outside = root + "/outside"
    for name in ["/outside/deep", "/inside"] {
      try FileManager.default.createDirectory(atPath: root + name, withIntermediateDirectories: true)
    }
    try writeAtomically([1, 2, 3], to: outside + "/file")
    try writeAtomically([4], to: outside + "/deep/file")
    folder = try Folder(path: root + "/inside")
  }

  private func link(_ name: String, to target: String) {
    #expect(unsafe symlink(target, "\(root)/inside/\(name)") == 0)
  }

  private func expectOutsideUntouched(_ comment: Comment? = nil) throws {
    #expect(try readBytes(from: outside + "/file") == [1, 2, 3], comment)
    #expect(try readBytes(from: outside + "/deep/file") == [4], comment)
    #expect(try Folder(path: outside).names() == ["deep", "file"], comment)
  }

  @Test func linksAreRemovedNotTheirTargets() throws {
    link("to-folder", to: outside)
    link("to-file", to: outside + "/file")
    link("to-nothing", to: root + "/nothing")
    let inner = try folder.makeFolder("inner")
    #expect(unsafe symlink(outside, "\(inner.path)/link") == 0)
    _ = try inner.makeFolder("deeper")
    for name in try folder.names() { try folder.remove(name) }
    #expect(try folder.names() == [])
    try expectOutsideUntouched()
  }

  @Test func linksAreNotFollowed() throws {
    link("folder", to: outside)
    link("file", to: outside + "/file")
    link("new", to: outside + "/new")
    for name in ["folder", "file", "new"] {
      for flags in [O_RDONLY, O_WRONLY, O_WRONLY | O_CREAT, O_WRONLY | O_TRUNC] {
        let error = #expect(throws: WorldError.self, "\(name)") { try folder.openFile(name, flags) }
        #expect(error?.description.contains("is a link") == true, "\(name): \(error.debugDescription)")
      }
      #expect(throws: WorldError.self) { try folder.bytes(of: name) }
      #expect(throws: WorldError.self) { try folder.folder(name) }
      #expect(throws: WorldError.self) { try folder.makeFolder(name) }
      #expect(folder.kind(of: name) == .link && folder.identity(of: name) == nil)
    }
    #expect(throws: WorldError.self) { try Folder(path: root + "/inside/folder") }
    #expect(throws: WorldError.self) { try Folder(path: root + "/inside/folder/") }
    #expect(try Folder(path: root + "/inside/folder", followingLink: true).names() == ["deep", "file"])
    let other = try folder.makeFolder("other")
    #expect(!other.link("file", of: folder))
    // Writing replaces the link, not its target.
    try folder.write([9], to: "file")
    #expect(try folder.bytes(of: "file") == [9] && folder.kind(of: "file") == .file)
    try expectOutsideUntouched()
  }

  @Test(arguments: ["../outside/file", "/etc/hostname", "..", ".", "", "a/b", "a\0b"])
  func namesThatAreNotPlainAreRejected(_ name: String) throws {
    #expect(!Folder.isPlain(name))
    #expect(throws: WorldError.self) { try folder.openFile(name, O_RDONLY) }
    #expect(throws: WorldError.self) { try folder.write([1], to: name) }
    #expect(throws: WorldError.self) { try folder.remove(name) }
    #expect(throws: WorldError.self) { try folder.rename("x", to: name) }
    #expect(throws: WorldError.self) { try folder.makeFolder(name) }
    #expect(folder.kind(of: name) == nil && !folder.link(name, of: folder))
    try expectOutsideUntouched()
  }

  @Test(.timeLimit(.minutes(1))) func openingAPipeDoesNotBlock() throws {
    #expect(unsafe mkfifo("\(root)/inside/pipe", 0o600) == 0)
    for flags in [O_RDONLY, O_WRONLY, O_RDWR | O_CREAT] {
      #expect(throws: WorldError.self) { try folder.openFile("pipe", flags) }
    }
    let error = #expect(throws: WorldError.self) { try folder.bytes(of: "pipe") }
    #expect(error?.description.contains("is a pipe") == true)
    try folder.remove("pipe")
  }

  @Test func temporaryNamesAreRecognized() {
    #expect(AtomicFile.isTemporary(".metrics.jsonl.77-0.partial"))
    for name in ["a.partial", ".a.partial", ".a.7.partial", "a.7-0.partial", ".a.7-0.part", ".a.x-0.partial"] {
      #expect(!AtomicFile.isTemporary(name), "\(name)")
    }
  }
}
