/// Eight numbers side by side: a packet of rays in lockstep.
///
/// Comparisons and choices are made of the bits: the standard library's masks become a branch for each lane, these a few
/// instructions for all.
struct Lanes: Sendable {
  var values: SIMD8<Float>

  static let count = 8

  @inline(__always)
  init(_ values: SIMD8<Float>) { self.values = values }
  @inline(__always)
  init(_ value: Float) { values = SIMD8(repeating: value) }

  @inline(__always)
  subscript(lane: Int) -> Float {
    get { values[lane] }
    set { values[lane] = newValue }
  }

  @inline(__always)
  static func + (a: Lanes, b: Lanes) -> Lanes { Lanes(a.values + b.values) }
  @inline(__always)
  static func - (a: Lanes, b: Lanes) -> Lanes { Lanes(a.values - b.values) }
  @inline(__always)
  static func * (a: Lanes, b: Lanes) -> Lanes { Lanes(a.values * b.values) }
  @inline(__always)
  static func / (a: Lanes, b: Lanes) -> Lanes { Lanes(a.values / b.values) }
  @inline(__always)
  static func + (a: Lanes, b: Float) -> Lanes { Lanes(a.values + b) }
  @inline(__always)
  static func - (a: Lanes, b: Float) -> Lanes { Lanes(a.values - b) }
  @inline(__always)
  static func * (a: Lanes, b: Float) -> Lanes { Lanes(a.values * b) }
  @inline(__always)
  static func += (a: inout Lanes, b: Lanes) { a.values += b.values }
  @inline(__always)
  static prefix func - (a: Lanes) -> Lanes { Lanes(0 - a.values) }

  @inline(__always)
  var bits: SIMD8<Int32> { unsafe unsafeBitCast(values, to: SIMD8<Int32>.self) }
  @inline(__always)
  init(bits: SIMD8<Int32>) { values = unsafe unsafeBitCast(bits, to: SIMD8<Float>.self) }

  /// Where a is less than b; both must be finite.
  @inline(__always)
  static func < (a: Lanes, b: Lanes) -> LaneMask { LaneMask(bits: (a - b).bits &>> 31) }
  @inline(__always)
  static func > (a: Lanes, b: Lanes) -> LaneMask { b < a }
  @inline(__always)
  static func < (a: Lanes, b: Float) -> LaneMask { a < Lanes(b) }
  @inline(__always)
  static func > (a: Lanes, b: Float) -> LaneMask { Lanes(b) < a }

  @inline(__always)
  var magnitude: Lanes { Lanes(bits: bits & 0x7fff_ffff) }

  /// 1 / √x for positive numbers: a guess from the exponent, and three steps of Newton's, which leave the last bit open.
  @inline(__always)
  var inverseSquareRoot: Lanes {
    var y = Lanes(bits: 0x5f37_5a86 &- (bits &>> 1))
    let half = self * 0.5
    for _ in 0..<3 { y = y * (Lanes(1.5) - half * y * y) }
    return y
  }

  /// √x for numbers that are not negative.
  @inline(__always)
  var squareRoot: Lanes { self * max(self, Lanes(1e-30)).inverseSquareRoot }

  /// The nearest whole number; for magnitudes below four million.
  @inline(__always)
  var rounded: Lanes { (self + 12_582_912) - 12_582_912 }

  /// The fraction above the next lower whole number, 0 to 1.
  @inline(__always)
  var fraction: Lanes {
    let part = self - rounded
    return choose(part < 0, part + 1, part)
  }

  /// The next lower whole number; for magnitudes below four million.
  @inline(__always)
  var floor: Lanes {
    let nearest = rounded
    return choose(self < nearest, nearest - 1, nearest)
  }

  /// Of whole numbers from 0 to four million.
  @inline(__always)
  init(whole: SIMD8<Int32>) { self = Lanes(bits: whole | 0x4b00_0000) - 8_388_608 }

  /// The nearest whole numbers, as such.
  @inline(__always)
  var integers: SIMD8<Int32> { (self + 12_582_912).bits &- 0x4b40_0000 }

  /// x to a positive power, for x in 0 to 1.
  @inline(__always)
  func power(_ exponent: PowerLadder) -> Lanes {
    var (result, square) = (Lanes(1), self)
    var bits = exponent.whole
    while bits > 0 {
      if bits & 1 == 1 { result = result * square }
      square = square * square
      bits >>= 1
    }
    return exponent.hasHalf ? result * squareRoot : result
  }
}

/// A power to the nearest half, which multiplications and one square root can make.
struct PowerLadder: Sendable {
  let whole: Int
  let hasHalf: Bool

  init(_ exponent: Float) {
    let halves = Int((2 * min(max(exponent, 0), 1024)).rounded())
    (whole, hasHalf) = (halves / 2, halves % 2 == 1)
  }
}

/// Which of eight lanes: all bits of a lane, or none.
struct LaneMask: Sendable {
  var bits: SIMD8<Int32>

