#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The seed of all random numbers of a run, from which named streams are derived.
///
/// Streams with different names are independent. `Seed(7).stream("replay")` yields the same numbers regardless of which
/// other streams are used.
public struct Seed: Sendable, Hashable, Codable {
  public let value: UInt64

  public init(_ value: UInt64) { self.value = value }

  /// Returns a derived seed for a part of the run, such as environment number 3.
  public func child(_ name: String) -> Seed {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a, 64 bits
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var mixer = SplitMix64(state: value ^ hash)
    return Seed(mixer.next())
  }

  /// Returns a random number generator for a part of the run.
  public func stream(_ name: String) -> Random { Random(seed: child(name)) }
}

/// A random number generator whose numbers are the same on every machine and in every version: xoshiro256++ (Blackman
/// and Vigna 2019), with its own implementation of each distribution.
public struct Random: RandomNumberGenerator, Sendable, Hashable, Codable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  public init(seed: Seed) {
    var mixer = SplitMix64(state: seed.value)
    (s0, s1, s2, s3) = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
  }

  /// - Throws: `DecodingError` if all state words are 0. The generator would then return only zeros.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    s0 = try container.decode(UInt64.self, forKey: .s0)
    s1 = try container.decode(UInt64.self, forKey: .s1)
    s2 = try container.decode(UInt64.self, forKey: .s2)
    s3 = try container.decode(UInt64.self, forKey: .s3)
    guard s0 | s1 | s2 | s3 != 0 else {
      throw DecodingError.dataCorruptedError(forKey: .s0, in: container, debugDescription: "all state words are 0")
    }
  }

  public mutating func next() -> UInt64 {
    let result = rotate(s0 &+ s3, by: 23) &+ s0
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = rotate(s3, by: 45)
    return result
  }

  /// Uniform in [0, 1), with 53 random bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in [low, high).
  public mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

  /// An integer in 0 ..< count, without bias (Lemire 2019).
  public mutating func integer(below count: Int) -> Int {
    precondition(count > 0, "integer(below:) requires a positive count, not \(count)")
    let bound = UInt64(count)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// True with probability `p`.
  public mutating func chance(_ p: Double) -> Bool { uniform() < p }

  /// A sample of the standard normal distribution (Marsaglia's polar method). Only one value of each pair is used, so
  /// that the generator needs no cached value.
  public mutating func normal() -> Double {
    while true {
      let u = 2 * uniform() - 1
      let v = 2 * uniform() - 1
      let squared = u * u + v * v
      if squared > 0 && squared < 1 { return u * (-2 * log(squared) / squared).squareRoot() }
    }
  }

  /// Shuffles in place (Fisher and Yates).
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    guard elements.count > 1 else { return }
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, integer(below: last + 1))
    }
  }

  private func rotate(_ word: UInt64, by bits: UInt64) -> UInt64 { (word << bits) | (word >> (64 - bits)) }
}

/// Generates the initial state words of a generator (Steele, Lea and Flood 2014).
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
