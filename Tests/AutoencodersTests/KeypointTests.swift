import Core
import Pixels
import Tensors
import Testing

@testable import Autoencoders

@Suite struct KeypointTests {
  private func model(height: Int, width: Int, sharpness: Double = 3) throws -> KeypointAutoencoder {
    var settings = KeypointAutoencoder.Settings()
    (settings.keypoints, settings.filters, settings.sharpness) = (6, 8, sharpness)
    var random = Seed(2).stream("initial weights")
    return try KeypointAutoencoder(
      frame: FrameShape(height: height, width: width, channels: 1), settings: settings, using: &random)
  }

  @Test func keypointsAreInsideTheFrame() throws {
    let model = try model(height: 32, width: 48)
    var random = Seed(1).stream("frames")
    let z = model.encode(.normal([4, 1, 32, 48], using: &random) * 10).array
    #expect(z.allSatisfy { (-1...1).contains($0) })
  }

  /// The centres of the first and the last cell of a map of 8 by 12 are half a cell inside the frame.
  @Test func keypointsAreFractionsOfTheFrame() throws {
    let model = try model(height: 32, width: 48)
    let z = Tensor([-1, -1, 1, 1, 0, 0, 0, 0, 0, 0, 1, -1], [1, 12])
    let keypoints = try #require(model.keypoints(of: z))[0]
    let expected = [
      (0.5 / 12, 0.5 / 8), (11.5 / 12, 7.5 / 8), (0.5, 0.5), (0.5, 0.5), (0.5, 0.5), (11.5 / 12, 0.5 / 8),
    ]
    #expect(keypoints.count == 6)
    for (point, (x, y)) in zip(keypoints, expected) { #expect(abs(point.x - x) < 1e-6 && abs(point.y - y) < 1e-6) }
    var random = Seed(2).stream("initial weights")
    let other = try RegularizedAutoencoder(
      frame: FrameShape(height: 84, width: 84, channels: 1), settings: RegularizedAutoencoder.Settings(), using: &random
    )
    #expect(other.keypoints(of: .zeros([1, other.latentSize])) == nil)
  }

  /// In frames that are not square, bumps have the same width in both directions: that of a square frame with the
  /// shorter side.
  @Test(arguments: [(32, 64), (64, 32), (32, 32)]) func bumpsAreRound(height: Int, width: Int) throws {
    let model = try model(height: height, width: width)
    let square = try self.model(height: 32, width: 32)
    let (across, down) = (
      model.profiles(along: width / 4, at: .zeros([1, 1])), model.profiles(along: height / 4, at: .zeros([1, 1]))
    )
    let expected = square.profiles(along: 8, at: .zeros([1, 1])).array
    for bump in [across.array, down.array] {
      let first = (bump.count - 8) / 2
      #expect(zip(bump[first...], expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  /// If an object moves by a cell of the map, the keypoints on it move by the distance of two cell centres.
  @Test func keypointsFollowAMovingObject() throws {
    let (height, width) = (48, 64)
    // So sharp that each keypoint is at a single cell of the map.
    let model = try model(height: height, width: width, sharpness: 1000)
    func blob(_ top: Int, _ left: Int) -> Tensor {
      Tensor([1, 1, height, width], of: Float.self) { target in
        for i in 0..<target.count {
          let (dy, dx) = (Float(i / width - top), Float(i % width - left))
          target[i] = max(0, 1 - (dy * dy + dx * dx) / 40)
        }
      }
    }
    let (z, right, down) = (
      model.encode(blob(20, 28)).array, model.encode(blob(20, 32)).array, model.encode(blob(24, 28)).array
    )
    var followers = 0
    for k in 0..<6 {
      let (dx, dy) = (right[2 * k] - z[2 * k], down[2 * k + 1] - z[2 * k + 1])
      if dx == 0 && dy == 0 { continue }  // it is on the empty background
      followers += 1
      #expect(abs(dx - 2 / Float(width / 4 - 1)) < 1e-4)
      #expect(abs(right[2 * k + 1] - z[2 * k + 1]) < 1e-4)
      #expect(abs(dy - 2 / Float(height / 4 - 1)) < 1e-4)
      #expect(abs(down[2 * k] - z[2 * k]) < 1e-4)
    }
    #expect(followers >= 2)
  }

  /// The decoder draws nothing away from keypoints, not even at the border, for any weights. Otherwise it could learn
  /// to draw a bar there in place of what moves.
  @Test(arguments: [true, false]) func decoderDrawsNothingAwayFromKeypoints(_ isBackgroundSubtracted: Bool) throws {
    var settings = KeypointAutoencoder.Settings()
    (settings.keypoints, settings.filters) = (3, 8)
    var random = Seed(2).stream("initial weights")
    var model = try KeypointAutoencoder(
      frame: FrameShape(height: 64, width: 64, channels: 1), isBackgroundSubtracted: isBackgroundSubtracted,
      settings: settings, using: &random)
    model.replaceParameters { name, value in
      name.hasSuffix("bias") ? value + .normal(value.shape, using: &random) : value
    }
    let picture = model.decode(Tensor(repeating: -1, [1, 6])).array  // all in the upper left corner
    let floor = picture[60 * 64..<64 * 64].map(abs).max() ?? .nan
    #expect((floor < 1e-5) == isBackgroundSubtracted, "\(floor)")
    #expect((picture[0..<64].map(abs).max() ?? 0) > 0.01)
  }

  /// The reconstruction depends on a keypoint only near it: within the bump and the decoder's three 3x3 convolutions.
  @Test func bumpsAreAtTheKeypoints() throws {
    let model = try model(height: 64, width: 64)
    var latents = [Float](repeating: -1, count: 12)
    let before = model.decode(Tensor(latents, [1, 12])).array
    (latents[4], latents[5]) = (0.6, 0.2)  // x, y
    let after = model.decode(Tensor(latents, [1, 12])).array
    var (weight, x, y) = (0.0, 0.0, 0.0)
    for i in before.indices where i / 64 > 20 {
      let difference = Double(abs(after[i] - before[i]))
      (weight, x, y) = (weight + difference, x + difference * Double(i % 64), y + difference * Double(i / 64))
    }
    #expect(abs(x / weight - (1 + 0.6) / 2 * 63) < 3, "\(x / weight)")
    #expect(abs(y / weight - (1 + 0.2) / 2 * 63) < 3, "\(y / weight)")
  }
}
