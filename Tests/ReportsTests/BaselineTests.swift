import Core
import Pixels
import Plots
import Runs
import Testing

@testable import Reports

/// The references of a learning curve: the untrained agent, a random player, and the bounds of the return.
@Suite struct BaselineTests {
  private let metrics =
    #"{"step":0,"evaluation/return":-0.5,"evaluation/deviation":0.4}"# + "\n"
    + #"{"step":8000,"evaluation/return":0.9,"evaluation/deviation":0.6}"# + "\n"
  private let baseline = #"{"random":{"mean":-0.6,"returns":[-1,-0.2],"lengths":[9,9]},"return_range":[-1,1]}"#

  @Test func theUntrainedAgentIsNotScored() throws {
    try RunFolder.with { folder in
      let run = try folder.run("a", files: ["metrics.jsonl": metrics])
      #expect(RunRecord(run).score == 0.9)
      #expect(run.progress.returned == 0.9)
      let untrained = metrics.split(separator: "\n")[0] + "\n"
      let begun = try folder.run("b", files: ["metrics.jsonl": String(untrained)])
      #expect(RunRecord(begun).score == nil && begun.progress.returned == nil)
      let played = try folder.run(
        "c", files: ["metrics.jsonl": untrained + #"{"step":1000,"train/return":0.25}"# + "\n"])
      #expect(played.progress.returned == 0.25, "the training return until the first evaluation")
      #expect(Report(of: [run]).html().contains("the only evaluation"))
    }
  }

  @Test func curvesStayWithinTheBoundsOfTheReturn() throws {
    try RunFolder.with { folder in
      let run = try folder.run("a", files: ["metrics.jsonl": metrics, "baseline.json": baseline])
      let groups = RunGroup.groups(of: [RunRecord(run)])
      #expect(RunGroup.randomReturn(of: groups) == -0.6 && RunGroup.returnRange(of: groups) == -1...1)
      let curves = LearningCurve.all(of: LearningCurve.evaluation, groups, Bootstrap())
      let plot = try #require(Plot(returnsOf: groups, curves))
      let axis = plot.yLimits
      #expect(axis == -1...1 && plot.series.count == 2 && plot.series[1].isDashed)
      #expect(plot.series[1].points == [Point(0, -0.6), Point(8000, -0.6)])
      let page = Report(of: [run]).html()
      #expect(page.contains("random player") && page.contains("stroke-dasharray"))
      #expect(!page.contains(">1.5</text>"), "0.9 and its deviation of 0.6")
      // A pretraining, which is never evaluated, does not count.
      let pretraining = RunGroup.groups(of: [RunRecord(try folder.run("ae"))])
      #expect(RunGroup.returnRange(of: groups + pretraining) == -1...1)
      // Without a baseline, as in runs of older versions, there are no bounds.
      let older = try folder.run("b", files: ["metrics.jsonl": metrics])
      #expect(!Report(of: [older]).html().contains("stroke-dasharray"))
      #expect(RunGroup.returnRange(of: RunGroup.groups(of: [RunRecord(run), RunRecord(older)])) == nil)
    }
  }

  @Test func aDamagedBaselineIsReported() throws {
    try RunFolder.with { folder in
      let run = try folder.run(
        "a", files: ["metrics.jsonl": metrics, "baseline.json": #"{"random":{"returns":["x"]}}"#])
      #expect(Report(of: [run]).html().contains("baseline.json: is damaged"))
    }
  }

  @Test func theDashboardShowsTheStatusOfRuns() throws {
    try RunFolder.with { folder in
      let run = try folder.run("a<b", files: ["metrics.jsonl": metrics, "baseline.json": baseline])
      let lock = try run.lock()
      let page = Dashboard([.init(RunEntry(run), link: "run/a-b/", remaining: 125)]).html(refreshEvery: 5)
      withExtendedLifetime(lock) {}
      #expect(page.contains("1 run, 1 running") && page.contains(#"<a href="run/a-b/">a&lt;b</a>"#))
      #expect(page.contains("2:05 min") && page.contains("live.js") && page.contains("random player"))
    }
  }
}
