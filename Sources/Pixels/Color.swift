/// An opaque sRGB colour with 8 bits per channel.
public struct Color: Sendable, Hashable {
  public var red: UInt8
  public var green: UInt8
  public var blue: UInt8

  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// Creates a gray.
  public init(gray: UInt8) { self.init(gray, gray, gray) }

  /// The luminance, with the weights of ITU-R BT.601 in 16-bit fixed point.
  public var luminance: UInt8 {
    let sum: UInt32 = 19_595 * UInt32(red) + 38_470 * UInt32(green) + 7_471 * UInt32(blue)
    return UInt8((sum + 0x8000) >> 16)
  }

  /// Interpolates linearly to `other`. The fraction is clamped to 0 ... 1.
  public func mixed(with other: Color, fraction: Double) -> Color {
    let weight = Int((min(max(fraction, 0), 1) * 256).rounded())
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8((Int(a) * (256 - weight) + Int(b) * weight + 128) >> 8) }
    return Color(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }

  public static let black = Color(0, 0, 0)
  public static let white = Color(255, 255, 255)
  public static let gray = Color(128, 128, 128)
  public static let red = Color(214, 56, 46)
  public static let orange = Color(237, 139, 34)
  public static let yellow = Color(242, 204, 60)
  public static let green = Color(62, 157, 82)
  public static let blue = Color(47, 108, 191)
  public static let purple = Color(131, 84, 173)
}
