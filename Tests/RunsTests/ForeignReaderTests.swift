import Core
import Foundation
import Testing

@testable import Runs

/// Runs where the environment variable `PIXELRL_PYTHON` names a Python that has NumPy.
private let python = ProcessInfo.processInfo.environment["PIXELRL_PYTHON"]

@Suite(.enabled(if: python != nil, "needs PIXELRL_PYTHON, a Python with NumPy: see 'make peers'"))
struct ForeignReaderTests {
  /// NumPy maps what was written here, and writes the same bytes itself.
  @Test func numPyMapsArrays() throws {
    try withFolder { folder in
      try writeNumPy([1, 2, 3, 4, 5, 6] as [UInt8], shape: [1, 2, 1, 3], to: folder + "/a.npy")
      try writeNumPy([0.5, -1, .infinity, 4] as [Float], shape: [2, 2], to: folder + "/b.npy")
      try writeNumPy([7] as [Int64], shape: [], to: folder + "/c.npy")
      var writer = try NumPyWriter<Double>(path: folder + "/d.npy", rowShape: [3])
      for row in 0..<1000 { try writer.append([Double(row), 0.1, -0.0]) }
      try writer.commit()
      let script = """
        import io, sys, numpy as np
        for name in sys.argv[1:]:
          mapped = np.load(name, mmap_mode="r")
          saved = io.BytesIO()
          np.save(saved, np.array(mapped))
          assert saved.getvalue() == open(name, "rb").read(), name
          print(mapped.dtype.str, mapped.shape, float(np.asarray(mapped).reshape(-1)[-1]))
        """
      let output = Pipe()
      let process = Process()
      process.executableURL = URL(fileURLWithPath: try #require(python))
      process.arguments = ["-c", script] + ["a", "b", "c", "d"].map { "\(folder)/\($0).npy" }
      process.standardOutput = output
      try process.run()
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(text == "|u1 (1, 2, 1, 3) 6.0\n<f4 (2, 2) 4.0\n<i8 () 7.0\n<f8 (1000, 3) -0.0\n")
    }
  }
}
