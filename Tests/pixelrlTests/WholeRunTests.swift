import Core
import Formats
import Foundation
import Networks
import Runs
import Tensors
import Testing

/// A run directory has all that it needs: it works from another folder, and without the autoencoder's folder.
@Suite struct WholeRunTests {
  /// Runs a command in another working directory.
  private func run(_ program: Program, in folder: String, _ arguments: [String]) throws -> Program.Outcome {
    let path = try #require(Program.path?.path)
    return try program.run(
      ["-c", "cd \"$1\" && shift && exec \"$0\" \"$@\"", path, "\(program.folder)/\(folder)"] + arguments,
      of: URL(fileURLWithPath: "/bin/bash"))
  }

  private func succeed(_ outcome: Program.Outcome) -> String {
    #expect(outcome.code == 0, "\(outcome.error)")
    return outcome.output
  }

  private func remove(_ program: Program, _ names: String...) throws {
    for name in names { try FileManager.default.removeItem(atPath: "\(program.folder)/\(name)") }
  }

  private static let frames = ["--collect-steps", "60"] + quickPretraining

  @Test(arguments: ["frozen", "bursts", "finetune"]) func aTrainingNeedsNothingFromOutside(_ place: String) throws {
    try withProgram { program in
      _ = succeed(try program.run(["pretrain-ae", "--out", "ae"] + Self.frames))
      let train = ["train", "--encoder", place, "--autoencoder", "ae", "--keep-checkpoints", "9"] + quickTraining
      _ = succeed(try program.run(train + ["--out", "run", "--checkpoint-every", "200"]))
      let evaluation = ["--episodes", "1", "--json", "--out"]
      func returns(_ outcome: Program.Outcome) throws -> JSON? {
        _ = succeed(outcome)
        return try JSON(parsing: Array(outcome.lastLine.utf8))["deterministic"]
      }
      let expected = try returns(program.run(["eval", "run"] + evaluation + ["e1"]))
      let run = try RunDirectory(existing: "\(program.folder)/run")
      let facts = try run.json("run.json")
      #expect(facts["autoencoder"]?["kind"]?.text == "keypoint")
      #expect(facts["autoencoder"]?["fingerprint"] == facts["inputs"]?["autoencoder"]?["xxh64"])
      #expect(facts["autoencoder"]?["settings"]?["ae-steps"]?.text == "2")
      #expect(facts["autoencoder"]?["settings"]?["seed"] == nil)
      let recorded = try #require(facts["inputs"]?["autoencoder"]?["absolute_path"]?.text)
      #expect(recorded.hasSuffix("/ae") && recorded.hasPrefix("/"))

      // As if interrupted after the first checkpoint, with the autoencoder removed.
      let copy = "\(program.folder)/cut"
      try FileManager.default.copyItem(atPath: run.path, toPath: copy)
      try remove(program, "ae", "cut/summary.json")
      let checkpoints = try folderEntries("\(copy)/checkpoints")
      #expect(checkpoints.count > 3)
      for name in checkpoints.dropFirst() { try remove(program, "cut/checkpoints/\(name)") }
      try makeFolder("\(program.folder)/else/where")
      let resumed = try self.run(program, in: "else/where", ["train", "--resume", "../../cut"])
      #expect(succeed(resumed).contains("resuming from step"))
      for name in ["metrics.jsonl", "agent.safetensors"] {
        let isTheSame = try readBytes(from: run.file(name)) == readBytes(from: "\(copy)/\(name)")
        #expect(isTheSame, "\(name)")
      }

      let elsewhere = ["eval", "../../run"] + evaluation + ["e2"]
      #expect(try returns(self.run(program, in: "else/where", elsewhere)) == expected)
      _ = succeed(
        try self.run(program, in: "else/where", ["inspect", "../../run", "--episodes", "1", "--frames", "2"]))
      let collect = ["collect", "--policy-run", "../../run", "--collect-steps", "90", "--size", "32", "--out", "d"]
      _ = succeed(try self.run(program, in: "else/where", collect))
      let probe = ["probe", "../../run", "--dataset", "d"]
      #expect(!succeed(try self.run(program, in: "else/where", probe)).contains("ceiling"))
      let ceiling = succeed(try self.run(program, in: "else/where", probe + ["--ceiling", "--updates", "2"]))
      #expect(ceiling.contains("ceiling") && ceiling.contains("fraction"), "\(ceiling)")
    }
  }

  /// A run is reproduced from its settings file in another folder, with its own copy of the autoencoder.
  @Test func aRunIsReproducedFromAnotherFolder() throws {
    try withProgram { program in
      _ = succeed(try program.run(["pretrain-ae", "--out", "ae"] + Self.frames))
      _ = succeed(try program.run(["train", "--autoencoder", "ae", "--out", "run"] + quickTraining))
      try makeFolder("\(program.folder)/else")
      let again = try self.run(program, in: "else", ["train", "--config", "../run/settings.yaml", "--out", "again"])
      #expect(succeed(again).contains("ae does not exist: using ../run/autoencoder instead"))
      let weights = try ["run", "else/again"].map { try readBytes(from: "\(program.folder)/\($0)/agent.safetensors") }
      #expect(weights[0] == weights[1])

      // A changed copy is an error.
      let path = "\(program.folder)/run/autoencoder/autoencoder.safetensors"
      var file = try Safetensors(contentsOf: path)
      file.metadata.append((key: "note", value: "changed"))
      try file.write(to: path)
      let damaged = try program("eval", "run")
      #expect(damaged.code == 1 && damaged.error.contains("run/autoencoder/autoencoder.safetensors: is damaged"))
      #expect(!program.has("run/evaluations"))
    }
  }

