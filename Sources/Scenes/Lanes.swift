/// A SIMD vector of eight values, one for each ray of a packet.
///
/// Comparisons and selections use bit operations, which compile to a few instructions for all lanes. The standard
/// library's masks compile to a branch per lane.
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

  /// Compares lane by lane. Both operands must be finite.
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

  /// 1 / √x for positive values: an estimate from the exponent and three Newton steps. The last bit may be wrong.
  @inline(__always)
  var inverseSquareRoot: Lanes {
    var y = Lanes(bits: 0x5f37_5a86 &- (bits &>> 1))
    let half = self * 0.5
    for _ in 0..<3 { y = y * (Lanes(1.5) - half * y * y) }
    return y
  }

  /// √x for nonnegative values.
  @inline(__always)
  var squareRoot: Lanes { self * max(self, Lanes(1e-30)).inverseSquareRoot }

  /// The nearest integer, for magnitudes below four million.
  @inline(__always)
  var rounded: Lanes { (self + 12_582_912) - 12_582_912 }

  /// The fractional part x - ⌊x⌋, from 0 to 1.
  @inline(__always)
  var fraction: Lanes {
    let part = self - rounded
    return choose(part < 0, part + 1, part)
  }

  /// ⌊x⌋, for magnitudes below four million.
  @inline(__always)
  var floor: Lanes {
    let nearest = rounded
    return choose(self < nearest, nearest - 1, nearest)
  }

  /// Converts integers from 0 to four million.
  @inline(__always)
  init(whole: SIMD8<Int32>) { self = Lanes(bits: whole | 0x4b00_0000) - 8_388_608 }

  /// The nearest integers, as an integer vector.
  @inline(__always)
  var integers: SIMD8<Int32> { (self + 12_582_912).bits &- 0x4b40_0000 }

  /// Raises x in 0 ... 1 to a nonnegative power.
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

/// An exponent rounded to the nearest half, so that powers need only multiplications and at most one square root.
struct PowerLadder: Sendable {
  let whole: Int
  let hasHalf: Bool

  init(_ exponent: Float) {
    let halves = Int((2 * min(max(exponent, 0), 1024)).rounded())
    (whole, hasHalf) = (halves / 2, halves % 2 == 1)
  }
}

/// A mask of eight lanes. In each lane, either all bits are set or none.
struct LaneMask: Sendable {
  var bits: SIMD8<Int32>

  static let none = LaneMask(bits: SIMD8(repeating: 0))
  static let all = LaneMask(bits: SIMD8(repeating: -1))

  @inline(__always)
  init(bits: SIMD8<Int32>) { self.bits = bits }

  /// Sets the first `count` lanes.
  init(first count: Int) {
    bits = SIMD8(repeating: 0)
    for lane in 0..<count { bits[lane] = -1 }
  }

  /// Sets the lanes whose index equals `index`.
  @inline(__always)
  init(_ indices: SIMD8<Int32>, are index: Int32) {
    self.init(indices, are: SIMD8(repeating: index))
  }

  /// Sets the lanes whose indices are equal.
  @inline(__always)
  init(_ indices: SIMD8<Int32>, are others: SIMD8<Int32>) {
    let difference = indices ^ others
    // The sign bit of d | -d is set unless d is zero.
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

/// Returns `a` in lanes where the mask is set, and `b` in the others.
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

  /// Returns whether no component is below 1 in the masked lanes: more light would not change these colours.
  @inline(__always)
  func isFull(_ mask: LaneMask) -> Bool { (mask & (min(min(x, y), z) < 1)).isEmpty }

  @inline(__always)
  subscript(lane: Int) -> SIMD3<Float> { SIMD3(x[lane], y[lane], z[lane]) }
}

@inline(__always)
func choose(_ mask: LaneMask, _ a: LaneVectors, _ b: LaneVectors) -> LaneVectors {
  LaneVectors(choose(mask, a.x, b.x), choose(mask, a.y, b.y), choose(mask, a.z, b.z))
}
