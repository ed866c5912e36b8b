import Core
import Formats
import Pixels

/// How pictures became the frames of a dataset: the part of its manifest that `pixelrl import` writes.
public struct ImportedPictures: Sendable, Hashable {
  /// The path of the pictures, as the user named it.
  public var source: String
  /// What they were, such as `120 PNG or JPEG files`.
  public var kind: String
  /// How pictures became frames with other proportions.
  public var fit: PictureFit
  /// Of every so many pictures, the first was taken.
  public var every: Int
  /// The sizes of the pictures, such as `640x480`, the smallest first.
  public var sizes: [String]
  /// The names of a state's values; empty if the states are unknown.
  public var stateNames: [String]
  /// The space of the actions, which has dimension 0 if there are none.
  public var actionSpace: ActionSpace

  public init(
    source: String, kind: String, fit: PictureFit, every: Int, sizes: [String], stateNames: [String],
    actionSpace: ActionSpace
  ) {
    (self.source, self.kind, self.fit, self.every) = (source, kind, fit, every)
    (self.sizes, self.stateNames, self.actionSpace) = (sizes, stateNames, actionSpace)
  }

  /// What the names of imported pictures begin with, which stand where others have the name of an environment.
  public static let prefix = "import:"

  /// The name that stands for an environment, which there is none of: `import:film.mp4`.
  public var environment: String {
    var path = source[...]
    while path.hasSuffix("/") && path.count > 1 { path.removeLast() }
    return "\(Self.prefix)\(split(String(path)).name)"
  }

  var json: JSON {
    return [
      "source": .string(source), "kind": .string(kind), "fit": .string(fit.text), "every": .integer(every),
      "sizes": .array(sizes.map(JSON.string)), "state_names": .array(stateNames.map(JSON.string)),
      "actions": actionSpace.json,
    ]
  }

  /// - Throws: `InputError` if a part is missing or invalid.
  init(_ json: JSON) throws {
    func texts(_ key: String) -> [String]? { json[key]?.array.map { $0.compactMap(\.text) } }
    guard let source = json["source"]?.text, let kind = json["kind"]?.text,
      let fit = json["fit"]?.text.flatMap({ PictureFit(text: $0) }), let every = json["every"]?.int, every > 0,
      let sizes = texts("sizes"), let stateNames = texts("state_names"), Set(stateNames).count == stateNames.count
    else { throw InputError("has no valid \"imported\"") }
    (self.source, self.kind, self.fit, self.every) = (source, kind, fit, every)
    (self.sizes, self.stateNames) = (sizes, stateNames)
    guard let actions = json["actions"].flatMap({ ActionSpace($0) }) else {
      throw InputError("has no valid \"actions\" in \"imported\"")
    }
    actionSpace = actions
  }
}
