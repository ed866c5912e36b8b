import Core
import Tensors

extension Module {
  /// Loads all parameters from named tensors, such as those of a file.
  ///
  /// - Parameter prefix: the prefix of each name, such as `encoder.`. Tensors without it are ignored.
  /// - Throws: `InputError` that lists the names that are missing, unexpected or of another shape or precision. The
  ///   module is then unchanged.
  public mutating func load(_ tensors: [(name: String, value: Tensor)], prefix: String = "") throws {
    let parameters = parameters.map { (name: prefix + $0.name, value: $0.value) }
    let given = Dictionary(
      tensors.lazy.filter { $0.name.hasPrefix(prefix) }.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    let expected = Set(parameters.map(\.name))
    let missing = parameters.map(\.name).filter { given[$0] == nil }
    let unexpected = given.keys.filter { !expected.contains($0) }.sorted()
    let mismatched = parameters.compactMap { name, value -> String? in
      guard let found = given[name], found.shape != value.shape || found.precision != value.precision else {
        return nil
      }
      return "\(name) is \(found.shape) \(found.precision), not \(value.shape) \(value.precision)"
    }
    let mismatches = [
      missing.isEmpty ? nil : "missing: \(missing.joined(separator: ", "))",
      unexpected.isEmpty ? nil : "unexpected: \(unexpected.joined(separator: ", "))",
      mismatched.isEmpty ? nil : "mismatched: \(mismatched.joined(separator: ", "))",
    ].compactMap { $0 }
    guard mismatches.isEmpty else {
      throw InputError("the weights do not fit this network; " + mismatches.joined(separator: "; "))
    }
    replaceParameters { name, value in given[prefix + name] ?? value }
  }

  /// Returns the parameters with a prefix before their names, such as `encoder.`, for a file that holds others too.
  public func named(_ prefix: String) -> [(name: String, value: Tensor)] {
    parameters.map { (prefix + $0.name, $0.value) }
  }
}
