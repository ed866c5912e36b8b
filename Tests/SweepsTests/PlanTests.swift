import Core
import Formats
import Foundation
import Runs
import Testing

@testable import Sweeps

/// Calls `body` with a folder that is removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}

let keys: [Point.Command: Set<String>] = [
  .train: ["env", "seed", "batch", "rate", "observe", "autoencoder", "dataset", "env-steps", "threads"],
  .pretrain: ["env", "seed", "ae-steps", "dataset", "size"], .collect: ["env", "seed", "collect-steps", "size"],
]

/// Settings without defaults: those that are given.
func settings(_ command: Point.Command, _ flags: [String: String]) throws -> ResolvedSettings {
  struct Given: SettingsGroup {
    static let title = "given"
    var seed = UInt64(0)
    var text = ""
    var threads = 1
    static var fields: [Field<Self>] {
      [
        Field("seed", \.seed, 0...UInt64.max, "seed"), Field("text", \.text, "all"),
        Field("threads", \.threads, 0...64, "threads"),
      ]
    }
  }
  var given = Given()
  given.threads = flags["threads"].flatMap { Int($0) } ?? 1
  given.seed = flags["seed"].flatMap { UInt64($0) } ?? 0
  given.text = flags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  return ResolvedSettings([given])
}

func plan(_ text: String, at path: String) throws -> SweepFolder.Planned {
  try SweepFolder.plan(
    PlanFile(parsing: Array(text.utf8), path: "plan.yaml"), at: path, keys: keys, resolve: settings)
}

@Suite struct PlanTests {
  /// The updates after the axes of smooth latents are computed count too.
  @Test func thePointOfAPretrainingHasAllItsUpdates() {
    struct Given: SettingsGroup {
      static let title = "pretraining"
      var steps = 2500
      var further = 1000
      var form = "smooth"
      static var fields: [Field<Self>] {
        [
          Field("ae-steps", \.steps, 1...Int.max, "updates"), Field("axes-steps", \.further, 0...Int.max, "further"),
          Field("latent-form", \.form, "form"),
        ]
      }
    }
    #expect(ResolvedSettings([Given()]).length == 3500)
    #expect(ResolvedSettings([Given(form: "each")]).length == 2500)
  }

  private func points(_ text: String) throws -> [Point] {
    var points: [Point] = []
    try withFolder { points = try plan(text, at: "\($0)/sweep").folder.points }
    return points
  }

  @Test func pointsAreEnvironmentsTimesArmsTimesSeeds() throws {
    let points = try points(
      """
      title: two
      environments: [a, b]
      seeds: [0-2, 7]
      arms:
        x: {observe: state}
        y:
          observe: latent
          environments: [b]
          seeds: 3-4
      """)
    #expect(points.map(\.index) == Array(0..<10))
    #expect(points.filter { $0.arm == "y" }.map(\.seed) == [3, 4])
    #expect(Set(points.map(\.hash)).count == 10 && points.allSatisfy { $0.needs.isEmpty })
  }

  /// Settings of an arm in an environment override all others; a number of environments is a setting.
  @Test func anArmHasItsSettingsInEachEnvironment() throws {
    let text = """
      environments: {a: {batch: 1}, b: {batch: 2}, c: {}}
      settings: {rate: 1}
      autoencoders: {small: {}, large: {size: 8}}
      arms:
        x:
          batch: 3
          environments: {a: {batch: 4, autoencoder: small, environments: 8}, b: {autoencoder: large}}
        y: {environments: 16}
      """
    let drafts = try PlanFile(parsing: Array(text.utf8), path: "plan.yaml").drafts(
      keys: keys.merging([.train: keys[.train, default: []].union(["environments"])]) { $1 })
    let trainings = drafts.filter { $0.command == .train }
    #expect(trainings.map { "\($0.environment) \($0.arm)" } == ["a x", "a y", "b x", "b y", "c y"])
    #expect(trainings.map { $0.given["batch"] } == ["4", "1", "3", "2", nil])
    #expect(trainings.map { $0.given["environments"] } == ["8", "16", nil, "16", "16"])
    #expect(drafts.filter { $0.command == .pretrain }.map { "\($0.environment) \($0.arm)" } == ["a small", "b large"])
  }

