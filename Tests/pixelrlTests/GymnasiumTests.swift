import Core
import Foundation
import Python
import Runs
import Testing

/// The program with a Python process beside it that fails in every way. The small gymnasium of Tests/Games needs no package.
@Suite(.serialized) struct GymnasiumCommandTests {
  private static let games = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../Games").path

  /// A folder where Python finds those games.
  private func withGames(_ body: (Program) throws -> Void) throws {
    try withProgram { program in
      for name in try folderEntries(Self.games) {
        try FileManager.default.copyItem(atPath: "\(Self.games)/\(name)", toPath: "\(program.folder)/\(name)")
      }
      try body(program)
    }
  }

  /// A collection of 60 frames, in which something happens at the 30th.
  private func collection(_ event: String, _ flags: String...) -> [String] {
    [
      "collect", "--env", "gym:games:Lamp-v0?event=\(event)&at=30", "--out", "data", "--collect-steps", "60",
      "--size", "8", "--gym-timeout", "2",
    ] + flags
  }

  /// A training that is stopped after its first data, the 2500 steps of random play.
  private func training(_ out: String) -> [String] {
    [
      "train", "--env", "gym:games:Lamp-v0?event=kill&at=2620", "--observe", "state", "--out", out, "--env-steps",
      "2700", "--hidden", "8", "--batch", "4", "--replay", "3000", "--seed-updates", "1", "--updates-per-step", "0.1",
      "--evaluate-every", "0", "--evaluation-episodes", "2",
    ]
  }

  private static let events = [
    ("error", "ValueError: the lamp is broken"),
    ("exit", "ended with exit code 3; its last lines were\n  the lamp goes out"),
    ("kill", "was ended by signal 9"),
    ("hang", "did not answer within 2.0 s"),
    ("shape", "ValueError: an observation of shape (2,) where its space says (3,)"),
  ]

  @Test(arguments: events) func aFailureIsTheEnd(_ event: String, _ reason: String) throws {
    try withGames { program in
      let outcome = try program.run(collection(event))
      #expect(outcome.code == 1)
      let complaint = "pixelrl: gym:games:Lamp-v0?event=\(event)&at=30: "
      #expect(outcome.error.contains(complaint) && outcome.error.contains(reason), "\(outcome.error)")
      #expect(try pythonsEnd(program))
    }
  }

  @Test(arguments: events) func orTheEpisodesWhereThatIsAsked(_ event: String, _ reason: String) throws {
    try withGames { program in
      let outcome = try program.run(collection(event, "--gym-failure", "truncate"))
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(outcome.error.contains(reason) && outcome.error.contains("Its episode counts as truncated."))
      #expect(outcome.output.contains("62 frames"))
    }
  }

  @Test func aTrainingThatWasStoppedGoesOnToTheBit() throws {
    try withGames { program in
      #expect(try program.run(training("run")).code == 1)
      let resumed = try program("train", "--resume", "run")
      #expect(resumed.code == 0 && resumed.output.contains("goes on from step 2"), "\(resumed.error)")
      // It does not happen a second time: so goes a run without it.
      #expect(try program.run(training("whole")).code == 0)
      let runs = try ["run", "whole"].map { try readBytes(from: "\(program.folder)/\($0)/metrics.jsonl") }
      #expect(runs[0] == runs[1])
      #expect(try pythonsEnd(program))
    }
  }

  @Test func aPictureOfAnotherShapeIsAFailure() throws {
    try withGames { program in
      let outcome = try program("render", "gym:games:Lamp-v0?event=picture&at=3", "--out", "frames")
      #expect(outcome.code == 1)
      #expect(outcome.error.contains("a picture of shape (4, 4, 3) where the first had (20, 44, 3)"))
    }
  }

