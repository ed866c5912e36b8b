import Agents
import Autoencoders
import Core
import Replay
import Tensors

// Batches from frames: the frames of all histories are encoded once each, and histories are made of their latents.

/// A frame as it is looked at: where it lies in the replay buffer, and how it is shifted.
private struct Look: Hashable {
  let slot: Int
  let shift: Shift
}

/// Frames to be encoded together, each once, in the order in which they were first asked for.
private struct LookList {
  private(set) var looks: [Look] = []
  private var places: [Look: Int] = [:]

  /// The row of a look; it is added where it is new.
  mutating func row(of look: Look) -> Int {
    if let row = places[look] { return row }
    places[look] = looks.count
    looks.append(look)
    return looks.count - 1
  }
}

extension EncodedFrames {
  public mutating func batch(of draw: ReplayDraw, from replay: borrowing ReplayBuffer) -> (Batch, Sight?) {
    guard place.row.keeps == .frames else { return (replay.batch(of: draw), nil) }
    let teachesEncoder = place.row.when == .eachUpdate && (updates + 1) % settings.period == 0
    let isTaughtByCritic = place.row.teachers.contains(.critic) && teachesEncoder
    let layout = replay.layout

    // o: the encoder's gradient will be asked for
    var present = LookList()
    let rows = windows(of: draw.starts, in: replay, shifts: shifts(draw.starts.count), &present)
    let x = prepared(present.looks, of: draw.starts, in: replay)  // [U, S C, H, W]
    let (z, encoding): (Tensor, Pullback?)
    if isTaughtByCritic {
      (z, encoding) = valueWithPullback(at: encoder.model) { encoder.standardized($0.encode(x)) }
    } else {
      (z, encoding) = (encoder.encode(prepared: x), nil)
    }
    let pastActions = replay.pastActions(of: draw.starts)
    func observation(_ z: Tensor) -> Tensor { layout.observation(rows.map { z.selectingRows($0) }, pastActions) }
    let (o, history): (Tensor, Pullback?)
    if isTaughtByCritic {
      (o, history) = valueWithPullback(at: Latents(z: z)) { observation($0.z) }
    } else {
      (o, history) = (observation(z), nil)
    }

    // o' and what lies between: constants, of which the encoder has seen some already
    var known = present
    let ends = windows(of: draw.ends, in: replay, shifts: shifts(draw.ends.count), &known)
    let between = draw.between
    let betweenRows = windows(of: between, in: replay, shifts: shifts(between.count), &known)
    let more = Array(known.looks.dropFirst(present.looks.count))
    let all = more.isEmpty ? z : stacked(z, encoder.encode(prepared: prepared(more, of: draw.ends, in: replay)))
    func constant(_ rows: [[Int]], _ moments: [ReplayBuffer.Moment], _ z: Tensor) -> Tensor {
      layout.observation(rows.map { z.gatheringRows($0) }, replay.pastActions(of: moments))
    }
    var isFirst = true
    var batch = replay.batch(of: draw) { moments in
      defer { isFirst = false }
      if isFirst { return o }
      return moments.count == draw.ends.count && moments == draw.ends
        ? constant(ends, moments, all) : constant(betweenRows, moments, all)
    }
    if let target {
      var seen = LookList()
      let shown = ends.map { $0.map { seen.row(of: known.looks[$0]) } }
      let z = encoder.standardized(target.encode(prepared(seen.looks, of: draw.ends, in: replay)))
      batch.targetObservation = constant(shown, draw.ends, z)
    }
    batch.wantsObservationGradient = isTaughtByCritic
    guard teachesEncoder else { return (batch, nil) }
    return (batch, Sight(encoding: encoding, history: history, latents: z, frames: x, rows: rows[0]))
  }

  /// For each step back, the rows of the moments' looks in a list.
  private func windows(
    of moments: [ReplayBuffer.Moment], in replay: borrowing ReplayBuffer, shifts: [Shift], _ list: inout LookList
  ) -> [[Int]] {
    var rows = [[Int]](repeating: [], count: replay.layout.frames)
    for (moment, shift) in zip(moments, shifts) {
      let window = replay.window(of: moment, frames: replay.layout.frames, actions: 0)
      for (age, slot) in window.slots.enumerated() { rows[age].append(list.row(of: Look(slot: slot, shift: shift))) }
    }
    return rows
  }

  /// How far the frames of each of N observations are shifted: not at all, but where the place says so.
  private mutating func shifts(_ count: Int) -> [Shift] {
    guard place.row.shifts else { return [Shift](repeating: .none, count: count) }
    return (0..<count).map { _ in Shift(atMost: settings.shift, using: &random) }
  }

  /// Frames as the model takes them, `[U, S C, H, W]`.
  private func prepared(
    _ looks: [Look], of moments: [ReplayBuffer.Moment], in replay: borrowing ReplayBuffer
  ) -> Tensor {
    let stack = encoder.frameStack
    let slots = stack == 1 ? looks.map(\.slot) : looks.flatMap { replay.stack(endingAt: $0.slot, of: stack) }
    let frames = replay.frames
    let x = encoder.prepare(looks.count) { body, b in frames.withFrame(at: slots[b], body) }
    return place.row.shifts ? shifted(x, looks.map(\.shift)) : x
  }
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
