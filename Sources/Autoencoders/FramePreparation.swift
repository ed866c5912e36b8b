import Core
import Pixels
import Tensors

/// Converts frames to the inputs of an autoencoder and back: x = frame / 255 - background.
///
/// The background, which never changes, is subtracted first, so that the network need not learn it.
public struct FramePreparation: Sendable, Hashable, Codable {
  public let shape: FrameShape
  /// The bytes of the background, [H, W, C]; zeros if none is subtracted.
  public let background: [UInt8]

  public init(shape: FrameShape, background: [UInt8]? = nil) {
    precondition(background == nil || background?.count == shape.count, "a background must have the size of a frame")
    self.shape = shape
    self.background = background ?? [UInt8](repeating: 0, count: shape.count)
  }

  /// Uses as background the median of each byte over frames that are evenly spaced in the data.
  ///
  /// - Parameters:
  ///   - frameCount: the number of frames.
  ///   - frame: returns the bytes of a frame.
  public init(shape: FrameShape, medianOf frameCount: Int, frame: (Int) -> [UInt8]) {
    precondition(frameCount > 0, "the median of no frames")
    let sampled = min(frameCount, 255)
    let samples = (0..<sampled).map { frame($0 * frameCount / sampled) }
    var median = [UInt8](repeating: 0, count: shape.count)
    var counts = [UInt16](repeating: 0, count: 256)
    for i in 0..<shape.count {
      for level in 0..<256 { counts[level] = 0 }
      for sample in samples { counts[Int(sample[i])] += 1 }
      var (level, below) = (0, Int(counts[0]))
      while below * 2 < sampled {
        level += 1
        below += Int(counts[level])
      }
      median[i] = UInt8(level)
    }
    self.init(shape: shape, background: median)
  }

  /// Writes one frame's bytes [H, W, C] as floats [C, H, W]. A separate function, so that the compiler sees that the
  /// spans do not overlap.
  @inline(never)
  private func write(_ bytes: Span<UInt8>, into target: inout MutableSpan<Float>, at start: Int) {
    let (plane, channels) = (shape.height * shape.width, shape.channels)
    precondition(bytes.count == shape.count, "a frame of \(shape) has \(shape.count) bytes, not \(bytes.count)")
    precondition(start >= 0 && start + shape.count <= target.count, "the frame does not fit into the target")
    let background = background.span
    @inline(__always) func level(_ i: Int) -> Float {
      let level = unsafe Int16(bytes[unchecked: i]) - Int16(background[unchecked: i])
      return Float(level) * (1 / 255)
    }
    if channels == 3 {
      // Reads the bytes in order, in one pass.
      for p in 0..<plane {
        for c in 0..<3 { unsafe target[unchecked: start &+ c &* plane &+ p] = level(3 &* p &+ c) }
      }
      return
    }
    for c in 0..<channels {
      for p in 0..<plane { unsafe target[unchecked: start &+ c &* plane &+ p] = level(p &* channels &+ c) }
    }
  }

  /// Returns prepared frames `[B, C, H, W]`.
  public func prepare(_ frames: [PixelBuffer]) -> Tensor {
    prepare(frames.count) { body, b in
      let bytes = frames[b].bytes
      body(bytes.span)
    }
  }

  /// Returns prepared frames `[B, C, H, W]` from bytes in any storage.
  ///
  /// - Parameters:
  ///   - read: passes the bytes of frame b to `body`; called on several threads at once for different frames.
  ///   - moving: writes the values of frame b, `[C, H, W]`, into a part of the result, while they are still in the cache;
  ///     nil: as they are.
  public func prepare(
    _ count: Int, _ read: ((Span<UInt8>) -> Void, Int) -> Void, moving: FrameMove? = nil
  ) -> Tensor {
    Tensor([count, shape.channels, shape.height, shape.width], of: Float.self) { target in
      Threads.divide(count, elements: count * shape.count) { frames in
        guard let moving else {
          for b in frames { read({ write($0, into: &target, at: b * shape.count) }, b) }
          return
        }
        var values = [Float](repeating: 0, count: shape.count)
        for b in frames {
          read(
            {
              var span = values.mutableSpan
              write($0, into: &span, at: 0)
            }, b)
          moving(values.span, b, &target, b * shape.count)
        }
      }
    }
  }

  /// Converts row `index` of prepared frames `[B, C, H, W]` back to an image.
  public func picture(of x: Tensor, at index: Int) -> PixelBuffer {
    let (plane, channels) = (shape.height * shape.width, shape.channels)
    var bytes = [UInt8](repeating: 0, count: shape.count)
    x.withElements { x in
      for c in 0..<channels {
        for p in 0..<plane {
          let level = x[index * shape.count + c * plane + p] * 255 + Float(background[p * channels + c])
          bytes[p * channels + c] = UInt8(min(max(level.rounded(), 0), 255))
        }
      }
    }
    return PixelBuffer(width: shape.width, height: shape.height, format: channels == 1 ? .gray : .rgb, bytes: bytes)
  }
}

/// Writes the values of frame b, `[C, H, W]`, into a tensor from an index on.
public typealias FrameMove = (_ frame: Span<Float>, _ b: Int, _ target: inout MutableSpan<Float>, _ start: Int) -> Void
