#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

extension Color {
  /// Returns the colour for a value from 0 to 1 of a perceptually uniform colour map from black over violet and orange
  /// to near white. Lightness is proportional to the value, so it works in grayscale too. Other values are clamped; NaN
  /// is green.
  public static func heat(_ value: Double) -> Color {
    if value.isNaN { return Color(0, 255, 0) }
    return heatRamp[Int(min(max(value, 0), 1) * 255 + 0.5)]
  }

  /// The hue changes from violet to yellow as lightness increases. Chroma is highest in the middle.
  private static let heatRamp: [Color] = (0..<256).map { index in
    let value = Double(index) / 255
    let hue = (-75 + 170 * value) * Double.pi / 180
    let chroma = 0.165 * sin(Double.pi * min(value * 1.02, 1)).squareRoot() * (1 - 0.35 * value)
    return Color(lightness: 0.98 * value, a: chroma * cos(hue), b: chroma * sin(hue))
  }

  /// Converts an Oklab colour (Ottosson 2020) to sRGB. Chroma is reduced until the colour is in gamut.
  init(lightness: Double, a: Double, b: Double) {
    var share = 1.0
    var linear = Self.linearRGB(lightness, a, b)
    while share > 0 && ![linear.0, linear.1, linear.2].allSatisfy({ (-1e-4...1 + 1e-4).contains($0) }) {
      share = max(share - 0.004, 0)
      linear = Self.linearRGB(lightness, share * a, share * b)
    }
    func encode(_ value: Double) -> UInt8 {
      let value = min(max(value, 0), 1)
      return UInt8(255 * (value <= 0.003_130_8 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055) + 0.5)
    }
    self.init(encode(linear.0), encode(linear.1), encode(linear.2))
  }

  private static func linearRGB(_ lightness: Double, _ a: Double, _ b: Double) -> (Double, Double, Double) {
    func cube(_ x: Double) -> Double { x * x * x }
    let l = cube(lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b)
    let m = cube(lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b)
    let s = cube(lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b)
    return (
      4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
      -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
      -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s
    )
  }
}

/// The colour scale of an error map.
public struct ErrorScale: Sendable, Hashable {
  /// The difference, in 255ths, of the last colour. Larger differences have the same colour.
  public var maximum = 64.0
  public var theme = PictureTheme.dark

  public init() {}

  /// Draws the colour scale with labelled differences.
  public func picture(width: Int = 192) -> PixelBuffer {
    let (font, label) = (Font.small, "mean difference, of 255")
    let width = max(width, font.width(of: label))
    var picture = PixelBuffer(width: width, height: 3 * font.lineHeight - 2)
    picture.draw { [theme] in $0.fill(theme.paper) }
    let top = font.lineHeight
    for x in 0..<width {
      let color = Color.heat(Double(x) / Double(width - 1))
      picture.draw { canvas in
        canvas.rectangle(
          center: Point(Double(x) + 0.5, Double(canvas.height - top) - 5), width: 1, height: 10, color)
      }
    }
    picture.write(label, left: (width - font.width(of: label)) / 2, top: 0, font: font, theme.ink)
    for quarter in 0...4 {
      let text = (quarter == 4 ? "≥" : "") + "\(Int((maximum * Double(quarter) / 4).rounded()))"
      let (textWidth, middle) = (font.width(of: text), quarter * (width - 1) / 4)
      let left = min(max(middle - textWidth / 2, 0), width - textWidth)
      picture.write(text, left: left, top: top + 16, font: font, theme.ink)
    }
    return picture
  }
}

extension PixelBuffer {
  /// Returns the error map of two frames: the mean absolute difference over the channels of each pixel, as a colour.
  ///
  /// - Parameter maximum: the difference, in 255ths, of the last colour; see `ErrorScale`.
  public static func errorMap(_ first: PixelBuffer, _ second: PixelBuffer, maximum: Double = 64) -> PixelBuffer {
    precondition(
      first.width == second.width && first.height == second.height && first.format == second.format,
      "frames of \(first.width)x\(first.height) \(first.format) and \(second.width)x\(second.height) "
        + "\(second.format) cannot be compared")
    var result = PixelBuffer(width: first.width, height: first.height)
    let channels = first.channels
    for pixel in 0..<first.width * first.height {
      var sum = 0
      for index in pixel * channels..<(pixel + 1) * channels {
        sum += abs(Int(first.bytes[index]) - Int(second.bytes[index]))
      }
      let color = Color.heat(Double(sum) / (Double(channels) * maximum))
      result.bytes[3 * pixel] = color.red
      result.bytes[3 * pixel + 1] = color.green
      result.bytes[3 * pixel + 2] = color.blue
    }
    return result
  }
}