  /// Runs of earlier versions have no copy of the autoencoder and record only its path.
  @Test func olderRunsUseTheirAutoencodersPath() throws {
    try withProgram { program in
      _ = succeed(try program.run(["pretrain-ae", "--out", "ae"] + Self.frames))
      _ = succeed(try program.run(["train", "--autoencoder", "ae", "--out", "run"] + quickTraining))
      try remove(program, "run/autoencoder")
      let path = "\(program.folder)/run/run.json"
      let text = String(decoding: try readBytes(from: path), as: UTF8.self)
      let old = text.replacing(/"absolute_path": "[^"]*",/, with: "")
      #expect(old != text)
      try writeAtomically(Array(old.utf8), to: path)
      _ = succeed(try program("eval", "run", "--episodes", "1"))
      _ = succeed(try program("train", "--resume", "run"))
      try FileManager.default.moveItem(atPath: "\(program.folder)/ae", toPath: "\(program.folder)/moved")
      let gone = try program("eval", "run")
      #expect(gone.code == 1 && gone.error.contains("its autoencoder ae is missing, and the run has no copy"))
      let found = try program("train", "--resume", "run", "--autoencoder", "moved")
      #expect(succeed(found).contains("run has finished already"))
      try remove(program, "moved")
    }
  }

  @Test func nonFiniteWeightsAreErrorsWithTheirPath() throws {
    try withProgram { program in
      let train = ["train", "--env", "catch", "--observe", "state", "--out", "run", "--env-steps", "2600"]
      _ = succeed(
        try program.run(
          train + ["--hidden", "8", "--batch", "8", "--seed-updates", "1", "--replay", "4000"]
            + ["--updates-per-step", "0.1", "--evaluation-episodes", "1"]))
      let path = "\(program.folder)/run/agent.safetensors"
      var file = try Safetensors(contentsOf: path)
      let (name, shape) = (file.tensors[0].name, file.tensors[0].value.shape)
      for value in [Double.nan, -.infinity] {
        file.tensors[0].value = Tensor(repeating: value, shape)
        try file.write(to: path)
        for command in ["eval", "inspect"] {
          let outcome = try program(command, "run")
          #expect(outcome.code == 1 && outcome.error.contains("run/agent.safetensors: the tensor \(name) has"))
        }
      }
      #expect(!program.has("run/evaluations") && !program.has("run/inspection"))
    }
  }

  /// The files of a run must not control the terminal.
  @Test func controlCharactersAreEscaped() throws {
    try withProgram { program in
      try makeFolder("\(program.folder)/run")
      let json =
        #"{"command":"tr\u001b[31main","environment":"catch","member":"dqn","seed":"1","command_line":[],"#
        + #""version":"1","began":1,"why":"\u001b[2Jx"}"#
      try writeAtomically(Array(json.utf8), to: "\(program.folder)/run/run.json")
      for command in ["eval", "inspect", "runs"] {
        let outcome = try program(command, command == "runs" ? "." : "run")
        #expect(!(outcome.output + outcome.error).contains("\u{1b}"), "\(command)")
        #expect((outcome.output + outcome.error).count > 5)
      }
    }
  }

  @Test func resumingWithOtherThreadsWarns() throws {
    try withProgram { program in
      let train = ["train", "--env", "catch", "--observe", "state", "--out", "run", "--env-steps", "2600"]
      _ = succeed(
        try program.run(
          train + ["--hidden", "8", "--batch", "8", "--seed-updates", "1", "--replay", "4000"]
            + ["--updates-per-step", "0.1", "--evaluation-episodes", "1"]))
      #expect(!succeed(try program("train", "--resume", "run")).contains("threads"))
      try remove(program, "run/summary.json")
      let path = "\(program.folder)/run/run.json"
      let text = String(decoding: try readBytes(from: path), as: UTF8.self)
      try writeAtomically(Array(text.replacing(/"count": \d+/, with: "\"count\": 77").utf8), to: path)
      #expect(succeed(try program("train", "--resume", "run")).contains("the run began with 77 threads"))
    }
  }

  /// Reaching the limit on open files is an error at any point.
  @Test func tooManyOpenFilesAreAnError() throws {
    try withProgram { program in
      let path = try #require(Program.path?.path)
      let train =
        "train --env catch --observe state --env-steps 2600 --hidden 8 --batch 8 --replay 4000"
        + " --seed-updates 1 --updates-per-step 0.1 --evaluation-episodes 1 --out run"
      var failures = 0
      for limit in [5, 7, 9, 11, 13] {
        let outcome = try program.run(
          ["-c", "ulimit -n \(limit) && exec \"$0\" \(train)\(limit)", path], of: URL(fileURLWithPath: "/bin/bash"))
        #expect([0, 1].contains(outcome.code), "\(limit): \(outcome.code) \(outcome.error)")
        if outcome.code == 1 { failures += 1 }
        #expect(outcome.code == 0 || outcome.error.contains("Too many open files"), "\(outcome.error)")
      }
      #expect(failures > 0)
    }
  }
}
