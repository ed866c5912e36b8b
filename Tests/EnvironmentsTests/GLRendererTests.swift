#if MuJoCo
  import Core
  import Pixels
  import Testing

  @testable import Environments

  private let canDraw = (try? SuiteFolder.text(of: "reacher.xml")) != nil && (try? GLDriver.found.get()) != nil

  /// An OpenGL platform that no machine has.
  private struct Glide: GLPlatform {
    static let name = "Glide"
    static let packages = "libglide3"
    let library: SharedLibrary

    init?() {
      guard let library = SharedLibrary(["libpixelrl-has-no-glide.so.3"]) else { return nil }
      self.library = library
    }

    func makeContext() -> UnsafeMutableRawPointer? { nil }
    func makeCurrent(_ context: UnsafeMutableRawPointer?) -> Bool { false }
    func destroy(_ context: UnsafeMutableRawPointer) {}
    func function<F>(_ name: String, as type: F.Type) -> F? { nil }
  }

  @Suite struct MissingOpenGLTests {
    @Test func theErrorForMissingOpenGLSaysWhatToInstall() throws {
      let error = #expect(throws: WorldError.self) { try GLDriver([Glide.self], "a test needs OpenGL") }
      let text = try #require(error).description
      #expect(text.hasPrefix("a test needs OpenGL: install it with 'apt-get install libglide3'"))
    }
  }

  /// MuJoCo's own renderer, if OpenGL is available.
  @Suite(.enabled(if: canDraw, "needs models and OpenGL: make models; apt-get install libegl1 libgl1-mesa-dri"))
  struct GLRendererTests {
    private func frame(_ style: RenderStyle, _ format: PixelFormat = .rgb, size: Int = 84) -> PixelBuffer {
      var environment = CheetahRun()
      var random = Random(seed: Seed(1))
      environment.reset(using: &random)
      var frame = PixelBuffer(width: size, height: size, format: format)
      var style = style
      style.renderer = .gl
      environment.render(into: &frame, as: style)
      return frame
    }

    @Test func theDriverIsNamed() throws {
      var style = RenderStyle()
      style.renderer = .gl
      let name = try #require(try CheetahRun().openGLDriver(for: style))
      #expect(name.contains(" of ") && (name.hasSuffix("by EGL") || name.hasSuffix("by OSMesa")), "\(name)")
    }

    @Test func theSkyIsAboveTheFloor() {
      let frame = frame(.bare)
      func mean(_ rows: Range<Int>, _ channel: Int) -> Int {
        let pixels = rows.flatMap { row in (0..<84).map { Int(frame.bytes[(row * 84 + $0) * 3 + channel]) } }
        return pixels.reduce(0, +) / pixels.count
      }
      // A blue gradient that gets darker towards the floor, which is even darker.
      #expect(mean(0..<20, 2) > mean(58..<66, 2) + 20)
      #expect(mean(0..<20, 2) > mean(0..<20, 0) + 20)
    }

    @Test func renderingIsTheSameOnManyThreads() async {
      let expected = frame(RenderStyle())
      await withTaskGroup(of: PixelBuffer.self) { group in
        for _ in 0..<8 { group.addTask { frame(RenderStyle()) } }
        for await other in group { #expect(other == expected) }
      }
    }

    @Test func everyStyleSettingChangesThePicture() {
      func change(_ edit: (inout RenderStyle) -> Void) -> PixelBuffer {
        var style = RenderStyle()
        edit(&style)
        return frame(style)
      }
      let full = frame(RenderStyle())
      #expect(change { $0.shadows = false } != full)
      #expect(change { $0.reflections = false } != full)
      #expect(change { $0.antialiasing = 1 } != full)
    }

    @Test func aSimulationDrawsFramesOfSeveralSizesAndFormats() {
      let small = frame(.bare, size: 32)
      let large = frame(.bare, size: 100)
      #expect(frame(.bare, size: 32) == small)
      #expect(Set(large.bytes).count > 20)
      let gray = frame(.bare, .gray, size: 100)
      let pixel = (50 * 100 + 50) * 3
      let color = Color(large.bytes[pixel], large.bytes[pixel + 1], large.bytes[pixel + 2])
      #expect(gray.bytes[50 * 100 + 50] == color.luminance)
    }
  }
#endif
