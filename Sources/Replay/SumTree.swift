#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Numbers that are drawn in proportion to their size: a binary tree whose nodes hold the sums of their children.
///
/// Setting one and drawing one take O(log n). The sums are a function of the leaves alone, whatever the order in which
/// these were set, so that a tree that was stored goes on as the one it was made of.
struct SumTree: Sendable {
  /// Leaves.
  let count: Int
  /// The smallest power of two that holds them.
  private let width: Int
  /// Node 1 is the root, 2i and 2i + 1 are the children of i; the leaves begin at `width`.
  private var nodes: [Float]
  /// Leaves that are not zero.
  private(set) var nonzeroCount = 0

  /// All leaves are zero at first.
  init(count: Int) {
    precondition(count > 0, "a sum tree has at least one leaf, not \(count)")
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

  /// A leaf, not negative and finite.
  subscript(leaf: Int) -> Float {
    get { nodes[width + leaf] }
    set {
      precondition(leaf >= 0 && leaf < count, "leaf \(leaf) of a sum tree of \(count)")
      precondition(newValue >= 0 && newValue.isFinite, "a leaf of a sum tree is a finite weight, not \(newValue)")
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

  /// The leaf at a place in [0, total) of all leaves laid end to end; never one that is zero.
  func leaf(at place: Float) -> Int {
    precondition(total > 0, "a leaf is drawn from a sum tree that is not all zero")
    var (place, node) = (place, 1)
    while node < width {
      let (left, right) = (nodes[2 * node], nodes[2 * node + 1])
      // Rounding may put the place beyond what is there: the part that is zero is never entered.
      let goesRight = right > 0 && place >= left
      if goesRight { place -= left }
      node = 2 * node + (goesRight ? 1 : 0)
    }
    return node - width
  }
}

/// The bytes of the leaves, float32 and little endian.
extension SumTree: Codable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let bytes = try container.decode(Data.self)
    var leaves = [Float](repeating: 0, count: bytes.count / 4)
    _ = unsafe leaves.withUnsafeMutableBytes { unsafe bytes.copyBytes(to: $0, count: 4 * (bytes.count / 4)) }
    guard !leaves.isEmpty, bytes.count % 4 == 0, leaves.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no weights: \(bytes.count) bytes")
    }
    self.init(leaves: leaves)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(unsafe leaves.withUnsafeBytes { unsafe Data($0) })
  }
}
