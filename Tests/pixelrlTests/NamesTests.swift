import Agents
import Autoencoders
import Core
import Environments
import Formats
import Foundation
import Representations
import Runs
import Testing
import Training

@testable import Core
@testable import pixelrl

/// Names from other programs, the Gymnasium module, and the list of environments.
@Suite struct NamesTests {
  @Test func aliasesLeadToExistingNames() {
    let commands = RootCommand.configuration.subcommands.map { $0._commandName }
    let flags = Set(commands.flatMap { RootCommand.flags([$0]) })
    let known = flags.union(commands).union(Agents.all.map { $0.id }).union(Autoencoders.all.map { $0.id })
      .union(Places.all.map(\.id))
    for (theirs, ours) in Aliases.all {
      for name in ours { #expect(known.contains(name), "\(theirs) leads to \(name)") }
    }
    #expect(flags.isSuperset(of: ["learning-rate", "latent", "no-critic-layer-norm", "resume", "notify", "filter"]))
    #expect(
      !RootCommand.flags(["eval"]).contains("learning-rate") && RootCommand.flags(["config", "train"]).contains("tau"))
  }

  @Test func theGymnasiumModuleOverwritesNothing() throws {
    try withProgram { program in
      #expect(try program("gymnasium", "--write", ".").code == 0)
      let path = "\(program.folder)/pixelrl_gymnasium.py"
      let ours = try readBytes(from: path)
      #expect(try program("gymnasium", "--write", ".").code == 0, "it exists already")
      try writeAtomically(ours + Array("# mine\n".utf8), to: path)
      let refused = try program("gymnasium", "--write", ".")
      #expect(refused.code == 64 && refused.error.contains("exists with other contents"))
      #expect(try readBytes(from: path) == ours + Array("# mine\n".utf8))
    }
  }

  @Test func randomReturnsAreKnownOrPlayed() throws {
    try withProgram { program in
      let known = try program("envs", "--json")
      let played = try program("envs", "--json", "--episodes", "1e0", "--seed", "3")
      func returns(_ outcome: Program.Outcome) throws -> [Double] {
        (try JSON(parsing: outcome.lastLine)["environments"]?.array ?? []).compactMap { $0["random_return"]?.double }
      }
      let (declared, other) = (try returns(known), try returns(played))
      #expect(declared.first == Environments.randomReturns[CartPoleSwingup.id])
      #expect(declared.count == other.count && declared != other)
    }
  }
}

/// Completion in bash, with the script that the program prints.
@Suite struct CompletionTests {
  /// Returns the completions of the last word of a line, in a folder with a run and a file.
  private func completions(_ line: String, after: String = "") throws -> [Substring] {
    var found: [Substring] = []
    try withProgram { program in
      let facts = RunDirectory.Facts(
        command: "train", environment: "catch", member: "sac", seed: 0, commandLine: [], version: "0")
      _ = try RunDirectory(at: "\(program.folder)/runs/first", facts, settings: [])
      try writeAtomically([], to: "\(program.folder)/mine.yaml")
      let script = try program("--generate-completion-script", "bash")
      #expect(script.code == 0)
      try writeAtomically(Array(script.output.utf8), to: "\(program.folder)/script")
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      let test = """
        . ./script; \(after)
        COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " "))); COMP_CWORD=\(words.count - 1)
        COMP_LINE='\(line)'; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
        _pixelrl pixelrl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
        """
      let outcome = try program.run(["-c", test], of: URL(fileURLWithPath: "/bin/bash"))
      #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
      found = outcome.output.split(separator: "\n")
    }
    return found
  }

  @Test func commandsFlagsChoicesAndFilesAreCompleted() throws {
    #expect(try completions("pixelrl comp") == ["compare"])
    #expect(try completions("pixelrl train --agent s") == ["sac"])
    #expect(try completions("pixelrl train --learning-r") == ["--learning-rate"])
    #expect(try completions("pixelrl train --env cat") == ["catch"])
    #expect(try completions("pixelrl pretrain-ae --kind key") == ["keypoint"])
    #expect(try completions("pixelrl train --encoder cri") == ["critic-only"])
    #expect(try completions("pixelrl train --config m").contains("mine.yaml"))
    for words in ["report", "watch", "inspect", "eval", "train --autoencoder", "train --resume"] {
      #expect(try completions("pixelrl \(words) r") == ["runs/first"], "\(words)")
    }
  }

  /// Presses Tab in bash at a terminal and reads the completed line.
  @Test func tabCompletesInATerminal() throws {
    try withProgram { program in
      let script = try program("--generate-completion-script", "bash")
      try writeAtomically(Array(script.output.utf8), to: "\(program.folder)/script")
      let python = """
        import os, pty, select, sys, time
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        def read(seconds):
            text, end = b"", time.time() + seconds
            while time.time() < end:
                if select.select([terminal], [], [], 0.1)[0]:
                    text += os.read(terminal, 65536)
            return text.decode()
        read(1)
        os.write(terminal, b". ./script; bind 'set bell-style none'\\n")
        read(2)
        for line in sys.argv[1:]:
            os.write(terminal, line.encode() + b"\\t")
            print(read(2).splitlines()[-1].strip())
            os.write(terminal, b"\\x15")
            read(0.3)
        """
      let lines = ["pixelrl train --agent td", "pixelrl train --env catc", "pixelrl pretrain-ae --kind keyp"]
      let outcome = try program.run(
        ["python3", "-c", python] + lines, of: URL(fileURLWithPath: "/usr/bin/env"))
      let completed = ["--agent td3", "--env catch", "--kind keypoint"]
      for (line, end) in zip(outcome.output.split(separator: "\n"), completed) {
        #expect(line.hasSuffix(end), "\(line)")
      }
      #expect(outcome.output.split(separator: "\n").count == 3, "\(outcome.output) \(outcome.error)")
    }
  }

  /// If the script offers nothing, bash uses its own completion. The shell's options do not change.
  @Test func theShellStaysUnchanged() throws {
    try withProgram { program in
      let script = try program("--generate-completion-script", "bash").output
      try writeAtomically(Array(script.utf8), to: "\(program.folder)/script")
      try writeAtomically(Array("shopt -s nullglob".utf8), to: "\(program.folder)/mine")
      let test = """
        . ./script; complete -p pixelrl; COMP_WORDS=(pixelrl comp) COMP_CWORD=1 COMP_LINE='pixelrl comp' COMP_POINT=12
        shopt -p extglob; _pixelrl pixelrl comp pixelrl; shopt -p extglob; trap -p RETURN; . ./mine; shopt -p nullglob
        """
      let lines = try program.run(["-c", test], of: URL(fileURLWithPath: "/bin/bash")).output.split(separator: "\n")
      #expect(lines.first?.contains("-o bashdefault -o default") == true)
      #expect(lines.dropFirst() == ["shopt -u extglob", "shopt -u extglob", "shopt -s nullglob"])
    }
    #expect(Completion.mended("#compdef pixelrl") == nil)
  }
}
