import Core
import Pixels

/// A renderer of MuJoCo scenes, as written on the command line.
public enum Renderer: String, ChoiceSetting, Hashable {
  /// This project's CPU renderer, which imitates MuJoCo's rendering.
  case software
  /// A flat drawing: one colour per moving body with a dark outline, without light or textures.
  case sketch
  /// MuJoCo's own OpenGL renderer.
  case gl
}

/// How frames are drawn. All but the distraction is for MuJoCo scenes. Different styles give different frames, so an
/// autoencoder is valid for one style only.
public struct RenderStyle: Sendable, Codable, Hashable {
  public var renderer = Renderer.software
  public var shadows = true
  public var reflections = true
  /// Samples per pixel at edges. 1 means no antialiasing.
  public var antialiasing = 4
  /// What distracts from the task at this moment. Nil in settings: an episode draws it.
  public var distraction: Distraction?

  public init() {}

  /// The simplest style: no shadows, no reflections, no antialiasing.
  public static var bare: RenderStyle {
    var style = RenderStyle()
    (style.shadows, style.reflections, style.antialiasing) = (false, false, 1)
    return style
  }
}
