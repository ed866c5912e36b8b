import Pixels

extension Canvas {
  /// Centres the view on `center` so that at least `width` by `height` units fit into the frame, without distortion.
  public mutating func view(center: Point, width units: Double, height: Double) {
    view(center: center, height: max(height, units * Double(self.height) / Double(width)))
  }
}

/// The colours of the simulated tasks: a dark background and one bright colour per object. They also differ in
/// grayscale.
enum Palette {
  static let ground = Color(gray: 30)
  static let rail = Color(92, 101, 128)
  static let body = Color(52, 140, 255)
  static let pole = Color(255, 178, 44)
  static let hinge = Color(245, 245, 250)
}
