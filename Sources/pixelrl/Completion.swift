/// What the parser's completion script for bash leaves broken.
enum Completion {
  /// The script with its faults mended; nil where a text is no script for bash.
  ///
  /// Where the script has nothing to offer, such as for a file's name, bash completes as it does everywhere. And the trap by
  /// which it puts the shell's options back does so once, not again after each `source` that follows.
  static func mended(_ script: String) -> String? {
    guard script.hasPrefix("#!/bin/bash\n"), script.contains(complete) else { return nil }
    return script.replacing(complete, with: "complete -o bashdefault -o default -o filenames -F ")
      .replacing(trap, with: #"trap "${state//$'\n'/;};trap - RETURN" RETURN"#)
  }

  private static let complete = "complete -o filenames -F "
  private static let trap = #"trap "${state//$'\n'/;}" RETURN"#
}
