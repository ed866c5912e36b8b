import Autoencoders
import Core
import Networks
import Pixels
import Tensors

/// The forward and backward passes of SAC+AE's encoder: `[B, 9, 84, 84]` to `[B, 50]`.
func encoderPasses(_ arguments: Arguments) throws -> Workload {
  let batch = try arguments.integer("batch", default: 128)
  let (model, _) = try stackedFramesModel()
  var random = Seed(1).stream("frames")
  let x = Tensor.normal([batch, 9, 84, 84], using: &random)
  return Workload(operations: batch * encoderPassesOperations) {
    _ = valueWithGradient(at: model) { square($0.encode(x)).mean() }
  }
}

/// The forward and backward passes of SAC+AE's decoder, including the gradient of its latents: `[B, 50]` to `[B, 9, 84,
/// 84]`.
func decoderPasses(_ arguments: Arguments) throws -> Workload {
  let batch = try arguments.integer("batch", default: 128)
  let (model, latentSize) = try stackedFramesModel()
  var random = Seed(1).stream("latents")
  let input = DecoderInput(model: model, z: .normal([batch, latentSize], using: &random))
  return Workload(operations: 3 * batch * encoderOperations) {
    _ = valueWithGradient(at: input) { square($0.model.decode($0.z)).mean() }
  }
}

private struct DecoderInput: Module {
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

/// The floating-point operations of the encoder's forward pass for one image. The decoder, its mirror image, has the
/// same number.
let encoderOperations: Int = {
  let convolutions = 9 * 41 * 41 + 32 * (39 * 39 + 37 * 37 + 35 * 35)
  return 2 * (9 * 32 * convolutions + 32 * 35 * 35 * 50)
}()

/// The floating-point operations of the encoder's forward and backward passes for one image. The backward pass has twice
/// those of the forward pass, for the gradients of the weights and of each layer's input, less those of the frames, which
/// no one asks for.
let encoderPassesOperations: Int = {
  let gradientOfFrames = 2 * 9 * 32 * 9 * 41 * 41
  return 3 * encoderOperations - gradientOfFrames
}()

/// Encodes one 64x64 frame to its standardised latent, as in each agent step.
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

/// One training step of the default autoencoder: loss, gradient and Adam on `[B, 3, 64, 64]`.
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
