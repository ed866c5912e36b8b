import Agents
import Autoencoders
import Core
import Replay
import Tensors

// Batches from frames: each frame of the histories is encoded once, and the histories are made from the latents.

/// A frame with a shift: its slot in the replay buffer, and how it is shifted.
private struct FrameView: Hashable {
  let slot: Int
  let shift: Shift
}

/// Distinct elements, in the order in which they were first added.
private struct Distinct<Element: Hashable> {
  private(set) var elements: [Element] = []
  private var indices: [Element: Int] = [:]

  /// Returns the index of an element, and adds the element if it is new.
  mutating func index(of element: Element) -> Int {
    if let index = indices[element] { return index }
    indices[element] = elements.count
    elements.append(element)
    return elements.count - 1
  }

  /// Repeats the last element until the number of elements is a multiple of `count`. The number of distinct frames of a
  /// batch is random; kernels and memory are cached for each size, so there should be few sizes.
  mutating func fill(toMultipleOf count: Int) {
    guard let last = elements.last else { return }
    while !elements.count.isMultiple(of: count) { elements.append(last) }
  }
}

/// The distinct frames of a draw, as the model's input.
package struct DrawFrames: Sendable {
  /// `[U, S C, H, W]`: the frames of the observations.
  fileprivate let present: Tensor
  /// `[V, S C, H, W]`: the frames that occur only in later observations; nil if there are none.
  fileprivate let later: Tensor?
  /// For each step back in the history, the rows of the moments' frames in `present` followed by `later`.
  fileprivate let starts: [[Int]]
  fileprivate let ends: [[Int]]
  fileprivate let between: [[Int]]
  /// How the frames of each of the B observations are shifted.
  fileprivate let shifts: [Shift]
  /// The frames of the ends for the target encoder, `[W, S C, H, W]`, and the rows in them; nil if there is none.
  fileprivate let target: (frames: Tensor, ends: [[Int]])?
}

extension EncodedFrames {
  public mutating func batch(of draw: ReplayDraw, from replay: borrowing ReplayBuffer) -> (Batch, BatchEncoding?) {
    guard place.stores == .frames else { return (replay.batch(of: draw), nil) }
    let frames = frames(of: draw, from: replay)
    return batch(of: draw, showing: frames, from: replay)
  }

  /// The first half of making a batch: converts the bytes of each distinct frame to floats.
  package mutating func frames(of draw: ReplayDraw, from replay: borrowing ReplayBuffer) -> DrawFrames {
    let (count, between) = (draw.starts.count, draw.between)
    var views = Distinct<FrameView>()
    let startShifts = shifts(count)
    let startRows = windows(of: draw.starts, in: replay, shifts: startShifts, &views)
    views.fill(toMultipleOf: count)
    let presentCount = views.elements.count
    let endRows = windows(of: draw.ends, in: replay, shifts: shifts(count), &views)
    let betweenRows = windows(of: between, in: replay, shifts: shifts(between.count), &views)
    views.fill(toMultipleOf: count)

    let present = prepared(Array(views.elements[..<presentCount]), in: replay)
    let others = Array(views.elements[presentCount...])
    let later = others.isEmpty ? nil : prepared(others, in: replay)
    var target: (frames: Tensor, ends: [[Int]])?
    if self.target != nil {
      var seen = Distinct<Int>()
      let rows = endRows.map { $0.map { seen.index(of: $0) } }
      seen.fill(toMultipleOf: count)
      // With one frame per observation, the frames of the ends are usually exactly the later ones.
      let isLater = seen.elements.map { views.elements[$0] } == others
      let frames = isLater ? later : nil
      target = (frames ?? gathered(seen.elements, of: present, and: later), rows)
    }
    return DrawFrames(
      present: present, later: later, starts: startRows, ends: endRows, between: betweenRows, shifts: startShifts,
      target: target)
  }

