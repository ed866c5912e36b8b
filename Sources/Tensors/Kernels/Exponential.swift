/// Returns e^x, accurate to two units in the last place, with arithmetic that the compiler can vectorise. Results below
/// the smallest normal number are 0.
///
/// With n = x / log 2 rounded and r = x - n log 2, e^x = 2^n e^r; e^r is a Taylor polynomial, since |r| < 0.35.
@inline(__always)
func exponential(_ x: Float) -> Float {
  let (lowest, highest): (Float, Float) = (-87.336_54, 88.722_83)  // e^x is a normal number between
  let above = x < lowest ? lowest : x
  let inside = above > highest ? highest : above
  // Adding 1.5 · 2^23 rounds to a whole number, which is then in the lowest bits.
  let shift: Float = 12_582_912
  let shifted = inside * 1.442_695_04 + shift
  let n = shifted - shift
  // log 2 in two parts. The first has few digits, so that n times it is exact.
  let r = (inside - n * 0.693_359_375) + n * 2.121_944_4e-4
  var e: Float = 1.0 / 5040
  e = e * r + 1.0 / 720
  e = e * r + 1.0 / 120
  e = e * r + 1.0 / 24
  e = e * r + 1.0 / 6
  e = e * r + 0.5
  e = e * r * r + r + 1
  let scaled = Float(bitPattern: e.bitPattern &+ (shifted.bitPattern &<< 23))
  let bounded = x < lowest ? 0 : (x > highest ? .infinity : scaled)
  return x == x ? bounded : x
}
