import Foundation

/// Runs ONNX files with onnxruntime, for tests that compare it with our own networks.
public enum ONNXRuntime {
  /// A model with an input for each of its inputs.
  public struct Call: Sendable {
    /// The bytes of the file.
    public let model: [UInt8]
    public let inputs: [Input]

    public init(_ model: [UInt8], _ inputs: [Input]) { (self.model, self.inputs) = (model, inputs) }
  }

  public struct Input: Sendable {
    let name: String
    let type: String
    let shape: [Int]
    let values: [Float]

    /// - Parameter type: NumPy's name.
    public init(_ name: String, type: String = "float32", _ shape: [Int], _ values: [Float]) {
      (self.name, self.type, self.shape, self.values) = (name, type, shape, values)
    }
  }

  /// Checks each model, and returns its outputs by their names, each flattened.
  ///
  /// - Throws: `Python.Failure` if onnx or onnxruntime rejects a model.
  public static func outputs(of calls: [Call]) throws -> [[String: [Double]]] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("onnx-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for (i, call) in calls.enumerated() {
      let place = folder.appendingPathComponent("\(i)")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      try Data(call.model).write(to: place.appendingPathComponent("model.onnx"))
      var lines: [String] = []
      for input in call.inputs {
        let bytes = input.values.flatMap { value in
          (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }
        try Data(bytes).write(to: place.appendingPathComponent(input.name))
        lines.append("\(input.name) \(input.type) \(input.shape.map(String.init).joined(separator: ","))")
      }
      try Data(lines.joined(separator: "\n").utf8).write(to: place.appendingPathComponent("inputs"))
    }
    let answer = try Python.run(script, [folder.path, String(calls.count)])
    var outputs = [[String: [Double]]](repeating: [:], count: calls.count)
    for line in answer.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let call = Int(words[0]) else { continue }
      outputs[call][String(words[1])] = words.dropFirst(2).compactMap { Double($0) }
    }
    return outputs
  }

  private static let script = """
    import sys
    import numpy, onnx, onnxruntime

    for call in range(int(sys.argv[2])):
        folder = f"{sys.argv[1]}/{call}"
        onnx.checker.check_model(folder + "/model.onnx", full_check=True)
        inputs = {}
        for line in open(folder + "/inputs"):
            name, kind, shape = line.split()
            values = numpy.fromfile(f"{folder}/{name}", numpy.float32)
            inputs[name] = values.astype(kind).reshape([int(n) for n in shape.split(",")])
        session = onnxruntime.InferenceSession(folder + "/model.onnx", providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        for name, values in zip(names, session.run(names, inputs)):
            print(call, name, *[repr(float(value)) for value in values.flatten()])
    """
}