  @Test func sharedPointsComeFirstAndAreMadeOnce() throws {
    let points = try points(
      """
      environments: [a]
      seeds: 0-1
      datasets: {frames: {seed: 5, collect-steps: 10}}
      autoencoders: {shared: {ae-steps: 3, dataset: frames}}
      arms:
        x: {autoencoder: shared}
        y: {autoencoder: shared, batch: 2}
      """)
    #expect(points.map(\.command) == [.collect, .pretrain, .pretrain, .train, .train, .train, .train])
    #expect(points[0].seed == 5 && points[1].needs == [.init(key: "dataset", index: 0)])
    #expect(points.dropFirst(3).map { $0.needs.map(\.index) } == [[1], [2], [1], [2]])
  }

  /// A training that does not act waits for its dataset, and for its autoencoder.
  @Test func trainingsMayWaitForDatasets() throws {
    let points = try points(
      """
      environments: [a]
      datasets: {mixed: {seed: 5, collect-steps: 10}}
      autoencoders: {shared: {ae-steps: 3}}
      arms:
        x: {autoencoder: shared, dataset: mixed}
        y: {dataset: elsewhere/mixed}
      """)
    #expect(points.map(\.command) == [.collect, .pretrain, .train, .train])
    #expect(points[1].needs.isEmpty && points[3].needs.isEmpty)
    #expect(points[2].needs == [.init(key: "autoencoder", index: 1), .init(key: "dataset", index: 0)])
    let error = #expect(throws: InputError.self) {
      try self.points("environments: [a]\ndatasets: {mixed: {}}\narms: {x: {dataset: mixd}}")
    }
    #expect(error?.description.contains("did you mean 'mixed'?") == true)
  }

  @Test func variationsAreAllCombinations() throws {
    let points = try points("environments: a\nvary: {rate: [0.1, 0.2], batch: [1, 2, 3]}\narms: {x: {}}")
    #expect(points.count == 6 && points[0].arm == "x batch=1 rate=0.1")
  }

  @Test(arguments: ["random", "sobol"]) func samplesAreInTheirRanges(_ method: String) throws {
    let points = try points(
      """
      environments: [a]
      sample:
        method: \(method)
        points: 64
        seed: 3
        settings:
          rate: {from: 1e-4, to: 1e-2, scale: log}
          batch: {from: 1, to: 4}
          observe: [state, latent]
      """)
    #expect(points.count == 64)
    var counts: [Substring: Int] = [:]
    for point in points {
      let parts = point.arm.split(separator: " ")
      #expect(parts.count == 3)
      let rate = try #require(Double(parts[2].dropFirst("rate=".count)))
      #expect((1e-4...1e-2).contains(rate))
      for part in parts.prefix(2) { counts[part, default: 0] += 1 }
    }
    #expect(Set(counts.keys) == ["batch=1", "batch=2", "batch=3", "batch=4", "observe=state", "observe=latent"])
    // A Sobol sequence of a power of two fills every interval alike.
    if method == "sobol" { #expect(counts["batch=2"] == 16 && counts["observe=state"] == 32) }
  }

  /// The values of SciPy 1.17, `qmc.Sobol(10, scramble=False).random(64)`.
  @Test func theSobolSequenceIsThatOfSciPy() {
    let points = SobolSequence(dimensions: 10, shift: nil).first(8)
    #expect(points[0] == [Double](repeating: 0, count: 10))
    #expect(points[3] == [0.25, 0.75, 0.75, 0.75, 0.25, 0.25, 0.75, 0.25, 0.25, 0.25])
    #expect(points[5] == [0.875, 0.875, 0.125, 0.375, 0.875, 0.625, 0.875, 0.375, 0.375, 0.125])
    let late = [0.921875, 0.640625, 0.578125, 0.921875, 0.765625, 0.296875, 0.171875, 0.796875, 0.609375, 0.171875]
    #expect(SobolSequence(dimensions: 10, shift: nil).first(64)[37] == late)
  }

  @Test(arguments: [
    ("seeds: 5\nenvironments: [a]", "plan.yaml, line 1: 'seeds: 5' can be read in two ways: write 0-4, or [5]"),
    ("seeds: 0-4", "add 'environments: [catch]'"),
    ("environments: [a]\nseed: 0-4", "line 2: unknown part of a plan 'seed': did you mean 'seeds'?"),
    ("environments: [a]\narms: {x: {bacht: 3}}", "unknown setting 'bacht': did you mean 'batch'?"),
    ("environments: [a]\narms: {x: {ae-steps: 3}}", "the setting 'ae-steps' belongs under 'autoencoders:'"),
    ("environments: [a]\nautoencoders: {x: {batch: 3}}", "the setting 'batch' belongs under 'arms:'"),
    ("environments: [a]\narms: {x: {batch: [1, 2]}}", "takes one value: list several under 'vary:'"),
    ("environments: [a]\narms: {x: {env: b}}", "'env' is not a setting of an arm: use 'environments' instead"),
    (
      "environments: [a]\nautoencoders: {shared: {}}\narms: {x: {autoencoder: shard}}",
      "unknown autoencoder 'shard': did you mean 'shared'?"
    ),
    ("environments: [a]\nsample: {points: 4, settings: {rate: {from: 0, to: 1, scale: log}}}", "above 0 for log"),
    ("environments: [a]\narms: {x: {environments: {b: {}}}}", "an arm has the environment b, which is not among"),
    ("environments: [a]\narms: {x: {environments: {a: {bacht: 3}}}}", "did you mean 'batch'?"),
    (
      "environments: [a]\nsample: {points: 4, settings: {rate: {from: 0, to: 1}}}", "draws the same values twice"
    ),
    ("environments: [a, a]", "listed twice"), ("environments: &x [a]", "anchors"),
    ("environments:\n- - - a", "lists, documents"),
  ])
  func aWrongPlanSaysWhatToType(_ text: String, _ message: String) throws {
    try withFolder { folder in
      let error = #expect(throws: InputError.self) { try plan(text, at: "\(folder)/sweep") }
      #expect(error?.description.contains(message) == true, "\(String(describing: error))")
      #expect(!exists("\(folder)/sweep"))
    }
  }

  /// A newer version has another setting, whose default is how the older one behaved.
  @Test func anotherSettingKeepsThePoints() {
    struct Older: SettingsGroup {
      static let title = "group"
      var rate = 1.0
      static var fields: [Field<Self>] { [Field("rate", \.rate, 0...1, "rate")] }
    }
    struct Newer: SettingsGroup {
      static let title = "group"
      var (rate, noise) = (1.0, 0.0)
      static var fields: [Field<Self>] {
        [Field("noise", \.noise, 0...1, "noise").addedLater(), Field("rate", \.rate, 0...1, "rate")]
      }
    }
    var noisy = Newer()
    noisy.noise = 0.5
    let hashes = [ResolvedSettings([Older()]), .init([Newer()]), .init([noisy])].map { $0.hash(of: .train) }
    #expect(hashes[0] == hashes[1] && hashes[1] != hashes[2])
  }

  /// A changed flag is a new point; what did not change keeps its index.
  @Test func planningAgainKeepsWhatDidNotChange() throws {
    try withFolder { folder in
      let path = "\(folder)/sweep"
      let first = try plan("environments: [a]\nseeds: 0-1\narms: {x: {batch: 1}, y: {batch: 2}}", at: path)
      #expect(first.added == 4 && first.folder.points.map(\.index) == [0, 1, 2, 3])
      let second = try plan("environments: [a]\nseeds: 0-1\narms: {z: {}, x: {batch: 5}, y: {batch: 2}}", at: path)
      #expect(second.added == 4 && second.dropped == 2)
      #expect(second.folder.points.map(\.index) == [4, 5, 6, 7, 2, 3])
      #expect(second.folder.points.suffix(2) == first.folder.points.suffix(2))
      let read = try SweepFolder(path: path)
      #expect(read.points == second.folder.points && read.nextIndex == 8)
      #expect(try folderEntries("\(path)/points") == [2, 3, 4, 5, 6, 7].map { "0000\($0).yaml" })
      #expect(try read.point(0) == nil)
      #expect(throws: InputError.self) { try read.point(8) }
    }
  }
}