  static let none = LaneMask(bits: SIMD8(repeating: 0))
  static let all = LaneMask(bits: SIMD8(repeating: -1))

  @inline(__always)
  init(bits: SIMD8<Int32>) { self.bits = bits }

  /// The first lanes.
  init(first count: Int) {
    bits = SIMD8(repeating: 0)
    for lane in 0..<count { bits[lane] = -1 }
  }

  /// Where an index is this one.
  @inline(__always)
  init(_ indices: SIMD8<Int32>, are index: Int32) {
    self.init(indices, are: SIMD8(repeating: index))
  }

  /// Where two indices are the same.
  @inline(__always)
  init(_ indices: SIMD8<Int32>, are others: SIMD8<Int32>) {
    let difference = indices ^ others
    // The sign of d | -d is set for all but zero.
    bits = ~((difference | (0 &- difference)) &>> 31)
  }

  @inline(__always)
  static func & (a: LaneMask, b: LaneMask) -> LaneMask { LaneMask(bits: a.bits & b.bits) }
  @inline(__always)
  static func | (a: LaneMask, b: LaneMask) -> LaneMask { LaneMask(bits: a.bits | b.bits) }
  @inline(__always)
  static prefix func ! (a: LaneMask) -> LaneMask { LaneMask(bits: ~a.bits) }
  @inline(__always)
  subscript(lane: Int) -> Bool { bits[lane] != 0 }
  @inline(__always)
  mutating func remove(_ lane: Int) { bits[lane] = 0 }

  /// The first lane that is set.
  @inline(__always)
  var first: Int? {
    if isEmpty { return nil }
    for lane in 0..<Lanes.count where bits[lane] != 0 { return lane }
    return nil
  }

  @inline(__always)
  var isEmpty: Bool {
    let four = bits.lowHalf | bits.highHalf
    let two = four.lowHalf | four.highHalf
    return two.x | two.y == 0
  }
}

/// a where the mask is set, else b.
@inline(__always)
func choose(_ mask: LaneMask, _ a: Lanes, _ b: Lanes) -> Lanes { Lanes(bits: choose(mask, a.bits, b.bits)) }
@inline(__always)
func choose(_ mask: LaneMask, _ a: SIMD8<Int32>, _ b: SIMD8<Int32>) -> SIMD8<Int32> {
  b ^ ((a ^ b) & mask.bits)
}
@inline(__always)
func min(_ a: Lanes, _ b: Lanes) -> Lanes { choose(a < b, a, b) }
@inline(__always)
func max(_ a: Lanes, _ b: Lanes) -> Lanes { choose(a < b, b, a) }

/// Eight vectors.
struct LaneVectors: Sendable {
  var x: Lanes
  var y: Lanes
  var z: Lanes

  @inline(__always)
  init(_ x: Lanes, _ y: Lanes, _ z: Lanes) {
    self.x = x
    self.y = y
    self.z = z
  }

  @inline(__always)
  init(_ v: SIMD3<Float>) { self.init(Lanes(v.x), Lanes(v.y), Lanes(v.z)) }

  @inline(__always)
  static func + (a: LaneVectors, b: LaneVectors) -> LaneVectors { LaneVectors(a.x + b.x, a.y + b.y, a.z + b.z) }
  @inline(__always)
  static func - (a: LaneVectors, b: LaneVectors) -> LaneVectors { LaneVectors(a.x - b.x, a.y - b.y, a.z - b.z) }
  @inline(__always)
  static func * (a: LaneVectors, b: LaneVectors) -> LaneVectors { LaneVectors(a.x * b.x, a.y * b.y, a.z * b.z) }
  @inline(__always)
  static func * (a: LaneVectors, b: Lanes) -> LaneVectors { LaneVectors(a.x * b, a.y * b, a.z * b) }
  @inline(__always)
  static func += (a: inout LaneVectors, b: LaneVectors) { a = a + b }

  @inline(__always)
  func dot(_ b: LaneVectors) -> Lanes { x * b.x + y * b.y + z * b.z }
  @inline(__always)
  func dot(_ b: SIMD3<Float>) -> Lanes { x * b.x + y * b.y + z * b.z }
  @inline(__always)
  var normalized: LaneVectors { self * (dot(self) + 1e-30).inverseSquareRoot }

  /// Whether none is below 1 where the mask is set: colours that more light leaves as they are.
  @inline(__always)
  func isFull(_ mask: LaneMask) -> Bool { (mask & (min(min(x, y), z) < 1)).isEmpty }

  @inline(__always)
  subscript(lane: Int) -> SIMD3<Float> { SIMD3(x[lane], y[lane], z[lane]) }
}

@inline(__always)
func choose(_ mask: LaneMask, _ a: LaneVectors, _ b: LaneVectors) -> LaneVectors {
  LaneVectors(choose(mask, a.x, b.x), choose(mask, a.y, b.y), choose(mask, a.z, b.z))
}
