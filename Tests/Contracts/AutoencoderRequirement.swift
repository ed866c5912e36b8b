import Autoencoders
import Core
import Networks
import Tensors
import Testing

/// What every autoencoder must do.
///
/// ```swift
/// @Test(arguments: AutoencoderRequirement.allCases) func linear(_ requirement: AutoencoderRequirement) throws {
///   try requirement.check(LinearAutoencoder.self)
/// }
/// ```
public enum AutoencoderRequirement: String, Sendable, CaseIterable {
  case latentsAndReconstructionsHaveTheirShapes
  case anySizeIsSupportedOrRejectedWithAnError
  case gradientsReachEveryParameter
  case aFewStepsReduceTheLoss
  case weightsAreReproducibleFromTheSeed
  case settingsAreParsedAndBounded

  /// Records an issue in the running test for each difference.
  ///
  /// - Throws: an error if the autoencoder does not support the size of a frame that every autoencoder must support.
  public func check<Model: Autoencoder>(_ type: Model.Type) throws {
    switch self {
    case .latentsAndReconstructionsHaveTheirShapes:
      for (height, width, channels) in [
        (64, 64, 3), (84, 84, 1), (48, 48, 3), (48, 64, 1), (64, 36, 3), (24, 96, 1),
      ] {
        try checkShapes(type, FrameShape(height: height, width: width, channels: channels))
      }
    case .anySizeIsSupportedOrRejectedWithAnError: try checkSizes(type)
    case .gradientsReachEveryParameter: try checkGradients(type)
    case .aFewStepsReduceTheLoss: try checkLearning(type)
    case .weightsAreReproducibleFromTheSeed: try checkSeed(type)
    case .settingsAreParsedAndBounded:
      #expect(!Model.note.isEmpty)
      try checkFields(Model.Settings.self)
    }
  }
}

private func checkShapes<Model: Autoencoder>(_ type: Model.Type, _ shape: FrameShape) throws {
  let model = try Model.new(shape)
  let x = randomFrames(2, shape)
  let z = model.encode(x)
  #expect(z.shape == [2, model.latentSize])
  #expect(z.isFinite)
  if Model.hasDecoder {
    let reconstruction = model.decode(z)
    #expect(reconstruction.shape == x.shape, "\(shape)")
    #expect(reconstruction.isFinite)
  }
  #expect(model.penalty(z).shape.count == 1)
  #expect(model.penalty(z).item >= 0)
  // A frame's latent does not depend on the other frames.
  let alone = model.encode(x.rows(1..<2)).array
  for i in alone.indices { #expect(abs(alone[i] - z.array[model.latentSize + i]) < 1e-5) }
}

/// Every frame size is either supported or rejected with an error that contains it.
private func checkSizes<Model: Autoencoder>(_ type: Model.Type) throws {
  for (height, width) in [
    (1, 1), (4, 4), (8, 8), (9, 9), (15, 15), (16, 15), (15, 17), (16, 16), (18, 20), (8, 64),
  ] {
    do {
      try checkShapes(type, FrameShape(height: height, width: width, channels: 1))
    } catch let error as InputError {
      #expect(error.description.contains("\(width)x\(height)"))
      // The size that it names is supported.
      let named = try #require(error.description.firstMatch(of: /--size ([0-9]+)(?:x([0-9]+))?,/))
      let side = try #require(Int(named.1))
      try checkShapes(
        type, FrameShape(height: named.2.flatMap { Int($0) } ?? side, width: side, channels: 1))
    }
  }
}

private func checkGradients<Model: Autoencoder>(_ type: Model.Type) throws {
  let shape = FrameShape(height: 24, width: 24, channels: 3)
  let model = try Model.new(shape)
  let x = randomFrames(4, shape)
  let (_, gradient) = valueWithGradient(at: model) { $0.loss(x) }
  for (parameter, tensor) in zip(model.parameters, gradient.tensors) {
    let tensor = try #require(tensor, "\(parameter.name) has no gradient")
    #expect(tensor.isFinite)
    #expect(tensor.array.contains { $0 != 0 }, "the gradient of \(parameter.name) is zero")
  }
}

private func checkLearning<Model: Autoencoder>(_ type: Model.Type) throws {
  var model = try Model.new(FrameShape(height: 24, width: 24, channels: 1))
  let x = movingSquares(8, size: 24)
  let before = model.loss(x).item
  var optimizer = Adam(learningRate: 5e-3)
  for _ in 0..<60 {
    let (_, gradient) = valueWithGradient(at: model) { $0.loss(x) }
    optimizer.update(&model, along: gradient)
  }
  #expect(model.loss(x).item < 0.8 * before)
}

private func checkSeed<Model: Autoencoder>(_ type: Model.Type) throws {
  let shape = FrameShape(height: 24, width: 24, channels: 1)
  let (one, same, other) = (try Model.new(shape), try Model.new(shape), try Model.new(shape, seed: 2))
  let x = randomFrames(2, shape)
  #expect(one.encode(x).array == same.encode(x).array)
  #expect(one.encode(x).array != other.encode(x).array)
  #expect(one.parameters.map { $0.value.array } == same.parameters.map { $0.value.array })
}

extension Autoencoder {
  /// Creates an autoencoder with the default settings.
  fileprivate static func new(_ shape: FrameShape, seed: UInt64 = 1) throws -> Self {
    var random = Seed(seed).stream("initial weights")
    return try Self(frame: shape, settings: Settings(), using: &random)
  }

  /// The reconstruction loss or, without a decoder, a loss with target latents.
  fileprivate func loss(_ x: Tensor) -> Tensor {
    let z = encode(x)
    guard !Self.hasDecoder else { return meanSquared(decode(z) - x) + penalty(z) }
    var random = Seed(4).stream("wanted")
    return meanSquared(z - 0.5 * .normal(z.shape, using: &random)) + penalty(z)
  }
}

private func randomFrames(_ count: Int, _ shape: FrameShape) -> Tensor {
  var random = Seed(3).stream("frames")
  return .normal([count, shape.channels, shape.height, shape.width], using: &random) * 0.3
}

/// Returns frames `[N, 1, S, S]` of a bright square with a side of 4 pixels that moves along the diagonal.
private func movingSquares(_ count: Int, size: Int) -> Tensor {
  Tensor([count, 1, size, size], of: Float.self) { target in
    for i in 0..<target.count {
      let (frame, y, x) = (i / (size * size), i / size % size, i % size)
      let start = frame * (size - 4) / max(count - 1, 1)
      target[i] = (start..<start + 4).contains(y) && (start..<start + 4).contains(x) ? 1 : 0
    }
  }
}
