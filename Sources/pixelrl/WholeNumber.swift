import Core

/// Parses a flag's whole number in the same forms as a setting: `100000` or `1e5`.
func wholeNumber<Number: NumericSetting & FixedWidthInteger>(_ typed: String) throws -> Number {
  guard let number = Number(text: typed) else { throw InputError("use a whole number, such as 100 or 1e5") }
  return number
}
