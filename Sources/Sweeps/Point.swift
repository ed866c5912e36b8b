import Core
import Formats

/// One run of a sweep: an environment, an arm and a seed; or a pretraining or dataset that such runs share.
public struct Point: Sendable, Hashable {
  /// The command that makes it.
  public enum Command: String, Sendable, CaseIterable {
    case train
    case pretrain = "pretrain-ae"
    case collect

    /// The file that its folder has when it is done.
    var record: String { self == .collect ? "manifest.json" : "summary.json" }
  }

  public let index: Int
  /// The xxHash64 of its resolved settings, in 16 hexadecimal digits.
  public let hash: String
  public let command: Command
  public let environment: String
  /// The arm, or the name of a shared autoencoder or dataset.
  public let arm: String
  public let seed: UInt64
  /// The points that it waits for, by the setting that names their folder.
  public let needs: [Need]
  /// The step at which it ends; nil if it does not count steps.
  public let steps: Int?
  public let threads: Int

  public struct Need: Sendable, Hashable {
    /// `autoencoder` or `dataset`.
    public let key: String
    public let index: Int

    public init(key: String, index: Int) { (self.key, self.index) = (key, index) }
  }

  public init(
    index: Int, hash: String, command: Command, environment: String, arm: String, seed: UInt64, needs: [Need] = [],
    steps: Int? = nil, threads: Int = 1
  ) {
    (self.index, self.hash, self.command, self.environment) = (index, hash, command, environment)
    (self.arm, self.seed, self.needs, self.steps, self.threads) = (arm, seed, needs, steps, threads)
  }

  /// `00017`
  public static func number(_ index: Int) -> String {
    let digits = String(index)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  /// The name of its folder: its index and its hash, so that a changed setting is another folder.
  public var name: String { "\(Self.number(index))-\(hash)" }

  /// The file of its settings in the sweep's folder.
  public var settings: String { "points/\(Self.number(index)).yaml" }

  /// Its folder in the sweep's folder.
  public var run: String { "runs/\(name)" }

  /// `catch, latents, seed 3`
  public var title: String {
    let kind = command == .train ? "" : command == .pretrain ? "autoencoder " : "dataset "
    return "\(environment), \(kind)\(arm), seed \(seed)"
  }
}

extension Point {
  var json: JSON {
    [
      "index": .integer(index), "hash": .string(hash), "command": .string(command.rawValue),
      "environment": .string(environment), "arm": .string(arm), "seed": JSON(whole: seed),
      "needs": .object(needs.map { .init($0.key, .integer($0.index)) }),
      "steps": steps.map { .integer($0) } ?? .null, "threads": .integer(threads),
    ]
  }

  init?(_ json: JSON) {
    guard let index = json["index"]?.int, let hash = json["hash"]?.text, hash.count == 16,
      hash.allSatisfy(\.isHexDigit), let command = json["command"]?.text.flatMap(Command.init(rawValue:)),
      let environment = json["environment"]?.text, let arm = json["arm"]?.text, let seed = json["seed"]?.whole
    else { return nil }
    let needs = (json["needs"]?.members ?? []).compactMap { need in
      need.value.int.map { Need(key: need.key, index: $0) }
    }
    self.init(
      index: index, hash: hash, command: command, environment: environment, arm: arm, seed: seed, needs: needs,
      steps: json["steps"]?.int, threads: json["threads"]?.int ?? 1)
  }
}
