import Autoencoders
import Core
import Pixels
import Tensors
import Testing

@testable import Representations

@Suite struct ColorWeightsTests {
  /// Frames of one colour, with a few pixels of another.
  private func frame(_ color: [UInt8], rare: [UInt8], pixels: Int, side: Int = 8) -> PixelBuffer {
    var bytes = (0..<side * side).flatMap { _ in color }
    for p in 0..<pixels { for c in color.indices { bytes[p * color.count + c] = rare[c] } }
    return PixelBuffer(width: side, height: side, format: color.count == 1 ? .gray : .rgb, bytes: bytes)
  }

  private func preparation(_ channels: Int, background: UInt8 = 0) -> FramePreparation {
    let shape = FrameShape(height: 8, width: 8, channels: channels)
    return FramePreparation(shape: shape, background: [UInt8](repeating: background, count: shape.count))
  }

  @Test(arguments: [0.5, 1]) func `weights follow the frequencies of colours in the batch`(_ exponent: Double) {
    let preparation = preparation(3)
    let frames = [
      frame([40, 60, 90], rare: [200, 150, 80], pixels: 4), frame([40, 60, 90], rare: [0, 0, 0], pixels: 0),
    ]
    let w = preparation.colorWeights(preparation.prepare(frames), exponent: exponent)
    #expect(w.shape == [2, 3, 8, 8])
    let values = w.doubles
    let frequencies = (124.0 / 128 + 1.0 / 512) / (4.0 / 128 + 1.0 / 512)
    let ratio = exponent == 1 ? frequencies : frequencies.squareRoot()
    #expect(abs(values[0] / values[10] - ratio) < 1e-4)
    // The channels of a pixel have the same weight, and the mean is 1.
    for p in 0..<64 { #expect(values[p] == values[64 + p] && values[p] == values[128 + p]) }
    #expect(abs(values.reduce(0, +) / Double(values.count) - 1) < 1e-5)
  }

  @Test func `with exponent 1 a rare colour counts nearly as much as a common one`() {
    let preparation = preparation(1)
    let x = preparation.prepare([frame([20], rare: [220], pixels: 2)])
    let w = preparation.colorWeights(x, exponent: 1).doubles
    let (rare, common) = (w[..<2].reduce(0, +), w[2...].reduce(0, +))
    // f / (f + 1 / 64) for f = 2/64 and 62/64
    #expect(abs(rare / common - (2.0 / 3) / (62.0 / 63)) < 1e-5)
  }

  @Test func `colours are those of the frame, not of its difference from the background`() {
    let (plain, shifted) = (preparation(1), preparation(1, background: 70))
    let frames = [frame([20], rare: [220], pixels: 5)]
    let w = shifted.colorWeights(shifted.prepare(frames), exponent: 0.5)
    #expect(w.array == plain.colorWeights(plain.prepare(frames), exponent: 0.5).array)
  }

  @Test func `shifted frames have the colours of the shifted picture`() {
    let shape = FrameShape(height: 8, width: 8, channels: 1)
    // A background that is dark on the left and bright on the right.
    let background = (0..<64).map { UInt8($0 % 8 < 4 ? 10 : 240) }
    let preparation = FramePreparation(shape: shape, background: background)
    var picture = background
    for p in [19, 20, 27, 28] { picture[p] = 120 }
    let frames = [PixelBuffer(width: 8, height: 8, format: .gray, bytes: picture)]
    let x = preparation.prepare(frames + frames)
    let shifts = [Shift(right: 2, down: -1), Shift(right: -3, down: 4)]
    func shifted(_ from: Span<Float>, _ row: Int, into target: inout MutableSpan<Float>) {
      writeShifted(from, shape, by: shifts[row], into: &target, at: row * 64)
    }
    let moved = Tensor([2, 1, 8, 8], of: Float.self) { target in
      x.withElements { x in
        for row in 0..<2 { shifted(x.extracting(row * 64..<(row + 1) * 64), row, into: &target) }
      }
    }
    let plain = FramePreparation(shape: shape, background: [UInt8](repeating: 0, count: 64))
    let whole = Tensor([2, 1, 8, 8], of: Float.self) { target in
      plain.prepare(frames + frames).withElements { x in
        for row in 0..<2 { shifted(x.extracting(row * 64..<(row + 1) * 64), row, into: &target) }
      }
    }
    let expected = plain.colorWeights(whole, exponent: 1).array
    #expect(preparation.colorWeights(moved, exponent: 1, shifts: shifts).array == expected)
    #expect(preparation.colorWeights(moved, exponent: 1).array != expected)
  }

  @Test func `exponent 0 gives the same weight to all, also in stacked frames`() {
    let preparation = preparation(3)
    let frames = [
      frame([40, 60, 90], rare: [200, 150, 80], pixels: 4), frame([9, 9, 9], rare: [255, 0, 0], pixels: 1),
    ]
    let stacked = preparation.prepare(frames).reshaped(1, 6, 8, 8)
    #expect(preparation.colorWeights(stacked, exponent: 0).array.allSatisfy { $0 == 1 })
    // A stack of two frames has the weights of the two.
    #expect(
      preparation.colorWeights(stacked, exponent: 1).array
        == preparation.colorWeights(preparation.prepare(frames), exponent: 1).array)
  }

  @Test func `the reconstruction loss counts what has a rare colour`() throws {
    // A moving floor covers half of the frame, and a body a few pixels of a colour of its own.
    let preparation = preparation(1)
    let frames = (0..<4).map { i in
      var bytes = [UInt8](repeating: 100, count: 64)
      for p in 32..<64 { bytes[p] = (p + i) % 2 == 0 ? 90 : 110 }
      bytes[i] = 250
      return PixelBuffer(width: 8, height: 8, format: .gray, bytes: bytes)
    }
    var random = Seed(1).stream("weights")
    let model = try KeypointAutoencoder(
      frame: preparation.shape, isBackgroundSubtracted: false, settings: KeypointAutoencoder.Settings(), using: &random)
    let encoder = LatentEncoder(model: model, preparation: preparation, target: ReconstructionTarget())
    var settings = PretrainingSettings()
    settings.changeWeight = 0
    let x = encoder.prepare(frames)
    func shareOfBody() -> Double {
      let w = ReconstructionLoss(of: x, by: encoder, settings, random: random).weights.doubles
      return (0..<4).reduce(0) { $0 + w[$1 * 64 + $1] } / w.reduce(0, +)
    }
    #expect(abs(shareOfBody() - 1.0 / 64) < 1e-6)
    settings.colorBalance = 1
    #expect(shareOfBody() > 0.1)
  }
}
