#if OneDNN
  import CDNNL
  import Synchronization

  /// A chain of convolutions computed by oneDNN. Activations stay in its blocked layout from end to end.
  struct BlockedConvolutions: Operation {
    let plan: ChainPlan
    /// The activations, in the plan's memory layout.
    let saved: Storage

    static func forward(_ x: Tensor, _ chain: [Convolution], _ weights: [Tensor], _ biases: [Tensor]) -> Tensor {
      let pieces = pieces(chain, height: x.shape[2], width: x.shape[3])
      guard pieces.count > 1 else { return piece(x, chain, weights, biases) }
      return pieces.reduce(x) { piece($0, Array(chain[$1]), Array(weights[$1]), Array(biases[$1])) }
    }

    /// Splits a chain into parts inside of which no image has a border that a kernel does not touch. Such a border is
    /// removed and added at the ends of a part, where images have the plain layout.
    private static func pieces(_ chain: [Convolution], height: Int, width: Int) -> [Range<Int>] {
      var (height, width) = (height, width)
      var pieces: [Range<Int>] = []
      var start = 0
      for (i, link) in chain.enumerated() {
        let (outHeight, outWidth) = link.outputSize(height: height, width: width)
        let (before, after) = [(height, outHeight), (width, outWidth)].reduce((false, false)) { found, size in
          link.kind == .forward
            ? (found.0 || UntouchedBorder.seen(wide: size.0, narrow: size.1, link) < size.0, false)
            : (false, found.1 || UntouchedBorder.seen(wide: size.1, narrow: size.0, link) < size.1)
        }
        if before && i > start {
          pieces.append(start..<i)
          start = i
        }
        if after && i + 1 < chain.count {
          pieces.append(start..<i + 1)
          start = i + 1
        }
        (height, width) = (outHeight, outWidth)
      }
      pieces.append(start..<chain.count)
      return pieces
    }

    private static func piece(_ x: Tensor, _ chain: [Convolution], _ weights: [Tensor], _ biases: [Tensor]) -> Tensor {
      let plan = ChainPlan.cached(for: chain, x.shape)
      let saved = StoragePool.borrow(byteCount: plan.savedByteCount)
      let y = plan.forward(x, weights, biases, saving: saved)
      return y.recorded(
        Self(plan: plan, saved: saved), from: [x] + weights + biases,
        as: { graph, inputs in chain.describe(inputs, in: &graph) })
    }

    func backward(_ gradient: Tensor, _ step: inout BackwardStep) { plan.backward(gradient, saved, &step) }
  }

  /// The primitives of a chain for one input size, cached and reused. Each call sets the addresses of the operands, so
  /// only one call runs at a time.
  @safe final class ChainPlan: @unchecked Sendable {
    private let turn = Mutex(())
    private let links: [BlockedLink]
    private let inputBorder: UntouchedBorder
    private let outputBorder: UntouchedBorder
    private let plainInput: Operand
    private let plainOutput: Operand
    private let plainOutputGradient: Operand
    private let plainInputGradient: Operand
    private let packInput: Primitive
    private let unpackOutput: Primitive
    private let packGradient: Primitive
    private let unpackGradient: Primitive
    private let saved: BlockPlan
    private let forwardBlock: BlockPlan
    private let backwardBlock: BlockPlan
    /// The offsets of the two buffers of activation gradients. Activation i uses buffer i mod 2.
    private let gradientOffsets: [Int]

    var savedByteCount: Int { saved.byteCount }
    /// The names of the kernels of all links.
    var kernels: [String] { links.flatMap(\.kernels) }

    private init(_ chain: [Convolution], _ shape: Shape) {
      let batch = shape[0]
      var (height, width) = (shape[2], shape[3])
      var links: [BlockedLink] = []
      for link in chain {
        links.append(BlockedLink(link, batch: batch, height: height, width: width))
        (height, width) = link.outputSize(height: height, width: width)
      }
      self.links = links
      func border(of shape: Shape, in layout: Layout) -> UntouchedBorder {
        UntouchedBorder(shape: shape, seenHeight: layout.extent(2), seenWidth: layout.extent(3))
      }
      inputBorder = border(of: shape, in: links[0].input)
      outputBorder = border(
        of: [batch, chain[chain.count - 1].outputs, height, width], in: links[chain.count - 1].output)

      var (saved, forward, backward) = (BlockPlan(), BlockPlan(), BlockPlan())
      var (forwardScratch, backwardScratch) = (Scratch(), Scratch())
      let layouts = [links[0].input] + links.map(\.output)
      let gradientSize = layouts.map(\.byteCount).max() ?? 0
      let offsets = [backward.reserve(gradientSize), backward.reserve(gradientSize)]
      gradientOffsets = offsets
      let activations = layouts.map { Operand($0) }
      let gradients = layouts.map { Operand($0) }
      for (i, (activation, gradient)) in zip(activations, gradients).enumerated() {
        saved.put(activation)
        backward.put(gradient, at: offsets[i % 2])
      }
      for (i, link) in links.enumerated() {
        link.connect(
          input: activations[i], output: activations[i + 1], inputGradient: gradients[i],
          outputGradient: gradients[i + 1], forward: &forward, forwardScratch: &forwardScratch, backward: &backward,
          backwardScratch: &backwardScratch)
      }

      func plain(_ border: UntouchedBorder) -> Operand {
        Operand(Layout(part: border.seenHeight, border.seenWidth, of: border.shape))
      }
      func move(_ plain: Operand, into blocked: Operand, back: Bool, _ scratch: inout Scratch) -> Primitive {
        let used = blocked.layout.using(plain.layout.extent(0), plain.layout.extent(1))
        return back
          ? Primitive(
            .copy(from: used, to: plain.layout), [(DNNL_ARG_FROM, blocked), (DNNL_ARG_TO, plain)], scratch: &scratch)
          : Primitive(
            .copy(from: plain.layout, to: used), [(DNNL_ARG_FROM, plain), (DNNL_ARG_TO, blocked)], scratch: &scratch)
      }
      plainInput = plain(inputBorder)
      plainOutput = plain(outputBorder)
      plainOutputGradient = plain(outputBorder)
      plainInputGradient = plain(inputBorder)
      packInput = move(plainInput, into: activations[0], back: false, &forwardScratch)
      unpackOutput = move(plainOutput, into: activations[chain.count], back: true, &forwardScratch)
      packGradient = move(plainOutputGradient, into: gradients[chain.count], back: false, &backwardScratch)
      unpackGradient = move(plainInputGradient, into: gradients[0], back: true, &backwardScratch)
      forwardScratch.put(into: &forward)
      backwardScratch.put(into: &backward)
      (self.saved, forwardBlock, backwardBlock) = (saved, forward, backward)
    }

    func forward(_ x: Tensor, _ weights: [Tensor], _ biases: [Tensor], saving activations: Storage) -> Tensor {
      var y = Tensor(uninitialized: outputBorder.shape, .float32)
      let working = StoragePool.borrow(byteCount: forwardBlock.byteCount)
      turn.withLock { _ in
        saved.place(in: activations)
        forwardBlock.place(in: working)
        plainInput.place(on: x)
        plainOutput.place(on: y)
        packInput.run()
        for (i, link) in links.enumerated() { link.forward(weight: weights[i], bias: biases[i]) }
        unpackOutput.run()
      }
      withExtendedLifetime(working) {}
      if !outputBorder.isEmpty {
        let last = links.count - 1
        outputBorder.fill(&y, with: biases[last], isRectified: links[last].link.rectified)
      }
      return y
    }

    func backward(_ gradient: Tensor, _ activations: Storage, _ step: inout BackwardStep) {
      let working = StoragePool.borrow(byteCount: backwardBlock.byteCount)
      var dx = step.needs(0) ? Tensor(uninitialized: step.input(0).shape, .float32) : nil
      turn.withLock { _ in
        saved.place(in: activations)
        backwardBlock.place(in: working)
        plainOutputGradient.place(on: gradient)
        packGradient.run()
        for (i, link) in links.enumerated().reversed() {
          link.maskGradient()
          let (weight, bias) = (1 + i, 1 + links.count + i)
          if step.needs(weight) || step.needs(bias) {
            var gradients = unsafe link.parameterGradients(working.base + gradientOffsets[(i + 1) % 2])
            if i == links.count - 1 && !outputBorder.isEmpty {
              let border = link.link.rectified ? gradient * (step.output.positive) : gradient
              outputBorder.addSums(of: border, to: &gradients.bias)
            }
            step.add(gradients.weight, to: weight)
            step.add(gradients.bias, to: bias)
          }
          if i > 0 || dx != nil { link.inputGradient(weight: step.input(weight)) }
        }
        if let dx {
          plainInputGradient.place(on: dx)
          unpackGradient.run()
        }
      }
      withExtendedLifetime(working) {}
      if dx != nil {
        inputBorder.clear(&dx!)
        step.add(dx!, to: 0)
      }
    }

    // MARK: - Cache

    private struct Key: Hashable {
      let chain: [Convolution]
      let shape: Shape
      /// oneDNN divides a convolution among the threads of the thread that plans it. An evaluation beside the training has
      /// another number of them.
      let threads: Int
    }

    private static let plans = Mutex<[Key: ChainPlan]>([:])
    /// More plans than a run needs at once. Plans for sizes that are no longer used must not accumulate.
    private static let capacity = 64

    static func cached(for chain: [Convolution], _ shape: Shape) -> ChainPlan {
      let key = Key(chain: chain, shape: shape, threads: Threads.count)
      return plans.withLock { plans in
        if let plan = plans[key] { return plan }
        if plans.count >= capacity { plans.removeAll() }
        let plan = ChainPlan(chain, shape)
        plans[key] = plan
        return plan
      }
    }
  }
#endif