  /// Also while Python hangs.
  @Test(arguments: ["none", "hang"]) func pythonEndsWithItsParent(_ event: String) throws {
    try withGames { program in
      let process = Process()
      process.executableURL = Program.path
      process.arguments = collection(event, "--collect-steps", "10000000", "--gym-timeout", "1000")
      process.currentDirectoryURL = URL(fileURLWithPath: program.folder)
      (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
      try process.run()
      let sign = "\(program.folder)/\(event == "none" ? "pids" : "happened")"
      for _ in 0..<3000 where !exists(sign) { usleep(20_000) }
      #expect(try !livingPythons(program).isEmpty)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(try pythonsEnd(program))
    }
  }

  @Test(arguments: [
    ("gym:games:Lampe-v0", 64, "Environment `Lampe-v0` doesn't exist."),
    ("gym:", 64, "names no Gymnasium environment: type one such as gym:CartPole-v1"),
    ("gym:nowhere:Lamp-v0", 64, "there is no Python module 'nowhere'"),
    ("gym:games:Odd-v0", 64, "its actions Dict(left, right) are neither Discrete"),
    ("gym:games:Odd-v0?kind=box", 64, "have no bounds"),
    ("gym:games:Switches-v0?count=13", 64, "MultiBinary(13) make 8192 choices together"),
    ("gym:MiniGrid-Empty-5x5-v0", 1, "has no minigrid: "),
    ("gym:MiniGrid-Empty-5x5-v0", 1, "-m pip install minigrid"),
  ])
  func whatCannotBePlayedIsSaid(_ name: String, _ code: Int32, _ message: String) throws {
    try withGames { program in
      let outcome = try program("render", name)
      #expect(outcome.code == code)
      #expect(outcome.error.contains(message), "\(outcome.error)")
    }
  }

  @Test func gymnasiumItselfMayBeMissing() throws {
    try withProgram { program in
      let absent = "raise ModuleNotFoundError(\"No module named 'gymnasium'\", name=\"gymnasium\")"
      try writeAtomically(Array(absent.utf8), to: "\(program.folder)/gymnasium.py")
      let outcome = try program("render", "gym:CartPole-v1")
      #expect(outcome.code == 1)
      #expect(outcome.error.contains("has no gymnasium: ") && outcome.error.contains("-m pip install gymnasium"))
    }
  }

  /// Whether none lives within ten seconds: where a script has started Python, it hears of its parent's end a little later.
  private func pythonsEnd(_ program: Program) throws -> Bool {
    for _ in 0..<500 {
      if try livingPythons(program).isEmpty { return true }
      usleep(20_000)
    }
    return false
  }

  /// The Python processes of a folder that have not ended.
  private func livingPythons(_ program: Program) throws -> [pid_t] {
    let path = "\(program.folder)/pids"
    guard exists(path) else { return [] }
    let numbers = String(decoding: try readBytes(from: path), as: UTF8.self).split(separator: "\n")
    return numbers.compactMap { pid_t($0) }.filter { pid in
      guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
      return !status.contains(") Z ")
    }
  }
}

/// The other way: pixelrl's environments played by Gymnasium's users.
@Suite(
  .enabled(if: Python.has("gymnasium", "numpy"), "needs PIXELRL_PYTHON, a Python with gymnasium: see 'make peers'"))
struct GymnasiumModuleTests {
  private func run(_ script: String, _ arguments: [String] = []) throws -> String {
    var output = ""
    try withProgram { program in
      #expect(try program("gymnasium", "--write", ".").code == 0)
      let path = try #require(Program.path?.path)
      let head = """
        import os, sys, warnings
        sys.path.insert(0, sys.argv[1])
        os.environ["PIXELRL"] = sys.argv[2]
        import gymnasium, numpy, pixelrl_gymnasium

        """
      output = try Python.run(head + script, [program.folder, path] + arguments)
    }
    return output
  }

  @Test(arguments: [
    ["cartpole-swingup", "pixels"], ["cartpole-swingup", "state"], ["catch", "pixels"], ["catch", "state"],
    ["pendulum-swingup", "pixels"],
  ])
  func passesGymnasiumsOwnChecker(_ arguments: [String]) throws {
    let script = """
      from gymnasium.utils.env_checker import check_env
      warnings.simplefilter("error")
      # The checker advises observations within [-1, 1] and the like: advice is no failure.
      warnings.filterwarnings("ignore", message=".*(Box observation space|not within the observation|render_fps).*")
      env = gymnasium.make(f"pixelrl/{sys.argv[3]}-v0", observe=sys.argv[4], render_mode="rgb_array", size=32)
      check_env(env.unwrapped)
      env.close()
      print("passed")
      """
    #expect(try run(script, arguments) == "passed\n")
  }

  @Test func playsAsTheProgramDoes() throws {
    let script = """
      env = gymnasium.make("pixelrl/catch-v0", observe="state", render_mode="rgb_array", size=20, color="gray")
      seen, _ = env.reset(seed=7)
      rewards = []
      for _ in range(9):
          seen, reward, terminated, truncated, info = env.step(2)
          rewards.append(reward)
      print(env.action_space, env.render().shape, rewards[:8], abs(rewards[8]), terminated, truncated, info["steps"])
      try:
          env.unwrapped.step(0)
      except ValueError as error:
          print(error)
      first = [gymnasium.make("pixelrl/cartpole-swingup-v0", time_limit=5, size=16) for _ in range(2)]
      print((first[0].reset(seed=3)[0] == first[1].reset(seed=3)[0]).all(), first[0].observation_space)
      print([first[0].step(first[0].action_space.high)[3] for _ in range(1)], first[0].unwrapped._process.poll())
      process = first[0].unwrapped._process
      first[0].close()
      print(process.poll())
      """
    #expect(
      try run(script) == """
        Discrete(3) (20, 20, 3) [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] 1.0 True False 9
        the episode has terminated: reset before the next step
        True Box(0, 255, (16, 16, 3), uint8)
        [True] None
        0

        """)
  }

  @Test func namesEveryEnvironment() throws {
    let output = try run("print(*[name for name in gymnasium.registry if name.startswith('pixelrl/')])")
    #expect(output.contains("pixelrl/cartpole-swingup-v0") && output.contains("pixelrl/catch-v0"))
  }
}