  /// The second half of making a batch: encodes frames to latents and makes observations from these.
  package func batch(
    of draw: ReplayDraw, showing frames: DrawFrames, from replay: borrowing ReplayBuffer
  ) -> (Batch, BatchEncoding?) {
    let teachesEncoder = place.when == .eachUpdate && (updates + 1) % settings.period == 0
    let isTaughtByCritic = place.losses.contains(.critic) && teachesEncoder
    let layout = replay.layout

    // o, with a pullback for the encoder's gradient
    let x = frames.present  // [U, S C, H, W]
    let (z, encoding): (Tensor, Pullback?)
    if isTaughtByCritic {
      (z, encoding) = valueWithPullback(at: encoder.model) { encoder.standardized($0.encode(x)) }
    } else {
      (z, encoding) = (encoder.encode(prepared: x), nil)
    }
    let pastActions = replay.pastActions(of: draw.starts)
    func observation(_ z: Tensor) -> Tensor {
      layout.observation(frames.starts.map { z.selectingRows($0) }, pastActions)
    }
    let (o, history): (Tensor, Pullback?)
    if isTaughtByCritic {
      (o, history) = valueWithPullback(at: Latents(z: z)) { observation($0.z) }
    } else {
      (o, history) = (observation(z), nil)
    }

    // o' and the moments between: constants, some of which are already encoded
    let all = frames.later.map { stacked(z, encoder.encode(prepared: $0)) } ?? z
    func constant(_ rows: [[Int]], _ moments: [ReplayBuffer.Moment], _ z: Tensor) -> Tensor {
      layout.observation(rows.map { z.gatheringRows($0) }, replay.pastActions(of: moments))
    }
    var batch = replay.batch(of: draw, observation: o, nextObservation: constant(frames.ends, draw.ends, all)) {
      constant(frames.between, draw.between, all)
    }
    if let target, let seen = frames.target {
      let z = encoder.standardized(target.encode(seen.frames))
      batch.targetObservation = constant(seen.ends, draw.ends, z)
    }
    batch.needsObservationGradient = isTaughtByCritic
    guard teachesEncoder else { return (batch, nil) }
    let kept = BatchEncoding(
      encoding: encoding, history: history, latents: z, frames: x, rows: frames.starts[0],
      shifts: place.shifts ? frames.shifts : nil)
    return (batch, kept)
  }

  /// Returns, for each step back in the history, the indices of the moments' frames among all `views`.
  private func windows(
    of moments: [ReplayBuffer.Moment], in replay: borrowing ReplayBuffer, shifts: [Shift],
    _ views: inout Distinct<FrameView>
  ) -> [[Int]] {
    var rows = [[Int]](repeating: [], count: replay.layout.frames)
    for (moment, shift) in zip(moments, shifts) {
      let window = replay.window(of: moment, frames: replay.layout.frames, actions: 0)
      for (age, slot) in window.slots.enumerated() {
        rows[age].append(views.index(of: FrameView(slot: slot, shift: shift)))
      }
    }
    return rows
  }

  /// Draws the shift of the frames of each of N observations; no shift unless the place requires it.
  private mutating func shifts(_ count: Int) -> [Shift] {
    guard place.shifts else { return [Shift](repeating: .none, count: count) }
    return (0..<count).map { _ in Shift(atMost: settings.shift, using: &random) }
  }

  /// Returns frames as the model's input, `[U, S C, H, W]`.
  private func prepared(_ views: [FrameView], in replay: borrowing ReplayBuffer) -> Tensor {
    let stack = encoder.frameStack
    let slots = stack == 1 ? views.map(\.slot) : views.flatMap { replay.stack(endingAt: $0.slot, of: stack) }
    let frames = replay.frames
    let shape = encoder.preparation.shape
    let shifting: FrameMove = { frame, b, target, start in
      writeShifted(frame, shape, by: views[b / stack].shift, into: &target, at: start)
    }
    return encoder.prepare(
      views.count, { body, b in frames.withFrame(at: slots[b], body) }, moving: place.shifts ? shifting : nil)
  }
}

/// Gathers frames by their rows in `present` followed by `later`.
private func gathered(_ rows: [Int], of present: Tensor, and later: Tensor?) -> Tensor {
  let count = present.shape[0]
  var shape = present.shape
  shape[0] = rows.count
  let size = present.shape.count / count
  return Tensor(shape, of: Float.self) { target in
    for (index, row) in rows.enumerated() {
      if row < count {
        present.withElements { copy($0, row, to: index, of: size, in: &target) }
      } else {
        later?.withElements { copy($0, row - count, to: index, of: size, in: &target) }
      }
    }
  }
}

/// A separate function, so that the compiler sees that the spans do not overlap and vectorises the loop.
@inline(never)
private func copy(_ source: Span<Float>, _ row: Int, to index: Int, of size: Int, in target: inout MutableSpan<Float>) {
  let source = source.extracting(row * size..<(row + 1) * size)
  precondition(index >= 0 && (index + 1) * size <= target.count, "row \(index) is outside the target")
  for i in 0..<size { unsafe target[unchecked: index &* size &+ i] = source[unchecked: i] }
}

/// Latents as a module, to compute the gradient with respect to them.
private struct Latents: Module {
  var z: Tensor
  mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("z", &z) }
}

/// Returns the rows of two matrices, one after the other, as a constant.
private func stacked(_ a: Tensor, _ b: Tensor) -> Tensor {
  Tensor(a.array + b.array, [a.shape[0] + b.shape[0], a.shape[1]])
}
