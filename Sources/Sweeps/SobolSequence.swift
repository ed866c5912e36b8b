import Core

/// Points of the unit cube that cover it more evenly than random ones (Sobol 1967), with the direction numbers of Joe
/// and Kuo 2008, "Constructing Sobol sequences with better two-dimensional projections".
struct SobolSequence {
  static let maximumDimensions = primitives.count + 1

  /// The direction numbers v₁, v₂, … of each dimension, as fractions of 2³².
  private let directions: [[UInt32]]
  /// A random digital shift for each dimension, which moves the first point away from the corner.
  private let shifts: [UInt32]

  /// - Parameter shift: the seed of the digital shift; nil for none.
  init(dimensions: Int, shift: Seed?) {
    precondition((1...Self.maximumDimensions).contains(dimensions), "\(dimensions) dimensions")
    directions = (0..<dimensions).map(Self.directions)
    var random = shift?.stream("sobol")
    shifts = (0..<dimensions).map { _ in random.map { _ in UInt32(truncatingIfNeeded: random?.next() ?? 0) } ?? 0 }
  }

  /// The first points, in the order of the Gray code (Antonov and Saleev 1979).
  func first(_ count: Int) -> [[Double]] {
    var state = shifts
    return (0..<count).map { index in
      defer {
        let bit = (~UInt32(index)).trailingZeroBitCount
        for d in state.indices { state[d] ^= directions[d][bit] }
      }
      return state.map { Double($0) * 0x1p-32 }
    }
  }

  /// vᵢ = a₁vᵢ₋₁ ⊕ … ⊕ vᵢ₋ₛ ⊕ (vᵢ₋ₛ >> s) for the primitive polynomial of degree s with the coefficients a.
  private static func directions(of dimension: Int) -> [UInt32] {
    guard dimension > 0 else { return (0..<32).map { 1 << (31 - $0) } }
    let (degree, coefficients, initial) = primitives[dimension - 1]
    var v = initial.enumerated().map { $1 << UInt32(31 - $0) }
    for i in degree..<32 {
      var next = v[i - degree] ^ (v[i - degree] >> UInt32(degree))
      for k in 1..<max(degree, 1) where coefficients >> UInt32(degree - 1 - k) & 1 == 1 { next ^= v[i - k] }
      v.append(next)
    }
    return v
  }

  /// The degree, the coefficients and the initial numbers of the dimensions from the second on.
  private static let primitives: [(degree: Int, coefficients: UInt32, initial: [UInt32])] = [
    (1, 0, [1]), (2, 1, [1, 3]), (3, 1, [1, 3, 1]), (3, 2, [1, 1, 1]), (4, 1, [1, 1, 3, 3]), (4, 4, [1, 3, 5, 13]),
    (5, 2, [1, 1, 5, 5, 17]), (5, 4, [1, 1, 5, 5, 5]), (5, 7, [1, 1, 7, 11, 19]),
  ]
}
