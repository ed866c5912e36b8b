import Core
import Pixels

/// How an environment is played and seen. The defaults are the plain task; the rest makes it a harder POMDP.
public struct EpisodeSettings: SettingsGroup, Hashable {
  public var size = 64
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

  public init() {}

  public static let title = "environment"
  public static var fields: [Field<Self>] {
    [
      Field("size", \.size, 8...1024, "width and height of a frame in pixels").changing(.view),
      Field("color", \.color, "colours of a frame").changing(.view),
      Field("action-repeat", \.actionRepeat, 0...1000, "simulator steps an action is held for; 0: the task's own")
        .changing(.dynamics),
      Field("time-limit", \.timeLimit, 0...Int.max, "simulator steps of an episode; 0: the task's own"),
      Field(
        "frame-stack", \.frameStack, 1...64,
        "frames that the encoder sees together; 3 of --encoder critic-only and augmented unless given"
      ).changing(.view),
      Field("sticky-actions", \.stickyActions, 0...1, "probability that the last action is taken in place of the new")
        .changing(.dynamics),
      Field("flicker", \.flicker, 0...1, "probability that a frame is black").changing(.view),
      Field("occlusion", \.occlusion, 0...1, "height of an occluding bar, as a fraction of the frame's")
        .changing(.view),
      Field("occlusion-position", \.occlusionPosition, 0...1, "where the bar lies, from 0 (top) to 1 (bottom)")
        .changing(.view),
      Field("pixel-noise", \.pixelNoise, 0...255, "standard deviation of each pixel's noise, in levels of 255")
        .changing(.view),
      Field(
        "renderer", \.style.renderer, "what draws MuJoCo's scenes; other environments have one drawing of their own"
      )
      .changing(.view),
      Field("shadows", \.style.shadows, "shadows in MuJoCo's scenes").changing(.view),
      Field("reflections", \.style.reflections, "mirroring floors in MuJoCo's scenes").changing(.view),
      Field("antialiasing", \.style.antialiasing, 1...64, "samples of a pixel at the edges in MuJoCo's scenes; 1: none")
        .changing(.view),
      Field(
        "no-op-starts", \.noOpStarts, 0...1000,
        "gym: most steps of doing nothing before an episode; 30 in Atari games unless given"),
      Field("life-loss", \.lifeLoss, "gym: no reward counts beyond the loss of a life"),
      Field(
        "gym-failure", \.gymFailure,
        "gym: what a Python process that crashes, hangs or sends a wrong shape ends: the run, or the episode"),
      Field(
        "gym-timeout", \.gymTimeout, 1...1_000_000,
        "gym: seconds after which a Python process hangs; it has 120 or more to start"),
    ]
  }
}

/// The colours of a frame, as one types them.
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
  /// An empty frame of the size and colour that they ask for.
  public var blankFrame: PixelBuffer { PixelBuffer(width: size, height: size, format: color.format) }

  /// Does to a frame what a poor camera would: an occluding bar, noise, a dropped frame.
  /// - Parameter noise: the seed of all that is random; the same number gives the same frame.
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

/// The sum of a word's eight bytes, standardised: near enough a normal number for noise, at a tenth of the price.
private func almostNormal(_ word: UInt64) -> Float {
  let pairs = (word & 0x00ff_00ff_00ff_00ff) + (word >> 8 & 0x00ff_00ff_00ff_00ff)
  let sum = (pairs &* 0x0001_0001_0001_0001) >> 48
  return (Float(sum) - 1020) / 209.02  // 8 · 255/2 and √(8 · (256² - 1)/12)
}
