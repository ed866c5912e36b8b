/// Eight surface points of one part, with the data for lighting. Positions are relative to the camera.
struct SurfacePoint {
  let position: LaneVectors
  let normal: LaneVectors
  /// The unit vector towards the camera.
  private let toCamera: LaneVectors
  /// The position in the part's local coordinates.
  private let own: LaneVectors
  private let face: SIMD8<Int32>
  /// The width of a pixel on the surface in metres.
  private let footprint: Lanes

  @inline(__always)
  init(
    _ part: TracedPart, _ position: LaneVectors, _ d: LaneVectors, _ t: Lanes, face: SIMD8<Int32>, _ mask: LaneMask,
    _ lens: Projection
  ) {
    self.position = position
    self.face = face
    own = part.solid.toOwn(position - LaneVectors(part.solid.center))
    normal = part.solid.normal(at: own, face: face, mask)
    toCamera = (LaneVectors(SIMD3(0, 0, 0)) - position).normalized
    // The width of a pixel at this depth, divided by the cosine of the viewing angle.
    footprint = choose(mask, t, Lanes(0)) * lens.pixel / max(normal.dot(toCamera).magnitude, Lanes(0.02))
  }

  /// Computes ambient, diffuse and specular light by OpenGL's formula, with attenuation by distance and by the angle to
  /// a spotlight's axis.
  ///
  /// - Parameter mask: the relevant points. If their colours are all at least 1, the specular term is skipped.
  @inline(__always)
  func light(_ light: Light, _ part: TracedPart, _ color: SIMD3<Float>, _ mask: LaneMask) -> (
    colors: LaneVectors, toLight: LaneVectors, distance: Lanes
  ) {
    let (toLight, distance, strength): (LaneVectors, Lanes, Lanes)
    switch light.kind {
    case .directional:
      toLight = LaneVectors(-light.direction)
      distance = Lanes(never)
      strength = Lanes(1)
    case .spot(let exponent, let rim, let attenuation):
      let offset = LaneVectors(light.position) - position
      let squared = offset.dot(offset) + 1e-20
      let inverse = squared.inverseSquareRoot
      toLight = offset * inverse
      distance = squared * inverse
      let fade = Lanes(1) / (Lanes(attenuation.x) + distance * attenuation.y + squared * attenuation.z)
      if rim > -1 {
        let axis = -toLight.dot(light.direction)
        let beam = min(max(axis, Lanes(0)), Lanes(1)).power(PowerLadder(exponent))
        strength = choose(axis < rim, Lanes(0), fade * beam)
      } else {
        strength = fade
      }
    }
    let facing = normal.dot(toLight)
    let diffuse = max(facing, Lanes(0))
    var colors = LaneVectors(light.ambient * color) + LaneVectors(light.diffuse * color) * diffuse
    let gloss = light.specular * part.surface.specular
    if gloss != SIMD3(0, 0, 0), !(colors * strength).isFull(mask) {
      let half = (toLight + toCamera).normalized
      let shine = min(max(normal.dot(half), Lanes(0)), Lanes(1)).power(part.shininess)
      colors += LaneVectors(gloss) * choose(facing < 0, Lanes(0), shine)
    }
    return (colors * strength, toLight, distance)
  }

  /// Returns the colours of the part's texture, or nil if it has none.
  @inline(__always)
  func texture(_ part: TracedPart, _ mask: LaneMask) -> LaneVectors? {
    guard let texture = part.surface.texture else { return nil }
    let scale = part.solid.scale
    switch part.surface.mapping {
    case .flat(let k, let center):
      let s = own.x * (0.5 * k.x * scale.x) + center.x
      let t = own.y * (-0.5 * k.y * scale.y) + center.y
      let density = max(0.5 * k.x * Float(texture.width), 0.5 * k.y * Float(texture.height))
      return texture.flat(s, t, footprint: footprint * density, mask)
    case .cube(let k):
      let direction = LaneVectors(own.x * (k.x * scale.x), own.y * (k.y * scale.y), own.z * (k.z * scale.z))
      let reach = max(max(direction.x.magnitude, direction.y.magnitude), direction.z.magnitude) + 1e-20
      let density = Lanes(0.5 * Float(texture.width) * k.max()) / reach
      return texture.cube(direction, footprint: footprint * density, mask)
    case .own:
      guard let details = part.solid.mesh?.details(at: own, face: face, mask) else { return nil }
      return texture.flat(details.s, details.t, footprint: Lanes(1), mask)
    }
  }
}
