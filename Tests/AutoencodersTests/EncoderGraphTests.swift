import Core
import Networks
import Pixels
import Python
import Tensors
import Testing

@testable import Autoencoders

/// The exported encoder computes the agent's latents, in onnxruntime.
@Suite(.enabled(if: Python.has("onnx", "onnxruntime"), "onnx and onnxruntime"))
struct EncoderGraphTests {
  struct View: Sendable, CustomTestStringConvertible {
    let kind: any Autoencoder.Type
    let channels: Int
    let stack: Int
    let hasBackground: Bool
    let hasAxes: Bool
    let count: Int
    var testDescription: String { "\(kind.id), \(channels) channels, \(stack) frames" }

    static let all: [View] = Autoencoders.all.flatMap { kind in
      [
        View(kind: kind, channels: 3, stack: 1, hasBackground: true, hasAxes: false, count: 1000),
        View(kind: kind, channels: 1, stack: 3, hasBackground: false, hasAxes: true, count: 50),
        View(kind: kind, channels: 3, stack: 2, hasBackground: true, hasAxes: false, count: 50),
      ]
    }
  }

  @Test(arguments: View.all) func onnxruntimeEncodesAsPixelrl(_ view: View) throws {
    func check<Model: Autoencoder>(_ kind: Model.Type) throws {
      let count = view.count
      let shape = FrameShape(height: 16, width: 20, channels: view.channels)
      var random = Seed(1).stream("frames")
      let frames = (0..<count * view.stack).map { _ in
        PixelBuffer(
          width: shape.width, height: shape.height, format: view.channels == 1 ? .gray : .rgb,
          bytes: (0..<shape.count).map { _ in UInt8(random.integer(below: 256)) })
      }
      let background = view.hasBackground ? (0..<shape.count).map { UInt8($0 % 251) } : nil
      let model = try Model(
        frame: FrameShape(height: shape.height, width: shape.width, channels: view.stack * view.channels),
        settings: Model.Settings(), using: &random)
      // Not standardised on these frames: that would amplify the rounding of an encoder that is not trained.
      let size = model.latentSize
      let encoder = LatentEncoder(
        model: model, preparation: FramePreparation(shape: shape, background: background), frameStack: view.stack,
        target: ReconstructionTarget(blur: 0, gain: 1), mean: .normal([size], using: &random),
        deviation: Tensor(repeating: 0.5, [size]),
        axes: view.hasAxes
          ? LatentAxes(
            reading: 0.1 * .normal([5, size], using: &random), directions: .normal([5, size], using: &random))
          : nil)
      let own = encoder.encode(frames)

      let extents = [shape.height, shape.width, shape.channels]
      let outputs = try ONNXRuntime.outputs(of: [
        ONNXRuntime.Call(
          ONNXModel(encoder.graph, name: "encoder").bytes,
          [
            ONNXRuntime.Input(
              "frames", type: "uint8", [count] + (view.stack > 1 ? [view.stack] : []) + extents,
              frames.flatMap { $0.bytes.map(Float.init) })
          ])
      ])[0]
      let found = try #require(outputs["latents"])
      #expect(found.count == own.shape.count)
      let worst = zip(found, own.doubles).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .infinity
      #expect(worst < 1e-5, "the largest difference is \(worst)")
    }
    try check(view.kind)
  }
}
