import Core
import Networks
import Replay
import Tensors

extension Agent {
  /// The history and the deterministic policy as a graph, for an agent that observes `layout`. A search for plans is left
  /// out.
  ///
  /// Inputs: `latents`, `[batch, frames, Z]`, the newest first; before an episode's first frame the first latent is
  /// repeated. If the history has actions, `past_actions`, `[batch, actions, A]`, the newest first, each as the output
  /// `policy_action` had it; zeros before the first action.
  ///
  /// Outputs: `action`, in the environment's units, `[batch, A]`, or an index `[batch, 1]`; `policy_action`, `[batch,
  /// A]`: the same in the policy's units, each in [-1, 1], or as a one-hot vector.
  public func graph(_ layout: HistoryLayout) -> Graph {
    var graph = Graph(naming: parameters)
    let width = layout.actionSpace.networkSize
    let latents = graph.input("latents", [layout.frames, layout.latentSize])
    var columns = layout.frames * layout.latentSize
    var history = graph.reshape(latents, [columns])
    if layout.actions > 0 {
      let actions = graph.input("past_actions", [layout.actions, width])
      history = graph.apply(
        "Concat", [history, graph.reshape(actions, [layout.actions * width])], ["axis": .integer(-1)])
      columns += layout.actions * width
    }
    var agent = actingByPolicyAlone
    let action = graph.trace(history, [columns]) { history in
      agent.act(layout.observation(ofHistory: history), .exploit)
    }
    switch layout.actionSpace {
    case .continuous(let low, let high):
      // low + (high - low) (a + 1) / 2
      let scale = Tensor(zip(low, high).map { Float(($1 - $0) / 2) }, [width])
      let shift = Tensor(zip(low, high).map { Float(($0 + $1) / 2) }, [width])
      let scaled = graph.apply("Mul", [action, graph.constant(scale)])
      graph.output(graph.apply("Add", [scaled, graph.constant(shift)]), as: "action", [width])
      graph.output(action, as: "policy_action", [width])
    case .discrete(let count):
      let index = graph.apply("Cast", [action], ["to": .integer(Graph.Element.int64.code)])
      graph.output(index, as: "action", .int64, [1])
      let indices = graph.constant(Tensor((0..<count).map { Float($0) }, [count]))
      let isChosen = graph.apply("Equal", [action, indices])
      let chosen = graph.apply("Cast", [isChosen], ["to": .integer(Graph.Element.float32.code)])
      graph.output(chosen, as: "policy_action", [count])
    }
    return graph
  }
}

extension HistoryLayout {
  /// - Parameter history: `[B, frames Z + actions A]`, the latents and then the actions, each the newest first.
  fileprivate func observation(ofHistory history: Tensor) -> Tensor {
    let width = actionSpace.networkSize
    let latents = (0..<frames).map { history.columns($0 * latentSize..<($0 + 1) * latentSize) }
    let start = frames * latentSize
    let pastActions = (0..<actions).map { history.columns(start + $0 * width..<start + ($0 + 1) * width) }
    return observation(latents, pastActions)
  }
}
