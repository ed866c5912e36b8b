/// A shape around its local origin. Sizes are in metres; half sizes are measured from the centre.
public enum Shape: Sendable, Equatable {
  /// The plane z = 0, visible from above, bounded by the half sizes; 0 for infinite.
  case plane(halfSizes: SIMD2<Float>)
  case ellipsoid(radii: SIMD3<Float>)
  /// Along z, with a hemisphere at each end.
  case capsule(radius: Float, halfLength: Float)
  /// Along z.
  case cylinder(radii: SIMD2<Float>, halfLength: Float)
  case box(halfSizes: SIMD3<Float>)
  case mesh(Mesh)

  public static func sphere(radius: Float) -> Shape { .ellipsoid(radii: SIMD3(repeating: radius)) }
}

/// A shape prepared for ray intersection, in local coordinates in which it has unit size. So each kind has one formula.
struct Solid: Sendable {
  enum Kind: Sendable { case plane, ellipsoid, capsule, cylinder, box, mesh }

  let kind: Kind
  /// The half sizes of a plane, or the half length of a capsule in radii.
  let size: SIMD2<Float>
  let mesh: Mesh?
  /// The rows of the matrix from world to local coordinates.
  let rows: (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>)
  /// The normal of a plane in world coordinates.
  let planeNormal: LaneVectors
  /// The size of a local unit in metres, per axis.
  let scale: SIMD3<Float>
  let center: SIMD3<Float>
  /// The half sizes of a bounding box along the part's axes; nil if it is infinite.
  let extent: SIMD3<Float>?

  /// - Parameter origin: the origin of the coordinates. It is the camera's position, for numerical precision.
  init(_ part: Part, origin: SIMD3<Float>) {
    center = part.position - origin
    var scale = SIMD3<Float>(1, 1, 1)
    var size = SIMD2<Float>(0, 0)
    var mesh: Mesh?
    switch part.shape {
    case .plane(let half):
      kind = .plane
      size = SIMD2(half.x > 0 ? half.x : 1e6, half.y > 0 ? half.y : 1e6)
      extent = half.x > 0 && half.y > 0 ? SIMD3(half.x, half.y, 0) : nil
    case .ellipsoid(let radii):
      kind = .ellipsoid
      scale = radii
      extent = radii
    case .capsule(let radius, let halfLength):
      kind = .capsule
      scale = SIMD3(repeating: radius)
      size.x = halfLength / radius
      extent = SIMD3(radius, radius, halfLength + radius)
    case .cylinder(let radii, let halfLength):
      kind = .cylinder
      scale = SIMD3(radii.x, radii.y, halfLength)
      extent = scale
    case .box(let half):
      kind = .box
      scale = half
      extent = half
    case .mesh(let own):
      kind = .mesh
      mesh = own
      extent = pointwiseMax(own.bounds.high, -own.bounds.low)
    }
    rows = (part.axes.x / scale.x, part.axes.y / scale.y, part.axes.z / scale.z)
    planeNormal = Self.turned(LaneVectors(SIMD3(0, 0, 1)), rows)
    self.size = size
    self.mesh = mesh
    self.scale = scale
  }

  @inline(__always)
  func toOwn(_ v: LaneVectors) -> LaneVectors { LaneVectors(v.dot(rows.x), v.dot(rows.y), v.dot(rows.z)) }

  /// Returns the parameter t at which each ray o + t d, in local coordinates, enters the shape from outside at t >
  /// `nearest`, or `never` if it does not. For a mesh, also sets the index of the triangle.
  @inline(__always)
  func entry(
    _ o: LaneVectors, _ d: LaneVectors, nearest: Float, _ wanted: LaneMask, _ face: inout SIMD8<Int32>
  ) -> Lanes {
    let (t, isHit): (Lanes, LaneMask) =
      switch kind {
      case .plane: plane(o, d)
      case .ellipsoid: sphere(o, d)
      case .capsule: capsule(o, d)
      case .cylinder: cylinder(o, d)
      case .box: box(o, d)
      case .mesh: triangles(o, d, nearest, wanted, &face)
      }
    return choose(isHit & (t > nearest) & (t < never), t, Lanes(never))
  }

  private func triangles(
    _ o: LaneVectors, _ d: LaneVectors, _ nearest: Float, _ wanted: LaneMask, _ face: inout SIMD8<Int32>
  ) -> (Lanes, LaneMask) {
    guard let mesh else { return (Lanes(never), .none) }
    let found = mesh.entry(o, d, nearest: nearest, wanted)
    face = found.face
    return (found.t, .all)
  }

  @inline(__always)
  private func plane(_ o: LaneVectors, _ d: LaneVectors) -> (Lanes, LaneMask) {
    let t = -(o.z / (d.z - 1e-20))
    let bounded = min(max(t, Lanes(-1e6)), Lanes(1e6))
    let (x, y) = (o.x + bounded * d.x, o.y + bounded * d.y)
    return (bounded, (x.magnitude < size.x) & (y.magnitude < size.y))
  }

