#if MuJoCo
  import CMuJoCo
  import Core
  import Foundation
  import Testing

  @testable import Environments

  /// A trajectory of dm_control, written by `experiments/checks/parity/make_golden_suite.py`.
  struct SuiteGolden: Decodable, Sendable, CustomTestStringConvertible {
    let environment: String
    /// The positions, velocities, actuator states and placements.
    let start: [Double]
    let actions: [[Double]]
    let rewards: [Double]
    /// The positions, velocities and actuator states after the last action.
    let state: [Double]
    /// The observation after the last action.
    let observation: [Double]

    var testDescription: String { environment }

    static let all: [SuiteGolden] = {
      guard let url = Bundle.module.url(forResource: "Golden/suite", withExtension: "json"),
        let data = try? Data(contentsOf: url), let cases = try? JSONDecoder().decode([SuiteGolden].self, from: data)
      else { return [] }
      return cases
    }()
  }

  private let hasModels = (try? SuiteFolder.text(of: "reacher.xml")) != nil

  @Suite struct MuJoCoVersionTests {
    @Test func theLibraryHasTheVersionOfItsHeaders() throws {
      try MuJoCoVersion.check()
      #expect(unsafe MuJoCoVersion.loaded == String(cString: mj_versionString()))
    }

    @Test func aLibraryOfAnotherVersionIsAnError() throws {
      let error = #expect(throws: WorldError.self) { try MuJoCoVersion.check(loaded: 222, header: 3_017_000) }
      let text = try #require(error).description
      #expect(text.contains("headers of MuJoCo 3.17.0") && text.contains("library of 2.2.2"), "\(text)")
    }
  }

  @Suite struct MissingModelTests {
    @Test func theErrorForAMissingModelSaysWhatToRun() throws {
      let error = #expect(throws: WorldError.self) { try SuiteFolder.text(of: "unicorn.xml") }
      let text = try #require(error).description
      #expect(text.contains("unicorn.xml") && text.contains("make models"))
    }
  }

  /// The tasks with MuJoCo's physics. 'make models' downloads their models.
  @Suite(.enabled(if: hasModels, "needs models: make models")) struct SuiteTests {
    @Test(arguments: [
      "acrobot", "ball_in_cup", "cartpole", "cheetah", "dog", "finger", "fish", "hopper", "humanoid", "humanoid_CMU",
      "lqr", "manipulator", "pendulum", "point_mass", "quadruped", "reacher", "stacker", "swimmer", "walker",
    ])
    func everyModelLoads(_ name: String) throws {
      let model = try SuiteModel("\(name).xml")
      let isFinite = model.start.numbers.allSatisfy(\.isFinite)
      #expect(isFinite)
    }

    @Test func goldenFilesCoverEveryTask() {
      let tasks = Environments.all.filter { $0 is any SuiteTask.Type }.map { $0.id }
        .filter { $0 != MuJoCoCartPoleSwingup.id }  // compared with CartPoleSwingup below
      #expect(tasks.count == 25)
      #expect(Set(tasks) == Set(SuiteGolden.all.map(\.environment)))
    }

    @Test func bothCartPolesAreEqual() {
      var random = Seed(4).stream("actions")
      var (own, suite) = (CartPoleSwingup(), MuJoCoCartPoleSwingup())
      own.state = [0.1, 3, -0.2, 0.4]
      suite.state = own.state
      for _ in 0..<200 {
        let action = [random.uniform(-1, 1)]
        #expect(abs(own.step(action).reward - suite.step(action).reward) < 1e-9)
      }
      for (a, b) in zip(own.observation, suite.observation) { #expect(abs(a - b) < 1e-9) }
    }

    /// The suite's trajectories are of MuJoCo 3.17. Other versions have slightly different physics.
    @Test(arguments: SuiteGolden.all)
    func trajectoriesEqualTheSuite(_ golden: SuiteGolden) throws {
      let isSameVersion = MuJoCoVersion.loaded == "3.17.0"
      func check<E: BuiltInEnvironment>(_ type: E.Type) throws {
        var environment = E()
        try E.validate(state: golden.start)
        environment.state = golden.start
        for (action, reward) in zip(golden.actions, golden.rewards) {
          #expect(abs(environment.step(action).reward - reward) < (isSameVersion ? 1e-12 : 1e-9))
        }
        #expect(E.observationNames.count == golden.observation.count)
        let state = Array(environment.state.prefix(golden.state.count))
        #expect(difference(state, golden.state) < (isSameVersion ? 1e-12 : 1e-7))
        #expect(difference(environment.observation, golden.observation) < (isSameVersion ? 1e-12 : 1e-6))
      }
      try check(try Member(id: golden.environment).type)
    }

    /// Returns the largest difference, relative for numbers above 1.
    private func difference(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .infinity
    }

    /// The result is bit-identical whether or not a simulation was used for other states in between.
    @Test(arguments: SuiteGolden.all) func interleavingChangesNothing(_ golden: SuiteGolden) throws {
      func check<E: BuiltInEnvironment>(_ type: E.Type) throws {
        var (alone, one, other) = (E(), E(), E())
        alone.state = golden.start
        one.state = golden.start
        // Alone, the simulation still holds each state. Interleaved, each state has to be set again.
        let expected = golden.actions.map { alone.step($0) }
        let interleaved = golden.actions.map { action in
          _ = other.step(action.map { -$0 })
          return one.step(action)
        }
        #expect(interleaved == expected)
        #expect(one.state == alone.state)
        #expect(one.observation == alone.observation)
      }
      try check(try Member(id: golden.environment).type)
    }

    @Test func copiesCanBeSteppedInParallel() async {
      var random = Random(seed: Seed(1))
      var start = WalkerWalk()
      start.reset(using: &random)
      let ends = await withTaskGroup(of: [Double].self) { group in
        for _ in 0..<8 {
          group.addTask { [start] in
            var environment = start
            for step in 0..<50 { _ = environment.step([1, -1, 0.5, sin(Double(step)), -0.5, 0.2]) }
            return environment.state
          }
        }
        return await group.reduce(into: Set<[Double]>()) { $0.insert($1) }
      }
      #expect(ends.count == 1)
    }

    @Test func aStoredStateHasTheSameFuture() throws {
      var random = Random(seed: Seed(2))
      var hopper = HopperHop()
      hopper.reset(using: &random)
      for _ in 0..<100 { _ = hopper.step([0.5, -1, 1, 0]) }
      var restored = try JSONDecoder().decode(HopperHop.self, from: JSONEncoder().encode(hopper))
      #expect(restored.observation == hopper.observation, "the touch sensors of the step before are part of the state")
      for _ in 0..<50 {
        let steps = (hopper.step([-1, 1, 0, 1]), restored.step([-1, 1, 0, 1]))
        #expect(steps.0 == steps.1)
      }
      #expect(restored.state == hopper.state)
    }

    @Test func startStatesMatchTheSuite() {
      var random = Random(seed: Seed(3))
      var reacher = ReacherHard()
      var cup = BallInCupCatch()
      var swimmer = Swimmer6()
      var near = 0
      for _ in 0..<200 {
        reacher.reset(using: &random)
        let (x, y) = (reacher.state[4], reacher.state[5])
        let radius = (x * x + y * y).squareRoot()
        #expect(radius >= 0.05 && radius <= 0.2 && abs(reacher.state[1]) <= 160 * .pi / 180)
        cup.reset(using: &random)
        #expect(abs(cup.state[2]) <= 0.2 && cup.state[3] >= 0.2 && cup.state[3] <= 0.5)
        #expect(Array(cup.state[4..<8]) == [0, 0, 0, 0])
        swimmer.reset(using: &random)
        if max(abs(swimmer.state[16]), abs(swimmer.state[17])) <= 0.3 { near += 1 }
      }
      #expect(near > 20 && near < 80, "20% of the targets, and some more by chance")
    }
  }

  @Suite(.enabled(if: hasModels, "needs models: make models")) struct MJCFTests {
    @Test func elementsAreRemoved() throws {
      var source = try MJCF("manipulator.xml")
      #expect(!source.text.contains("<include") && source.text.contains("skybox"))
      try source.remove("body", named: "peg")
      #expect(!source.text.contains("\"pommel\"") && source.text.contains("name=\"target_peg\""))
      #expect(source.text.contains("name=\"slot\""))
      #expect(throws: WorldError.self) { try source.remove("body", named: "peg") }
    }
  }
#endif
