import Core
import Environments
import Foundation
import Runs
import Sweeps
import Testing

@testable import pixelrl

/// The plans of the experiments fit this version of the program.
@Suite struct ExperimentTests {
  static let results = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../experiments/results").standardizedFileURL

  /// The experiments with a plan.
  static let names =
    ((try? FileManager.default.contentsOfDirectory(atPath: results.path)) ?? []).sorted()
    .filter { exists(results.appendingPathComponent("\($0)/sweep.yaml").path) }

  @Test func thereArePlans() { #expect(Self.names.count >= 12) }

  /// Every setting exists, and every point can be resolved. Environments that need Python, or MuJoCo in a build without
  /// it, are only checked for the names of their settings.
  @Test(arguments: names) func everyExperimentCanBePlanned(_ name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let plan = try PlanFile(path: Self.results.appendingPathComponent("\(name)/sweep.yaml").path)
    let settings = PointSettings()
    let planned = try SweepFolder.plan(plan, at: folder.path, keys: PointFlags.all) { command, flags in
      guard Environments.all.contains(where: { $0.id == flags["env"] }) else { return ResolvedSettings([]) }
      return try settings.resolve(command, flags)
    }
    #expect(planned.added == planned.folder.points.count && !plan.title.isEmpty)
    let page = try String(contentsOf: Self.results.appendingPathComponent("\(name)/README.md"), encoding: .utf8)
    #expect(page.contains("pixelrl sweep plan experiments/results/\(name)/sweep.yaml --out runs/\(name)\n"))
  }
  /// The recipe is a config file of this version; its game needs Python, so that another environment replaces it.
  @Test func rainbowAsBBFCanBePlanned() throws {
    let path = Self.results.appendingPathComponent("atari/bbf.yaml").path
    let plan = try TrainingFlags.parse(["--config", path, "--env", "catch"]).plan()
    let record = plan.groups.flatMap { group in group.record.map { "\($0.key)=\($0.text)" } }
    for setting in ["agent=rainbow", "resets=3", "reset-period=40000", "updates-per-step=2", "return-steps=3"] {
      #expect(record.contains(setting))
    }
  }
}
