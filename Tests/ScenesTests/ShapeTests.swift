import Core
import Testing

@testable import Scenes

/// Compares ray intersections with the signed distance of each shape: the entry point is on the surface, and a point
/// just before it is outside.
struct ShapeTests {
  private static let shapes: [(name: String, shape: Shape, distance: @Sendable (SIMD3<Float>) -> Float)] = [
    ("sphere", .sphere(radius: 0.5), { length($0) - 0.5 }),
    ("capsule", .capsule(radius: 0.2, halfLength: 0.6), { length($0 - SIMD3(0, 0, min(max($0.z, -0.6), 0.6))) - 0.2 }),
    (
      "cylinder", .cylinder(radii: SIMD2(0.4, 0.4), halfLength: 0.3),
      { p in max((p.x * p.x + p.y * p.y).squareRoot() - 0.4, abs(p.z) - 0.3) }
    ),
    ("box", .box(halfSizes: SIMD3(0.3, 0.5, 0.2)), { max(abs($0.x) - 0.3, abs($0.y) - 0.5, abs($0.z) - 0.2) }),
    ("mesh", .mesh(cube), { max(abs($0.x) - 0.3, abs($0.y) - 0.3, abs($0.z) - 0.3) }),
  ]

  /// A cube of twelve triangles.
  static let cube: Mesh = {
    let corners = (0..<8).map {
      SIMD3<Float>($0 & 1 == 0 ? -0.3 : 0.3, $0 & 2 == 0 ? -0.3 : 0.3, $0 & 4 == 0 ? -0.3 : 0.3)
    }
    let quads: [[Int32]] = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
    return Mesh(
      corners: corners, triangles: quads.flatMap { q in [SIMD3(q[0], q[1], q[2]), SIMD3(q[0], q[2], q[3])] })
  }()

  @Test func raysEnterAtTheSurface() throws {
    var random = Random(seed: Seed(3))
    for (name, shape, distance) in Self.shapes {
      let (axes, position) = (turned(&random), SIMD3<Float>(0.3, -0.2, 0.1))
      let solid = Solid(
        Part(shape, position: position, axes: axes, surface: Surface(color: SIMD3(1, 1, 1))), origin: SIMD3(0, 0, 0))
      var hits = 0
      for _ in 0..<200 {
        var (starts, directions) = (LaneVectors(SIMD3(0, 0, 0)), LaneVectors(SIMD3(0, 0, 0)))
        for lane in 0..<Lanes.count {
          let start = 3 * unit(&random)
          let aim = position + 0.8 * Float(random.uniform()) * unit(&random) - start
          (starts.x[lane], starts.y[lane], starts.z[lane]) = (start.x, start.y, start.z)
          (directions.x[lane], directions.y[lane], directions.z[lane]) = (aim.x, aim.y, aim.z)
        }
        let (o, d) = (solid.toOwn(starts - LaneVectors(position)), solid.toOwn(directions))
        var face = SIMD8<Int32>(repeating: 0)
        let t = solid.entry(o, d, nearest: 0, .all, &face)
        let normals = solid.normal(at: o + d * t, face: face, t < 1e6)
        for lane in 0..<Lanes.count {
          func own(_ t: Float) -> SIMD3<Float> {
            let offset = starts[lane] + directions[lane] * t - position
            return SIMD3(dot(offset, axes.x), dot(offset, axes.y), dot(offset, axes.z))
          }
          let isHit = t[lane] < 1e6
          // The minimum distance along the ray determines whether it hits the shape.
          let least = (0...600).map { distance(own(Float($0) / 300)) }.min() ?? 1
          if abs(least) > 0.02 { #expect(isHit == (least < 0), "\(name): wrong hit or miss") }
          guard isHit else { continue }
          hits += 1
          #expect(abs(distance(own(t[lane]))) < 2e-4, "\(name): \(distance(own(t[lane])))")
          #expect(distance(own(t[lane] - 0.01)) > 0, "\(name): the ray leaves instead of entering")
          #expect(abs(length(normals[lane]) - 1) < 1e-3)
          #expect(dot(normals[lane], directions[lane]) < 1e-3, "\(name): the normal points away from the ray's origin")
        }
      }
      #expect(hits > 300, "\(name): only \(hits) hits")
    }
  }

  @Test func planesAreHitOnlyWithinTheirSizes() {
    let plane = Solid(
      Part(
        .plane(halfSizes: SIMD2(1, 2)), position: SIMD3(0, 0, -1),
        axes: (SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)),
        surface: Surface(color: SIMD3(1, 1, 1))), origin: SIMD3(0, 0, 0))
    var face = SIMD8<Int32>(repeating: 0)
    let d = LaneVectors(
      Lanes(SIMD8(0, 0.9, 1.1, 0, 0, -0.9, 0, 0)), Lanes(SIMD8(0, 0, 0, 1.9, 2.1, -1.9, 0, 0)),
      Lanes(SIMD8(-1, -1, -1, -1, -1, -1, 1, -0.5)))
    let t = plane.entry(plane.toOwn(LaneVectors(SIMD3(0, 0, 1))), plane.toOwn(d), nearest: 0, .all, &face)
    #expect((0..<8).map { t[$0] < 1e6 } == [true, true, false, true, false, true, false, true])
    #expect(abs(t[7] - 2) < 1e-5)
  }

  private func unit(_ random: inout Random) -> SIMD3<Float> {
    let v = SIMD3(Float(random.normal()), Float(random.normal()), Float(random.normal()))
    return v / length(v)
  }

  private func turned(_ random: inout Random) -> (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>) {
    let x = unit(&random)
    let other = unit(&random)
    let z = cross(x, other) / length(cross(x, other))
    return (x, cross(z, x), z)
  }
}
