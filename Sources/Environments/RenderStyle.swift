import Core

/// What draws a scene of MuJoCo, as one types it.
public enum Renderer: String, ChoiceSetting, Hashable {
  /// The project's own, on the CPU, in MuJoCo's look.
  case software
  /// The project's own, flat: one colour a moving body with a dark outline, and neither light nor texture.
  case sketch
  /// MuJoCo's own, by OpenGL.
  case gl
}

/// How a scene of MuJoCo is drawn. Two looks give different frames, and an autoencoder of one does not fit the other.
public struct RenderStyle: Sendable, Codable, Hashable {
  public var renderer = Renderer.software
  public var shadows = true
  public var reflections = true
  /// Samples of a pixel at the edges: 1 for none.
  public var antialiasing = 4

  public init() {}

  /// MuJoCo's barest: no shadows, no mirrors, no antialiasing.
  public static var bare: RenderStyle {
    var style = RenderStyle()
    (style.shadows, style.reflections, style.antialiasing) = (false, false, 1)
    return style
  }
}
