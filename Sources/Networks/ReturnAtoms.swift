import Tensors

/// The N evenly spaced atoms of a distribution of returns, z_i = low + i Δz (Bellemare, Dabney and Munos 2017, arXiv
/// 1707.06887).
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

  /// Returns Σ z_i p_i of distributions `[..., N]`: `[..., 1]`.
  public func expectation(of probabilities: Tensor) -> Tensor {
    (probabilities * values).sum(axis: -1, keepingAxis: true)
  }
}

/// Φ r + d Z: the distribution of discounted returns after a reward, projected onto the same atoms. The probability of
/// each shifted atom is divided between the two nearest atoms (Bellemare 2017, algorithm 1).
///
///     (Φ p)_i = Σ_j [1 - |clip(r + d z_j, low, high) - z_i| / Δz]₀ p_j        eq. 7
///
/// - Parameters:
///   - probabilities: `[B, N]`
///   - reward: r, `[B, 1]`
///   - discount: d, `[B, 1]`, including the agent's discount γ.
/// - Returns: `[B, N]`, a constant. The rows sum to 1, as those of `probabilities` do.
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
        // The position of the shifted atom, in steps from the lowest.
        let position = (min(max(r[row] + d[row] * z, atoms.low), atoms.high) - atoms.low) / atoms.spacing
        let lower = min(Int(position), n - 2)
        let share = Float(position - Double(lower))
        target[row * n + lower] += (1 - share) * p[row * n + j]
        target[row * n + lower + 1] += share * p[row * n + j]
      }
    }
  }
}
