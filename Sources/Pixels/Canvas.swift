#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

extension PixelBuffer {
  /// Draws into the frame in place. The canvas owns the frame's bytes while `body` runs.
  public mutating func draw(_ body: (inout Canvas) -> Void) {
    var canvas = Canvas(width: width, height: height, format: format)
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

/// Draws antialiased simple shapes, fast enough to render every step of an environment.
///
/// Coordinates are in the units of a view: x points right, y up. By default, a unit is a pixel and the origin is the
/// frame's lower left corner; `view(center:height:)` changes that. A gray frame stores each colour's luminance. The
/// output is the same on all machines. A shape with a coordinate that is not finite is not drawn.
///
/// Coverage is computed from the signed distance of a pixel's centre to the shape's edge, with a ramp one pixel wide.
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

  init(width: Int, height: Int, format: PixelFormat) {
    grid = PixelGrid(width: width, height: height, format: format, origin: Point(0.5, Double(height) - 0.5))
  }

  /// Sets the view: `center` is the middle of the frame, and the frame is `height` units high. The aspect ratio is
  /// kept.
  public mutating func view(center: Point, height units: Double) {
    precondition(1e-30 < units && units < 1e30, "the height of a view must be between 1e-30 and 1e30, not \(units)")
    let pitch = units / Double(height)
    grid.pitch = pitch
    grid.scale = Double(height) / units
    grid.origin = Point(center.x - 0.5 * Double(width - 1) * pitch, center.y + 0.5 * Double(height - 1) * pitch)
  }

  /// Draws a line, `width` units wide.
  public mutating func line(from start: Point, to end: Point, width: Double, _ color: Color, cap: Cap = .butt) {
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
    paint(Capsule(start: start, end: end, radius: max(radius, minimumWidth * grid.pitch / 2)), color)
  }

  /// Draws a filled circle.
  public mutating func circle(center: Point, radius: Double, _ color: Color) {
    paint(Disc(center: center, radius: max(radius, minimumWidth * grid.pitch / 2)), color)
  }

  /// Draws a rectangle rotated counterclockwise by `angle` radians.
  public mutating func rectangle(
    center: Point, width: Double, height: Double, angle: Double = 0, _ color: Color
  ) {
    let axis = angle == 0 ? Point(1, 0) : Point(cos(angle), sin(angle))
    paint(Box(center: center, halfLength: width / 2, halfWidth: height / 2, axis: axis), color)
  }

  /// Draws a polygon, convex or not. It is closed from the last corner to the first and filled by the even-odd rule.
  public mutating func polygon(_ corners: [Point], _ color: Color) {
    guard corners.count > 2 else { return }
    paint(Polygon(corners: corners), color)
  }
}
