import pixelrl

/// The program of this package, with its own members only.
@main
struct Main {
  static func main() { PixelRL.main() }
}
