import Core
import Pixels
import Tensors
import Testing

@testable import Autoencoders

private func randomFrame(_ shape: FrameShape, using random: inout Random) -> PixelBuffer {
  PixelBuffer(
    width: shape.width, height: shape.height, format: shape.channels == 1 ? .gray : .rgb,
    bytes: (0..<shape.count).map { _ in UInt8(random.integer(below: 256)) })
}

@Suite struct PreparationTests {
  static let shapes = [
    FrameShape(height: 5, width: 7, channels: 3), FrameShape(height: 8, width: 8, channels: 1),
  ]

  @Test(arguments: shapes, [false, true]) func preparedFramesConvertBackToImages(
    _ shape: FrameShape, _ hasBackground: Bool
  ) {
    var random = Seed(1).stream("frames")
    let frames = (0..<3).map { _ in randomFrame(shape, using: &random) }
    let background = hasBackground ? randomFrame(shape, using: &random).bytes : nil
    let preparation = FramePreparation(shape: shape, background: background)
    let x = preparation.prepare(frames)
    #expect(x.shape == [3, shape.channels, shape.height, shape.width])
    for i in 0..<3 { #expect(preparation.picture(of: x, at: i) == frames[i]) }
    // Channels first: row 1, column 2 of the last channel.
    let (at, c) = (1 * shape.width + 2, shape.channels - 1)
    let level = Float(frames[0].bytes[at * shape.channels + c]) - Float(background?[at * shape.channels + c] ?? 0)
    #expect(abs(x.array[c * shape.height * shape.width + at] - level / 255) < 1e-6)
  }

  @Test func imagesAreClampedToBytes() {
    let preparation = FramePreparation(
      shape: FrameShape(height: 1, width: 3, channels: 1), background: [100, 100, 100])
    let picture = preparation.picture(of: Tensor([Float(-3), 3, 0.1], [1, 1, 1, 3]), at: 0)
    #expect(picture.bytes == [0, 255, 126])
  }

  @Test(arguments: [1, 2, 7, 255, 1000]) func theMedianRemovesAStaticScene(_ count: Int) {
    let shape = FrameShape(height: 4, width: 40, channels: 3)
    var random = Seed(4).stream("frames")
    let scene = randomFrame(shape, using: &random)
    // An object of two columns passes through. No pixel shows it for more than a twentieth of the time.
    let preparation = FramePreparation(shape: shape, medianOf: count) { index in
      guard count > 2 else { return scene.bytes }
      return scene.bytes.enumerated().map { $0 / 3 % 40 / 2 == index % 20 ? 255 : $1 }
    }
    #expect(preparation.background == scene.bytes)
    #expect(preparation.prepare([scene]).array.allSatisfy { $0 == 0 })
  }

  @Test func theMedianIsComputedPerByte() {
    let shape = FrameShape(height: 1, width: 2, channels: 1)
    let frames: [[UInt8]] = [[9, 200], [1, 255], [5, 0], [250, 3], [0, 100]]
    #expect(FramePreparation(shape: shape, medianOf: 5) { frames[$0] }.background == [5, 100])
  }
}

/// Returns an encoder of 16x16 gray frames with four keypoints and random weights, not standardised yet.
func smallEncoder() throws -> LatentEncoder<KeypointAutoencoder> {
  let shape = FrameShape(height: 16, width: 16, channels: 1)
  var settings = KeypointAutoencoder.Settings()
  (settings.keypoints, settings.filters, settings.sharpness) = (4, 8, 30)
  var random = Seed(3).stream("initial weights")
  return LatentEncoder(
    model: try KeypointAutoencoder(frame: shape, settings: settings, using: &random),
    preparation: FramePreparation(shape: shape), target: ReconstructionTarget())
}

@Suite struct LatentEncoderTests {
  @Test func standardisedLatentsHaveMeanZeroAndDeviationOne() throws {
    var encoder = try smallEncoder()
    let model = encoder.model
    var random = Seed(4).stream("frames")
    let frames = (0..<200).map { _ in randomFrame(encoder.preparation.shape, using: &random) }
    let raw = encoder.encode(frames)
    encoder.standardize(on: raw)
    let z = encoder.encode(frames)
    for (mean, deviation) in zip(
      z.mean(axis: 0).doubles, sqrt(square(z - z.mean(axis: 0)).mean(axis: 0)).doubles)
    {
      #expect(abs(mean) < 1e-4)
      #expect(abs(deviation - 1) < 1e-3)
    }
    // Reconstructions are decoded from the original latents.
    let x = encoder.preparation.prepare(frames)
    #expect(encoder.reconstruct(prepared: x).array == model.decode(model.encode(x)).array)
    #expect(encoder.encode(prepared: x).array == z.array)
  }

  @Test func valuesThatBarelyVaryAreNotAmplified() throws {
    let shape = FrameShape(height: 16, width: 16, channels: 1)
    var settings = KeypointAutoencoder.Settings()
    settings.keypoints = 1
    var random = Seed(3).stream("initial weights")
    var encoder = LatentEncoder(
      model: try KeypointAutoencoder(frame: shape, settings: settings, using: &random),
      preparation: FramePreparation(shape: shape), target: ReconstructionTarget())
    encoder.standardize(on: Tensor([Float(1), 0.5, -1, 0.5, 1, 0.500001, -1, 0.5], [4, 2]))
    #expect(encoder.deviation.array[0] == 1)
    #expect(encoder.deviation.array[1] > 0.005)
    encoder.standardize(on: Tensor([Float(1), 1, 1, 1], [2, 2]))
    #expect(encoder.deviation.array.allSatisfy { $0 > 0 })
  }
}
