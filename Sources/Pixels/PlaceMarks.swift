#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Numbered places of a frame, such as an autoencoder's keypoints: a dot each, in a colour of its own that stays the same
/// from frame to frame.
public struct PlaceMarks: Sendable {
  /// How many there are.
  public let count: Int
  /// Pixels.
  public var radius = 3.2
  /// Those that are drawn as rings.
  public var hollow: Set<Int> = []

  public init(count: Int) {
    precondition(count >= 0, "there cannot be \(count) places")
    self.count = count
  }

  /// Neighbours in number differ in hue and in lightness.
  public func color(of index: Int) -> Color {
    // Steps of the golden ratio keep any number of hues apart.
    let turn = Double(index) * 0.618_033_988_75
    let (hue, chroma) = (2 * Double.pi * (turn - turn.rounded(.down)), 0.15)
    return Color(lightness: index % 2 == 0 ? 0.82 : 0.66, a: chroma * cos(hue), b: chroma * sin(hue))
  }

  /// Draws the places over an RGB frame.
  ///
  /// - Parameters:
  ///   - places: x and y of each as parts of the frame's width and height from its upper left corner.
  ///   - before: the places at earlier moments, the oldest first, which leave a trail.
  public func draw(_ places: [Point], after before: [[Point]] = [], over frame: inout PixelBuffer) {
    let (width, height) = (Double(frame.width), Double(frame.height))
    func pixel(_ place: Point) -> Point { Point(place.x * width, height - place.y * height) }
    frame.draw { canvas in
      let moments = before + [places]
      for (number, (from, to)) in zip(moments, moments.dropFirst()).enumerated() {
        canvas.opacity = 0.75 * Double(number + 1) / Double(moments.count - 1)
        for (index, (a, b)) in zip(from, to).enumerated() {
          canvas.line(from: pixel(a), to: pixel(b), width: 2, color(of: index), cap: .round)
        }
      }
      for (index, place) in places.enumerated() { draw(index, at: pixel(place), on: &canvas) }
    }
  }

  private func draw(_ index: Int, at center: Point, on canvas: inout Canvas) {
    canvas.opacity = 0.7
    canvas.circle(center: center, radius: radius + 1.2, .black)
    canvas.opacity = 1
    canvas.circle(center: center, radius: radius, color(of: index))
    if hollow.contains(index) { canvas.circle(center: center, radius: radius - 1.6, .black) }
  }

  /// The dots with their numbers, from 0, in lines of at most so many pixels.
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
