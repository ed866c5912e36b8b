import Tensors

/// The N values, evenly spaced, that a distribution of returns may take (Bellemare, Dabney and Munos 2017, arXiv
/// 1707.06887): z_i = low + i Δz.
public struct ReturnAtoms: Sendable, Codable {
  public let low: Double
  public let high: Double
  /// N, at least 2.
  public let count: Int

  public init(_ range: ClosedRange<Double>, count: Int) {
    precondition(
      count >= 2 && range.lowerBound < range.upperBound,
      "\(count) atoms from \(range.lowerBound) to \(range.upperBound)")
    (low, high, self.count) = (range.lowerBound, range.upperBound, count)
  }

  /// Δz
  public var spacing: Double { (high - low) / Double(count - 1) }

  /// z, `[N]`
  public var values: Tensor { Tensor((0..<count).map { Float(low + Double($0) * spacing) }, [count]) }

  /// Σ z_i p_i of distributions `[..., N]`: `[..., 1]`.
  public func expectation(of probabilities: Tensor) -> Tensor {
    (probabilities * values).sum(axis: -1, keepingAxis: true)
  }
}

/// Φ r + d Z: what a distribution becomes when its returns are discounted and follow a reward, on the same atoms. Each
/// atom's probability is shared between the two that are nearest to where it goes (Bellemare 2017, algorithm 1).
///
///     (Φ p)_i = Σ_j [1 - |clip(r + d z_j, low, high) - z_i| / Δz]₀ p_j        eq. 7
///
/// - Parameters:
///   - probabilities: `[B, N]`
///   - reward: r, `[B, 1]`
///   - discount: d, `[B, 1]`, the agent's own included.
/// - Returns: `[B, N]`, a constant; the rows sum to 1 as those of `probabilities` do.
public func projected(_ probabilities: Tensor, onto atoms: ReturnAtoms, reward: Tensor, discount: Tensor) -> Tensor {
  let (rows, n) = (probabilities.shape[0], atoms.count)
  precondition(
    probabilities.shape == [rows, n] && reward.shape == [rows, 1] && discount.shape == [rows, 1],
    "\(n) atoms, probabilities \(probabilities.shape), rewards \(reward.shape) and discounts \(discount.shape)")
  let (r, d, p) = (reward.doubles, discount.doubles, probabilities.array)
  return Tensor([rows, n], of: Float.self) { target in
    for i in 0..<target.count { target[i] = 0 }
    for row in 0..<rows {
      for j in 0..<n {
        let z = atoms.low + Double(j) * atoms.spacing
        // Where the atom goes, in steps from the lowest.
        let place = (min(max(r[row] + d[row] * z, atoms.low), atoms.high) - atoms.low) / atoms.spacing
        let lower = min(Int(place), n - 2)
        let share = Float(place - Double(lower))
        target[row * n + lower] += (1 - share) * p[row * n + j]
        target[row * n + lower + 1] += share * p[row * n + j]
      }
    }
  }
}
