import Core
import Pixels

/// An environment of the catalog that is drawn with a canvas. Its background, colours and camera can be distracted, for
/// which it needs no code.
public protocol DrawnEnvironment: BuiltInEnvironment {
  /// Draws the state into every pixel, the same each time. Begin with a view, then fill the canvas.
  func draw(on canvas: inout Canvas)
}

extension DrawnEnvironment {
  public func render(into frame: inout PixelBuffer) { render(into: &frame, as: RenderStyle()) }

  public func render(into frame: inout PixelBuffer, as style: RenderStyle) {
    frame.draw(under: style.distraction) { canvas in draw(on: &canvas) }
  }

  public func checkDistractions(_ settings: EpisodeSettings) throws(InputError) {}
}