  @inline(__always)
  private func sphere(_ o: LaneVectors, _ d: LaneVectors) -> (Lanes, LaneMask) {
    let dd = d.dot(d)
    let middle = -(o.dot(d) / dd)
    let q = o + d * middle
    let rest = Lanes(1) - q.dot(q)
    return (middle - (max(rest, Lanes(0)) / dd).squareRoot, rest > 0)
  }

  @inline(__always)
  private func capsule(_ o: LaneVectors, _ d: LaneVectors) -> (Lanes, LaneMask) {
    let aa = d.x * d.x + d.y * d.y + 1e-12
    let middle = -((o.x * d.x + o.y * d.y) / aa)
    let (qx, qy) = (o.x + d.x * middle, o.y + d.y * middle)
    let rest = Lanes(1) - (qx * qx + qy * qy)
    let side = middle - (max(rest, Lanes(0)) / aa).squareRoot
    let z = o.z + side * d.z
    let isSide = z.magnitude < size.x
    if (!isSide & (rest > 0)).isEmpty { return (side, rest > 0) }
    let end = choose(z < 0, Lanes(-size.x), Lanes(size.x))
    let (cap, isCap) = sphere(LaneVectors(o.x, o.y, o.z - end), d)
    return (choose(isSide, side, cap), (rest > 0) & (isSide | isCap))
  }

  @inline(__always)
  private func cylinder(_ o: LaneVectors, _ d: LaneVectors) -> (Lanes, LaneMask) {
    let aa = d.x * d.x + d.y * d.y + 1e-12
    let middle = -((o.x * d.x + o.y * d.y) / aa)
    let (qx, qy) = (o.x + d.x * middle, o.y + d.y * middle)
    let rest = Lanes(1) - (qx * qx + qy * qy)
    let side = middle - (max(rest, Lanes(0)) / aa).squareRoot
    let isSide = (o.z + side * d.z).magnitude < 1
    let end = choose(d.z < 0, Lanes(1), Lanes(-1))
    let cap = (end - o.z) / (d.z + choose(d.z < 0, Lanes(-1e-20), Lanes(1e-20)))
    let (x, y) = (o.x + cap * d.x, o.y + cap * d.y)
    let isCap = (x * x + y * y) < 1
    return (choose(isSide, side, cap), (rest > 0) & (isSide | isCap))
  }

  @inline(__always)
  private func box(_ o: LaneVectors, _ d: LaneVectors) -> (Lanes, LaneMask) {
    func slab(_ o: Lanes, _ d: Lanes) -> (near: Lanes, far: Lanes) {
      let inverse = Lanes(1) / (d + choose(d < 0, Lanes(-1e-12), Lanes(1e-12)))
      let (a, b) = ((Lanes(-1) - o) * inverse, (Lanes(1) - o) * inverse)
      return (min(a, b), max(a, b))
    }
    let (x, y, z) = (slab(o.x, d.x), slab(o.y, d.y), slab(o.z, d.z))
    let near = max(max(x.near, y.near), z.near)
    let far = min(min(x.far, y.far), z.far)
    return (near, near < far)
  }

  /// Returns the unit normals in world coordinates at surface points in local coordinates.
  @inline(__always)
  func normal(at p: LaneVectors, face: SIMD8<Int32>, _ mask: LaneMask) -> LaneVectors {
    if kind == .plane { return planeNormal }
    let g: LaneVectors =
      switch kind {
      case .plane, .ellipsoid: p
      case .capsule: LaneVectors(p.x, p.y, p.z - min(max(p.z, Lanes(-size.x)), Lanes(size.x)))
      case .cylinder:
        choose(p.z.magnitude > 0.99999, LaneVectors(Lanes(0), Lanes(0), p.z), LaneVectors(p.x, p.y, Lanes(0)))
      case .box: boxNormal(p)
      case .mesh: mesh?.details(at: p, face: face, mask).normal ?? p
      }
    return Self.turned(g, rows)
  }

  /// Transforms a gradient to world coordinates with the transposed matrix, and normalizes it.
  @inline(__always)
  private static func turned(
    _ g: LaneVectors, _ rows: (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>)
  ) -> LaneVectors {
    LaneVectors(
      g.x * rows.x.x + g.y * rows.y.x + g.z * rows.z.x, g.x * rows.x.y + g.y * rows.y.y + g.z * rows.z.y,
      g.x * rows.x.z + g.y * rows.y.z + g.z * rows.z.z
    ).normalized
  }

  @inline(__always)
  private func boxNormal(_ p: LaneVectors) -> LaneVectors {
    let (x, y, z) = (p.x.magnitude, p.y.magnitude, p.z.magnitude)
    let isX = (x > y) & (x > z)
    let isY = !isX & (y > z)
    let zero = Lanes(0)
    return choose(
      isX, LaneVectors(p.x, zero, zero),
      choose(isY, LaneVectors(zero, p.y, zero), LaneVectors(zero, zero, p.z)))
  }
}

/// The distance of rays that hit nothing.
let never: Float = 1e7
