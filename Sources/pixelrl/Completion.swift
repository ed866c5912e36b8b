import ArgumentParser

extension CompletionKind {
  /// The runs below `runs/`.
  static let runs = CompletionKind.shellCommand("pixelrl runs --paths 2>/dev/null")
}

/// Repairs the parser's completion script for bash.
enum Completion {
  /// The repaired script; nil if a text is not a script for bash.
  ///
  /// If the script has nothing to offer, bash completes file names as usual. The trap that restores the shell's options
  /// runs once, not again after each later `source`.
  static func mended(_ script: String) -> String? {
    guard script.hasPrefix("#!/bin/bash\n"), script.contains(complete) else { return nil }
    return script.replacing(complete, with: "complete -o bashdefault -o default -o filenames -F ")
      .replacing(trap, with: #"trap "${state//$'\n'/;};trap - RETURN" RETURN"#)
  }

  private static let complete = "complete -o filenames -F "
  private static let trap = #"trap "${state//$'\n'/;}" RETURN"#
}
