import Contracts
import Core
import Networks
import Python
import Replay
import Tensors
import Testing

@testable import Agents

/// The exported policy acts as the agent, in onnxruntime.
@Suite(.enabled(if: Python.has("onnx", "onnxruntime"), "onnx and onnxruntime"))
struct PolicyGraphTests {
  @Test(arguments: Member.all) func onnxruntimeActsAsTheAgent(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      var cases: [Case] = []
      for space in A.accepted {
        // Six numbers: two latents and two actions, or three latents.
        let width = space.networkSize
        let layout =
          2 * width <= 4
          ? HistoryLayout(latentSize: (6 - 2 * width) / 2, frames: 2, actions: 2, actionSpace: space)
          : HistoryLayout(latentSize: 2, frames: 3, actions: 0, actionSpace: space)
        var agent = try A.new(space)
        _ = agent.live(space)
        cases += [Case(agent, layout, count: 1000), Case(agent, layout, count: 1)]
      }
      try compare(cases)
    }
    try check(member.type)
  }

  @Test func observationsAreNormalizedAsTheAgentDoes() throws {
    var settings = SAC.Settings()
    (settings.hidden, settings.normalizeObservations, settings.criticBlocks) = (16, true, 1)
    let space = contractSpaces[1]
    var agent = SAC(observationSize: 6, actionSpace: space, settings: settings, seed: Seed(1))
    _ = agent.live(space)
    try compare([
      Case(agent, HistoryLayout(latentSize: 6, frames: 1, actions: 0, actionSpace: space), count: 100)
    ])
  }

  @Test func plansAreLeftOut() throws {
    var settings = MRQ.Settings()
    (settings.hidden, settings.period, settings.plans.samples) = (16, 2, 8)
    let space = contractSpaces[0]
    var agent = MRQ(observationSize: 6, actionSpace: space, settings: settings, seed: Seed(1))
    _ = agent.live(space)
    #expect(agent.plans)
    let layout = HistoryLayout(latentSize: 6, frames: 1, actions: 0, actionSpace: space)
    let (graph, alone) = (agent.graph(layout), agent.actingByPolicyAlone.graph(layout))
    #expect(ONNXModel(graph, name: "policy").bytes == ONNXModel(alone, name: "policy").bytes)
    try compare([Case(agent.actingByPolicyAlone, layout, count: 100)])
  }

  /// An agent's actions for random histories, and its graph with the same histories.
  private struct Case {
    let space: ActionSpace
    let action: Tensor
    let call: ONNXRuntime.Call

    init(_ agent: some Agent, _ layout: HistoryLayout, count: Int) {
      var agent = agent
      var random = Seed(3).stream("histories")
      space = layout.actionSpace
      let latents = (0..<layout.frames).map { _ in Tensor.normal([count, layout.latentSize], using: &random) }
      let actions = (0..<layout.actions).map { _ in
        Tensor.normal([count, layout.actionSpace.networkSize], using: &random)
      }
      action = agent.act(layout.observation(latents, actions), .exploit)
      var inputs = [
        ONNXRuntime.Input("latents", [count, layout.frames, layout.latentSize], concatenated(latents).array)
      ]
      if layout.actions > 0 {
        inputs.append(
          ONNXRuntime.Input(
            "past_actions", [count, layout.actions, layout.actionSpace.networkSize], concatenated(actions).array))
      }
      let model = ONNXModel(agent.graph(layout), name: "policy", metadata: [("agent", "test")])
      call = ONNXRuntime.Call(model.bytes, inputs)
    }
  }

  private func compare(_ cases: [Case]) throws {
    for (known, outputs) in zip(cases, try ONNXRuntime.outputs(of: cases.map(\.call))) {
      let own = known.action
      let (policyAction, action) = (try #require(outputs["policy_action"]), try #require(outputs["action"]))
      switch known.space {
      case .continuous:
        expectEqual(policyAction, own.doubles)
        let scaled = (0..<own.shape[0]).flatMap { row in
          own.rows(row..<row + 1).withElements { known.space.denormalized($0) }
        }
        expectEqual(action, scaled)
      case .discrete(let choices):
        #expect(action == own.doubles)
        #expect(policyAction == own.array.flatMap { chosen in (0..<choices).map { Float($0) == chosen ? 1 : 0 } })
      }
    }
  }

  private func expectEqual(_ found: [Double], _ expected: [Double]) {
    #expect(found.count == expected.count)
    let worst = zip(found, expected).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .infinity
    #expect(worst < 1e-5, "the largest difference is \(worst)")
  }
}
