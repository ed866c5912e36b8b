import Core
import Tensors

/// The form of the latents that an agent gets, as a setting.
public enum LatentForm: String, ChoiceSetting, Hashable {
  /// Each value of the latent, standardised separately.
  case each
  /// The latent's coordinates along its `LatentAxes`.
  case smooth
}

/// The directions in which latents move smoothly, scaled to equal deviation. There are fewer of them than values of the
/// latent, and they are not redundant.
///
/// Many keypoints follow the same object, so most values of a latent describe that object, and the variation due to
/// everything else is small. Principal axes scaled to equal deviation correct this, but amplify noise, such as the
/// jitter of a keypoint that follows nothing. Noise and motion differ in the variance of the second difference along a
/// direction, relative to the variance along it: 6 for noise, near 0 for smooth motion (slow features, Wiskott and
/// Sejnowski 2002).
public struct LatentAxes: Sendable, Codable {
  /// The deviation along each axis. Greater than 1, because a network distinguishes large differences more easily.
  static let deviation = 4.0
  /// Principal axes whose deviation is below this fraction of the first axis's are omitted.
  static let leastDeviation = 0.02
  /// Directions whose squared second difference, relative to their variance, is greater are omitted.
  static let mostRoughness = 4.0

  /// The maximum number of principal axes.
  static let mostAxes = 64

  /// W, `[K, Z]`, which maps latents to coordinates: s = W (z - mean).
  public let reading: Tensor
  /// D, `[K, Z]`, which maps coordinates to latents: z ≈ mean + s D.
  public let directions: Tensor

  public init(reading: Tensor, directions: Tensor) {
    precondition(
      reading.shape == directions.shape && reading.shape.rank == 2,
      "\(reading.shape) and \(directions.shape) are not the shapes of axes")
    (self.reading, self.directions) = (reading, directions)
  }

  /// - Parameters:
  ///   - latents: `[N, Z]`.
  ///   - episodes: the episode of each latent. At least one episode must have three or more latents.
  init(of latents: Tensor, episodes: [Int]) {
    let size = latents.shape[1]
    let principal = PrincipalComponents(of: latents, count: min(size, Self.mostAxes))
    let deviations = principal.variances.map { max($0.squareRoot(), 1e-6) }
    let least = Self.leastDeviation * Self.leastDeviation * principal.variances[0]
    let kept = deviations.indices.filter { $0 == 0 || principal.variances[$0] > least }
    let rows = principal.places(of: latents).map { row in kept.map { row[$0] / deviations[$0] } }
    var differences: [Double] = []
    for t in rows.indices.dropFirst(2) where episodes[t] == episodes[t - 2] {
      for axis in kept.indices { differences.append(rows[t][axis] - 2 * rows[t - 1][axis] + rows[t - 2][axis]) }
    }
    precondition(!differences.isEmpty, "smooth axes need three consecutive latents")
    let rough = PrincipalComponents(
      of: Tensor(differences, [differences.count / kept.count, kept.count]), count: kept.count)
    // The smoothest first, and at least one.
    let smooth = rough.variances.indices.reversed().filter {
      rough.variances[$0] < Self.mostRoughness || $0 == rough.variances.count - 1
    }
    func combined(_ factor: (Double) -> Double) -> Tensor {
      var values: [Float] = []
      for axis in smooth {
        var direction = [Double](repeating: 0, count: size)
        for (i, component) in kept.enumerated() {
          let weight = rough.axes[axis][i] * factor(deviations[component])
          for j in 0..<size { direction[j] += weight * principal.axes[component][j] }
        }
        values += direction.map { Float($0) }
      }
      return Tensor(values, [smooth.count, size])
    }
    reading = combined { Self.deviation / $0 }
    directions = combined { $0 / Self.deviation }
  }

  public var count: Int { reading.shape[0] }

  /// Returns the coordinates `[N, K]` of latents `[N, Z]`, from which the mean has been subtracted.
  func places(of z: Tensor) -> Tensor { matrixProduct(z, transposed: false, reading, transposed: true) }

  /// Returns latents minus their mean, `[N, Z]`, for coordinates `[N, K]`.
  func latents(at s: Tensor) -> Tensor { matrixProduct(s, directions) }
}
