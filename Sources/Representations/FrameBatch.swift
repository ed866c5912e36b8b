import Agents
import Autoencoders
import Core
import Replay
import Tensors

// Batches from frames: the frames of all histories are encoded once each, and histories are made of their latents.

/// A frame as it is looked at: where it lies in the replay buffer, and how it is shifted.
private struct FrameView: Hashable {
  let slot: Int
  let shift: Shift
}

/// Things that are wanted several times but needed once, in the order in which they were first asked for.
private struct Distinct<Element: Hashable> {
  private(set) var elements: [Element] = []
  private var places: [Element: Int] = [:]

  /// The place of an element; it is added where it is new.
  mutating func place(of element: Element) -> Int {
    if let place = places[element] { return place }
    places[element] = elements.count
    elements.append(element)
    return elements.count - 1
  }

  /// Repeats the last element until their number is a multiple of `count`. How many frames of a batch are the same is
  /// chance; kernels and memory are kept for each size that comes, and so there shall be few.
  mutating func fill(toMultipleOf count: Int) {
    guard let last = elements.last else { return }
    while !elements.count.isMultiple(of: count) { elements.append(last) }
  }
}

/// The frames that a draw shows, as the model takes them, each once.
package struct ShownFrames: Sendable {
  /// `[U, S C, H, W]`: the frames of the present observations.
  fileprivate let present: Tensor
  /// `[V, S C, H, W]`: those that only later observations show; nil: there are none.
  fileprivate let later: Tensor?
  /// For each step back, the rows of the moments' frames in `present` and, after these, `later`.
  fileprivate let starts: [[Int]]
  fileprivate let ends: [[Int]]
  fileprivate let between: [[Int]]
  /// What the target's encoder sees of the ends: `[W, S C, H, W]` and the rows in it; nil: nothing of its own.
  fileprivate let target: (frames: Tensor, ends: [[Int]])?
}

extension EncodedFrames {
  public mutating func batch(of draw: ReplayDraw, from replay: borrowing ReplayBuffer) -> (Batch, BatchEncoding?) {
    guard place.keeps == .frames else { return (replay.batch(of: draw), nil) }
    let frames = frames(of: draw, from: replay)
    return batch(of: draw, showing: frames, from: replay)
  }

  /// The first half of a batch: bytes become numbers, each frame's once.
  package mutating func frames(of draw: ReplayDraw, from replay: borrowing ReplayBuffer) -> ShownFrames {
    let (count, between) = (draw.starts.count, draw.between)
    var views = Distinct<FrameView>()
    let startRows = windows(of: draw.starts, in: replay, shifts: shifts(count), &views)
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
      let rows = endRows.map { $0.map { seen.place(of: $0) } }
      seen.fill(toMultipleOf: count)
      // One frame an observation: what the ends show is mostly all that is new.
      let isLater = seen.elements.map { views.elements[$0] } == others
      let frames = isLater ? later : nil
      target = (frames ?? gathered(seen.elements, of: present, and: later), rows)
    }
    return ShownFrames(
      present: present, later: later, starts: startRows, ends: endRows, between: betweenRows, target: target)
  }

  /// The second half: frames become latents, and latents observations.
  package func batch(
    of draw: ReplayDraw, showing frames: ShownFrames, from replay: borrowing ReplayBuffer
  ) -> (Batch, BatchEncoding?) {
    let teachesEncoder = place.when == .eachUpdate && (updates + 1) % settings.period == 0
    let isTaughtByCritic = place.teachers.contains(.critic) && teachesEncoder
    let layout = replay.layout

    // o: the encoder's gradient will be asked for
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

    // o' and what lies between: constants, of which the encoder has seen some already
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
    batch.wantsObservationGradient = isTaughtByCritic
    guard teachesEncoder else { return (batch, nil) }
    return (batch, BatchEncoding(encoding: encoding, history: history, latents: z, frames: x, rows: frames.starts[0]))
  }

  /// For each step back, the places of the moments' views among all.
  private func windows(
    of moments: [ReplayBuffer.Moment], in replay: borrowing ReplayBuffer, shifts: [Shift],
    _ views: inout Distinct<FrameView>
  ) -> [[Int]] {
    var rows = [[Int]](repeating: [], count: replay.layout.frames)
    for (moment, shift) in zip(moments, shifts) {
      let window = replay.window(of: moment, frames: replay.layout.frames, actions: 0)
      for (age, slot) in window.slots.enumerated() {
        rows[age].append(views.place(of: FrameView(slot: slot, shift: shift)))
      }
    }
    return rows
  }

  /// How far the frames of each of N observations are shifted: not at all, but where the place says so.
  private mutating func shifts(_ count: Int) -> [Shift] {
    guard place.shifts else { return [Shift](repeating: .none, count: count) }
    return (0..<count).map { _ in Shift(atMost: settings.shift, using: &random) }
  }

  /// Frames as the model takes them, `[U, S C, H, W]`.
  private func prepared(_ views: [FrameView], in replay: borrowing ReplayBuffer) -> Tensor {
    let stack = encoder.frameStack
    let slots = stack == 1 ? views.map(\.slot) : views.flatMap { replay.stack(endingAt: $0.slot, of: stack) }
    let frames = replay.frames
    let x = encoder.prepare(views.count) { body, b in frames.withFrame(at: slots[b], body) }
    return place.shifts ? shifted(x, views.map(\.shift)) : x
  }
}

/// Frames by their rows in `present` and, after these, `later`.
private func gathered(_ rows: [Int], of present: Tensor, and later: Tensor?) -> Tensor {
  let count = present.shape[0]
  var shape = present.shape
  shape[0] = rows.count
  let size = present.shape.count / count
  return Tensor(shape, of: Float.self) { target in
    for (place, row) in rows.enumerated() {
      if row < count {
        present.withElements { copy($0, row, to: place, of: size, in: &target) }
      } else {
        later?.withElements { copy($0, row - count, to: place, of: size, in: &target) }
      }
    }
  }
}

/// A function of its own, so that the compiler sees that the spans do not overlap and takes several elements at once.
@inline(never)
private func copy(_ source: Span<Float>, _ row: Int, to place: Int, of size: Int, in target: inout MutableSpan<Float>) {
  let source = source.extracting(row * size..<(row + 1) * size)
  precondition(place >= 0 && (place + 1) * size <= target.count, "a row that lies outside")
  for i in 0..<size { unsafe target[unchecked: place &* size &+ i] = source[unchecked: i] }
}

/// Latents as a module, so that a gradient by them can be asked for.
private struct Latents: Module {
  var z: Tensor
  mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("z", &z) }
}

/// Matrices one above the other, as a constant.
private func stacked(_ a: Tensor, _ b: Tensor) -> Tensor {
  Tensor(a.array + b.array, [a.shape[0] + b.shape[0], a.shape[1]])
}
