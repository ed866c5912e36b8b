#if OneDNN
  import CDNNL
  import Synchronization

  /// The chain of convolutions by oneDNN: activations stay in its blocked layout from end to end.
  struct BlockedConvolutions: Operation {
    let plan: ChainPlan
    /// The activations, as the plan lays them out.
    let saved: Storage

    static func forward(_ x: Tensor, _ chain: [Convolution], _ weights: [Tensor], _ biases: [Tensor]) -> Tensor {
      let plan = ChainPlan.cached(for: chain, x.shape)
      let saved = StoragePool.borrow(byteCount: plan.savedByteCount)
      let y = plan.forward(x, weights, biases, saving: saved)
      return y.noted(Self(plan: plan, saved: saved), from: [x] + weights + biases)
    }

    func backward(_ gradient: Tensor, _ step: inout BackwardStep) { plan.backward(gradient, saved, &step) }
  }

  /// The primitives of a chain for one size of input, kept and used again. Its operands are placed anew in each call, one
  /// call at a time.
  @safe final class ChainPlan: @unchecked Sendable {
    private let turn = Mutex(())
    private let links: [BlockedLink]
    private let outputShape: Shape
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
    /// Where gradients of activations lie in turn: that of activation i at i mod 2.
    private let gradientOffsets: [Int]

    var savedByteCount: Int { saved.byteCount }
    /// The kernels of all links.
    var kernels: [String] { links.flatMap(\.kernels) }

    private init(_ chain: [Convolution], _ shape: Shape) {
      let batch = shape[0]
      var (height, width) = (shape[2], shape[3])
      var links: [BlockedLink] = []
      for link in chain {
        links.append(BlockedLink(link, batch: batch, height: height, width: width, input: links.last?.output))
        (height, width) = link.outputSize(height: height, width: width)
      }
      self.links = links
      outputShape = [batch, chain[chain.count - 1].outputs, height, width]

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

      func plain(_ shape: Shape) -> Operand { Operand(dnnl_memory_desc_t(shape.array, dnnl_abcd)) }
      func move(_ plain: Operand, into blocked: Operand, back: Bool, _ scratch: inout Scratch) -> Primitive {
        let dims = plain.description.dims
        let used = blocked.description.using(Int(dims.0), Int(dims.1))
        return back
          ? Primitive(
            PrimitiveDescription(reorderFrom: used, to: plain.description),
            [(DNNL_ARG_FROM, blocked), (DNNL_ARG_TO, plain)], scratch: &scratch)
          : Primitive(
            PrimitiveDescription(reorderFrom: plain.description, to: used),
            [(DNNL_ARG_FROM, plain), (DNNL_ARG_TO, blocked)], scratch: &scratch)
      }
      plainInput = plain(shape)
      plainOutput = plain(outputShape)
      plainOutputGradient = plain(outputShape)
      plainInputGradient = plain(shape)
      packInput = move(plainInput, into: activations[0], back: false, &forwardScratch)
      unpackOutput = move(plainOutput, into: activations[chain.count], back: true, &forwardScratch)
      packGradient = move(plainOutputGradient, into: gradients[chain.count], back: false, &backwardScratch)
      unpackGradient = move(plainInputGradient, into: gradients[0], back: true, &backwardScratch)
      forwardScratch.put(into: &forward)
      backwardScratch.put(into: &backward)
      (self.saved, forwardBlock, backwardBlock) = (saved, forward, backward)
    }

    func forward(_ x: Tensor, _ weights: [Tensor], _ biases: [Tensor], saving activations: Storage) -> Tensor {
      let y = Tensor(uninitialized: outputShape, .float32)
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
      return y
    }

    func backward(_ gradient: Tensor, _ activations: Storage, _ step: inout BackwardStep) {
      let working = StoragePool.borrow(byteCount: backwardBlock.byteCount)
      let dx = step.needs(0) ? Tensor(uninitialized: step.input(0).shape, .float32) : nil
      turn.withLock { _ in
        saved.place(in: activations)
        backwardBlock.place(in: working)
        plainOutputGradient.place(on: gradient)
        packGradient.run()
        for (i, link) in links.enumerated().reversed() {
          link.maskGradient()
          let (weight, bias) = (1 + i, 1 + links.count + i)
          if step.needs(weight) || step.needs(bias) {
            let gradients = unsafe link.parameterGradients(working.base + gradientOffsets[(i + 1) % 2])
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
      if let dx { step.add(dx, to: 0) }
    }

    // MARK: - Plans that were made

    private struct Key: Hashable {
      let chain: [Convolution]
      let shape: Shape
    }

    private static let plans = Mutex<[Key: ChainPlan]>([:])
    /// More plans than a run needs at once: sizes that come and go must not pile up.
    private static let capacity = 64

    static func cached(for chain: [Convolution], _ shape: Shape) -> ChainPlan {
      let key = Key(chain: chain, shape: shape)
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
