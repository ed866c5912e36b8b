#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A binary tree for drawing leaves in proportion to their values. Each node holds the sum of its children.
///
/// Setting and drawing a leaf take O(log n). The sums depend only on the leaves, not on the order in which they were
/// set, so that a tree restored from a checkpoint behaves like the original.
struct SumTree: Sendable {
  /// The number of leaves.
  let count: Int
  /// The smallest power of two that is at least `count`.
  private let width: Int
  /// Node 1 is the root, 2i and 2i + 1 are the children of i; the leaves begin at `width`.
  private var nodes: [Float]
  /// The number of leaves that are not zero.
  private(set) var nonzeroCount = 0

  /// Creates a tree whose leaves are zero.
  init(count: Int) {
    precondition(count > 0, "a sum tree needs at least one leaf, not \(count)")
    self.count = count
    var width = 1
    while width < count { width *= 2 }
    self.width = width
    nodes = [Float](repeating: 0, count: 2 * width)
  }

  init(leaves: [Float]) {
    self.init(count: leaves.count)
    nodes.replaceSubrange(width..<width + count, with: leaves)
    nonzeroCount = leaves.count { $0 != 0 }
    for node in stride(from: width - 1, through: 1, by: -1) { nodes[node] = nodes[2 * node] + nodes[2 * node + 1] }
  }

  /// The sum of all leaves.
  var total: Float { nodes[1] }
  var leaves: [Float] { Array(nodes[width..<width + count]) }

  /// The value of a leaf, finite and not negative.
  subscript(leaf: Int) -> Float {
    get { nodes[width + leaf] }
    set {
      precondition(leaf >= 0 && leaf < count, "leaf \(leaf) of a sum tree of \(count)")
      precondition(
        newValue >= 0 && newValue.isFinite, "a leaf of a sum tree must be finite and not negative, not \(newValue)")
      var node = width + leaf
      guard nodes[node] != newValue else { return }
      nonzeroCount += (newValue != 0 ? 1 : 0) - (nodes[node] != 0 ? 1 : 0)
      nodes[node] = newValue
      while node > 1 {
        node /= 2
        nodes[node] = nodes[2 * node] + nodes[2 * node + 1]
      }
    }
  }

  /// Returns the leaf that contains `offset`, in [0, total), in the cumulative sum of the leaves; never a leaf of zero.
  func leaf(at offset: Float) -> Int {
    precondition(total > 0, "cannot draw from a sum tree whose leaves are all zero")
    var (offset, node) = (offset, 1)
    while node < width {
      let (left, right) = (nodes[2 * node], nodes[2 * node + 1])
      // With rounding the offset may be past the end: a subtree of zeros is never entered.
      let goesRight = right > 0 && offset >= left
      if goesRight { offset -= left }
      node = 2 * node + (goesRight ? 1 : 0)
    }
    return node - width
  }
}

/// Encodes the bytes of the leaves, float32 and little endian.
extension SumTree: Codable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let bytes = try container.decode(Data.self)
    var leaves = [Float](repeating: 0, count: bytes.count / 4)
    _ = unsafe leaves.withUnsafeMutableBytes { unsafe bytes.copyBytes(to: $0, count: 4 * (bytes.count / 4)) }
    guard !leaves.isEmpty, bytes.count % 4 == 0, leaves.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(bytes.count) bytes are not the weights of a sum tree")
    }
    self.init(leaves: leaves)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(unsafe leaves.withUnsafeBytes { unsafe Data($0) })
  }
}
