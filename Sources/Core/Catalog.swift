import Synchronization

/// The members of a kind, such as all agents: those of this package, and those that another package adds.
///
/// Members are added when a program starts, before anything reads the catalog, because settings, flags and help follow
/// from its members.
public final class Catalog<Member: Sendable>: Sendable {
  private struct Contents {
    var members: [Member]
    var isRead = false
  }

  /// What a member is, such as `agent`.
  private let kind: String
  private let id: @Sendable (Member) -> String
  private let contents: Mutex<Contents>

  /// - Parameters:
  ///   - kind: what a member is, such as `agent`.
  ///   - members: the members of this package, in the order of the help.
  ///   - id: returns a member's name on the command line.
  public init(of kind: String, _ members: [Member], id: @escaping @Sendable (Member) -> String) {
    (self.kind, self.id) = (kind, id)
    contents = Mutex(Contents(members: members))
  }

  /// All members: those of this package, then those that were added. Nothing can be added afterwards.
  public var all: [Member] {
    contents.withLock {
      $0.isRead = true
      return $0.members
    }
  }

  /// Adds a member of another package. Stops with a fatal error if the catalog was read before.
  ///
  /// - Throws: `InputError` if a member has this name already, or if it is not a name.
  public func add(_ member: Member) throws(InputError) {
    let name = id(member)
    guard name.wholeMatch(of: /[a-z][a-z0-9-]*/) != nil else {
      throw InputError("a name has only lowercase letters, digits and hyphens, not '\(name)': rename this \(kind)")
    }
    try contents.withLock { (contents) throws(InputError) in
      precondition(!contents.isRead, "the \(kind) '\(name)' was added too late: add it first in the program")
      guard !contents.members.contains(where: { id($0) == name }) else {
        throw InputError("there is a built-in or added \(kind) '\(name)' already: give this one another name")
      }
      contents.members.append(member)
    }
  }

  /// - Throws: `InputError` that suggests the closest name if the name is unknown.
  public func named(_ name: String) throws(InputError) -> Member {
    guard let member = all.first(where: { id($0) == name }) else {
      throw InputError.unknown(kind, name, known: all.map(id))
    }
    return member
  }
}
