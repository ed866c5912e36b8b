import Core
import Pixels

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Pictures that another program writes to its standard output, as binary portable pixmaps (`P6`).
final class PictureStream {
  private let process: SpawnedProcess
  private let output: Descriptor
  private let messages: Descriptor
  /// The bytes that were read but not used yet start at `position`.
  private var buffer: [UInt8] = []
  private var position = 0

  /// The number of pixels of the largest picture that is read.
  private static let limit = PNG.defaultLimit

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - words: the program and its arguments.
  ///   - input: its standard input.
  ///   - missing: the error if it cannot be started.
  init(_ words: [String], input: [UInt8] = [], missing: String) throws {
    let input = try Descriptor.memory(holding: input)
    let messages = try Descriptor.memory()
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw systemFailure(words[0]) }
    let output = Descriptor(number: ends[0])
    let writing = Descriptor(number: ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    do {
      process = try SpawnedProcess(words, files: [input.number, writing.number, messages.number])
    } catch { throw WorldError(missing) }
    self.output = output
    self.messages = messages
  }

  /// Returns the next picture; nil after the last one.
  func next() throws -> PixelBuffer? {
    guard let magic = try word() else { return nil }
    guard magic == "P6", let width = try word().flatMap({ Int($0) }), let height = try word().flatMap({ Int($0) }),
      let maximum = try word(), maximum == "255", (1...1 << 20).contains(width), (1...1 << 20).contains(height),
      width * height <= Self.limit
    else { throw WorldError("the program that decodes pictures wrote something else, or one that is too large") }
    guard let bytes = try take(3 * width * height) else { return nil }
    return PixelBuffer(width: width, height: height, format: .rgb, bytes: bytes)
  }

  /// Waits until the program ends and returns whether it succeeded.
  func finish() -> Bool { process.wait() == 0 }

  /// The last line of its standard error.
  var errors: String {
    _ = process.wait()
    return messages.lastLine()
  }

  /// Reads the next word of a header, and the one space after it.
  private func word() throws -> String? {
    var word: [UInt8] = []
    while let byte = try take(1)?[0] {
      guard byte > 32 else { break }
      word.append(byte)
      guard word.count < 16 else { break }
    }
    return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
  }

  /// Returns the next `count` bytes; nil if the program wrote less.
  private func take(_ count: Int) throws -> [UInt8]? {
    if position + count > buffer.count {
      buffer.removeFirst(position)
      position = 0
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while buffer.count < count {
        let got = unsafe read(output.number, &piece, piece.count)
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else { throw systemFailure("pictures") }
        guard got > 0 else { return nil }
        buffer += piece[..<got]
      }
    }
    defer { position += count }
    return Array(buffer[position..<position + count])
  }
}
