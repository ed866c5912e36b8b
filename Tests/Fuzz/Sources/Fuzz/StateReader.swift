import Core
import Foundation
import Tensors

@testable import Networks
@testable import Runs

extension Reader {
  /// The state in a checkpoint with valid checksums. If it has the same form as a new state, it is used for an update.
  static let state = Reader(name: "state") {
    var changed = FuzzedState()
    for _ in 0..<3 { changed.update() }
    return [try encoded(FuzzedState()), try encoded(changed)]
  } read: { bytes in
    let form = StateForm(changing: ["steps", "updates", "episodeReturn", "ending", "last"], growing: ["log", "sums"])
    var state: FuzzedState
    do {
      try form.check(bytes, like: FuzzedState())
      state = try PropertyListDecoder().decode(FuzzedState.self, from: Data(bytes))
    } catch let error as DecodingError { throw InputError("\(error)") }
    state.update()
    let written = again { try encoded(state) }
    again { try form.check(written, like: FuzzedState()) }
  }
}

/// A state with a property of each type used in states.
private struct FuzzedState: Codable {
  var model: Linear
  var optimizer: Adam
  var random = Seed(1).stream("actions")
  var settings = ["hidden": 2]
  var actionSpace = ActionSpace.discrete(count: 3)
  var steps = [1, 2]
  var updates = 0
  var episodeReturn = 0.5
  var ending = Ending.running
  var log: RunLog.Position?
  var sums = Metrics()
  var period = Every(100)

  init() {
    var initial = Seed(1).stream("initial weights")
    model = Linear(2, 1, using: &initial)
    optimizer = Adam(of: model, learningRate: 0.01)
  }

  /// Performs an update. Traps if sizes or counts do not match.
  mutating func update() {
    let x = Tensor([Float(random.uniform()), Float(random.uniform())], [1, 2])
    let (_, gradient) = valueWithGradient(at: model) { model in meanSquared(model(x)) }
    optimizer.update(&model, along: gradient)
    updates = min(updates + 1, 1 << 53)
    _ = period(updates)
    _ = random.integer(below: settings["hidden"]!)
    _ = actionSpace.sample(using: &random)
  }
}
