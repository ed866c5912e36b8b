/// A scene prepared for one picture. Coordinates are relative to the camera, and each part has bounds on its pixels.
struct Tracer: Sendable {
  let quality: SceneQuality
  let lens: Projection
  let lights: [Light]
  /// Opaque parts, followed by transparent parts, the nearest first.
  let parts: [TracedPart]
  let opaqueCount: Int
  /// The reflective part. MuJoCo allows only one.
  let mirror: Int?
  /// Bounds on the pixels covered by the reflection of each opaque part.
  let mirrorAreas: [PixelArea]
  /// The parts that cast shadows. Planes cast none, because MuJoCo's shadow maps contain faces that face away from the
  /// light.
  let casters: [Int]
  let shadowAreas: ShadowAreas
  /// The opaque parts that are not fixed.
  let moving: [Int]
  /// The colours of the moving background, by packet; nil for none.
  let background: [LaneVectors]?
  private let backgroundOpacity: Lanes
  /// The indices of the fixed planes, which it covers.
  private let covered: [Int]

  /// - Parameter fixedOnly: whether to include only the fixed parts. Indices do not change.
  init(_ scene: Scene, _ quality: SceneQuality, width: Int, height: Int, fixedOnly: Bool = false) {
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
    if fixedOnly { for index in parts.indices where !parts[index].isFixed { parts[index].area = .none } }
    let transparent = parts.filter(\.isTransparent).sorted { $0.distance < $1.distance }
    let opaque = parts.filter { part in !part.isTransparent }
    opaqueCount = opaque.count
    let all = opaque + transparent
    self.parts = all
    moving = opaque.indices.filter { !opaque[$0].isFixed }
    covered = opaque.indices.filter { opaque[$0].isFixed && opaque[$0].solid.kind == .plane }
    background = scene.background.map { background in
      background.packets(width: width, height: height).map {
        LaneVectors(Lanes($0.red), Lanes($0.green), Lanes($0.blue))
      }
    }
    backgroundOpacity = Lanes(Float(scene.background?.opacity ?? 0))
    mirror = quality.reflections ? opaque.firstIndex { $0.surface.reflectance > 0 && $0.canMirror } : nil
    let mirrorPart = mirror.map { opaque[$0] }
    mirrorAreas =
      mirrorPart.map { mirror in
        opaque.map { fixedOnly && !$0.isFixed ? .none : $0.area(mirroredBy: mirror, lens) }
      } ?? []
    let casters = all.indices.filter { all[$0].solid.kind != .plane && (all[$0].isFixed || !fixedOnly) }
    self.casters = casters
    shadowAreas = ShadowAreas(quality.shadows ? all : [], casters: casters, lights: lights, lens)
  }

  /// The first hits of eight rays.
  struct Hit {
    var t = Lanes(never)
    /// The index in `parts`; -1 for none.
    var part = SIMD8<Int32>(repeating: -1)
    /// The triangle of a mesh.
    var face = SIMD8<Int32>(repeating: 0)
  }

  /// Returns the first opaque parts along rays from the camera through a rectangle of pixels.
  @inline(__always)
  func hit(_ d: LaneVectors, in area: PixelArea) -> Hit {
    var hit = Hit()
    for index in 0..<opaqueCount { intersect(index, d, in: area, &hit) }
    return hit
  }

  /// Returns the first hits if only some parts can be nearer than a known hit.
  @inline(__always)
  func hit(_ d: LaneVectors, in area: PixelArea, among candidates: [Int], behind: Hit = Hit()) -> Hit {
    var hit = behind
    for index in candidates { intersect(index, d, in: area, &hit) }
    return hit
  }

  /// Lists the opaque parts that can be visible in a row of pixels.
  func list(_ candidates: inout [Int], inRow row: Int) {
    candidates.removeAll(keepingCapacity: true)
    for index in 0..<opaqueCount where parts[index].area.rows.contains(row) { candidates.append(index) }
  }

  /// Updates the hits with one more part. At equal distances, the part with the lower index is used.
  @inline(__always)
  private func intersect(_ index: Int, _ d: LaneVectors, in area: PixelArea, _ hit: inout Hit) {
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

  /// Returns whether a transparent part can be visible in a rectangle of pixels.
  func seesThrough(in area: PixelArea) -> Bool {
    (opaqueCount..<parts.count).contains { parts[$0].area.overlaps(area) }
  }

  /// Returns the colours of rays from the camera, and IDs of everything visible along them. There is an edge between
  /// pixels with different IDs.
  ///
  /// - Parameters:
  ///   - sky: the colours of rays that hit nothing.
  ///   - background: the colours of the moving background.
  @inline(__always)
  func colors(
    _ hit: Hit, along d: LaneVectors, in area: PixelArea, _ mask: LaneMask, sky: LaneVectors, background: LaneVectors?
  ) -> (colors: LaneVectors, seen: SIMD8<Int32>) {
    var colors = sky
    var seen = hit.part
    shade(hit, from: LaneVectors(SIMD3(0, 0, 0)), along: d, mask, isDirect: true, in: area, into: &colors)
    if let background {
      var isBehind = LaneMask(hit.part, are: -1)
      for index in covered { isBehind = isBehind | LaneMask(hit.part, are: Int32(index)) }
      colors = choose(isBehind, colors + (background - colors) * backgroundOpacity, colors)
    }
    if opaqueCount < parts.count { blendTransparent(hit.t, d, area, mask, &colors, &seen) }
    return (colors, seen)
  }

  /// Computes the colours of rays that hit a part.
  ///
  /// - Parameters:
  ///   - isDirect: whether the rays come from the camera. Reflections contain neither shadows nor further reflections.
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

  /// Computes the lighting of a part. The contribution of each light that casts shadows is clamped to 1.
  ///
  /// - Parameters:
  ///   - strength: a factor for the colour of the part, but not for its specular light.
  ///   - area: the pixels of the rays; nil for no shadows.
  @inline(__always)
  private func lit(
    _ part: TracedPart, _ index: Int, _ point: SurfacePoint, _ mask: LaneMask, strength: Float = 1,
    shadowsIn area: PixelArea? = nil
  ) -> LaneVectors {
    let color = part.surface.color * strength
    var unshadowed = LaneVectors(color * (part.surface.emission + (lights.isEmpty ? 0.3 : 0)))
    var colors = LaneVectors(SIMD3(0, 0, 0))
    var isFull = false
    for number in lights.indices {
      let light = lights[number]
      let hasShadow = area != nil && light.castsShadow
      // The colours are saturated, for example by the headlight, so further light does not change them.
      if isFull && !hasShadow { continue }
      let (contribution, toLight, distance) = point.light(light, part, color, mask)
      guard hasShadow, let area else {
        unshadowed += contribution
        isFull = unshadowed.isFull(mask)
        continue
      }
      let isLit = mask & ((contribution.x + contribution.y + contribution.z) > 1e-4)
      guard !isLit.isEmpty else { continue }
      let free = isLit & !occluded(point.position, toLight, distance, isLit, on: index, by: number, in: area)
      colors += clamped(contribution) * choose(free, Lanes(1), Lanes(0))
    }
    colors += clamped(unshadowed)
    guard let texture = point.texture(part, mask) else { return colors }
    return colors * texture
  }

  /// Returns the lanes in which a part is between the point and the light.
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

  /// Returns the light reflected by a face: the other opaque parts above it, without shadows, times its reflectance.
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

  /// Blends transparent parts over the colours behind them. Like MuJoCo, it does so twice: front to back and back to
  /// front.
  private func blendTransparent(
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
