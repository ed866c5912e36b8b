import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Formats a number for a table: with four significant digits, whole numbers in full, and very small or large ones with
/// three: `812.5`, `0.0132`, `14,000`, `1.2e−5`.
func shown(_ number: Double?) -> String {
  guard let number, number.isFinite else { return "–" }
  let size = abs(number)
  if size == 0 { return "0" }
  if size >= 1e15 || size < 1e-4 {
    var exponent = Int(log10(size).rounded(.down))
    var leading = (number / pow(10, Double(exponent)) * 100).rounded() / 100
    if abs(leading) >= 10 { (leading, exponent) = (leading / 10, exponent + 1) }
    return "\(leading)e\(exponent)".replacing("-", with: "−")
  }
  let rounded = size >= 1000 ? number.rounded() : significant(number, 4)
  guard rounded == rounded.rounded() else { return "\(rounded)".replacing("-", with: "−") }
  var digits = String(Int(abs(rounded)))
  for place in stride(from: digits.count - 3, to: 0, by: -3) {
    digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
  }
  return (rounded < 0 ? "−" : "") + digits
}

func shown(_ range: ClosedRange<Double>) -> String { "\(shown(range.lowerBound)) to \(shown(range.upperBound))" }

/// `1:02:03`, `12:03`, `42 s`.
func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, (0..<1e9).contains(seconds) else { return "–" }
  if seconds < 60 { return "\(shown(significant(seconds, 2))) s" }
  let whole = Int(seconds.rounded())
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  return whole >= 3600
    ? "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60)) h" : "\(whole / 60):\(two(whole % 60)) min"
}

/// Formats nanoseconds since 1970 as `2026-01-31 23:59 UTC`.
public func date(nanoseconds: Int) -> String {
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  let minutes = nanoseconds / 60_000_000_000
  guard minutes >= 0 else { return "–" }
  // Count years from March, so that the leap day is the last day. 400 years have 146,097 days, and the months have a
  // fixed pattern.
  let day = minutes / 1440 + 719_468
  let (era, dayOfEra) = (day / 146_097, day % 146_097)
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let march = (5 * dayOfYear + 2) / 153
  let month = march < 10 ? march + 3 : march - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  let dayOfMonth = dayOfYear - (153 * march + 2) / 5 + 1
  return "\(year)-\(two(month))-\(two(dayOfMonth)) \(two(minutes / 60 % 24)):\(two(minutes % 60)) UTC"
}

private func significant(_ number: Double, _ digits: Int) -> Double {
  guard number != 0 else { return 0 }
  var (power, size) = (1.0, abs(number))
  while size < 1 {
    size *= 10
    power *= 10
  }
  while size >= 10 {
    size /= 10
    power /= 10
  }
  for _ in 1..<digits { power *= 10 }
  return (number * power).rounded() / power
}
