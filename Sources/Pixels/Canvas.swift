#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

extension PixelBuffer {
  /// Draws into the frame in place. The canvas owns the frame's bytes while `body` runs.
  ///
  /// - Parameter distraction: what changes the view, the colours and the background of everything that is drawn.
  public mutating func draw(under distraction: Distraction? = nil, _ body: (inout Canvas) -> Void) {
    var canvas = Canvas(width: width, height: height, format: format, distraction)
    swap(&canvas.bytes, &bytes)
    body(&canvas)
    swap(&canvas.bytes, &bytes)
  }
}

/// The mapping from pixels to coordinates of the view.
struct PixelGrid {
  var width: Int
  var height: Int
  var format: PixelFormat
  /// The centre of the upper left pixel.
  var origin: Point
  /// Units per pixel (pitch) and pixels per unit (scale).
  var pitch = 1.0
  var scale = 1.0

  /// Returns the index of the first byte of row `y`.
  func rowStart(_ y: Int) -> Int { y * width * format.channels }
  /// Returns the centre of a pixel in the view.
  func place(_ x: Int, _ y: Int) -> Point { Point(origin.x + Double(x) * pitch, origin.y - Double(y) * pitch) }
}

/// A rotation around a point.
struct Roll {
  /// Counterclockwise, in radians.
  let angle: Double
  private let center: Point
  private let axis: Point

  init(angle: Double, center: Point) {
    self.angle = angle
    self.center = center
    axis = Point(cos(angle), sin(angle))
  }

  func turned(_ point: Point) -> Point { turned(point, axis.y) }
  func turnedBack(_ point: Point) -> Point { turned(point, -axis.y) }

  private func turned(_ point: Point, _ sine: Double) -> Point {
    let (x, y) = (point.x - center.x, point.y - center.y)
    return Point(center.x + x * axis.x - y * sine, center.y + x * sine + y * axis.x)
  }
}

/// Draws antialiased simple shapes, fast enough to render every step of an environment.
///
/// Coordinates are in the units of a view: x points right, y up. By default, a unit is a pixel and the origin is the
/// frame's lower left corner; `view(center:height:)` changes that. A gray frame stores each colour's luminance. The
/// output is the same on all machines. A shape with a coordinate that is not finite is not drawn.
///
/// Coverage is computed from the signed distance of a pixel's centre to the shape's edge, with a ramp one pixel wide.
///
/// A canvas can have a `Distraction`: it then changes each colour, `view` moves the camera, and what fills the whole
/// frame is covered by the moving background.
public struct Canvas: ~Copyable {
  /// The end of a line: flush with the end point, or a half disc around it.
  public enum Cap: Sendable, Hashable { case butt, round }

  public var width: Int { grid.width }
  public var height: Int { grid.height }
  public var format: PixelFormat { grid.format }
  /// The opacity of the following shapes, from 0 to 1.
  public var opacity = 1.0
  /// The minimum width of lines, capsules and circles in pixels, so that thin shapes do not fade.
  public var minimumWidth = 1.0

  var bytes: [UInt8] = []
  private(set) var grid: PixelGrid
  let distraction: Distraction?
  /// The roll of a distracted camera; nil for none.
  private(set) var roll: Roll?

  init(width: Int, height: Int, format: PixelFormat, _ distraction: Distraction? = nil) {
    self.distraction = distraction
    grid = PixelGrid(width: width, height: height, format: format, origin: Point(0.5, Double(height) - 0.5))
  }

  /// Sets the view: `center` is the middle of the frame, and the frame is `height` units high. The aspect ratio is
  /// kept.
  public mutating func view(center: Point, height units: Double) {
    precondition(1e-30 < units && units < 1e30, "the height of a view must be between 1e-30 and 1e30, not \(units)")
    var (center, units) = (center, units)
    if let change = distraction?.camera {
      // A flat scene looks the same from each side, so that the view moves instead: by a fraction of its height.
      let shift = units / .pi
      roll = Roll(angle: change.roll, center: center)
      center = Point(center.x + change.aside * shift, center.y + change.up * shift)
      units *= change.distance
    }
    let pitch = units / Double(height)
    grid.pitch = pitch
    grid.scale = Double(height) / units
    grid.origin = Point(center.x - 0.5 * Double(width - 1) * pitch, center.y + 0.5 * Double(height - 1) * pitch)
  }

  /// Draws a line, `width` units wide.
  public mutating func line(from start: Point, to end: Point, width: Double, _ color: Color, cap: Cap = .butt) {
    let (start, end, color) = (seen(start), seen(end), seen(color))
    let radius = max(width, minimumWidth * grid.pitch) / 2
    let (x, y) = (end.x - start.x, end.y - start.y)
    let length = (x * x + y * y).squareRoot()
    switch cap {
    case .round: paint(Capsule(start: start, end: end, radius: radius), color)
    case .butt where length > 0:
      let middle = Point((start.x + end.x) / 2, (start.y + end.y) / 2)
      let axis = Point(x / length, y / length)
      paint(Box(center: middle, halfLength: length / 2, halfWidth: radius, axis: axis), color)
    case .butt: break
    }
  }

  /// Draws a capsule: all points within `radius` of the segment.
  public mutating func capsule(from start: Point, to end: Point, radius: Double, _ color: Color) {
    paint(
      Capsule(start: seen(start), end: seen(end), radius: max(radius, minimumWidth * grid.pitch / 2)), seen(color))
  }

  /// Draws a filled circle.
  public mutating func circle(center: Point, radius: Double, _ color: Color) {
    paint(Disc(center: seen(center), radius: max(radius, minimumWidth * grid.pitch / 2)), seen(color))
  }

  /// Draws a rectangle rotated counterclockwise by `angle` radians.
  public mutating func rectangle(
    center: Point, width: Double, height: Double, angle: Double = 0, _ color: Color
  ) {
    let angle = angle + (roll?.angle ?? 0)
    let axis = angle == 0 ? Point(1, 0) : Point(cos(angle), sin(angle))
    paint(Box(center: seen(center), halfLength: width / 2, halfWidth: height / 2, axis: axis), seen(color))
  }

  /// Draws a polygon, convex or not. It is closed from the last corner to the first and filled by the even-odd rule.
  public mutating func polygon(_ corners: [Point], _ color: Color) {
    guard corners.count > 2 else { return }
    let seen = roll.map { roll in corners.map(roll.turned) } ?? corners
    paint(Polygon(corners: seen), self.seen(color))
  }

  /// Returns a point as the distracted camera sees it.
  private func seen(_ point: Point) -> Point { roll?.turned(point) ?? point }

  /// Returns a colour as it is drawn.
  func seen(_ color: Color) -> Color { distraction?.color(color) ?? color }
}
