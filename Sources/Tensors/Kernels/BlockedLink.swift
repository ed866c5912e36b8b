#if OneDNN
  import CDNNL

  /// One link of a chain in oneDNN's blocked layout.
  ///
  /// The input of a convolution is the wide image of its correlation; bias and ReLU are fused. The input of a
  /// transposed convolution is the narrow image; bias and ReLU are a step after it.
  final class BlockedLink {
    let link: Convolution
    /// The layouts of input and output, without a border that the kernel does not touch.
    let input: Layout
    let output: Layout
    private let isAdjoint: Bool
    private let correlation: BlockedCorrelation

    init(_ link: Convolution, batch: Int, height: Int, width: Int) {
      self.link = link
      let (outHeight, outWidth) = link.outputSize(height: height, width: width)
      isAdjoint = link.kind == .transposed
      var inside = BlockedCorrelation.Extent(channels: link.inputs, height: height, width: width)
      var outside = BlockedCorrelation.Extent(channels: link.outputs, height: outHeight, width: outWidth)
      if isAdjoint {
        outside.height = UntouchedBorder.seen(wide: outHeight, narrow: height, link)
        outside.width = UntouchedBorder.seen(wide: outWidth, narrow: width, link)
      } else {
        inside.height = UntouchedBorder.seen(wide: height, narrow: outHeight, link)
        inside.width = UntouchedBorder.seen(wide: width, narrow: outWidth, link)
      }
      correlation = BlockedCorrelation(
        batch: batch, wide: isAdjoint ? outside : inside, narrow: isAdjoint ? inside : outside, kernel: link.kernel,
        stride: link.stride, padding: link.padding, isBiased: !isAdjoint, isRectified: !isAdjoint && link.rectified)
      self.input = isAdjoint ? correlation.narrow : correlation.wide
      self.output = isAdjoint ? correlation.wide : correlation.narrow
    }

    // MARK: Operands and primitives

    private var plainWeight: Operand?
    private var bias: Operand?
    private var biasGradient: Operand?
    private var forwardSteps: [Primitive] = []
    private var maskStep: Primitive?
    private var weightSteps: [Primitive] = []
    private var inputSteps: [Primitive] = []

    /// The names of the kernels that oneDNN chose.
    var kernels: [String] {
      (forwardSteps + weightSteps + inputSteps).map(\.kernel) + (maskStep.map { [$0.kernel] } ?? [])
    }

    /// Creates the primitives for these activations and their gradients.
    func connect(
      input: Operand, output: Operand, inputGradient: Operand, outputGradient: Operand, forward: inout BlockPlan,
      forwardScratch: inout Scratch, backward: inout BlockPlan, backwardScratch: inout Scratch
    ) {
      let outputs = BlockedCorrelation.padded(link.outputs)
      let (rows, columns) = isAdjoint ? (link.inputs, link.outputs) : (link.outputs, link.inputs)
      let plain = Operand(Layout([rows, columns, link.kernel, link.kernel], dnnl_abcd))
      plainWeight = plain
      /// Returns an operand for packed weights, and the primitive that packs or unpacks them.
      func packed(_ layout: Layout, unpacks: Bool = false, _ scratch: inout Scratch) -> (Operand, Primitive) {
        let operand = Operand(layout)
        let used = layout.using(rows, columns)
        let (from, to) = unpacks ? (used, plain.layout) : (plain.layout, used)
        let move = Primitive(
          .copy(from: from, to: to),
          [(DNNL_ARG_FROM, unpacks ? operand : plain), (DNNL_ARG_TO, unpacks ? plain : operand)], scratch: &scratch)
        return (operand, move)
      }
      let biasOperand = Operand(isAdjoint ? Layout(blocked: [1, outputs, 1, 1]) : Layout([outputs], dnnl_a))
      bias = biasOperand

      let (gradient, unpack) = packed(
        correlation.weigh.layout(dnnl_query_diff_weights_md), unpacks: true, &backwardScratch)
      backward.put(gradient)
      if isAdjoint {
        let (spreading, pack) = packed(correlation.spread.layout(dnnl_query_weights_md), &forwardScratch)
        let (correlating, packBack) = packed(correlation.correlate.layout(dnnl_query_weights_md), &backwardScratch)
        forward.put(spreading)
        backward.put(correlating)
        forwardSteps = [
          pack,
          Primitive(
            correlation.spread,
            [(DNNL_ARG_DIFF_DST, input), (DNNL_ARG_WEIGHTS, spreading), (DNNL_ARG_DIFF_SRC, output)],
            scratch: &forwardScratch),
          addition(of: biasOperand, to: output, &forwardScratch),
        ]
        weightSteps = [
          Primitive(
            correlation.weigh,
            [(DNNL_ARG_SRC, outputGradient), (DNNL_ARG_DIFF_DST, input), (DNNL_ARG_DIFF_WEIGHTS, gradient)],
            scratch: &backwardScratch),
          unpack,
        ]
        inputSteps = [
          packBack,
          Primitive(
            correlation.correlate,
            [(DNNL_ARG_SRC, outputGradient), (DNNL_ARG_WEIGHTS, correlating), (DNNL_ARG_DST, inputGradient)],
            scratch: &backwardScratch),
        ]
      } else {
        let (correlating, pack) = packed(correlation.correlate.layout(dnnl_query_weights_md), &forwardScratch)
        let (spreading, packBack) = packed(correlation.spread.layout(dnnl_query_weights_md), &backwardScratch)
        forward.put(correlating)
        backward.put(spreading)
        let summed = Operand(Layout([outputs], dnnl_a))
        biasGradient = summed
        forwardSteps = [
          pack,
          Primitive(
            correlation.correlate,
            [
              (DNNL_ARG_SRC, input), (DNNL_ARG_WEIGHTS, correlating), (DNNL_ARG_BIAS, biasOperand),
              (DNNL_ARG_DST, output),
            ], scratch: &forwardScratch),
        ]
        weightSteps = [
          Primitive(
            correlation.weigh,
            [
              (DNNL_ARG_SRC, input), (DNNL_ARG_DIFF_DST, outputGradient), (DNNL_ARG_DIFF_WEIGHTS, gradient),
              (DNNL_ARG_DIFF_BIAS, summed),
            ], scratch: &backwardScratch),
          unpack,
        ]
        inputSteps = [
          packBack,
          Primitive(
            correlation.spread,
            [(DNNL_ARG_DIFF_DST, outputGradient), (DNNL_ARG_WEIGHTS, spreading), (DNNL_ARG_DIFF_SRC, inputGradient)],
            scratch: &backwardScratch),
        ]
      }
      if link.rectified { maskStep = mask(outputGradient, by: output, &backwardScratch) }
    }

    /// y = max(0, y + b), or y + b, in place.
    private func addition(of bias: Operand, to output: Operand, _ scratch: inout Scratch) -> Primitive {
      let (y, b) = (output.layout, bias.layout)
      let rectified = Attributes(rectified: link.rectified)
      let description = unsafe PrimitiveDescription(rectified) { handle, engine, attributes in
        unsafe dnnl_binary_primitive_desc_create(
          &handle, engine, dnnl_binary_add, y.handle, b.handle, y.handle, attributes)
      }
      return Primitive(
        needed(description, "a sum"), [(DNNL_ARG_SRC_0, output), (DNNL_ARG_SRC_1, bias), (DNNL_ARG_DST, output)],
        scratch: &scratch)
    }

    /// Sets dy to 0 where y is 0, in place.
    private func mask(_ gradient: Operand, by output: Operand, _ scratch: inout Scratch) -> Primitive {
      let (y, relu) = (output.layout, dnnl_eltwise_relu_use_dst_for_bwd)
      let forward = unsafe PrimitiveDescription { handle, engine, attributes in
        unsafe dnnl_eltwise_forward_primitive_desc_create(
          &handle, engine, dnnl_forward_training, relu, y.handle, y.handle, 0, 0, attributes)
      }
      let hint = needed(forward, "ReLU")
      let backward = unsafe PrimitiveDescription { handle, engine, attributes in
        unsafe dnnl_eltwise_backward_primitive_desc_create(
          &handle, engine, relu, y.handle, y.handle, y.handle, 0, 0, hint.handle, attributes)
      }
      withExtendedLifetime(hint) {}
      return Primitive(
        needed(backward, "the gradient of ReLU"),
        [(DNNL_ARG_DST, output), (DNNL_ARG_DIFF_DST, gradient), (DNNL_ARG_DIFF_SRC, gradient)], scratch: &scratch)
    }

    // MARK: Computing

    /// The bias, padded with zeros for the channels that only fill the last block.
    private func filled(_ bias: Tensor) -> Tensor {
      let count = BlockedCorrelation.padded(link.outputs)
      guard count > link.outputs else { return bias }
      let source = bias.elements(Float.self)
      return Tensor([count], of: Float.self) { target in
        for i in 0..<count { target[i] = i < source.count ? source[i] : 0 }
      }
    }

    func forward(weight: Tensor, bias: Tensor) {
      let bias = filled(bias)
      plainWeight?.place(on: weight)
      self.bias?.place(on: bias)
      for step in forwardSteps { step.run() }
      withExtendedLifetime(bias) {}
    }

    /// Multiplies the gradient of the output by the derivative of ReLU.
    func maskGradient() { maskStep?.run() }

    /// Returns the gradients of weight and bias, from the masked gradient of the output at `outputGradient`.
    func parameterGradients(_ outputGradient: UnsafeMutableRawPointer) -> (weight: Tensor, bias: Tensor) {
      let count = BlockedCorrelation.padded(link.outputs)
      let weight = Tensor(uninitialized: link.weightShape, .float32)
      var bias = Tensor(uninitialized: [count], .float32)
      plainWeight?.place(on: weight)
      biasGradient?.place(on: bias)
      for step in weightSteps { step.run() }
      if biasGradient == nil { unsafe sumOverImages(of: outputGradient, into: &bias) }
      return (weight, count > link.outputs ? bias.columns(0..<link.outputs) : bias)
    }

    func inputGradient(weight: Tensor) {
      plainWeight?.place(on: weight)
      for step in inputSteps { step.run() }
    }

    /// Sums an image in the output's layout over batch, height and width.
    private func sumOverImages(of address: UnsafeMutableRawPointer, into sums: inout Tensor) {
      let (batch, channels) = (output.extent(0), output.extent(1))
      let area = output.extent(2) * output.extent(3)
      let lanes = BlockedCorrelation.block
      let values = unsafe address.assumingMemoryBound(to: Float.self)
      var target = sums.freshElements(Float.self)
      for channel in stride(from: 0, to: channels, by: 8) {
        var sum = SIMD8<Float>(repeating: 0)
        for b in 0..<batch {
          let start = unsafe UnsafeMutableRawPointer(
            values + (b * channels + channel / lanes * lanes) * area + channel % lanes)
          for pixel in 0..<area {
            unsafe sum += start.load(fromByteOffset: pixel * lanes * 4, as: SIMD8<Float>.self)
          }
        }
        for lane in 0..<8 { target[channel + lane] = sum[lane] }
      }
    }
  }
#endif
