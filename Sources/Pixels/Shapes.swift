/// A point in the plane. On a canvas, x points right and y up, in the units of the canvas's view.
public struct Point: Sendable, Hashable {
  public var x: Double
  public var y: Double

  public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }

  public var isFinite: Bool { x.isFinite && y.isFinite }
}

/// A shape that a canvas can draw, defined by its signed distance.
///
/// The distance is negative inside and must have Lipschitz constant 1: the rasteriser skips as many pixels as the
/// distance allows.
protocol Shape {
  func distance(to point: Point) -> Double
  /// Whether all values of the shape are finite.
  var isFinite: Bool { get }
  /// A bounding box of the shape.
  var bounds: Bounds { get }
}

/// An axis-aligned box, in the units of the canvas's view.
struct Bounds {
  var left: Double
  var right: Double
  var bottom: Double
  var top: Double

  /// Whether the squares of all coordinates are finite.
  var isModest: Bool { max(abs(left), abs(right)) < 1e100 && max(abs(bottom), abs(top)) < 1e100 }
}

struct Disc: Shape {
  var center: Point
  var radius: Double

  func distance(to point: Point) -> Double {
    let (x, y) = (point.x - center.x, point.y - center.y)
    return (x * x + y * y).squareRoot() - radius
  }

  var isFinite: Bool { center.isFinite && radius.isFinite }

  var bounds: Bounds {
    Bounds(left: center.x - radius, right: center.x + radius, bottom: center.y - radius, top: center.y + radius)
  }
}

/// All points within `radius` of the segment from `start` to `end`.
struct Capsule: Shape {
  let start: Point
  let end: Point
  let radius: Double
  private let along: Point
  private let inverseSquaredLength: Double

  init(start: Point, end: Point, radius: Double) {
    self.start = start
    self.end = end
    self.radius = radius
    along = Point(end.x - start.x, end.y - start.y)
    let squaredLength = along.x * along.x + along.y * along.y
    inverseSquaredLength = squaredLength > 1e-200 ? 1 / squaredLength : 0
  }

  func distance(to point: Point) -> Double {
    let (x, y) = (point.x - start.x, point.y - start.y)
    let part = min(max((x * along.x + y * along.y) * inverseSquaredLength, 0), 1)
    let (dx, dy) = (x - part * along.x, y - part * along.y)
    return (dx * dx + dy * dy).squareRoot() - radius
  }

  var isFinite: Bool { start.isFinite && end.isFinite && radius.isFinite }

  var bounds: Bounds {
    Bounds(
      left: min(start.x, end.x) - radius, right: max(start.x, end.x) + radius,
      bottom: min(start.y, end.y) - radius, top: max(start.y, end.y) + radius)
  }
}

/// A rectangle whose length is along the unit vector `axis`.
struct Box: Shape {
  var center: Point
  var halfLength: Double
  var halfWidth: Double
  var axis: Point

  /// Returns the larger distance to the lines of the sides. Outside of corners it underestimates the distance, which
  /// keeps corners sharp.
  func distance(to point: Point) -> Double {
    let (x, y) = (point.x - center.x, point.y - center.y)
    return max(abs(x * axis.x + y * axis.y) - halfLength, abs(y * axis.x - x * axis.y) - halfWidth)
  }

  var isFinite: Bool { center.isFinite && axis.isFinite && halfLength.isFinite && halfWidth.isFinite }

  var bounds: Bounds {
    let x = halfLength * abs(axis.x) + halfWidth * abs(axis.y)
    let y = halfLength * abs(axis.y) + halfWidth * abs(axis.x)
    return Bounds(left: center.x - x, right: center.x + x, bottom: center.y - y, top: center.y + y)
  }
}

/// A polygon, convex or not, closed from the last corner to the first. Its inside follows the even-odd rule.
struct Polygon: Shape {
  var corners: [Point]

  func distance(to point: Point) -> Double {
    var nearest = Double.infinity
    var inside = false
    var a = corners[corners.count - 1]
    for b in corners {
      let (edgeX, edgeY) = (b.x - a.x, b.y - a.y)
      let (x, y) = (point.x - a.x, point.y - a.y)
      let squaredLength = edgeX * edgeX + edgeY * edgeY
      let part = squaredLength > 0 ? min(max((x * edgeX + y * edgeY) / squaredLength, 0), 1) : 0
      let (dx, dy) = (x - part * edgeX, y - part * edgeY)
      nearest = min(nearest, dx * dx + dy * dy)
      // Each edge crossed by a ray to the right toggles inside and outside.
      if (a.y > point.y) != (b.y > point.y) && x * abs(edgeY) < (edgeY > 0 ? y : -y) * edgeX { inside.toggle() }
      a = b
    }
    return inside ? -nearest.squareRoot() : nearest.squareRoot()
  }

  var isFinite: Bool { corners.allSatisfy(\.isFinite) }

  var bounds: Bounds {
    var box = Bounds(left: .infinity, right: -.infinity, bottom: .infinity, top: -.infinity)
    for corner in corners {
      box.left = min(box.left, corner.x)
      box.right = max(box.right, corner.x)
      box.bottom = min(box.bottom, corner.y)
      box.top = max(box.top, corner.y)
    }
    return box
  }
}
