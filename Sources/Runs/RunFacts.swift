import Core
import Formats
import Tensors

extension RunDirectory {
  /// The contents of `run.json`: what identifies a run, and why it was made.
  public struct Facts: Sendable, Hashable {
    /// `train`
    public var command: String
    public var environment: String
    /// The agent, or the autoencoder if there is no agent.
    public var member: String
    public var seed: UInt64
    /// The words of the command line, including the program's name.
    public var commandLine: [String]
    public var version: String
    /// The user's reason for the run; empty if none was given.
    public var why: String
    /// The folders that the run was made from, besides its settings.
    public var inputs: [Input]
    /// The agent's autoencoder, by which reports compare runs: `{"fingerprint": "9f…", "kind": "keypoint", "settings":
    /// {"ae-steps": "2500", …}}`. Has all settings of its pretraining except the seed, the dataset and the
    /// environment's.
    public var autoencoder: JSON
    /// The OpenGL implementation that rendered the frames; nil if the program's own renderer did.
    public var openGL: String?
    /// The version of MuJoCo's library, on which the physics depend; nil if the program has none.
    public var muJoCo: String?
    /// The number of compute threads; nil if a run does not record it.
    public var threads: Int?
    /// Nanoseconds since 1970.
    public var began: Int

    public init(
      command: String, environment: String, member: String, seed: UInt64, commandLine: [String], version: String,
      why: String = "", inputs: [Input] = [], autoencoder: JSON = .null, openGL: String? = nil,
      muJoCo: String? = nil
    ) {
      self.command = command
      self.environment = environment
      self.member = member
      self.seed = seed
      self.commandLine = commandLine
      self.version = version
      self.why = why
      self.inputs = inputs
      self.autoencoder = autoencoder
      self.openGL = openGL
      self.muJoCo = muJoCo
      threads = Threads.count
      began = nanoseconds()
    }
  }

  /// A folder that a run was made from, with its fingerprint.
  public struct Input: Sendable, Hashable {
    /// `autoencoder`
    public let name: String
    /// The path as given, which may be relative to the working directory.
    public let path: String
    /// The absolute path; nil if an earlier version did not record it.
    public let absolutePath: String?
    public let fingerprint: UInt64

    public init(name: String, path: String, absolutePath: String? = nil, fingerprint: UInt64) {
      (self.name, self.path, self.absolutePath, self.fingerprint) = (name, path, absolutePath, fingerprint)
    }

    /// The existing paths where it may be now, the most likely one first.
    public var places: [String] { [absolutePath, path].compactMap(\.self).filter(exists) }

    /// Whether it has the same name and contents, regardless of the path.
    public func isSame(as other: Input) -> Bool { name == other.name && fingerprint == other.fingerprint }
  }
}

extension RunDirectory.Facts {
  /// The contents of `run.json`, with the current facts of the machine, the libraries and the working directory.
  var json: JSON {
    [
      "command": .string(command), "environment": .string(environment), "member": .string(member),
      "seed": JSON(whole: seed), "why": .string(why), "command_line": .array(commandLine.map { .string($0) }),
      "version": .string(version), "began": .integer(began),
      "inputs": .object(
        inputs.map {
          .init(
            $0.name,
            [
              "path": .string($0.path), "absolute_path": $0.absolutePath.map { .string($0) } ?? .null,
              "xxh64": .string(String($0.fingerprint, radix: 16)),
            ])
        }),
      "autoencoder": autoencoder, "opengl": openGL.map { .string($0) } ?? .null,
      "git": GitState.of(".")?.json ?? .null, "threads": threads.map { Host.threads($0) } ?? .null,
      "libraries": Host.libraries(muJoCo: muJoCo), "host": Host.facts,
    ]
  }

  init?(_ json: JSON) {
    guard let command = json["command"]?.text, let environment = json["environment"]?.text,
      let member = json["member"]?.text, let seed = json["seed"]?.whole,
      let words = json["command_line"]?.array, let version = json["version"]?.text, let began = json["began"]?.int
    else { return nil }
    let inputs = (json["inputs"]?.members ?? []).compactMap { member -> RunDirectory.Input? in
      guard let path = member.value["path"]?.text,
        let fingerprint = member.value["xxh64"]?.text.flatMap({ UInt64($0, radix: 16) })
      else { return nil }
      return RunDirectory.Input(
        name: member.key, path: path, absolutePath: member.value["absolute_path"]?.text, fingerprint: fingerprint)
    }
    self.init(
      command: command, environment: environment, member: member, seed: seed, commandLine: words.compactMap(\.text),
      version: version, why: json["why"]?.text ?? "", inputs: inputs, autoencoder: json["autoencoder"] ?? .null,
      openGL: json["opengl"]?.text, muJoCo: json["libraries"]?["mujoco"]?.text)
    self.began = began
    threads = json["threads"]?["count"]?.int
  }
}

/// The git state of a folder.
struct GitState: Sendable, Hashable {
  let commit: String
  /// Whether a tracked file differs from the commit.
  let isDirty: Bool

  /// Returns nil if the folder is not in a repository, or git is missing or slow. Results do not depend on it.
  static func of(_ folder: String) -> GitState? {
    func git(_ arguments: String...) -> ChildProcess.Outcome? {
      try? ChildProcess.run(["git", "-C", folder] + arguments, limit: .seconds(2))
    }
    guard let found = git("rev-parse", "HEAD"), found.status == 0, let changes = git("diff", "--quiet", "HEAD", "--")
    else { return nil }
    let commit = found.output.filter { !$0.isWhitespace }
    return commit.isEmpty ? nil : GitState(commit: commit, isDirty: changes.status != 0)
  }

  var json: JSON { ["commit": .string(commit), "dirty": .bool(isDirty)] }
}
