/// A dense matrix of doubles, small enough for exact solutions.
public struct Matrix: Sendable, Hashable {
  public let rows: Int
  public let columns: Int
  /// The elements in row-major order.
  private var elements: [Double]

  public init(rows: Int, columns: Int) {
    precondition(rows > 0 && columns > 0, "a matrix needs rows and columns, not \(rows)x\(columns)")
    (self.rows, self.columns) = (rows, columns)
    elements = Array(repeating: 0, count: rows * columns)
  }

  /// - Parameter rows: The rows, all of the same length.
  public init(_ rows: [[Double]]) {
    self.init(rows: rows.count, columns: rows.first?.count ?? 0)
    precondition(rows.allSatisfy { $0.count == columns }, "the rows of a matrix must have the same length")
    elements = rows.flatMap { $0 }
  }

  public static func identity(_ size: Int) -> Matrix {
    var matrix = Matrix(rows: size, columns: size)
    for i in 0..<size { matrix[i, i] = 1 }
    return matrix
  }

  public subscript(row: Int, column: Int) -> Double {
    get { elements[row * columns + column] }
    set { elements[row * columns + column] = newValue }
  }

  public var transposed: Matrix {
    var result = Matrix(rows: columns, columns: rows)
    for i in 0..<rows { for j in 0..<columns { result[j, i] = self[i, j] } }
    return result
  }

  /// M x
  public static func * (matrix: Matrix, x: [Double]) -> [Double] {
    precondition(x.count == matrix.columns, "\(matrix.rows)x\(matrix.columns) times a vector of \(x.count)")
    return (0..<matrix.rows).map { row in
      var sum = 0.0
      for column in 0..<matrix.columns { sum += matrix[row, column] * x[column] }
      return sum
    }
  }

  /// Solves M x = b by LU decomposition with partial pivoting (Golub and Van Loan 2013, section 3.4).
  ///
  /// - Returns: x, or nil if the matrix is numerically singular: a pivot is negligible compared with the largest
  ///   element.
  public func solution(of b: [Double]) -> [Double]? {
    precondition(rows == columns && b.count == rows, "\(rows)x\(columns) cannot be solved for \(b.count) numbers")
    var (lu, x) = (self, b)
    let scale = elements.reduce(0) { max($0, abs($1)) }
    for k in 0..<rows {
      var pivot = k
      for i in k + 1..<max(rows, k + 1) where abs(lu[i, k]) > abs(lu[pivot, k]) { pivot = i }
      guard abs(lu[pivot, k]) > 1e-14 * scale else { return nil }
      lu.swapRows(k, pivot)
      x.swapAt(k, pivot)
      for i in k + 1..<max(rows, k + 1) where lu[i, k] != 0 {
        let factor = lu[i, k] / lu[k, k]
        for j in k..<columns { lu[i, j] -= factor * lu[k, j] }
        x[i] -= factor * x[k]
      }
    }
    for i in stride(from: rows - 1, through: 0, by: -1) {
      for j in i + 1..<max(rows, i + 1) { x[i] -= lu[i, j] * x[j] }
      x[i] /= lu[i, i]
    }
    return x
  }

  private mutating func swapRows(_ a: Int, _ b: Int) {
    guard a != b else { return }
    for column in 0..<columns { elements.swapAt(a * columns + column, b * columns + column) }
  }
}

/// Σ x y
func dot(_ x: [Double], _ y: [Double]) -> Double {
  precondition(x.count == y.count, "vectors of \(x.count) and \(y.count) numbers")
  var sum = 0.0
  for i in x.indices { sum += x[i] * y[i] }
  return sum
}

/// maxᵢ |xᵢ − yᵢ|
func largestDifference(_ x: [Double], _ y: [Double]) -> Double {
  zip(x, y).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
