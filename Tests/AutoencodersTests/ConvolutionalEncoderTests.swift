import Core
import Networks
import Tensors
import Testing

@testable import Autoencoders

@Suite struct ConvolutionalEncoderTests {
  private func encoder(_ height: Int, _ width: Int, channels: Int = 9) throws -> ConvolutionalEncoder {
    var random = Seed(1).stream("initial weights")
    return try ConvolutionalEncoder(
      frame: FrameShape(height: height, width: width, channels: channels), settings: .init(), using: &random)
  }

  @Test func stridesKeepAMapOfAtLeast3x3Features() {
    #expect(ConvolutionalEncoder.strides(of: 64) == [2, 2, 2, 1])
    #expect(ConvolutionalEncoder.strides(of: 84) == [2, 2, 2, 1])
    #expect(ConvolutionalEncoder.strides(of: 16) == [1, 1, 2, 1])
    for side in 16...300 {
      let size = ConvolutionalEncoder.strides(of: side).reduce(side) { ($0 - 3) / $1 + 1 }
      #expect(size >= 3, "\(side)")
    }
  }

  @Test func layerSizesFitTheFrames() throws {
    let square = try encoder(64, 64)
    #expect(square.convolutions.outputSize(height: 64, width: 64) == (5, 5))
    #expect(square.toLatent.weight.shape == [50, 32 * 25] && square.latentSize == 50)
    #expect(square.parameters.map(\.name).first == "convs.layers.0.weight")
    // All sizes of at least 16.
    for (height, width) in [(16, 16), (17, 31), (100, 40), (16, 128)] {
      let x = Tensor.zeros([2, 1, height, width])
      #expect(try encoder(height, width, channels: 1).encode(x).shape == [2, 50])
    }
    let refusal = InputError(
      "a conv encoder needs a width and a height of at least 16, such as --size 64x16, not 64x15")
    #expect(throws: refusal) { try encoder(15, 64) }
  }

  @Test func latentsAreBounded() throws {
    var random = Seed(2).stream("frames")
    let z = try encoder(64, 64).encode(.normal([3, 9, 64, 64], using: &random) * 100)
    #expect(z.array.allSatisfy { abs($0) <= 1 } && Set(z.array).count > 100)
  }

  @Test func missingDecoderIsReported() async {
    #expect(!ConvolutionalEncoder.hasDecoder && KeypointAutoencoder.hasDecoder)
    let error = #expect(throws: InputError.self) { try ConvolutionalEncoder.requireDecoder() }
    #expect(error?.description.contains("--kind keypoint or rae; conv is for 'pixelrl train --encoder") == true)
    #expect(throws: Never.self) { try RegularizedAutoencoder.requireDecoder() }
    await #expect(processExitsWith: .failure) {
      var random = Seed(1).stream("initial weights")
      let frame = FrameShape(height: 16, width: 16, channels: 1)
      _ = try ConvolutionalEncoder(frame: frame, settings: .init(), using: &random).decode(.zeros([1, 50]))
    }
  }
}
