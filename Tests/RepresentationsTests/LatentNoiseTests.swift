import Core
import Tensors
import Testing

@testable import Representations

@Suite struct LatentNoiseTests {
  let z: Tensor = {
    var random = Seed(1).stream("latents")
    return Tensor((0..<8000).map { _ in Float(random.uniform(-1, 1)) }, [2000, 4])
  }()

  @Test func noiseHasTheDeviation() {
    var (noise, random) = (LatentNoise(), Seed(2).stream("noise"))
    noise.deviation = 0.3
    let added = noise(z, using: &random) - z
    let mean = added.mean().item
    #expect(abs(mean) < 0.01)
    #expect(abs(square(added).mean().item.squareRoot() - 0.3) < 0.01)
  }

  /// A fourth of the values is the mean of its column, the others are unchanged; so is the mean of all.
  @Test func droppedValuesAreTheMean() {
    var (noise, random) = (LatentNoise(), Seed(3).stream("noise"))
    noise.dropout = 0.25
    let (given, mean) = (z.array, z.mean(axis: 0).array)
    let array = noise(z, using: &random).array
    var dropped = 0
    for i in array.indices where array[i] != given[i] {
      #expect(abs(array[i] - mean[i % 4]) < 1e-6)
      dropped += 1
    }
    #expect(abs(Double(dropped) / 8000 - 0.25) < 0.02)
  }

  /// Through noise the gradient is 1, and at dropped values 0, also by way of the mean.
  @Test func theGradientPassesWhatIsKept() {
    var (noise, random) = (LatentNoise(), Seed(4).stream("noise"))
    (noise.deviation, noise.dropout) = (0.1, 0.5)
    let slopes = gradient(at: z) { noise($0, using: &random).sum() }.array
    #expect(slopes.allSatisfy { $0 == 0 || $0 == 1 })
    #expect(abs(Double(slopes.reduce(0, +)) / 8000 - 0.5) < 0.03)
  }

  /// The mean of one frame is that frame: then nothing would be dropped.
  @Test(arguments: [(0.0, 1, 2), (0.5, 5, 6)]) func dropoutNeedsSeveralFrames(
    _ nextFrame: Double, few: Int, enough: Int
  )
    throws
  {
    var settings = PretrainingSettings()
    (settings.latentNoise.dropout, settings.nextFrame, settings.batch) = (0.3, nextFrame, few)
    let error = #expect(throws: InputError.self) { try settings.check() }
    #expect(error?.description.hasSuffix("use --ae-batch \(enough) or more") == true)
    settings.batch = enough
    try settings.check()
  }

  @Test func withoutNoiseNothingIsDrawn() {
    var random = Seed(5).stream("noise")
    let before = random
    #expect(LatentNoise()(z, using: &random).array == z.array)
    #expect(random == before)
  }
}
