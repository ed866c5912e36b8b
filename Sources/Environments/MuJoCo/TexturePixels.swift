#if MuJoCo
  import CMuJoCo

  /// The picture of one of a model's textures.
  @safe struct TexturePixels {
    let width: Int
    let height: Int
    /// Fewer than three channels are gray; a fourth is opacity, which is not drawn.
    private let channels: Int
    private let start: UnsafePointer<UInt8>

    init(_ model: UnsafeMutablePointer<mjModel>, _ texture: Int) {
      unsafe width = Int(model.pointee.tex_width[texture])
      unsafe height = Int(model.pointee.tex_height[texture])
      unsafe channels = Int(shim_channels(model, Int32(texture)))
      unsafe start = shim_pixels(model, Int32(texture))
    }

    /// The colour of a pixel, counted by rows from the top.
    subscript(pixel: Int) -> (UInt8, UInt8, UInt8) {
      precondition(0..<width * height ~= pixel, "a texture of \(width)x\(height) has no pixel \(pixel)")
      let color = unsafe start + channels * pixel
      return unsafe channels < 3 ? (color[0], color[0], color[0]) : (color[0], color[1], color[2])
    }

    /// Red, green and blue of each pixel.
    var bytes: [UInt8] {
      if channels == 3 { return unsafe Array(UnsafeBufferPointer(start: start, count: 3 * width * height)) }
      return (0..<width * height).flatMap { pixel in
        let color = self[pixel]
        return [color.0, color.1, color.2]
      }
    }
  }
#endif
