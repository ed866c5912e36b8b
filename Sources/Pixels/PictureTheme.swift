/// The colours of a picture's background, axes and text: light for print, dark for use beside frames.
public struct PictureTheme: Sendable, Hashable {
  public let isDark: Bool
  public let paper: Color
  public let grid: Color
  public let axis: Color
  public let ink: Color
  /// The colours of lines and dots, each with sufficient contrast to the background.
  public let palette: [Color]

  public static let light = PictureTheme(
    isDark: false, paper: Color(252, 252, 253), grid: Color(227, 230, 236), axis: Color(120, 126, 138),
    ink: Color(45, 50, 60),
    palette: [.blue, .orange, .green, .red, .purple, Color(110, 84, 70), Color(30, 160, 175)])

  public static let dark = PictureTheme(
    isDark: true, paper: Color(24, 26, 32), grid: Color(48, 53, 62), axis: Color(150, 158, 172),
    ink: Color(226, 229, 236),
    palette: [
      Color(116, 169, 245), Color(242, 163, 85), Color(111, 203, 135), Color(255, 130, 120), Color(189, 147, 230),
      Color(201, 168, 147), Color(87, 198, 211),
    ])
}
