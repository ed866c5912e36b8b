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
  init(_ parts: [TracedPart], casters: [Int], lights: [Light], _ lens: Lens) {
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

  private static func area(of caster: TracedPart, on plane: TracedPart, from light: Light, _ lens: Lens) -> PixelArea {
    guard let extent = caster.solid.extent else { return lens.everything }
    let normal = plane.axisZ
    func height(_ place: SIMD3<Float>) -> Float { dot(place - plane.solid.center, normal) }
    var images: [SIMD3<Float>] = []
    images.reserveCapacity(8)
    for corner in Lens.corners(center: caster.solid.center, axes: caster.axes, extent: extent) {
      let ray: SIMD3<Float>
      switch light.kind {
      case .directional: ray = light.direction
      case .spot: ray = corner - light.position
      }
      let fall = -dot(ray, normal)
      // A light beside or below what it shines on: rays do not end on the plane, or come from behind it.
      guard fall > 1e-3 * length(ray) else { return lens.everything }
      if case .spot = light.kind, height(light.position) < 1e-3 { return lens.everything }
      images.append(corner + ray * (height(corner) / fall))
    }
    return lens.area(images)
  }
}
