#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Draws numbered points over a frame, such as an autoencoder's keypoints. Each has a dot of a distinct colour, which
/// is the same in every frame.
public struct KeypointMarks: Sendable {
  /// The number of points.
  public let count: Int
  /// The radius of a dot in pixels.
  public var radius = 3.2
  /// The indices of points drawn as rings.
  public var hollow: Set<Int> = []

  public init(count: Int) {
    precondition(count >= 0, "the number of points must not be negative: \(count)")
    self.count = count
  }

  /// Returns the colour of a point. Consecutive indices differ in hue and lightness.
  public func color(of index: Int) -> Color {
    // Multiples of the golden ratio distribute any number of hues evenly.
    let turn = Double(index) * 0.618_033_988_75
    let (hue, chroma) = (2 * Double.pi * (turn - turn.rounded(.down)), 0.15)
    return Color(lightness: index % 2 == 0 ? 0.82 : 0.66, a: chroma * cos(hue), b: chroma * sin(hue))
  }

  /// Draws the points over an RGB frame.
  ///
  /// - Parameters:
  ///   - points: x and y of each point as fractions of the frame's width and height, from its upper left corner.
  ///   - before: the points at earlier time steps, the oldest first, which are drawn as a trail.
  public func draw(_ points: [Point], after before: [[Point]] = [], over frame: inout PixelBuffer) {
    let (width, height) = (Double(frame.width), Double(frame.height))
    func pixel(_ point: Point) -> Point { Point(point.x * width, height - point.y * height) }
    frame.draw { canvas in
      let steps = before + [points]
      for (step, (from, to)) in zip(steps, steps.dropFirst()).enumerated() {
        canvas.opacity = 0.75 * Double(step + 1) / Double(steps.count - 1)
        for (index, (a, b)) in zip(from, to).enumerated() {
          canvas.line(from: pixel(a), to: pixel(b), width: 2, color(of: index), cap: .round)
        }
      }
      for (index, point) in points.enumerated() { draw(index, at: pixel(point), on: &canvas) }
    }
  }

  private func draw(_ index: Int, at center: Point, on canvas: inout Canvas) {
    canvas.opacity = 0.7
    canvas.circle(center: center, radius: radius + 1.2, .black)
    canvas.opacity = 1
    canvas.circle(center: center, radius: radius, color(of: index))
    if hollow.contains(index) { canvas.circle(center: center, radius: radius - 1.6, .black) }
  }

  /// Draws a legend of the dots with their indices, wrapped to `width` pixels.
  public func legend(width: Int, theme: PictureTheme = .dark) -> PixelBuffer {
    let font = Font.small
    let pitch = font.width(of: "\(max(count - 1, 0))") + 26
    let perLine = max(1, width / pitch)
    let lines = max(1, (count + perLine - 1) / perLine)
    var picture = PixelBuffer(width: max(width, pitch), height: 18 * lines)
    picture.draw { canvas in
      canvas.fill(theme.paper)
      for index in 0..<count {
        let middle = Double(canvas.height - 18 * (index / perLine)) - 8
        draw(index, at: Point(Double(index % perLine * pitch) + 6, middle), on: &canvas)
      }
    }
    for index in 0..<count {
      picture.write(
        "\(index)", left: index % perLine * pitch + 14, top: 18 * (index / perLine) + 4, font: font, theme.ink)
    }
    return picture
  }
}
