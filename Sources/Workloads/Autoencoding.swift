import Autoencoders
import Core
import Networks
import Pixels
import Tensors

/// SAC+AE's encoder forward and backward: `[B, 9, 84, 84]` to `[B, 50]`.
func encoderPasses(_ arguments: Arguments) throws -> Workload {
  let batch = try arguments.integer("batch", default: 128)
  let (model, _) = try stackedFramesModel()
  var random = Seed(1).stream("frames")
  let x = Tensor.normal([batch, 9, 84, 84], using: &random)
  return Workload(operations: 3 * batch * encoderOperations) {
    _ = valueWithGradient(at: model) { square($0.encode(x)).mean() }
  }
}

/// SAC+AE's decoder forward and backward, to its latents too: `[B, 50]` to `[B, 9, 84, 84]`.
func decoderPasses(_ arguments: Arguments) throws -> Workload {
  let batch = try arguments.integer("batch", default: 128)
  let (model, latentSize) = try stackedFramesModel()
  var random = Seed(1).stream("latents")
  let point = DecodedPoint(model: model, z: .normal([batch, latentSize], using: &random))
  return Workload(operations: 3 * batch * encoderOperations) {
    _ = valueWithGradient(at: point) { square($0.model.decode($0.z)).mean() }
  }
}

private struct DecodedPoint: Module {
  var model: RegularizedAutoencoder
  var z: Tensor
  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("model", &model)
    visitor("z", &z)
  }
}

private func stackedFramesModel() throws -> (RegularizedAutoencoder, latentSize: Int) {
  var random = Seed(1).stream("initial weights")
  let model = try RegularizedAutoencoder(
    frame: FrameShape(height: 84, width: 84, channels: 9), settings: .init(), using: &random)
  return (model, model.latentSize)
}

/// Of a forward pass for one image; the decoder, its mirror, has as many.
let encoderOperations: Int = {
  let convolutions = 9 * 41 * 41 + 32 * (39 * 39 + 37 * 37 + 35 * 35)
  return 2 * (9 * 32 * convolutions + 32 * 35 * 35 * 50)
}()

/// One frame of 64x64 to its standardised latent, as an agent sees it at each step.
func encodedFrame(_ arguments: Arguments) throws -> Workload {
  let shape = FrameShape(height: 64, width: 64, channels: 3)
  var random = Seed(1).stream("initial weights")
  let encoder = LatentEncoder(
    model: try KeypointAutoencoder(frame: shape, settings: .init(), using: &random),
    preparation: FramePreparation(shape: shape), target: ReconstructionTarget())
  let bytes = (0..<shape.count).map { _ in UInt8(random.integer(below: 256)) }
  let frame = PixelBuffer(width: 64, height: 64, format: .rgb, bytes: bytes)
  return Workload { _ = encoder.encode([frame]).array }
}

/// One step of the default autoencoder's training: loss, gradient and Adam on `[B, 3, 64, 64]`.
func autoencoderStep(_ arguments: Arguments) throws -> Workload {
  let batch = try arguments.integer("batch", default: 32)
  let shape = FrameShape(height: 64, width: 64, channels: 3)
  var random = Seed(1).stream("initial weights")
  var model = try KeypointAutoencoder(frame: shape, settings: .init(), using: &random)
  var optimizer = Adam(learningRate: 1e-3)
  let x = Tensor.normal([batch, 3, 64, 64], using: &random) * 0.1
  return Workload {
    let (_, gradient) = valueWithGradient(at: model) { model in
      let z = model.encode(x)
      return meanSquared(model.decode(z) - x) + model.penalty(z)
    }
    optimizer.update(&model, along: gradient)
  }
}
