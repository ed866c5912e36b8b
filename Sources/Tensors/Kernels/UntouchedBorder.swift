#if OneDNN
  /// The last rows and columns of a wide image that no position of the kernel touches. They exist if the stride does
  /// not divide the size, or with output padding. oneDNN has no fast kernel for the adjoint of a convolution with such
  /// a border, so it gets the image without the border, which is computed here.
  struct UntouchedBorder {
    let shape: Shape
    let seenHeight: Int
    let seenWidth: Int

    var isEmpty: Bool { seenHeight == shape[2] && seenWidth == shape[3] }

    /// The number of the `wide` elements that a kernel touches at `narrow` positions.
    static func seen(wide: Int, narrow: Int, _ link: Convolution) -> Int {
      min(wide, (narrow - 1) * link.stride + link.kernel - link.padding)
    }

    /// Calls `body` with every run of border elements and its channel.
    private func forEachRun(_ body: (_ channel: Int, _ run: Range<Int>) -> Void) {
      guard !isEmpty else { return }
      let (channels, height, width) = (shape[1], shape[2], shape[3])
      for plane in 0..<shape[0] * channels {
        for row in 0..<height {
          let start = (plane * height + row) * width
          body(plane % channels, start + (row < seenHeight ? seenWidth : 0)..<start + width)
        }
      }
    }

    /// Sets the border of an image to zero.
    func clear(_ image: inout Tensor) {
      var elements = image.freshElements(Float.self)
      forEachRun { _, run in for i in run { elements[i] = 0 } }
    }

    /// Sets the border of an image to the bias of each channel: the kernel adds nothing there.
    func fill(_ image: inout Tensor, with bias: Tensor, isRectified: Bool) {
      let bias = bias.elements(Float.self)
      var elements = image.freshElements(Float.self)
      forEachRun { channel, run in
        for i in run { elements[i] = isRectified ? max(bias[channel], 0) : bias[channel] }
      }
    }

    /// Adds the sum of each channel's border.
    func addSums(of image: Tensor, to sums: inout Tensor) {
      let elements = image.elements(Float.self)
      var sums = sums.freshElements(Float.self)
      forEachRun { channel, run in for i in run { sums[channel] += elements[i] } }
    }
  }
#endif
