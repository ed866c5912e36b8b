import Core
import Formats

/// Returns the numbers of a JSON array.
///
/// - Parameter name: the array's name in error messages.
/// - Throws: `InputError` if the value is not an array of numbers.
func numbers(_ json: JSON, of name: String) throws -> [Double] {
  guard let values = json.array else { throw InputError("\(name) takes a JSON array of numbers, such as [0.5, -1]") }
  return try values.map { value in
    guard let number = value.double else { throw InputError("\(name) takes only numbers, not \(value)") }
    return number
  }
}

/// Reads actions from a file: a JSON array of arrays of numbers.
func actionArrays(in path: String) throws -> [[Double]] {
  let json: JSON
  do { json = try JSON(parsing: readBytes(from: path)) } catch let error as InputError {
    throw InputError("\(path): \(error)")
  }
  guard let actions = json.array else {
    throw InputError("\(path): is not a JSON array of action arrays, such as [[0.5], [-1]]")
  }
  return try actions.enumerated().map { try numbers($1, of: "\(path): action \($0)") }
}

/// Rounds a value for output: `836`, or `0.9` if it is below 10.
func shortened(_ value: Double) -> String {
  abs(value) >= 10 || !value.isFinite
    ? "\(value.rounded())".replacing(".0", with: "") : "\((value * 10).rounded() / 10)"
}
