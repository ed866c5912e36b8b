import Core
import Pixels

/// The settings of an episode. With the defaults, the task is unchanged. Other values make it a harder POMDP.
public struct EpisodeSettings: SettingsGroup, Hashable {
  public var size: FrameSize = 64
  public var color = FrameColor.rgb
  public var actionRepeat = 0
  public var timeLimit = 0
  public var frameStack = 1
  public var stickyActions = 0.0
  public var flicker = 0.0
  public var occlusion = 0.0
  public var occlusionPosition = 0.5
  public var pixelNoise = 0.0
  public var style = RenderStyle()
  public var noOpStarts = 0
  public var lifeLoss = false
  public var gymFailure = GymFailurePolicy.stop
  public var gymTimeout = 60
  /// Nil, which checkpoints leave out, if pictures are stretched. Older versions stretched all.
  private var otherFit: PictureFit?
  /// Nil, which checkpoints leave out, if nothing is distracted. Older versions had no distractions.
  private var otherDistractions: DistractionLevels?

  public init() {}

  /// How the pictures of a Gymnasium environment become frames with other proportions.
  public var fit: PictureFit {
    get { otherFit ?? .stretch }
    set { otherFit = newValue == .stretch ? nil : newValue }
  }

  /// What distracts from the task, and how strongly.
  public var distractions: DistractionLevels {
    get { otherDistractions ?? DistractionLevels() }
    set { otherDistractions = newValue == DistractionLevels() ? nil : newValue }
  }

  public static let title = "environment"
  public static var fields: [Field<Self>] {
    [
      Field("size", \.size, domain: FrameSize.domain, "width and height of a frame in pixels").changing(.view),
      Field("color", \.color, "colours of the frames").changing(.view),
      Field("action-repeat", \.actionRepeat, 0...1000, "simulator steps per action; 0: the task's default")
        .changing(.dynamics),
      Field("time-limit", \.timeLimit, 0...Int.max, "maximum simulator steps per episode; 0: the task's default"),
      Field(
        "frame-stack", \.frameStack, 1...64,
        "number of stacked frames that the encoder takes; default 3 for a new encoder of critic-only or augmented"
      ).changing(.view),
      Field(
        "sticky-actions", \.stickyActions, 0...1,
        "probability that the previous action is repeated instead of the new one"
      )
      .changing(.dynamics),
      Field("flicker", \.flicker, 0...1, "probability that a frame is black").changing(.view),
      Field("occlusion", \.occlusion, 0...1, "height of an occluding bar, as a fraction of the frame height")
        .changing(.view),
      Field("occlusion-position", \.occlusionPosition, 0...1, "position of the bar, from 0 (top) to 1 (bottom)")
        .changing(.view),
      Field("pixel-noise", \.pixelNoise, 0...255, "standard deviation of the pixel noise, in levels from 0 to 255")
        .changing(.view),
      Field(
        "moving-background", \.distractions.background,
        "strength of a moving pattern behind the moving parts, as in the Distracting Control Suite"
      )
      .changing(.view)
      .addedLater(),
      Field(
        "color-changes", \.distractions.colors,
        "strength of changes of the colours, drawn for each episode and changing within it"
      )
      .changing(.view)
      .addedLater(),
      Field(
        "camera-changes", \.distractions.camera,
        "strength of changes of the camera's pose, drawn for each episode and changing within it"
      )
      .changing(.view)
      .addedLater(),
      Field(
        "renderer", \.style.renderer,
        "MuJoCo tasks: how frames are drawn. software: like MuJoCo; sketch: flat colours; gl: by MuJoCo with OpenGL"
      )
      .changing(.view),
      Field("shadows", \.style.shadows, "MuJoCo tasks: draw shadows, except with sketch").changing(.view),
      Field("reflections", \.style.reflections, "MuJoCo tasks: draw reflections on floors, except with sketch")
        .changing(.view),
      Field(
        "antialiasing", \.style.antialiasing, 1...64,
        "MuJoCo tasks: samples per pixel at edges, except with sketch; 1: no antialiasing"
      )
      .changing(.view),
      Field(
        "fit", \.fit,
        "gym: how pictures become frames with other proportions. crop: the middle; letterbox: with black bars; "
          + "stretch: distorted"
      )
      .changing(.view)
      .addedLater(),
      Field(
        "no-op-starts", \.noOpStarts, 0...1000,
        "gym: maximum number of no-op steps at the start of an episode; default 30 in Atari games"),
      Field("life-loss", \.lifeLoss, "gym: treat the loss of a life as the end of the episode when learning"),
      Field(
        "gym-failure", \.gymFailure,
        "gym: end the run or only the episode if a Python process crashes, hangs or sends a wrong shape"),
      Field(
        "gym-timeout", \.gymTimeout, 1...1_000_000,
        "gym: seconds to wait for an answer of the Python process; at least 120 while it starts"),
    ]
  }
}

/// The colours of a frame, as written on the command line.
public enum FrameColor: String, ChoiceSetting, Hashable {
  case rgb
  case gray

  public var format: PixelFormat {
    switch self {
    case .rgb: .rgb
    case .gray: .gray
    }
  }
}

extension EpisodeSettings {
  /// The settings that change frames and that older versions did not record, with what they did.
  public static let unrecorded = ["frame-stack": "1"].merging(addedLater) { first, _ in first }

  /// The first flag that asks for a distraction, with its value; nil if nothing is distracted.
  var distractionFlag: String? {
    let flags = [\DistractionLevels.background, \.colors, \.camera]
    let keys = ["moving-background", "color-changes", "camera-changes"]
    for (key, level) in zip(keys, flags.map { distractions[keyPath: $0] }) where level != .none {
      return "--\(key) \(level.text)"
    }
    return nil
  }

  /// A blank frame with this size and these colours.
  public var blankFrame: PixelBuffer { PixelBuffer(size: size, format: color.format) }

  /// Applies the camera effects to a frame: an occluding bar, pixel noise and dropped frames.
  /// - Parameter noise: The random seed. The same seed gives the same frame.
  func disturb(_ frame: inout PixelBuffer, noise: UInt64) {
    guard flicker > 0 || occlusion > 0 || pixelNoise > 0 else { return }
    var random = Random(seed: Seed(noise))
    if random.chance(flicker) {
      for index in frame.bytes.indices { frame.bytes[index] = 0 }
      return
    }
    if occlusion > 0 {
      let rows = Int((occlusion * Double(frame.height)).rounded())
      let top = Int((occlusionPosition * Double(frame.height - rows)).rounded())
      for index in top * frame.stride..<(top + rows) * frame.stride { frame.bytes[index] = 128 }
    }
    if pixelNoise > 0 {
      let scale = Float(pixelNoise)
      for index in frame.bytes.indices {
        let noisy = Float(frame.bytes[index]) + scale * almostNormal(random.next())
        frame.bytes[index] = UInt8(min(max(noisy.rounded(), 0), 255))
      }
    }
  }
}

/// The standardised sum of a word's eight bytes: an approximately normal random number, ten times cheaper than an exact
/// one.
private func almostNormal(_ word: UInt64) -> Float {
  let pairs = (word & 0x00ff_00ff_00ff_00ff) + (word >> 8 & 0x00ff_00ff_00ff_00ff)
  let sum = (pairs &* 0x0001_0001_0001_0001) >> 48
  return (Float(sum) - 1020) / 209.02  // 8 · 255/2 and √(8 · (256² - 1)/12)
}
