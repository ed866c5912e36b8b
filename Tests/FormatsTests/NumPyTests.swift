import Core
import Foundation
import Testing

@testable import Formats

/// Calls `body` with a new folder, which is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "/formats-tests-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { _ = try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

private func header(_ text: String, version: UInt8 = 1) -> [UInt8] {
  let count = text.utf8.count
  return NumPyHeader.magic + [version, 0, UInt8(count & 255), UInt8(count >> 8)] + Array(text.utf8)
}

private func parse(_ bytes: [UInt8]) throws -> NumPyHeader { try NumPyHeader.parse(unsafe bytes.span.bytes).header }

@Suite struct NumPyTests {
  /// The first bytes of numpy.save(np.zeros((3, 2), '<f4')).
  @Test func headerMatchesNumPy() throws {
    let bytes = NumPyHeader(type: .float32, shape: [3, 2]).bytes
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"
    #expect(bytes.count == 128)
    #expect(Array(bytes.prefix(10)) == [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0])
    #expect(String(decoding: bytes.dropFirst(10), as: UTF8.self).hasPrefix(dictionary + "   "))
    #expect(bytes.last == 0x0a)
  }

  @Test(arguments: [[], [0], [5], [2, 0, 3], [2, 3, 4, 3]])
  func headersRoundTrip(shape: [Int]) throws {
    for type in NumPyType.allCases {
      let header = NumPyHeader(type: type, shape: shape)
      #expect(header.bytes.count % 64 == 0)
      let data = [UInt8](repeating: 7, count: shape.reduce(type.size, *))
      #expect(try parse(header.bytes + data) == header)
    }
  }

  @Test func headerLengthIsIndependentOfRowCount() {
    let sizes = [0, 1, 999_999_999, Int.max]
    #expect(Set(sizes.map { NumPyHeader(type: .uint8, shape: [$0, 84, 84, 3]).bytes.count }).count == 1)
  }

  @Test func rowsAreAppendedAndMapped() throws {
    try withFolder { folder in
      let path = folder + "/x.npy"
      var writer = try NumPyWriter<Double>(path: path, rowShape: [2])
      #expect(!FileManager.default.fileExists(atPath: path))
      for row in 0..<40_000 { try writer.append([Double(row), -0.5]) }
      try writer.commit()
      let array = try NumPyArray<Double>(path: path)
      #expect(array.shape == [40_000, 2])
      #expect(array[39_999] == [39_999, -0.5])
      #expect(array.elements.count == 80_000)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["x.npy"])
    }
  }

  @Test func uncommittedWriterLeavesNoFile() throws {
    try withFolder { folder in
      do {
        var writer = try NumPyWriter<UInt8>(path: folder + "/x.npy", rowShape: [])
        try writer.append([1, 2, 3])
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func everyTruncationIsRejected() {
    let whole = NumPyHeader(type: .int64, shape: [2]).bytes + [UInt8](repeating: 1, count: 16)
    for count in 0..<whole.count {
      #expect(throws: InputError.self, "\(count) bytes") { try parse(Array(whole.prefix(count))) }
    }
    #expect(throws: InputError.self) { try parse(whole + [0]) }
  }

  /// A flipped bit causes an error, or a header whose size matches the file, but never a crash.
  @Test func flippedBitsDoNotCrash() {
    let whole = NumPyHeader(type: .float32, shape: [2, 3]).bytes + [UInt8](repeating: 1, count: 24)
    var rejected = 0
    for index in 0..<128 {
      for bit in 0..<8 {
        var damaged = whole
        damaged[index] ^= 1 << bit
        do {
          let header = try parse(damaged)
          #expect(header.shape.reduce(header.type.size, *) == 24)
        } catch is InputError {
          rejected += 1
        } catch { Issue.record("unexpected error type: \(error)") }
      }
    }
    #expect(rejected > 600)
  }

  @Test(arguments: [
    ("{'descr': '<f4', 'fortran_order': True, 'shape': (0,), }\n", "Fortran"),
    ("{'descr': '<c8', 'fortran_order': False, 'shape': (0,), }\n", "'<c8'"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }\n", "too large"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904, 8), }\n", "too large"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }\n", "too large"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", "a dimension"),
    ("{'descr': '<f4', 'fortran_order': False, }\n", "missing"),
    ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (0,), }\n", "twice"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), } x", "the end of the header"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }\n", "cut short"),
    ("", "{"),
  ])
  func errorsForInvalidHeadersSayWhy(text: String, part: String) {
    let error = #expect(throws: InputError.self) { try parse(header(text)) }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }

  @Test func foreignHeadersAreRead() throws {
    let one = header("{\"shape\": (), \"fortran_order\": False, \"descr\": \"<f8\"}") + [UInt8](repeating: 0, count: 8)
    #expect(try parse(one) == NumPyHeader(type: .float64, shape: []))
    #expect(throws: InputError.self) { try parse(header("{}", version: 9)) }
  }

  @Test func wrongTypeIsAnErrorWithThePath() throws {
    try withFolder { folder in
      let path = folder + "/x.npy"
      try writeNumPy([1, 2] as [Float], shape: [2], to: path)
      let error = #expect(throws: WorldError.self) { try NumPyArray<Double>(path: path) }
      #expect(error?.description == "\(path): has element type <f4, expected <f8")
      #expect(try NumPyArray<Float>(path: path).elements == [1, 2])
    }
  }
}
