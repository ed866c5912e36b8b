/// The pixels of each plane that the shadows of each part can touch: most of a floor need not ask most parts.
///
/// A shadow on a plane is what the light's rays through the part's box come to, and its corners' images bound it.
struct ShadowAreas: Sendable {
  /// By plane, light and caster.
  private var areas: [PixelArea] = []
  /// Where those of a part begin, -1 for parts that are no planes.
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

  /// Where the areas of all casters on a part begin; nil where the part is no plane and nothing is known.
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
    func height(_ place: SIMD3<Float>) -> Float { dot(place - plane.solid.center, normal) }
    // Between the plane and the light there is only what lies on the light's side.
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
      // A light beside or below what it shines on: rays do not end on the plane, or come from behind it.
      guard fall > 1e-3 * length(ray), lightHeight > 1e-3 else { return lens.everything }
      images.append(corner + ray * (height(corner) / fall))
    }
    return lens.area(images)
  }

  /// Whether places lie wholly beside all that is between a bounded plane and the light.
  private static func isBeside(_ places: [SIMD3<Float>], _ plane: TracedPart, _ light: Light) -> Bool {
    guard let half = plane.solid.extent else { return false }
    let (x, y) = (plane.axes.x * half.x, plane.axes.y * half.y)
    let center = plane.solid.center
    return [(x, y), (y, -x), (-x, -y), (-y, x)].contains { side, along in
      // The face that the light's rays through one side make, its normal turned outwards.
      let place = center + side
      let face = cross(along, light.ray(to: place))
      let inwards = dot(center - place, face)
      guard abs(inwards) > 1e-3 * length(face) * length(side) else { return false }
      let outwards = inwards > 0 ? -face : face
      return places.allSatisfy { dot($0 - place, outwards) > 1e-3 * length(outwards) * length(side) }
    }
  }
}

extension Light {
  /// The direction in which its light comes to a place, of any length.
  fileprivate func ray(to place: SIMD3<Float>) -> SIMD3<Float> {
    switch kind {
    case .directional: direction
    case .spot: place - position
    }
  }
}
