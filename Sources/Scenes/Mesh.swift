/// A triangle mesh with a bounding volume hierarchy.
public struct Mesh: Sendable, Equatable {
  private let corners: [SIMD3<Float>]
  /// The unit normal of each corner.
  private let normals: [SIMD3<Float>]
  private let textureCoordinates: [SIMD2<Float>]
  /// The corner indices of each triangle, counterclockwise seen from outside, in the order of the leaves.
  private let triangles: [SIMD3<Int32>]
  private let nodes: [Node]

  /// The bounding box of the triangles of a leaf, or of two children. The first child is the next node.
  private struct Node: Equatable {
    var low: SIMD3<Float>
    var high: SIMD3<Float>
    /// The first triangle of a leaf, or the second child.
    var first: Int32 = 0
    /// The number of triangles of a leaf; 0 for an inner node.
    var count: Int32 = 0
  }

  /// - Parameters:
  ///   - normals: one for each corner; empty for flat shading.
  ///   - textureCoordinates: one for each corner, in repetitions of the texture; empty if the mesh has none.
  public init(
    corners: [SIMD3<Float>], triangles: [SIMD3<Int32>], normals: [SIMD3<Float>] = [],
    textureCoordinates: [SIMD2<Float>] = []
  ) {
    precondition(
      normals.isEmpty || normals.count == corners.count, "there must be one normal per corner or none")
    self.corners = corners
    self.normals = normals
    self.textureCoordinates = textureCoordinates
    var order = triangles
    var nodes: [Node] = []
    if !order.isEmpty { Self.build(&nodes, &order, 0..<order.count, corners) }
    self.triangles = order
    self.nodes = nodes
  }

  /// Splits the triangles at the median along the longest side of their bounding box, until at most four are left.
  private static func build(
    _ nodes: inout [Node], _ order: inout [SIMD3<Int32>], _ range: Range<Int>, _ corners: [SIMD3<Float>]
  ) {
    let points = order[range].flatMap { t in [corners[Int(t.x)], corners[Int(t.y)], corners[Int(t.z)]] }
    let low = points.dropFirst().reduce(points[0]) { pointwiseMin($0, $1) }
    let high = points.dropFirst().reduce(points[0]) { pointwiseMax($0, $1) }
    let index = nodes.count
    nodes.append(Node(low: low, high: high, first: Int32(range.lowerBound), count: Int32(range.count)))
    guard range.count > 4 else { return }
    let size = high - low
    let axis = size.x > size.y ? (size.x > size.z ? 0 : 2) : (size.y > size.z ? 1 : 2)
    func middle(_ t: SIMD3<Int32>) -> Float {
      corners[Int(t.x)][axis] + corners[Int(t.y)][axis] + corners[Int(t.z)][axis]
    }
    order[range].sort { middle($0) < middle($1) }
    let half = range.lowerBound + range.count / 2
    nodes[index].count = 0
    build(&nodes, &order, range.lowerBound..<half, corners)
    nodes[index].first = Int32(nodes.count)
    build(&nodes, &order, half..<range.upperBound, corners)
  }

  /// The bounding box.
  var bounds: (low: SIMD3<Float>, high: SIMD3<Float>) {
    nodes.first.map { ($0.low, $0.high) } ?? (SIMD3(0, 0, 0), SIMD3(0, 0, 0))
  }

  /// Returns the first intersection of each ray, and its triangle.
  func entry(_ o: LaneVectors, _ d: LaneVectors, nearest: Float, _ wanted: LaneMask) -> (t: Lanes, face: SIMD8<Int32>) {
    var (t, face) = (Lanes(never), SIMD8<Int32>(repeating: 0))
    for lane in 0..<Lanes.count where wanted[lane] {
      let found = entry(o[lane], d[lane], nearest)
      t[lane] = found.t
      face[lane] = found.face
    }
    return (t, face)
  }

  private func entry(_ o: SIMD3<Float>, _ d: SIMD3<Float>, _ nearest: Float) -> (t: Float, face: Int32) {
    var best: (t: Float, face: Int32) = (never, 0)
    let inverse = 1 / SIMD3(nudged(d.x), nudged(d.y), nudged(d.z))
    // The depth of the tree is logarithmic in the number of triangles.
    var stack = [Int32](repeating: 0, count: 1)
    while let index = stack.popLast() {
      guard Int(index) < nodes.count else { continue }
      let node = nodes[Int(index)]
      let (a, b) = ((node.low - o) * inverse, (node.high - o) * inverse)
      let (near, far) = (pointwiseMin(a, b).max(), pointwiseMax(a, b).min())
      guard near <= far, far > nearest, near < best.t else { continue }
      if node.count == 0 {
        stack.append(node.first)
        stack.append(index + 1)
      }
      for triangle in node.first..<node.first + node.count where node.count > 0 {
        if let t = intersection(Int(triangle), o, d), t > nearest, t < best.t { best = (t, triangle) }
      }
    }
    return best
  }

  /// Intersects a ray with the front of a triangle (Möller and Trumbore 1997).
  private func intersection(_ triangle: Int, _ o: SIMD3<Float>, _ d: SIMD3<Float>) -> Float? {
    let t = triangles[triangle]
    let a = corners[Int(t.x)]
    let (ab, ac) = (corners[Int(t.y)] - a, corners[Int(t.z)] - a)
    let p = cross(d, ac)
    let determinant = dot(ab, p)
    guard determinant > 1e-12 else { return nil }
    let s = o - a
    let u = dot(s, p)
    guard u >= 0, u <= determinant else { return nil }
    let q = cross(s, ab)
    let v = dot(d, q)
    guard v >= 0, u + v <= determinant else { return nil }
    return dot(ac, q) / determinant
  }

  /// Interpolates the normals, which are not normalized, and the texture coordinates at points of the triangles.
  func details(at p: LaneVectors, face: SIMD8<Int32>, _ mask: LaneMask) -> (normal: LaneVectors, s: Lanes, t: Lanes) {
    var normal = LaneVectors(SIMD3(0, 0, 1))
    var (s, t) = (Lanes(0), Lanes(0))
    for lane in 0..<Lanes.count where mask[lane] {
      let own = triangles[Int(face[lane])]
      let (i, j, k) = (Int(own.x), Int(own.y), Int(own.z))
      let (ab, ac, ap) = (corners[j] - corners[i], corners[k] - corners[i], p[lane] - corners[i])
      let flat = cross(ab, ac)
      let area = dot(flat, flat)
      let (v, w) = (dot(cross(ap, ac), flat) / area, dot(cross(ab, ap), flat) / area)
      let n = normals.isEmpty ? flat : normals[i] * (1 - v - w) + normals[j] * v + normals[k] * w
      (normal.x[lane], normal.y[lane], normal.z[lane]) = (n.x, n.y, n.z)
      guard !textureCoordinates.isEmpty else { continue }
      let uv = textureCoordinates[i] * (1 - v - w) + textureCoordinates[j] * v + textureCoordinates[k] * w
      (s[lane], t[lane]) = (uv.x, uv.y)
    }
    return (normal, s, t)
  }
}

private func nudged(_ x: Float) -> Float { abs(x) < 1e-12 ? 1e-12 : x }
