/// A scene made ready for one picture: coordinates count from the camera, and each part knows which pixels it can touch.
struct Tracer: Sendable {
  let quality: SceneQuality
  let lens: Projection
  let lights: [Light]
  /// Opaque parts, then those that one sees through, the nearest first.
  let parts: [TracedPart]
  let opaqueCount: Int
  /// The part that mirrors; MuJoCo allows one.
  let mirror: Int?
  /// The pixels that the mirror image of each opaque part can touch.
  let mirrorAreas: [PixelArea]
  /// The parts that cast shadows. Planes cast none: MuJoCo's maps hold what faces away from the light.
  let casters: [Int]
  let shadowAreas: ShadowAreas
  /// The opaque parts that are not fixed.
  let moving: [Int]

  /// - Parameter isEmptied: whether only the fixed parts are there, though all keep their indices.
  init(_ scene: Scene, _ quality: SceneQuality, width: Int, height: Int, isEmptied: Bool = false) {
    self.quality = quality
    let lens = Projection(scene.camera, width: width, height: height)
    self.lens = lens
    let origin = scene.camera.position
    lights = scene.lights.map { light in
      var light = light
      light.position -= origin
      return light
    }
    var parts = scene.parts.enumerated().map { TracedPart($1, number: $0, origin: origin, lens) }
    if isEmptied { for index in parts.indices where !parts[index].isFixed { parts[index].area = .none } }
    let transparent = parts.filter(\.isTransparent).sorted { $0.distance < $1.distance }
    let opaque = parts.filter { part in !part.isTransparent }
    opaqueCount = opaque.count
    let all = opaque + transparent
    self.parts = all
    moving = opaque.indices.filter { !opaque[$0].isFixed }
    mirror = quality.reflections ? opaque.firstIndex { $0.surface.reflectance > 0 && $0.canMirror } : nil
    let mirrorPart = mirror.map { opaque[$0] }
    mirrorAreas =
      mirrorPart.map { mirror in
        opaque.map { isEmptied && !$0.isFixed ? .none : $0.area(mirroredBy: mirror, lens) }
      } ?? []
    let casters = all.indices.filter { all[$0].solid.kind != .plane && (all[$0].isFixed || !isEmptied) }
    self.casters = casters
    shadowAreas = ShadowAreas(quality.shadows ? all : [], casters: casters, lights: lights, lens)
  }

  /// What eight rays meet first.
  struct Hit {
    var t = Lanes(never)
    /// An index of `parts`; -1 for none.
    var part = SIMD8<Int32>(repeating: -1)
    /// The triangle of a mesh.
    var face = SIMD8<Int32>(repeating: 0)
  }

  /// The first opaque part along rays from the camera within a rectangle of pixels.
  @inline(__always)
  func hit(_ d: LaneVectors, in area: PixelArea) -> Hit {
    var hit = Hit()
    for index in 0..<opaqueCount { meet(index, d, in: area, &hit) }
    return hit
  }

  /// The same where only some parts can be nearer than what is known to lie behind them.
  @inline(__always)
  func hit(_ d: LaneVectors, in area: PixelArea, among candidates: [Int], behind: Hit = Hit()) -> Hit {
    var hit = behind
    for index in candidates { meet(index, d, in: area, &hit) }
    return hit
  }

  /// Lists the opaque parts that a row of pixels can meet.
  func list(_ candidates: inout [Int], inRow row: Int) {
    candidates.removeAll(keepingCapacity: true)
    for index in 0..<opaqueCount where parts[index].area.rows.contains(row) { candidates.append(index) }
  }

  /// Meets one more part; of two at the same distance the first in order counts.
  @inline(__always)
  private func meet(_ index: Int, _ d: LaneVectors, in area: PixelArea, _ hit: inout Hit) {
    let parts = parts.span
    guard parts[index].area.overlaps(area) else { return }
    let solid = parts[index].solid
    var face = SIMD8<Int32>(repeating: 0)
    let t = solid.entry(
      LaneVectors(parts[index].ownOrigin), solid.toOwn(d), nearest: lens.nearest, .all, &face)
    let isNearer = (t < hit.t) | (!(hit.t < t) & LaneMask(bits: (Int32(index) &- hit.part) &>> 31))
    hit.t = choose(isNearer, t, hit.t)
    hit.part = choose(isNearer, SIMD8(repeating: Int32(index)), hit.part)
    if solid.kind == .mesh { hit.face = choose(isNearer, face, hit.face) }
  }

