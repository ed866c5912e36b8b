/// Bounds on the pixels of each plane that the shadow of each part can cover. They skip most shadow tests.
///
/// The shadow of a part on a plane is bounded by the projections of the corners of its bounding box.
struct ShadowAreas: Sendable {
  /// The areas by plane, light and caster.
  private var areas: [PixelArea] = []
  /// The start index of each part in `areas`; -1 for parts that are not planes.
  private var starts: [Int] = []
  private let lightCount: Int
  private let casterCount: Int

  /// - Parameter casters: the indices of the parts that cast shadows.
  init(_ parts: [TracedPart], casters: [Int], lights: [Light], _ lens: Projection) {
    lightCount = lights.count
    casterCount = casters.count
    for plane in parts {
      guard plane.solid.kind == .plane, !plane.area.isEmpty else {
        starts.append(-1)
        continue
      }
      starts.append(areas.count)
      for light in lights {
        for caster in casters {
          areas.append(
            light.castsShadow ? Self.area(of: parts[caster], on: plane, from: light, lens) : lens.everything)
        }
      }
    }
  }

  /// Returns the start index of the areas of all casters on a part, or nil if the part is not a plane.
  @inline(__always)
  func start(part: Int, light: Int) -> Int? {
    guard !starts.isEmpty, starts[part] >= 0 else { return nil }
    return starts[part] + light * casterCount
  }

  @inline(__always)
  subscript(index: Int) -> PixelArea { areas[index] }

  private static func area(of caster: TracedPart, on plane: TracedPart, from light: Light, _ lens: Projection)
    -> PixelArea
  {
    guard let extent = caster.solid.extent else { return lens.everything }
    let corners = Projection.corners(center: caster.solid.center, axes: caster.axes, extent: extent)
    let normal = plane.axisZ
    func height(_ point: SIMD3<Float>) -> Float { dot(point - plane.solid.center, normal) }
    // Only parts on the same side of the plane as the light can cast a shadow on it.
    let lightHeight: Float
    switch light.kind {
    case .directional: lightHeight = -dot(light.direction, normal)
    case .spot: lightHeight = height(light.position)
    }
    if lightHeight < 1e-6, corners.allSatisfy({ height($0) > 1e-3 }) { return .none }
    if lightHeight > -1e-6, corners.allSatisfy({ height($0) < -1e-3 }) { return .none }
    if isBeside(corners, plane, light) { return .none }
    var images: [SIMD3<Float>] = []
    images.reserveCapacity(8)
    for corner in corners {
      let ray = light.ray(to: corner)
      let fall = -dot(ray, normal)
      // The light is level with or below the corner: the ray does not reach the plane from its front.
      guard fall > 1e-3 * length(ray), lightHeight > 1e-3 else { return lens.everything }
      images.append(corner + ray * (height(corner) / fall))
    }
    return lens.area(images)
  }

  /// Returns whether all points are outside the volume between a bounded plane and the light.
  private static func isBeside(_ points: [SIMD3<Float>], _ plane: TracedPart, _ light: Light) -> Bool {
    guard let half = plane.solid.extent else { return false }
    let (x, y) = (plane.axes.x * half.x, plane.axes.y * half.y)
    let center = plane.solid.center
    return [(x, y), (y, -x), (-x, -y), (-y, x)].contains { side, along in
      // The face of the volume through one side of the plane, with an outward normal.
      let edge = center + side
      let face = cross(along, light.ray(to: edge))
      let inwards = dot(center - edge, face)
      guard abs(inwards) > 1e-3 * length(face) * length(side) else { return false }
      let outwards = inwards > 0 ? -face : face
      return points.allSatisfy { dot($0 - edge, outwards) > 1e-3 * length(outwards) * length(side) }
    }
  }
}

extension Light {
  /// Returns the direction of the light at a point, of any length.
  fileprivate func ray(to point: SIMD3<Float>) -> SIMD3<Float> {
    switch kind {
    case .directional: direction
    case .spot: point - position
    }
  }
}
