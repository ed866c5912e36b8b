import Core
import Testing

/// Checks that each field returns the value it was set to, changes nothing else, and rejects values outside its domain.
func checkFields<Group: SettingsGroup>(_ type: Group.Type) throws {
  #expect(Set(Group.fields.map(\.key)).count == Group.fields.count)
  let defaults = Group()
  for field in Group.fields {
    #expect(!field.help.isEmpty)
    let text = field.text(defaults)
    var same = defaults
    try field.set(&same, text)
    #expect(
      same.record.map(\.text) == defaults.record.map(\.text), "the default of \(field.key) must be in its domain")

    let numbers = Double(text).map { [$0 - 1, $0 / 2, $0 * 2, $0 + 1].map(\.text) } ?? []
    for value in numbers + field.choices + (field.isSwitch ? ["true", "false"] : []) {
      var changed = defaults
      // Out of range.
      do { try field.set(&changed, value) } catch is InputError { continue }
      #expect(field.text(changed) == value)
      for other in Group.fields where other.key != field.key {
        #expect(other.text(changed) == other.text(defaults), "\(field.key) sets \(other.key) too")
      }
    }
    for wrong in ["", "nonsense", "nan"] where field.domain != "text" && !field.choices.contains(wrong) {
      var group = defaults
      #expect(throws: InputError.self) { try field.set(&group, wrong) }
    }
  }
}
