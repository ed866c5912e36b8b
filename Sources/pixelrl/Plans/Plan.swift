import Core

/// All settings of a command, resolved and checked: what `pixelrl config` prints and a run records.
protocol Plan {
  /// The groups, in the order of the settings file.
  var groups: [any SettingsGroup] { get }
}

/// The settings of a command that creates a run.
protocol RunPlan: Plan {
  func run(_ options: RunOptions) throws
}
