/// The extents of a tensor's axes, at most four, outermost first: `[B, C, H, W]`.
///
/// Stored inline, so that a shape needs no allocation.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
  public static let maximumRank = 4

  /// The number of axes; a scalar has none.
  public let rank: Int
  private var extents: SIMD4<Int32>

  public init(_ extents: [Int]) {
    precondition(extents.count <= Shape.maximumRank, "a tensor has at most 4 axes, not \(extents.count): \(extents)")
    rank = extents.count
    self.extents = SIMD4(repeating: 1)
    for (axis, extent) in extents.enumerated() {
      precondition(extent >= 0 && extent <= Int(Int32.max), "an axis cannot have \(extent) elements: \(extents)")
      self.extents[axis] = Int32(extent)
    }
  }

  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// Creates a shape of one or two axes without allocating an array, as a literal would.
  init(_ first: Int, _ second: Int? = nil) {
    precondition(
      (0...Int(Int32.max)).contains(first) && (0...Int(Int32.max)).contains(second ?? 0),
      "extents \(first), \(second ?? 1) are out of range")
    self.init(rank: second == nil ? 1 : 2, extents: SIMD4(Int32(first), Int32(second ?? 1), 1, 1))
  }

  public static let scalar = Shape([])

  /// The extent of an axis; negative axes count from the last.
  public subscript(axis: Int) -> Int {
    get { Int(extents[resolve(axis)]) }
    set { extents[resolve(axis)] = Int32(newValue) }
  }

  /// The number of elements.
  public var count: Int { Int(extents[0]) * Int(extents[1]) * Int(extents[2]) * Int(extents[3]) }

  /// The product of all extents but the last: the rows of a `[..., C]` tensor.
  public var rows: Int { rank == 0 ? 1 : (self[-1] == 0 ? 0 : count / self[-1]) }

  /// The product of the extents after `axis`.
  func inner(_ axis: Int) -> Int {
    var product = 1
    for i in (resolve(axis) + 1)..<4 { product *= Int(extents[i]) }
    return product
  }

  /// The product of the extents before `axis`.
  func outer(_ axis: Int) -> Int {
    var product = 1
    for i in 0..<resolve(axis) { product *= Int(extents[i]) }
    return product
  }

  /// The shape without one of its axes.
  func removing(_ axis: Int) -> Shape {
    var (rest, next) = (SIMD4<Int32>(repeating: 1), 0)
    for i in 0..<rank where i != resolve(axis) {
      rest[next] = extents[i]
      next += 1
    }
    return Shape(rank: rank - 1, extents: rest)
  }

  private init(rank: Int, extents: SIMD4<Int32>) {
    self.rank = rank
    self.extents = extents
  }

  func resolve(_ axis: Int) -> Int {
    let resolved = axis < 0 ? axis + rank : axis
    precondition(resolved >= 0 && resolved < rank, "axis \(axis) does not exist in a tensor of shape \(self)")
    return resolved
  }

  public var array: [Int] { (0..<rank).map { self[$0] } }
  public var description: String { "[" + array.map(String.init).joined(separator: ", ") + "]" }
}
