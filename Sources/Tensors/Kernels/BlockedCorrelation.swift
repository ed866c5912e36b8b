#if OneDNN
  import CDNNL

  /// The three computations between a wide image, over which a kernel slides, and a narrow one: `correlate` maps wide
  /// to narrow, `spread` is its adjoint, and `weigh` computes the kernel's gradient. A transposed convolution exchanges
  /// the roles of the first two.
  struct BlockedCorrelation {
    let correlate: PrimitiveDescription
    let spread: PrimitiveDescription
    let weigh: PrimitiveDescription
    /// The layouts of the images: in blocks of channels, with the channels padded to whole blocks.
    let wide: Layout
    let narrow: Layout

    /// Rounds up to whole blocks of channels. With fewer, oneDNN falls back to kernels a hundred times slower.
    static func padded(_ channels: Int) -> Int { (channels + block - 1) / block * block }

    /// Whether this machine has kernels for blocked layouts, which oneDNN has from AVX2 on.
    static let isSupported: Bool = {
      dnnl_get_effective_cpu_isa().rawValue & dnnl_cpu_isa_avx2.rawValue == dnnl_cpu_isa_avx2.rawValue
    }()

    /// Channels per block: 16 with AVX-512, else 8. oneDNN clears padding only in the last used block, so no block may
    /// consist of padding only.
    static let block: Int = {
      let wide = dnnl_cpu_isa_avx512_core.rawValue & ~dnnl_cpu_isa_avx2.rawValue
      return dnnl_get_effective_cpu_isa().rawValue & wide != 0 ? 16 : 8
    }()

    struct Extent {
      let channels: Int
      var height: Int
      var width: Int
    }

    /// - Parameter isBiased, isRectified: whether `correlate` adds a bias and applies ReLU.
    init(
      batch: Int, wide: Extent, narrow: Extent, kernel: Int, stride: Int, padding: Int, isBiased: Bool,
      isRectified: Bool
    ) {
      let wideLayout = Layout(blocked: [batch, Self.padded(wide.channels), wide.height, wide.width])
      let narrowLayout = Layout(blocked: [batch, Self.padded(narrow.channels), narrow.height, narrow.width])
      let (wideChannels, narrowChannels) = (Self.padded(wide.channels), Self.padded(narrow.channels))
      let weights = Layout([narrowChannels, wideChannels, kernel, kernel], dnnl_format_tag_any)
      let bias = isBiased ? Layout([narrowChannels], dnnl_a) : nil
      let strides = [dnnl_dim_t(stride), dnnl_dim_t(stride)]
      let before = [dnnl_dim_t(padding), dnnl_dim_t(padding)]
      let after = [(wide.height, narrow.height), (wide.width, narrow.width)].map { wide, narrow in
        dnnl_dim_t((narrow - 1) * stride + kernel - wide - padding)
      }
      let name =
        "a convolution of \([batch, wide.channels, wide.height, wide.width]) to \(narrow.channels) channels"

      // Winograd's algorithm needs a quarter of the multiplications, which pays once there are enough positions.
      let isWinogradWorthwhile = kernel == 3 && stride == 1 && batch * narrow.height * narrow.width >= 2048
      /// Returns the first algorithm that this machine has a kernel for.
      func made(_ what: String, _ make: (dnnl_alg_kind_t) -> PrimitiveDescription?) -> PrimitiveDescription {
        if isWinogradWorthwhile, let description = make(dnnl_convolution_winograd) { return description }
        return needed(make(dnnl_convolution_direct), what + name)
      }

      let undilated: [dnnl_dim_t] = [0, 0]
      let correlate = made("") { algorithm in
        unsafe PrimitiveDescription(Attributes(rectified: isRectified)) { handle, engine, attributes in
          unsafe dnnl_convolution_forward_primitive_desc_create(
            &handle, engine, dnnl_forward_training, algorithm, wideLayout.handle, weights.handle, bias?.handle,
            narrowLayout.handle, strides, undilated, before, after, attributes)
        }
      }
      spread = made("the adjoint of ") { algorithm in
        unsafe PrimitiveDescription { handle, engine, attributes in
          unsafe dnnl_convolution_backward_data_primitive_desc_create(
            &handle, engine, algorithm, wideLayout.handle, weights.handle, narrowLayout.handle, strides, undilated,
            before, after, correlate.handle, attributes)
        }
      }
      weigh = made("the weights' gradient of ") { algorithm in
        unsafe PrimitiveDescription { handle, engine, attributes in
          unsafe dnnl_convolution_backward_weights_primitive_desc_create(
            &handle, engine, algorithm, wideLayout.handle, weights.handle, bias?.handle, narrowLayout.handle,
            strides, undilated, before, after, correlate.handle, attributes)
        }
      }
      withExtendedLifetime((weights, bias)) {}
      self.correlate = correlate
      self.wide = wideLayout
      self.narrow = narrowLayout
    }
  }
#endif
