import Core
import Tensors

/// In what an agent is given a latent, as a setting.
public enum LatentForm: String, ChoiceSetting, Hashable {
  /// Each number of it, standardised by itself.
  case each
  /// Its `LatentAxes`.
  case smooth
}

/// The directions in which latents move smoothly, each with the same deviation: fewer numbers than the latent has, which say
/// what it says without saying it many times over.
///
/// Many keypoints follow one object, and so most numbers of a latent tell of that object alone, while what tells of the rest
/// is small. Principal axes of equal deviation mend that, but blow up what only trembles from frame to frame, such as a
/// keypoint on nothing. That is told from movement by how far a direction's second difference goes, relative to its
/// deviation: 6 in the square for noise, near 0 for what moves smoothly (slow features, Wiskott and Sejnowski 2002).
public struct LatentAxes: Sendable, Codable {
  /// The deviation along each axis. More than 1, as a network tells large differences more easily.
  static let deviation = 4.0
  /// Principal axes with less deviation than this fraction of the first's are left out.
  static let leastDeviation = 0.02
  /// Directions of a greater squared second difference, relative to their variance, are left out.
  static let mostRoughness = 4.0

  /// Principal axes that are looked at, at most.
  static let mostAxes = 64

  /// Places from latents, `[K, Z]`: s = W (z - mean).
  public let reading: Tensor
  /// Latents from places, `[K, Z]`: z ≈ mean + s D.
  public let directions: Tensor

  public init(reading: Tensor, directions: Tensor) {
    precondition(
      reading.shape == directions.shape && reading.shape.rank == 2,
      "\(reading.shape) and \(directions.shape) are no axes")
    (self.reading, self.directions) = (reading, directions)
  }

  /// - Parameters:
  ///   - latents: `[N, Z]`.
  ///   - episodes: the episode of each of them, of which one has three or more.
  init(of latents: Tensor, episodes: [Int]) {
    let size = latents.shape[1]
    let principal = PrincipalComponents(of: latents, count: min(size, Self.mostAxes))
    let deviations = principal.variances.map { max($0.squareRoot(), 1e-6) }
    let least = Self.leastDeviation * Self.leastDeviation * principal.variances[0]
    let kept = deviations.indices.filter { $0 == 0 || principal.variances[$0] > least }
    let rows = principal.places(of: latents).map { place in kept.map { place[$0] / deviations[$0] } }
    var differences: [Double] = []
    for t in rows.indices.dropFirst(2) where episodes[t] == episodes[t - 2] {
      for axis in kept.indices { differences.append(rows[t][axis] - 2 * rows[t - 1][axis] + rows[t - 2][axis]) }
    }
    precondition(!differences.isEmpty, "smooth axes need three latents in a row")
    let rough = PrincipalComponents(
      of: Tensor(differences, [differences.count / kept.count, kept.count]), count: kept.count)
    // The smoothest first, and at least that one.
    let smooth = rough.variances.indices.reversed().filter {
      rough.variances[$0] < Self.mostRoughness || $0 == rough.variances.count - 1
    }
    func combined(_ factor: (Double) -> Double) -> Tensor {
      var numbers: [Float] = []
      for axis in smooth {
        var direction = [Double](repeating: 0, count: size)
        for (i, component) in kept.enumerated() {
          let weight = rough.axes[axis][i] * factor(deviations[component])
          for number in 0..<size { direction[number] += weight * principal.axes[component][number] }
        }
        numbers += direction.map { Float($0) }
      }
      return Tensor(numbers, [smooth.count, size])
    }
    reading = combined { Self.deviation / $0 }
    directions = combined { $0 / Self.deviation }
  }

  public var count: Int { reading.shape[0] }

  /// `[N, K]` of latents less their mean, `[N, Z]`.
  func places(of z: Tensor) -> Tensor { matrixProduct(z, transposed: false, reading, transposed: true) }

  /// Latents less their mean, `[N, Z]`, of places `[N, K]`.
  func latents(at s: Tensor) -> Tensor { matrixProduct(s, directions) }
}
