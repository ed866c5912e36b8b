import Agents
import Autoencoders
import Core
import Environments
import Representations
import Testing
import Training

/// Every default of a task is a setting that there is, with a value that it takes.
struct TaskDefaultsTests {
  @Test(arguments: TaskDefaults.all.keys.sorted())
  func areSettings(_ task: String) throws {
    for (title, settings) in TaskDefaults.of(task) {
      for (key, text) in settings {
        let takers = try Self.groups(title).map { try take($0, key, text) }
        #expect(takers.contains(true), "\(task): no group of '\(title)' has --\(key)")
      }
    }
  }

  @Test func anotherTaskHasNone() { #expect(TaskDefaults.of("no such task").isEmpty) }

  @Test func aGroupStartsFromThem() throws {
    let cheetah: CollectionSettings = try TaskDefaults.group(of: "cheetah-run")
    let other: CollectionSettings = try TaskDefaults.group(of: "catch")
    #expect(cheetah.steps == 4000 && other == CollectionSettings())
  }

  private static func groups(_ title: String) throws -> [any SettingsGroup.Type] {
    switch title {
    case "environment": return [EpisodeSettings.self]
    case "collection": return [CollectionSettings.self]
    case "pretraining": return [PretrainingSettings.self]
    case "encoder": return [EncoderSettings.self] + Autoencoders.all.map { type($0) }
    case "training": return [TrainingSettings.self]
    case "agent": return Agents.all.map { type($0) }
    default: throw InputError("'\(title)' is no title of a settings file")
    }
    func type<A: Agent>(_ agent: A.Type) -> any SettingsGroup.Type { A.Settings.self }
    func type<M: Autoencoder>(_ kind: M.Type) -> any SettingsGroup.Type { M.Settings.self }
  }

  private func take<Group: SettingsGroup>(_ group: Group.Type, _ key: String, _ text: String) throws -> Bool {
    guard let field = Group.fields.first(where: { $0.key == key }) else { return false }
    var values = Group()
    try field.set(&values, text)
    return true
  }
}
