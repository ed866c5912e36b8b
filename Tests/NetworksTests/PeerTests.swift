import Core
import Foundation
import Python
import Testing

@testable import Networks
@testable import Tensors

@Suite struct PeerTests {
  private func withFile(_ file: Safetensors, _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).safetensors").path
    try file.write(to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test(.enabled(if: Python.has("safetensors", "numpy"), "needs Python with safetensors and numpy"))
  func pythonReadsTheFile() throws {
    let file = Safetensors(
      [
        ("w", Tensor([Float(1.5), -2, 3, 4, 5, 6], [2, 3])), ("d", Tensor([0.1], [1])), ("s", Tensor(scalar: 4)),
        ("e", .zeros([0, 2])),
      ], metadata: [("run", "é")])
    let script = """
      import sys, numpy as np
      from safetensors import safe_open
      with safe_open(sys.argv[1], framework="np") as f:
          assert f.metadata() == {"run": "é"}, f.metadata()
          assert sorted(f.keys()) == ["d", "e", "s", "w"]
          w, d, s, e = (f.get_tensor(name) for name in "wdse")
      assert w.dtype == np.float32 and w.tolist() == [[1.5, -2, 3], [4, 5, 6]]
      assert d.dtype == np.float64 and d.tolist() == [0.1]
      assert s.shape == () and s == 4 and e.shape == (0, 2)
      """
    try withFile(file) { path in
      _ = try Python.run(script, [path])
    }
  }

  /// The weights have the names and the layout of PyTorch's modules. NumPy computes the same output from them with the
  /// definitions of these modules. If the script is run by hand with --torch, the modules themselves do.
  @Test(
    .enabled(if: Python.has("safetensors", "numpy"), "needs Python with safetensors and numpy"),
    arguments: [false, true])
  func weightsHaveTheLayoutOfPyTorchModules(layerNorm: Bool) throws {
    var random = Seed(1).stream("peer")
    let network = MultilayerPerceptron(10, hidden: [33, 20], 5, layerNorm: layerNorm, using: &random)
    let x = Tensor.normal([16, 10], using: &random)
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../experiments/checks/golden/check_weights.py").standardized
    let script = try String(contentsOf: path, encoding: .utf8)
    try withFile(Safetensors(network.named("network.") + [("x", x), ("y", network(x))])) { path in
      _ = try Python.run(script, [path])
    }
  }
}
