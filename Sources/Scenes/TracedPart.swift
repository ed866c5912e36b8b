/// A rectangle of pixels, with columns and rows from the upper left corner.
struct PixelArea: Sendable {
  var columns: Range<Int>
  var rows: Range<Int>

  init(columns: Range<Int>, rows: Range<Int>) {
    self.columns = columns
    self.rows = rows
  }

  /// One pixel.
  init(column: Int, row: Int) { self.init(columns: column..<column + 1, rows: row..<row + 1) }

  /// Eight pixels of a row.
  @inline(__always)
  init(row: Int, packet: Int) {
    self.init(columns: packet * Lanes.count..<(packet + 1) * Lanes.count, rows: row..<row + 1)
  }

  static let none = PixelArea(columns: 0..<0, rows: 0..<0)

  var isEmpty: Bool { columns.isEmpty || rows.isEmpty }

  @inline(__always)
  func overlaps(_ other: PixelArea) -> Bool {
    columns.lowerBound < other.columns.upperBound && other.columns.lowerBound < columns.upperBound
      && rows.lowerBound < other.rows.upperBound && other.rows.lowerBound < rows.upperBound
  }

  /// The packets of a row that overlap it.
  var packets: Range<Int> {
    let first = columns.lowerBound / Lanes.count
    return first..<max(first, (columns.upperBound + Lanes.count - 1) / Lanes.count)
  }

  func intersection(_ other: PixelArea) -> PixelArea {
    PixelArea(columns: columns.clamped(to: other.columns), rows: rows.clamped(to: other.rows))
  }

  /// Extends the area to include a pixel.
  @inline(__always)
  mutating func include(_ column: Int, _ row: Int) {
    columns = min(columns.lowerBound, column)..<max(columns.upperBound, column + 1)
    rows = min(rows.lowerBound, row)..<max(rows.upperBound, row + 1)
  }
}

/// The mapping from pixels to rays: d = forward + u right + v up. So the ray parameter is the depth.
struct Projection: Sendable {
  let forward: SIMD3<Float>
  let right: SIMD3<Float>
  let up: SIMD3<Float>
  let nearest: Float
  let width: Int
  let height: Int
  /// The size of a pixel and the half sizes of the picture, at depth 1.
  let pixel: Float
  let halfWidth: Float
  let halfHeight: Float

  init(_ camera: Camera, width: Int, height: Int) {
    forward = camera.forward
    right = camera.right
    up = camera.up
    nearest = camera.nearest
    self.width = width
    self.height = height
    pixel = 2 * camera.slope / Float(height)
    halfHeight = camera.slope
    halfWidth = camera.slope * Float(width) / Float(height)
  }

  /// Returns rays through positions of the picture, in pixels from its upper left corner.
  @inline(__always)
  func rays(_ x: Lanes, _ y: Lanes) -> LaneVectors {
    let u = x * pixel - halfWidth
    let v = Lanes(halfHeight) - y * pixel
    return LaneVectors(forward) + LaneVectors(right) * u + LaneVectors(up) * v
  }

  /// Returns bounds on the pixels covered by a box. `extent` is its half sizes along `axes`; nil if it is infinite.
  func area(
    center: SIMD3<Float>, axes: (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>), extent: SIMD3<Float>?
  ) -> PixelArea {
    guard let extent else { return everything }
    return area(Self.corners(center: center, axes: axes, extent: extent))
  }

  var everything: PixelArea { PixelArea(columns: 0..<width, rows: 0..<height) }

  static func corners(
    center: SIMD3<Float>, axes: (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>), extent: SIMD3<Float>
  ) -> [SIMD3<Float>] {
    (0..<8).map { corner in
      let x = axes.x * (corner & 1 == 0 ? extent.x : -extent.x)
      let y = axes.y * (corner & 2 == 0 ? extent.y : -extent.y)
      let z = axes.z * (corner & 4 == 0 ? extent.z : -extent.z)
      return center + x + y + z
    }
  }

  /// Returns bounds on the pixels covered by the convex hull of some points.
  func area(_ points: [SIMD3<Float>]) -> PixelArea {
    var (low, high) = (SIMD2<Float>(repeating: .infinity), SIMD2<Float>(repeating: -.infinity))
    for point in points {
      let depth = dot(point, forward)
      guard depth > nearest else { return everything }
      let at = SIMD2((dot(point, right) / depth + halfWidth) / pixel, (halfHeight - dot(point, up) / depth) / pixel)
      low = pointwiseMin(low, at)
      high = pointwiseMax(high, at)
    }
    func range(_ low: Float, _ high: Float, _ count: Int) -> Range<Int> {
      let first = Int(min(max(low - 0.01, 0), Float(count)))
      return first..<max(first, Int(min(max(high + 1.01, 0), Float(count))))
    }
    return PixelArea(columns: range(low.x, high.x, width), rows: range(low.y, high.y, height))
  }
}

/// A part with precomputed data that is the same for all rays.
struct TracedPart: Sendable {
  let solid: Solid
  let surface: Surface
  let opacity: Float
  let shininess: PowerLadder
  /// The camera position in the shape's local coordinates.
  let ownOrigin: SIMD3<Float>
  let axes: (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>)
  /// Bounds on the pixels that it covers.
  var area: PixelArea
  /// The radius of its bounding sphere.
  let radius: Float
  /// The distance from the camera to the bounding sphere.
  let distance: Float
  let isTransparent: Bool
  let canMirror: Bool
  let isFixed: Bool
  /// Its index in the scene, which identifies its pixels regardless of other parts.
  let number: Int

  init(_ part: Part, number: Int, origin: SIMD3<Float>, _ lens: Projection) {
    self.number = number
    isFixed = part.isFixed
    solid = Solid(part, origin: origin)
    surface = part.surface
    shininess = PowerLadder(part.surface.shininess * 128)
    let center = solid.center
    ownOrigin = SIMD3(-dot(center, solid.rows.x), -dot(center, solid.rows.y), -dot(center, solid.rows.z))
    axes = part.axes
    area = lens.area(center: center, axes: part.axes, extent: solid.extent)
    let isPlane = solid.kind == .plane
    // In MuJoCo, planes are transparent from behind.
    let isBehind = isPlane && dot(center, part.axes.z) > 0
    opacity = part.surface.opacity * (isBehind ? 0.3 : 1)
    isTransparent = part.surface.opacity < 0.995 || isBehind
    radius = solid.extent.map(length) ?? 1e6
    distance = isPlane ? 1e10 : length(center) - radius
    canMirror = isPlane || solid.kind == .box
  }

  var axisZ: SIMD3<Float> { axes.z }

  /// Returns bounds on the pixels covered by the reflection of this part in a plane or the upper side of a box.
  func area(mirroredBy mirror: TracedPart, _ lens: Projection) -> PixelArea {
    let normal = mirror.axisZ
    func mirrored(_ v: SIMD3<Float>) -> SIMD3<Float> { v - normal * (2 * dot(v, normal)) }
    let face = mirror.solid.center + normal * (mirror.solid.kind == .box ? mirror.solid.scale.z : 0)
    return lens.area(
      center: face + mirrored(solid.center - face), axes: (mirrored(axes.x), mirrored(axes.y), mirrored(axes.z)),
      extent: solid.extent)
  }
}
