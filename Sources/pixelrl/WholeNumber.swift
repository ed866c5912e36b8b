import Core

/// Reads a flag's whole number as settings are read: `100000` or `1e5`.
func wholeNumber<Number: NumericSetting & FixedWidthInteger>(_ typed: String) throws -> Number {
  guard let number = Number(text: typed) else { throw InputError("a whole number, such as 100 or 1e5") }
  return number
}