  /// Whether there is a part in a rectangle of pixels that one sees through.
  func seesThrough(in area: PixelArea) -> Bool {
    (opaqueCount..<parts.count).contains { parts[$0].area.overlaps(area) }
  }

  /// The colours that rays from the camera bring back, with what was seen: where that differs from pixel to pixel there is
  /// an edge.
  @inline(__always)
  func colors(
    _ hit: Hit, along d: LaneVectors, in area: PixelArea, _ mask: LaneMask, sky: LaneVectors
  ) -> (colors: LaneVectors, seen: SIMD8<Int32>) {
    var colors = sky
    var seen = hit.part
    shade(hit, from: LaneVectors(SIMD3(0, 0, 0)), along: d, mask, isDirect: true, in: area, into: &colors)
    if opaqueCount < parts.count { seeThrough(hit.t, d, area, mask, &colors, &seen) }
    return (colors, seen)
  }

  /// Replaces the colours of rays that have met something.
  ///
  /// - Parameters:
  ///   - isDirect: whether the rays come from the camera, not from a mirror: there are no shadows nor mirrors in mirrors.
  ///   - area: the pixels of the rays.
  private func shade(
    _ hit: Hit, from start: LaneVectors, along d: LaneVectors, _ mask: LaneMask, strength: Float = 1, isDirect: Bool,
    in area: PixelArea, into colors: inout LaneVectors
  ) {
    var open = mask & (hit.t < never * 0.5)
    let position = start + d * choose(open, hit.t, Lanes(0))
    let parts = parts.span
    while let lane = open.first {
      let index = Int(hit.part[lane])
      let own = open & LaneMask(hit.part, are: Int32(index))
      open = open & !own
      let point = SurfacePoint(parts[index], position, d, hit.t, face: hit.face, own, lens)
      var shaded = lit(
        parts[index], index, point, own, strength: strength, shadowsIn: isDirect && quality.shadows ? area : nil)
      if isDirect, index == mirror { shaded += mirrored(index, point, d, own, in: area) }
      colors = choose(own, clamped(shaded), colors)
    }
  }

  /// What a part shows of the lights. Those that cast shadows are added one by one, each no brighter than 1.
  ///
  /// - Parameters:
  ///   - strength: of the part's colour, though not of its gloss.
  ///   - area: the pixels of the rays; nil where there are no shadows.
  @inline(__always)
  private func lit(
    _ part: TracedPart, _ index: Int, _ point: SurfacePoint, _ mask: LaneMask, strength: Float = 1,
    shadowsIn area: PixelArea? = nil
  ) -> LaneVectors {
    let color = part.surface.color * strength
    var even = LaneVectors(color * (part.surface.emission + (lights.isEmpty ? 0.3 : 0)))
    var colors = LaneVectors(SIMD3(0, 0, 0))
    var isFull = false
    for number in lights.indices {
      let light = lights[number]
      let isAlone = area != nil && light.castsShadow
      // A floor in the headlight is as bright as can be: no lamp adds to that.
      if isFull && !isAlone { continue }
      let (answer, toLight, distance) = point.light(light, part, color, mask)
      guard isAlone, let area else {
        even += answer
        isFull = even.isFull(mask)
        continue
      }
      let isLit = mask & ((answer.x + answer.y + answer.z) > 1e-4)
      guard !isLit.isEmpty else { continue }
      let free = isLit & !occluded(point.position, toLight, distance, isLit, on: index, by: number, in: area)
      colors += clamped(answer) * choose(free, Lanes(1), Lanes(0))
    }
    colors += clamped(even)
    guard let texture = point.texture(part, mask) else { return colors }
    return colors * texture
  }

