#if OneDNN
  import CDNNL

  /// The three computations between a wide image, over which a kernel slides, and a narrow one: `correlate` maps wide
  /// to narrow, `spread` is its adjoint, and `weigh` computes the kernel's gradient. A transposed convolution exchanges
  /// the roles of the first two.
  struct BlockedCorrelation {
    let correlate: PrimitiveDescription
    let spread: PrimitiveDescription
    let weigh: PrimitiveDescription
    /// The layouts of the images, with the channels padded to whole blocks.
    let wide: dnnl_memory_desc_t
    let narrow: dnnl_memory_desc_t

    /// Rounds up to whole blocks of channels. With fewer, oneDNN falls back to kernels a hundred times slower.
    static func padded(_ channels: Int) -> Int { (channels + block - 1) / block * block }

    /// Channels per block: 16 with AVX-512, else 8. oneDNN clears padding only in the last used block, so no block may
    /// consist of padding only.
    private static let block: Int = {
      let wide = dnnl_cpu_isa_avx512_core.rawValue & ~dnnl_cpu_isa_avx2.rawValue
      return dnnl_get_effective_cpu_isa().rawValue & wide != 0 ? 16 : 8
    }()

    struct Extent {
      let channels: Int
      var height: Int
      var width: Int
    }

    /// - Parameters:
    ///   - wideLayout, narrowLayout: the layouts of images that already exist; nil lets oneDNN choose.
    ///   - isBiased, isRectified: whether `correlate` adds a bias and applies ReLU.
    init(
      batch: Int, wide: Extent, narrow: Extent, kernel: Int, stride: Int, padding: Int,
      wideLayout: dnnl_memory_desc_t?, narrowLayout: dnnl_memory_desc_t?, isBiased: Bool, isRectified: Bool
    ) {
      func layout(_ extent: Extent) -> dnnl_memory_desc_t {
        dnnl_memory_desc_t(
          [batch, Self.padded(extent.channels), extent.height, extent.width], dnnl_format_tag_any)
      }
      var wideLayout = wideLayout ?? layout(wide)
      var narrowLayout = narrowLayout ?? layout(narrow)
      let (wideChannels, narrowChannels) = (Self.padded(wide.channels), Self.padded(narrow.channels))
      var weights = dnnl_memory_desc_t([narrowChannels, wideChannels, kernel, kernel], dnnl_format_tag_any)
      var bias = isBiased ? dnnl_memory_desc_t([narrowChannels], dnnl_a) : dnnl_memory_desc_t()
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

      let correlate = made("") { algorithm in
        var forward = dnnl_convolution_desc_t()
        unsafe check(
          dnnl_convolution_forward_desc_init(
            &forward, dnnl_forward_training, algorithm, &wideLayout, &weights, &bias, &narrowLayout,
            strides, before, after), "describe \(name)")
        return unsafe PrimitiveDescription(&forward, Attributes(rectified: isRectified))
      }
      wideLayout = correlate.layout(dnnl_query_src_md) ?? wideLayout
      narrowLayout = correlate.layout(dnnl_query_dst_md) ?? narrowLayout
      spread = made("the adjoint of ") { algorithm in
        var backward = dnnl_convolution_desc_t()
        unsafe check(
          dnnl_convolution_backward_data_desc_init(
            &backward, algorithm, &wideLayout, &weights, &narrowLayout, strides, before, after),
          "describe the adjoint of \(name)")
        return unsafe PrimitiveDescription(&backward, Attributes(), hint: correlate)
      }
      weigh = made("the weights' gradient of ") { algorithm in
        var gradient = dnnl_convolution_desc_t()
        unsafe check(
          dnnl_convolution_backward_weights_desc_init(
            &gradient, algorithm, &wideLayout, &weights, &bias, &narrowLayout, strides, before, after),
          "describe the weights' gradient of \(name)")
        return unsafe PrimitiveDescription(&gradient, Attributes(), hint: correlate)
      }
      self.correlate = correlate
      self.wide = wideLayout
      self.narrow = narrowLayout
    }
  }
#endif
