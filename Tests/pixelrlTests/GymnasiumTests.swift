import Core
import Foundation
import Python
import Runs
import Testing

/// The program with Python environments that fail in various ways. The small gymnasium in Tests/Games needs no
/// packages.
@Suite(.serialized) struct GymnasiumCommandTests {
  private static let games = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../Games").path

  /// Calls `body` with a folder in which Python finds these games.
  private func withGames(_ body: (Program) throws -> Void) throws {
    try withProgram { program in
      for name in try folderEntries(Self.games) {
        try FileManager.default.copyItem(atPath: "\(Self.games)/\(name)", toPath: "\(program.folder)/\(name)")
      }
      try body(program)
    }
  }

  /// A collection of 60 frames in which an event happens at step 30.
  private func collection(_ event: String, _ flags: String...) -> [String] {
    [
      "collect", "--env", "gym:games:Lamp-v0?event=\(event)&at=30", "--out", "data", "--collect-steps", "60",
      "--size", "8", "--gym-timeout", "2",
    ] + flags
  }

  /// A training that is killed after the initial 2500 steps of random play.
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
    ("kill", "was killed by signal 9"),
    ("hang", "did not answer within 2.0 s"),
    ("shape", "ValueError: an observation has shape (2,), but its space has (3,)"),
    ("fork", "ended with exit code 3; its last lines were\n  the lamp goes out"),
    ("garbage", "did not answer within 2.0 s"),
    ("word", "TypeError: the reward 'much' is not a single number"),
  ]

  @Test(arguments: events) func aFailureEndsTheCommand(_ event: String, _ reason: String) throws {
    try withGames { program in
      let outcome = try program.run(collection(event))
      #expect(outcome.code == 1)
      #expect(try processes("children", of: program).allSatisfy { !isAlive($0) })
      let message = "pixelrl: gym:games:Lamp-v0?event=\(event)&at=30: "
      #expect(outcome.error.contains(message) && outcome.error.contains(reason), "\(outcome.error)")
      #expect(try pythonsEnd(program))
    }
  }

  @Test(arguments: events) func aFailureTruncatesTheEpisodeIfRequested(_ event: String, _ reason: String) throws {
    try withGames { program in
      let outcome = try program.run(collection(event, "--gym-failure", "truncate"))
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(outcome.error.contains(reason) && outcome.error.contains("The episode ends without this step."))
      #expect(outcome.output.contains("62 frames"))
      // A start and 29 steps, then a start and the other 31 steps. The failed step of the first episode is missing.
      let data = try FrameDataset(path: "\(program.folder)/data")
      #expect(data.episodes == [Int64](repeating: 0, count: 30) + [Int64](repeating: 1, count: 32))
    }
  }

  /// A reset that fails is repeated. If it fails again, no step follows the observation that stands for the missing one.
  @Test(arguments: [1, 2]) func aFailedResetStartsNoEpisodeFromZeros(_ times: Int) throws {
    try withGames { program in
      let outcome = try program(
        "collect", "--env", "gym:games:Dud-v0?at=4&times=\(times)", "--out", "data", "--collect-steps", "60", "--size",
        "8", "--time-limit", "10", "--gym-failure", "truncate")
      #expect(outcome.code == 0 && outcome.error.contains("ValueError: the lamp does not light"), "\(outcome.error)")
      let data = try FrameDataset(path: "\(program.folder)/data")
      let missing = (0..<data.count).filter { data.states[$0].allSatisfy { $0 == 0 } }
      #expect(missing.count == times - 1 && missing.allSatisfy { !data.isFollowed($0) }, "\(missing)")
    }
  }

  @Test func anEnvironmentThatAlwaysFailsEndsTheRun() throws {
    try withGames { program in
      let source = try String(contentsOfFile: "\(program.folder)/games.py", encoding: .utf8)
      let always = source.replacing(" and not os.path.exists(\"happened\")", with: "")
      try writeAtomically(Array(always.utf8), to: "\(program.folder)/games.py")
      let name = "gym:games:Lamp-v0?event=error&at=1"
      let outcome = try program(
        "collect", "--env", name, "--out", "data", "--collect-steps", "60", "--size", "8", "--gym-failure", "truncate")
      #expect(outcome.code == 1 && outcome.error.contains("failed 5 times in a row"), "\(outcome.error)")
    }
  }

  @Test func aRewardInAnArrayOfOneIsAccepted() throws {
    try withGames { program in
      let outcome = try program.run(collection("array"))
      #expect(outcome.code == 0, "\(outcome.error)")
    }
  }

  @Test(arguments: [
    ("nan", "the reward of gym:games:Lamp-v0?event=nan&at=30 is nan at step 30 of episode 1: "),
    (
      "observation",
      "the observation 'observation-1' of gym:games:Lamp-v0?event=observation&at=30 is inf at step 30 of episode 1: "
    ),
  ])
  func nonFiniteValuesAreErrors(_ event: String, _ message: String) throws {
    try withGames { program in
      let name = "gym:games:Lamp-v0?event=\(event)&at=30"
      for command in [
        collection(event), ["train", "--env", name, "--observe", "state"],
        ["pretrain-ae", "--env", name] + quickPretraining,
      ] {
        let outcome = try program.run(command)
        #expect(outcome.code == 1 && outcome.error.contains("pixelrl: \(message)"), "\(outcome.error)")
        #expect(!outcome.error.contains("learning rate"))
        try FileManager.default.removeItem(atPath: "\(program.folder)/happened")
      }
      // Without initial random play: while the agent plays.
      let ppo = try program(
        "train", "--env", name, "--observe", "state", "--agent", "ppo", "--env-steps", "50", "--horizon", "40",
        "--hidden", "8", "--evaluate-every", "0")
      let ofAgent = message.replacing(
        " of episode 1: ", with: ", step 30 of its episode, as returned by the environment")
      #expect(ppo.code == 1 && ppo.error.contains(ofAgent), "\(ppo.error)")
      try FileManager.default.removeItem(atPath: "\(program.folder)/happened")
      // While the random player is evaluated.
      let measured = try program("train", "--env", name, "--observe", "state", "--agent", "ppo", "--env-steps", "50")
      let ofRandomPlayer = message.replacing(" of episode 1: ", with: " of episode 1 of random play: ")
      #expect(measured.code == 1 && measured.error.contains(ofRandomPlayer), "\(measured.error)")
    }
  }

  /// Three frames take two steps: the third, which fails here, is not taken.
  @Test func renderingTakesNoStepAfterTheLastFrame() throws {
    try withGames { program in
      let name = "gym:games:Lamp-v0?event=error&at=3"
      let outcome = try program("render", name, "--frames", "3", "--out", "three")
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(try program("render", name, "--frames", "4", "--out", "four").code == 1)
    }
  }

  @Test func actionMasksCauseOneWarning() throws {
    try withGames { program in
      let outcome = try program.run(collection("mask", "--fit", "crop"))
      #expect(outcome.code == 0 && outcome.errors.count == 1)
      #expect(outcome.error.contains("returns action masks, which are ignored"))
    }
  }

  /// Pictures that lose their proportions cause one line, and an encoder fits only frames made in the same way.
  @Test func howPicturesAreFittedIsSaidAndRecorded() throws {
    try withGames { program in
      let env = ["--env", "gym:games:Lamp-v0", "--collect-steps", "60"]
      let said = "gym:games:Lamp-v0 draws 44x20, which is stretched to 32x32: use --size 36x16"
      let stretched = try program.run(["collect", "--size", "32", "--out", "stretched"] + env)
      #expect(stretched.code == 0 && stretched.errors.count { $0.contains(said) } == 1, "\(stretched.error)")
      for flags in [["--size", "36x16"], ["--size", "32", "--fit", "letterbox"]] {
        let fitted = try program.run(["collect", "--out", "\(flags.count)"] + flags + env)
        #expect(fitted.code == 0 && !fitted.error.contains("stretched"), "\(fitted.error)")
      }
      let (wide, barred) = (
        try FrameDataset(path: "\(program.folder)/2"), try FrameDataset(path: "\(program.folder)/4")
      )
      #expect(
        wide.width == 36 && wide.height == 16 && wide.manifest.settings.contains(.init(key: "size", text: "36x16")))
      #expect(barred.manifest.settings.contains(.init(key: "fit", text: "letterbox")))
      #expect(barred.frame(0).bytes[..<(8 * 32 * 3)].allSatisfy { $0 == 0 })
      for (folder, flags, advice) in [
        ("4", ["--size", "32"], "4 was collected with --fit letterbox, but this run uses --fit stretch"),
        ("stretched", ["--size", "32", "--fit", "crop"], "with --fit stretch, but this run uses --fit crop"),
        ("2", ["--size", "16x36"], "2 was collected with --size 36x16, but this run uses --size 16x36"),
      ] {
        let other = try program.run(
          ["pretrain-ae", "--env", "gym:games:Lamp-v0", "--dataset", folder, "--out", "no"] + flags)
        #expect(other.code == 64 && other.error.contains(advice), "\(other.error)")
      }
      let recorded = try program(
        "train", "--env", "gym:games:Lamp-v0", "--observe", "state", "--dataset", "2", "--life-loss")
      #expect(
        recorded.code == 64 && recorded.error.contains("--life-loss has no effect with --dataset"), "\(recorded.error)")
      let useless = try program("collect", "--env", "catch", "--fit", "crop")
      #expect(useless.code == 64 && useless.error.contains("--fit has no effect in catch"), "\(useless.error)")
    }
  }

  @Test func environmentsWithoutFramesAreForTheTrueStateOnly() throws {
    try withGames { program in
      let name = "gym:games:Switches-v0"
      for command in [["render", name], ["collect", "--env", name], ["pretrain-ae", "--env", name]] {
        let outcome = try program.run(command)
        #expect(outcome.code == 1 && outcome.error.contains("cannot draw frames"), "\(outcome.error)")
      }
      #expect(try folderEntries(program.folder).allSatisfy { !["runs", "datasets"].contains($0) })
    }
  }

  // MARK: - Processes

  /// The environment starts processes, which must end with the run.
  @Test(arguments: ["end", "kill", "terminate"]) func childProcessesEndWithTheRun(_ end: String) throws {
    try withGames { program in
      let flags = "--out data --size 8 --collect-steps \(end == "end" ? 50 : 10_000_000)"
      let path = try #require(Program.path?.path)
      // The launcher ignores signals. The environment's processes must not.
      let script =
        "cd '\(program.folder)'; trap '' HUP USR2; exec '\(path)' collect --env gym:games:Household-v0 \(flags)"
      let process = try startProgram(
        ["/bin/sh", "-c", script + " >/dev/null 2>&1"], environment: ProcessInfo.processInfo.environment, files: [])
      if end != "end" {
        for _ in 0..<3000 where try processes("children", of: program).count < 3 { usleep(20_000) }
        usleep(300_000)
        #expect(try processes("children", of: program).filter(isAlive).count == 3)
        for python in try processes("pids", of: program) {
          let line = try String(contentsOfFile: "/proc/\(python)/cmdline", encoding: .utf8)
          #expect(
            line.utf8.count < 300 && line.contains("games:Household-v0"), "the Python source is not on the command line"
          )
        }
        kill(process, end == "kill" ? SIGKILL : SIGTERM)
      }
      _ = waitpid(process, nil, 0)
      // Unless it was killed, the program ends these processes before it ends itself.
      if end == "kill" { #expect(try pythonsEnd(program)) }
      for _ in 0..<500 where try end != "end" && processes("children", of: program).contains(where: isAlive) {
        usleep(20_000)
      }
      #expect(try processes("children", of: program).count == 3)
      #expect(try processes("children", of: program).allSatisfy { !isAlive($0) })
      #expect(try processes("closed", of: program) == processes("pids", of: program), "each is closed, once")
      let signals = try String(contentsOfFile: "\(program.folder)/signals", encoding: .utf8)
      for line in signals.split(separator: "\n") {
        let bits = try #require(UInt64(line.split(separator: "\t")[1], radix: 16))
        // Signals from 32 on are the C library's.
        #expect(bits & 0x7fff_ffff == 0, "\(line)")
      }
    }
  }

  @Test func aResumedTrainingHasTheSameMetrics() throws {
    try withGames { program in
      #expect(try program.run(training("run")).code == 1)
      let resumed = try program("train", "--resume", "run")
      #expect(resumed.code == 0 && resumed.output.contains("resuming from step 2"), "\(resumed.error)")
      // The event does not happen a second time, so this run is not interrupted.
      #expect(try program.run(training("whole")).code == 0)
      let runs = try ["run", "whole"].map { try readBytes(from: "\(program.folder)/\($0)/metrics.jsonl") }
      #expect(runs[0] == runs[1])
      #expect(try pythonsEnd(program))
    }
  }

  @Test func aFrameOfAnotherShapeIsAnError() throws {
    try withGames { program in
      let outcome = try program("render", "gym:games:Lamp-v0?event=picture&at=3", "--out", "frames")
      #expect(outcome.code == 1)
      #expect(outcome.error.contains("a picture has shape (4, 4, 3), but the first had (20, 44, 3)"))
    }
  }

  /// Python ends even if it hangs.
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
    ("gym:", 64, "is not a Gymnasium environment: use a name such as gym:CartPole-v1"),
    ("gym:nowhere:Lamp-v0", 64, "there is no Python module 'nowhere'"),
    ("gym:games:Odd-v0", 64, "its actions Dict(left, right) are not Discrete"),
    ("gym:games:Odd-v0?kind=box", 64, "have no bounds"),
    ("gym:games:Odd-v0?kind=whole", 64, "have no bounds"),
    ("gym:games:Odd-v0?kind=none", 64, "are empty: there is nothing to choose"),
    ("gym:games:Odd-v0?kind=huge", 64, "more than the 65536 choices"),
    ("gym:games:Lamp-v0?max_episode_steps=3", 64, "leave out max_episode_steps and render_mode: use --time-limit"),
    ("CartPole-v1", 64, "unknown environment 'CartPole-v1': use gym:CartPole-v1 for the Gymnasium environment"),
    ("ALE/Pong-v5", 64, "use gym:ALE/Pong-v5 for the Gymnasium environment"),
    ("games:Lamp-v0", 64, "use gym:games:Lamp-v0 for the Gymnasium environment"),
    ("cartpole", 64, "did you mean 'cartpole-"),
    ("gym:games:Switches-v0?count=13", 64, "MultiBinary(13) have 8192 combinations"),
    ("gym:MiniGrid-Empty-5x5-v0", 1, "has no minigrid: "),
    ("gym:MiniGrid-Empty-5x5-v0", 1, "-m pip install minigrid"),
  ])
  func environmentsThatCannotRunAreErrors(_ name: String, _ code: Int32, _ message: String) throws {
    try withGames { program in
      let outcome = try program("render", name)
      #expect(outcome.code == code)
      #expect(outcome.error.contains(message), "\(outcome.error)")
    }
  }

  @Test func aMissingGymnasiumIsAnError() throws {
    try withProgram { program in
      let absent = "raise ModuleNotFoundError(\"No module named 'gymnasium'\", name=\"gymnasium\")"
      try writeAtomically(Array(absent.utf8), to: "\(program.folder)/gymnasium.py")
      let outcome = try program("render", "gym:CartPole-v1")
      #expect(outcome.code == 1)
      #expect(outcome.error.contains("has no gymnasium: ") && outcome.error.contains("-m pip install gymnasium"))
    }
  }

  /// Whether all Python processes end within 30 seconds. One that hangs has 10 seconds to close its environment.
  private func pythonsEnd(_ program: Program) throws -> Bool {
    for _ in 0..<1500 {
      if try livingPythons(program).isEmpty { return true }
      usleep(20_000)
    }
    return false
  }

  /// The Python processes of a folder that are still running.
  private func livingPythons(_ program: Program) throws -> [pid_t] {
    try processes("pids", of: program).filter(isAlive)
  }

  /// The process IDs in a file of a folder.
  private func processes(_ file: String, of program: Program) throws -> [pid_t] {
    let path = "\(program.folder)/\(file)"
    guard exists(path) else { return [] }
    return String(decoding: try readBytes(from: path), as: UTF8.self).split(separator: "\n").compactMap { pid_t($0) }
  }

  private func isAlive(_ process: pid_t) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
    return !status.contains(") Z ")
  }
}

