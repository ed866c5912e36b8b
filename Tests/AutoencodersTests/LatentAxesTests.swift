import Core
import Pixels
import Tensors
import Testing

@testable import Autoencoders

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

@Suite struct PrincipalComponentsTests {
  @Test func rotatedAxesAreFoundInOrder() {
    // Independent values with deviations 3, 2 and 1 along rotated axes.
    let axes = [[2.0, 1, 2], [-2, 2, 1], [1, 2, -2]].map { $0.map { $0 / 3 } }
    var random = Seed(3).stream("rows")
    let rows = (0..<4000).flatMap { _ in
      let along = [3 * random.normal(), 2 * random.normal(), random.normal()]
      return (0..<3).map { i in Float(5 + (0..<3).reduce(0) { $0 + along[$1] * axes[$1][i] }) }
    }
    let tensor = Tensor(rows, [4000, 3])
    let found = PrincipalComponents(of: tensor, count: 3)
    for (axis, known) in zip(found.axes, axes) {
      #expect(abs(abs(zip(axis, known).reduce(0) { $0 + $1.0 * $1.1 }) - 1) < 2e-3)
    }
    for (variance, known) in zip(found.variances, [9.0, 4, 1]) { #expect(abs(variance / known - 1) < 0.07) }
    #expect(abs(found.variances.reduce(0, +) - found.totalVariance) < 1e-6 * found.totalVariance)
    for i in 0..<3 {
      for j in 0..<3 {
        let product = zip(found.axes[i], found.axes[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-9)
      }
    }
    // The coordinates along an axis have its variance.
    let coordinates = found.places(of: tensor)
    for i in 0..<3 {
      let mean = coordinates.reduce(0) { $0 + $1[i] } / 4000
      let variance = coordinates.reduce(0) { $0 + $1[i] * $1[i] } / 4000
      #expect(abs(mean) < 1e-6 && abs(variance / found.variances[i] - 1) < 1e-6)
    }
  }

  @Test func constantRowsHaveNoVariance() {
    let constant = PrincipalComponents(of: Tensor(repeating: 2, [5, 4]))
    #expect(constant.variances == [0, 0] && constant.places(of: Tensor(repeating: 2, [1, 4])) == [[0, 0]])
    let single = PrincipalComponents(of: Tensor([1, 2, 3], [3, 1]))
    #expect(single.axes == [[1]] && abs(single.variances[0] - 2.0 / 3) < 1e-6)
  }
}

@Suite struct LatentAxesTests {
  /// Latents of 10 values: six follow a slow oscillation, two a faster and smaller one, and two are noise.
  private let latents: [[Double]]
  private let signals: [[Double]]
  private let episodes = (0..<600).map { $0 / 60 }

  init() {
    var random = Seed(5).stream("latents")
    let signals = (0..<600).map { t -> [Double] in [sin(0.05 * Double(t)), 0.1 * cos(0.31 * Double(t))] }
    latents = signals.map { signal -> [Double] in
      var latent = (0..<6).map { _ in signal[0] + 0.01 * random.normal() }
      latent += [signal[1], 0.5 * signal[0] - signal[1]]
      latent += [0.3 * random.normal(), 0.3 * random.normal()]
      return latent
    }
    self.signals = signals
  }

  private func tensor(_ rows: [[Double]]) -> Tensor {
    Tensor(rows.flatMap { $0.map { Float($0) } }, [rows.count, rows[0].count])
  }

  @Test func smoothMotionIsKeptAndNoiseIsNot() {
    let z = tensor(latents)
    let axes = LatentAxes(of: z, episodes: episodes)
    // The noise of the six values is below the threshold.
    #expect(axes.count == 2)
    let centered = z - z.mean(axis: 0)
    let s = axes.places(of: centered)
    for deviation in sqrt(square(s).mean(axis: 0)).doubles { #expect(abs(deviation - LatentAxes.deviation) < 1e-3) }
    // The axes are independent, and each signal is a linear combination of them.
    let product = (matrixProduct(s.transposed, s) / 600).doubles
    #expect(abs(product[1]) < 1e-2)
    for index in 0..<2 {
      let signal = signals.map { $0[index] }
      let mean = signal.reduce(0, +) / 600
      let values = s.doubles
      var rest = signal.map { $0 - mean }
      for axis in 0..<2 {
        let share = (0..<600).reduce(0) { $0 + rest[$1] * values[$1 * 2 + axis] } / (600 * product[axis * 3])
        for t in 0..<600 { rest[t] -= share * values[t * 2 + axis] }
      }
      let variance = signal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      #expect(rest.reduce(0) { $0 + $1 * $1 } < 0.02 * variance)
    }
  }

  @Test func latentsAreRestoredWithoutTheNoise() {
    let z = tensor(latents)
    let axes = LatentAxes(of: z, episodes: episodes)
    // Mapping coordinates to latents and back is the identity.
    let identity = matrixProduct(axes.reading, transposed: false, axes.directions, transposed: true).doubles
    for (found, known) in zip(identity, [1.0, 0, 0, 1]) { #expect(abs(found - known) < 1e-4) }
    let mean = z.mean(axis: 0)
    let error = (axes.latents(at: axes.places(of: z - mean)) + mean - z).doubles
    let root = (0..<10).map { i -> Double in
      var sum = 0.0
      for t in 0..<600 { sum += error[t * 10 + i] * error[t * 10 + i] }
      return (sum / 600).squareRoot()
    }
    for i in 0..<8 { #expect(root[i] < 0.03) }
    for i in 8..<10 { #expect(root[i] > 0.25) }
  }

  @Test func jumpsBetweenEpisodesAreIgnored() {
    // The first value oscillates through all episodes. The second is almost constant in each, at different values.
    let rows = (0..<600).map { t -> [Double] in
      let start = Double(t / 3 * 7919 % 101) / 30
      return [3 * sin(0.8 * Double(t)), start + 0.001 * Double(t % 3)]
    }
    let axes = LatentAxes(of: tensor(rows), episodes: (0..<600).map { $0 / 3 })
    let smoothest = axes.directions.doubles.prefix(2).map(abs)
    #expect(axes.count == 2 && smoothest[1] > 5 * smoothest[0])
    // If the jumps counted, the second value would be the rougher one.
    let withJumps = LatentAxes(of: tensor(rows), episodes: [Int](repeating: 0, count: 600))
    #expect(abs(withJumps.directions.doubles[0]) > 5 * abs(withJumps.directions.doubles[1]))
    let constant = LatentAxes(of: Tensor(repeating: 0.5, [30, 4]), episodes: [Int](repeating: 0, count: 30))
    #expect(constant.count == 1 && constant.reading.isFinite)
    #expect(constant.places(of: Tensor.zeros([2, 4])).doubles == [0, 0])
  }

  @Test func anEncoderWithAxesReturnsAndReconstructsCoordinates() throws {
    var encoder = try smallEncoder()
    // A moving bright square.
    let frames = (0..<60).map { t in
      var frame = PixelBuffer(width: 16, height: 16, format: .gray)
      let (x, y) = (Int(6 + 5 * sin(0.2 * Double(t))), Int(6 + 5 * cos(0.13 * Double(t))))
      for i in 0..<16 { frame.bytes[(y + i / 4) * 16 + x + i % 4] = 255 }
      return frame
    }
    encoder.standardize(on: encoder.encode(frames), alongAxesWithin: [Int](repeating: 0, count: 60))
    let axes = try #require(encoder.axes)
    #expect(encoder.latentSize == axes.count && axes.count <= 8)
    let x = encoder.preparation.prepare(frames)
    let s = encoder.encode(prepared: x)
    #expect(s.shape == [60, axes.count])
    #expect(encoder.reconstruct(prepared: x).array == encoder.model.decode(encoder.restored(s)).array)
    encoder.standardize(on: encoder.model.encode(x))
    #expect(encoder.axes == nil && encoder.latentSize == 8)
  }
}
