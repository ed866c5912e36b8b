import Core
import Foundation
import Python
import Testing

@testable import Formats

@Suite(.enabled(if: Python.has("numpy"), "needs PIXELRL_PYTHON, a Python with NumPy: see 'make readers'"))
struct InflateTests {
  /// What Python's zlib has compressed in every way: stored, with fixed codes, and with its own codes.
  @Test func zlibsDataIsRead() throws {
    let script = """
      import random, zlib
      random.seed(1)
      contents = [b"", b"a", bytes(100_000), b"abcabcabc" * 1000, random.randbytes(70_000),
        bytes(random.choice(b"aaaabbc ") for _ in range(50_000)), bytes(range(256)) * 300]
      for content in contents:
        for level, strategy in (0, 0), (1, 0), (9, 0), (9, zlib.Z_FIXED), (9, zlib.Z_HUFFMAN_ONLY), (6, zlib.Z_RLE):
          packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
          print(len(content), zlib.crc32(content), (packer.compress(content) + packer.flush()).hex())
      """
    let lines = try Python.run(script).split(separator: "\n")
    #expect(lines.count == 7 * 6)
    for line in lines {
      let words = line.split(separator: " ")
      let (size, crc) = (try #require(Int(words[0])), try #require(UInt32(words[1])))
      let data = bytes(hexadecimal: words[2])
      let content = try inflated(unsafe data.span.bytes, size: size)
      #expect(content.count == size && CyclicRedundancyCheck.crc32(content) == crc)
      let beginning = try inflated(unsafe data.span.bytes, size: size, limit: 10)
      #expect(beginning.count >= min(10, size) && content.starts(with: beginning))
      // A wrong size, and data that ends early.
      #expect(throws: InputError.self) { try inflated(unsafe data.span.bytes, size: size + 1) }
      if size > 0 {
        #expect(throws: InputError.self) { try inflated(unsafe data.span.bytes, size: size - 1) }
        let short = Array(data.dropLast(min(data.count, 2)))
        #expect(throws: InputError.self) { try inflated(unsafe short.span.bytes, size: size) }
      }
    }
  }

  /// Changed bits are errors or give other bytes, and never trap.
  @Test func damagedDataNeverTraps() throws {
    let script = """
      import zlib
      packer = zlib.compressobj(9, zlib.DEFLATED, -15)
      print((packer.compress(bytes(range(200)) * 3 + b"hello hello hello") + packer.flush()).hex())
      """
    let whole = bytes(hexadecimal: try Python.run(script).dropLast())
    let content = try inflated(unsafe whole.span.bytes, size: 617)
    #expect(content.suffix(5) == Array("hello".utf8)[...])
    var rejected = 0
    for bit in 0..<8 * whole.count {
      var damaged = whole
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      do {
        #expect(try inflated(unsafe damaged.span.bytes, size: 617).count == 617)
      } catch is InputError { rejected += 1 }
    }
    #expect(rejected > whole.count)
    #expect(throws: InputError.self) { try inflated(unsafe ([3, 0] as [UInt8]).span.bytes, size: 1 << 40) }
  }

  /// Arrays of every type of number, from a compressed archive of more than one block.
  @Test func compressedArraysOfEveryTypeAreRead() throws {
    try withFolder { folder in
      let script = """
        import sys, numpy as np
        types = "?", "u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8"
        arrays = {}
        for type in types:
          low = 0 if type in "?u1" else -2
          arrays[np.dtype(type).str[1:]] = np.arange(low, low + 6).astype(type).reshape(2, 3)
        noise = np.random.default_rng(1).integers(0, 99, (40, 50, 60), np.uint8)
        np.savez_compressed(sys.argv[1], noise=noise, **arrays)
        """
      _ = try Python.run(script, ["\(folder)/a.npz"])
      let archive = try NumPyArchive(path: "\(folder)/a.npz")
      for type in NumPyType.allCases {
        let array = try archive.numbers(String(type.rawValue.dropFirst()))
        let expected: [Double] =
          switch type {
          case .bool: [0, 1, 1, 1, 1, 1]
          case .uint8: [0, 1, 2, 3, 4, 5]
          default: [-2, -1, 0, 1, 2, 3]
          }
        #expect(array.type == type && array.shape == [2, 3] && array.elements == expected, "\(type)")
        #expect(array.isWhole == "ui".contains(type.rawValue.dropFirst().prefix(1)))
      }
      #expect(try archive.header(of: "noise") == NumPyHeader(type: .uint8, shape: [40, 50, 60]))
      #expect(try archive.array("noise", of: UInt8.self).elements.max() == 98)
    }
  }

  private func bytes(hexadecimal text: some StringProtocol) -> [UInt8] {
    let digits = Array(text.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