/// The program with the real emulator.
@Suite(
  .enabled(if: Python.has("gymnasium", "ale_py"), "needs PIXELRL_PYTHON, a Python with ale-py: see 'make readers'"))
struct AtariCommandTests {
  /// The emulator's continuous actions are other ones than those that pixelrl chooses from.
  @Test func continuousActionsAreRefused() throws {
    try withProgram { program in
      let outcome = try program("render", "gym:ALE/Pong-v5?continuous=true")
      #expect(outcome.code == 64, "\(outcome.error)")
      #expect(outcome.error.contains("plays ALE/Pong-v5 with discrete actions: leave out continuous"))
    }
  }
}

/// The other direction: pixelrl's environments in Gymnasium.
@Suite(
  .enabled(if: Python.has("gymnasium", "numpy"), "needs PIXELRL_PYTHON, a Python with gymnasium: see 'make readers'"))
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
      # The checker recommends observations within [-1, 1] and the like. This is no error.
      warnings.filterwarnings("ignore", message=".*(Box observation space|not within the observation|render_fps).*")
      env = gymnasium.make(f"pixelrl/{sys.argv[3]}-v0", observe=sys.argv[4], render_mode="rgb_array", size="48x32")
      check_env(env.unwrapped)
      env.close()
      print("passed")
      """
    #expect(try run(script, arguments) == "passed\n")
  }

  /// The encoder that is exported and the one that is served give the same latents, and the exported policy plays on
  /// them.
  @Test(.enabled(if: Python.has("onnxruntime"), "onnxruntime")) func exportedModelsPlay() throws {
    let script = """
      from gymnasium.utils.env_checker import check_env
      import json, subprocess, onnxruntime
      def pixelrl(*words):
          return subprocess.run([sys.argv[2], *words], check=True, capture_output=True, text=True, cwd=sys.argv[1]).stdout
      pixelrl("pretrain-ae", "--env", "catch", "--size", "24x16", "--collect-steps", "200", "--ae-steps", "20", "--out", "ae")
      pixelrl("train", "--latent", "--autoencoder", "ae", "--env", "catch", "--size", "24x16", "--env-steps", "300",
              "--hidden", "8", "--seed-updates", "10", "--evaluate-every", "0", "--evaluation-episodes", "2", "--out", "run")
      pixelrl("export", "run", "--onnx")
      models = [onnxruntime.InferenceSession(f"{sys.argv[1]}/run/onnx/{name}.onnx") for name in ("encoder", "policy")]
      print(sorted(models[1].get_modelmeta().custom_metadata_map))
      env = gymnasium.make(
          "pixelrl/catch-v0", observe="latent", autoencoder=sys.argv[1] + "/ae", render_mode="rgb_array")
      check_env(env.unwrapped, skip_render_check=True)
      server = subprocess.Popen(
          [sys.argv[2], "serve", "--policy", "run"], cwd=sys.argv[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
      def ask(request, frame=b""):
          server.stdin.write(json.dumps(request).encode() + b"\\n" + frame)
          server.stdin.flush()
          return json.loads(server.stdout.readline())
      facts = json.loads(server.stdout.readline())
      def latent():
          return models[0].run(None, {"frames": env.render()[None]})[0][0]
      worst = 0
      for seed in range(5):
          observation, _ = env.reset(seed=seed)
          assert ask({"op": "begin"}) == {}
          latents, actions, done = [latent()] * 3, [numpy.zeros(3, numpy.float32)] * 2, False
          while not done:
              differences = [2 * (latents[0] - latents[1]), 2 * (latents[1] - latents[2])]
              worst = max(worst, abs(observation - numpy.concatenate([latents[0]] + differences + actions)).max())
              action, chosen = models[1].run(
                  None, {"latents": numpy.stack(latents)[None], "past_actions": numpy.stack(actions)[None]})
              frame = env.render().tobytes()
              assert ask({"op": "act", "bytes": len(frame)}, frame) == {"action": [float(action[0, 0])]}
              observation, reward, done, _, _ = env.step(int(action[0, 0]))
              latents, actions = [latent()] + latents[:2], [chosen[0]] + actions[:1]
      print(observation.shape, observation.dtype, bool(worst < 1e-4))
      print(facts)
      print(ask({"op": "act", "bytes": 3}, b"abc"), ask({"op": "act", "state": [1]}), ask({"op": "sing"}), sep="\\n")
      server.stdin.close()
      print(server.wait())
      """
    #expect(
      try run(script, []) == """
        ['action', 'agent', 'env_steps', 'environment', 'latents', 'past_actions', 'policy_action']
        (102,) float32 True
        {'environment': 'catch', 'height': 16, 'width': 24, 'channels': 3, 'bytes': 1152, 'count': 3}
        {'error': 'a frame has 1152 bytes, 16 x 24 x 3, not 3'}
        {'error': 'this agent observes frames: send "bytes" and a frame'}
        {'error': '"op" takes "begin" or "act"'}
        0

        """)
  }

  /// Gymnasium allows any size of seed, pixelrl 63 bits.
  @Test func takesSeedsOfAnySize() throws {
    let script = """
      env = gymnasium.make("pixelrl/cartpole-swingup-v0", observe="state")
      starts = [env.reset(seed=seed)[0].tolist() for seed in (5, 2**63 + 5, 2**63 - 1, 2**64 - 1, 6)]
      print(starts[0] == starts[1], starts[2] == starts[3], starts[0] == starts[2], starts[0] == starts[4])
      """
    #expect(try run(script) == "True True False False\n")
  }

  @Test func playsLikeTheProgram() throws {
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

  /// A process ends with its environment and does not receive keyboard interrupts.
  @Test func processesEndWithTheirEnvironments() throws {
    let script = """
      import copy, pickle, random, signal
      def count():
          children = open(f"/proc/self/task/{os.getpid()}/children").read().split()
          return sum(b"serve" in open(f"/proc/{child}/cmdline", "rb").read() for child in children)
      for _ in range(5):
          env = gymnasium.make("pixelrl/catch-v0", observe="state")
          env.reset(seed=1)
          del env
      print("left", count())
      env = gymnasium.make("pixelrl/catch-v0", observe="state", time_limit=5)
      env.reset(seed=1)
      env.step(0)
      for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env)), copy.copy(env.unwrapped)):
          assert other.unwrapped.spec == env.unwrapped.spec and other.unwrapped._process.pid != env.unwrapped._process.pid
          assert other.unwrapped._arguments == env.unwrapped._arguments
          first = other.reset(seed=3)[0]
          assert (first == env.reset(seed=3)[0]).all()
          assert (other.step(2)[0] == env.step(2)[0]).all()
      del other
      print("left", count())
      # A keyboard interrupt reaches all processes of a terminal, even in the middle of an answer.
      signal.signal(signal.SIGINT, signal.default_int_handler)
      signal.pthread_sigmask(signal.SIG_SETMASK, [])
      signal.signal(signal.SIGALRM, lambda *_: os.kill(0, signal.SIGINT))
      caught = 0
      seen = []
      while caught < 200:
          try:
              signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.005))
              while True:
                  seen.append(env.reset(seed=4)[0].tolist())
                  seen.append(env.step(1)[0].tolist())
          except KeyboardInterrupt:
              caught += 1
      print("interrupted", caught, len(set(map(str, seen))), env.unwrapped._process.poll())
      closed = env.unwrapped
      env.close()
      env.close()
      try:
          closed.step(0)
      except RuntimeError as error:
          print(error)
      print("left", count())
      """
    #expect(
      try run("os.setpgid(0, 0)\n" + script) == """
        left 0
        left 1
        interrupted 200 2 None
        the environment is closed: create a new one
        left 0

        """)
  }

  @Test func registersEveryEnvironment() throws {
    let output = try run("print(*[name for name in gymnasium.registry if name.startswith('pixelrl/')])")
    #expect(output.contains("pixelrl/cartpole-swingup-v0") && output.contains("pixelrl/catch-v0"))
  }
}
