import Core
import Networks
import Tensors

extension LatentEncoder {
  /// Preparation, encoder and standardisation as a graph from frames to latents.
  ///
  /// Its input `frames` has bytes `[batch, H, W, C]`, or `[batch, S, H, W, C]` with stacks of S > 1 frames, the oldest
  /// first. Its output `latents` has what the agent gets, `[batch, Z]`.
  public var graph: Graph {
    var graph = Graph(naming: model.parameters)
    let (stack, shape) = (frameStack, preparation.shape)
    let (height, width, channels) = (shape.height, shape.width, shape.channels)
    var x = graph.input("frames", .uint8, (stack > 1 ? [stack] : []) + [height, width, channels])
    // (frame - background) / 255 as [batch, S C, H, W]
    x = graph.apply("Cast", [x], ["to": .integer(Graph.Element.float32.code)])
    if preparation.background.contains(where: { $0 > 0 }) {
      let background = Tensor(preparation.background.map(Float.init), [height, width, channels])
      x = graph.apply("Sub", [x, graph.constant(background)])
    }
    x = graph.apply("Mul", [x, graph.constant(1.0 / 255)])
    let order = stack > 1 ? [0, 1, 4, 2, 3] : [0, 3, 1, 2]
    x = graph.apply("Transpose", [x], ["perm": .integers(order)])
    let extents = [stack * channels, height, width]
    if stack > 1 { x = graph.reshape(x, extents) }
    graph.output(graph.trace(x, extents) { encode(prepared: $0) }, as: "latents", [latentSize])
    return graph
  }
}