  /// Where something stands between points of a part and a light.
  private func occluded(
    _ position: LaneVectors, _ direction: LaneVectors, _ distance: Lanes, _ mask: LaneMask, on index: Int,
    by light: Int,
    in area: PixelArea
  ) -> LaneMask {
    var dark = LaneMask.none
    let parts = parts.span
    let start = shadowAreas.start(part: index, light: light)
    for (number, other) in casters.enumerated() where other != index || parts[other].solid.kind == .mesh {
      if let start, !shadowAreas[start + number].overlaps(area) { continue }
      let w = LaneVectors(parts[other].solid.center) - position
      let along = w.dot(direction)
      let apart = w.dot(w) - along * along
      let radius = parts[other].radius
      let isNear = mask & !dark & (apart < radius * radius) & (along > -radius) & ((along - distance) < radius)
      if isNear.isEmpty { continue }
      let solid = parts[other].solid
      var face = SIMD8<Int32>(repeating: 0)
      let t = solid.entry(
        solid.toOwn(LaneVectors(SIMD3(0, 0, 0)) - w), solid.toOwn(direction), nearest: 1e-4, isNear, &face)
      dark = dark | (isNear & (t < distance))
    }
    return dark
  }

  /// What a mirroring face adds: the other opaque parts above it, without shadows, in its own strength.
  private func mirrored(
    _ index: Int, _ point: SurfacePoint, _ d: LaneVectors, _ mask: LaneMask, in area: PixelArea
  ) -> LaneVectors {
    let parts = parts.span
    let axis = parts[index].axisZ
    let normal = LaneVectors(axis)
    let mask = mask & (point.normal.dot(axis) > 0.999)
    let direction = d - normal * (d.dot(normal) * 2)
    var hit = Hit()
    for other in 0..<opaqueCount where other != index && mirrorAreas[other].overlaps(area) {
      let w = LaneVectors(parts[other].solid.center) - point.position
      let solid = parts[other].solid
      let isNear: LaneMask
      if solid.kind == .plane {
        isNear = mask
      } else {
        let inverse = Lanes(1) / direction.dot(direction)
        let along = w.dot(direction)
        let radius = parts[other].radius
        isNear = mask & ((w.dot(w) - along * along * inverse) < radius * radius) & ((along * inverse) > -radius)
      }
      if isNear.isEmpty { continue }
      var face = SIMD8<Int32>(repeating: 0)
      let t = solid.entry(
        solid.toOwn(LaneVectors(SIMD3(0, 0, 0)) - w), solid.toOwn(direction), nearest: 1e-4, isNear, &face)
      let isNearer = isNear & (t < hit.t)
      hit.t = choose(isNearer, t, hit.t)
      hit.part = choose(isNearer, SIMD8(repeating: Int32(other)), hit.part)
      hit.face = choose(isNearer, face, hit.face)
    }
    var colors = LaneVectors(SIMD3(0, 0, 0))
    shade(
      hit, from: point.position, along: direction, mask, strength: parts[index].surface.reflectance,
      isDirect: false, in: area, into: &colors)
    return colors
  }

  /// Lays the parts that one sees through over what lies behind them. MuJoCo does it twice, from the front and from the
  /// back, and so does this.
  private func seeThrough(
    _ depth: Lanes, _ d: LaneVectors, _ area: PixelArea, _ mask: LaneMask, _ colors: inout LaneVectors,
    _ seen: inout SIMD8<Int32>
  ) {
    let parts = parts.span
    var layers: [(colors: LaneVectors, weight: Lanes)] = []
    for index in opaqueCount..<parts.count where parts[index].area.overlaps(area) {
      let solid = parts[index].solid
      var face = SIMD8<Int32>(repeating: 0)
      let t = solid.entry(
        LaneVectors(parts[index].ownOrigin), solid.toOwn(d), nearest: lens.nearest, mask, &face)
      let own = mask & (t < depth)
      if own.isEmpty { continue }
      let point = SurfacePoint(parts[index], d * choose(own, t, Lanes(0)), d, t, face: face, own, lens)
      layers.append(
        (lit(parts[index], index, point, own), choose(own, Lanes(parts[index].opacity), Lanes(0))))
      seen = seen &+ (SIMD8(repeating: Int32(1000 * (parts[index].number + 1))) & own.bits)
    }
    for layer in layers + layers.reversed() { colors = colors + (layer.colors - colors) * layer.weight }
  }
}

@inline(__always)
private func clamped(_ v: LaneVectors) -> LaneVectors {
  LaneVectors(min(v.x, Lanes(1)), min(v.y, Lanes(1)), min(v.z, Lanes(1)))
}
