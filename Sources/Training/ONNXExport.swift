import Agents
import Autoencoders
import Core
import Environments
import Formats
import Networks
import Replay
import Representations
import Runs
import Tensors

/// The encoder and the policy of a run as ONNX files: what another program needs to act as the agent does, or to get its
/// latents.
public struct ONNXExport: Sendable {
  /// The files by their names.
  public let models: [(file: String, model: ONNXModel)]

  /// - Parameter run: a run of 'pixelrl train', whose agent was evaluated, or of 'pixelrl pretrain-ae'.
  /// - Throws: `InputError` if it has neither agent nor autoencoder, `WorldError` with the path of a damaged file.
  public init(of run: RunDirectory) throws {
    let facts = try run.facts()
    guard facts.command == "train" else {
      let record = try AutoencoderRecord(folder: run.path)
      let graph = try Self.graph(of: try Autoencoders.named(record.kind), record, run)
      models = [Self.encoder(graph, facts)]
      return
    }
    let saved = try SavedAgent(path: run.path)
    let player = try saved.player(seed: Seed(facts.seed))
    var models = [Self.policy(of: player, saved)]
    if let graph = player.encoderGraph { models.insert(Self.encoder(graph, facts), at: 0) }
    self.models = models
  }

  /// Writes the files into a new folder, or into an empty one.
  ///
  /// - Throws: `InputError` if the folder is not empty, `WorldError` with the path.
  public func write(to path: String) throws {
    let folder = try NewFolder(at: path)
    for (file, model) in models { try model.write(to: "\(folder.path)/\(file)") }
    try folder.commit()
  }

  // MARK: - The models

  private static func graph<Model: Autoencoder>(
    of kind: Model.Type, _ record: AutoencoderRecord, _ run: RunDirectory
  ) throws -> Graph {
    try LatentEncoder<Model>(folder: run.path, record: record).graph
  }

  private static func encoder(_ graph: Graph, _ facts: RunDirectory.Facts) -> (String, ONNXModel) {
    let isStacked = graph.inputs[0].extents.count == 4
    return (
      "encoder.onnx",
      ONNXModel(
        graph, name: "encoder",
        metadata: [
          ("environment", facts.environment),
          (
            "frames",
            isStacked
              ? "uint8 [batch, stack, height, width, channels], the oldest frame of a stack first; RGB or gray"
              : "uint8 [batch, height, width, channels], RGB or gray"
          ),
          ("latents", "float32 [batch, size], what the agent gets"),
        ])
    )
  }

  private static func policy(of player: some Player, _ saved: SavedAgent) -> (String, ONNXModel) {
    let layout = player.layout
    var metadata: [(key: String, value: String)] = [
      ("environment", saved.facts.environment), ("agent", saved.facts.member), ("env_steps", String(saved.step)),
      (
        "latents",
        "float32 [batch, \(layout.frames), \(layout.latentSize)], the newest first; at an episode's first frame, the "
          + "first latent in all places"
      ),
    ]
    if layout.actions > 0 {
      metadata.append(
        (
          "past_actions",
          "float32 [batch, \(layout.actions), \(layout.actionSpace.networkSize)], the outputs policy_action of the last "
            + "steps, the newest first; zeros before the first action"
        ))
    }
    if player.encoderGraph == nil {
      metadata.append(("state", player.environment.spec.observationNames.joined(separator: ", ")))
    }
    metadata.append(
      (
        "action",
        layout.actionSpace.isContinuous
          ? "float32 [batch, size], in the environment's units" : "int64 [batch, 1], the index of the action"
      ))
    metadata.append(
      (
        "policy_action",
        layout.actionSpace.isContinuous
          ? "float32 [batch, size], each in [-1, 1]: the next of past_actions"
          : "float32 [batch, choices], 1 for the action and 0 for the others: the next of past_actions"
      ))
    return (
      "policy.onnx", ONNXModel(player.agent.graph(layout), name: "policy", metadata: metadata)
    )
  }
}

extension Player {
  /// From frames to latents; nil if the agent observes the true state.
  fileprivate var encoderGraph: Graph? { representation.graph }
}
