import Core
import Formats
import Pixels
import Runs

/// The part of a page about a single run, besides its curves: origin, settings and pictures.
struct RunSection {
  let run: RunRecord
  /// The number of evaluations whose reconstructions are shown. With 0, there are no pictures at all.
  private let reconstructionLimit: Int
  private let pictures: Pictures

  /// - Parameter runs: The number of runs on the page. With many runs, fewer pictures are shown to limit the page's
  ///   size.
  init(_ run: RunRecord, among runs: Int = 1) {
    self.run = run
    reconstructionLimit = runs == 1 ? 8 : runs <= 12 ? 2 : 0
    pictures = Pictures(run: run.directory)
  }

  /// All parts, each as a card.
  var cards: Markup {
    guard reconstructionLimit > 0 else {
      let note =
        "Pictures are left out on a page of many runs: pixelrl report \(quoted(run.directory.path)) shows them."
      return #"<p class="note">\#(note)</p>"# + card("Facts", facts) + card("Settings", settings)
    }
    return card(run.command == "pretrain-ae" ? "Autoencoder" : "Observations", observations)
      + (video.map { card("Last evaluation", $0) } ?? "")
      + card("Inspection", inspection) + card("Facts", facts) + card("Settings", settings)
  }

  /// Warnings about a failed run and damaged files.
  var warnings: Markup {
    var warnings: [Markup] = []
    if let failure = run.failure {
      let reason = failure["error"]?.text ?? "\(failure)"
      let step = failure["step"]?.int.map { " (after step \($0))" } ?? ""
      warnings.append(#"<p class="warn" role="alert"><b>This run failed.</b> \#(reason)\#(step)</p>"#)
    }
    warnings += run.problems.map { #"<p class="warn">\#($0)</p>"# }
    return warnings.joined(separator: "\n")
  }

  var chip: Markup { #"<span class="chip \#(run.status.rawValue)">\#(run.status.rawValue)</span>"# }

  var why: Markup {
    run.why.map { #"<p class="why"><b>Why:</b> \#($0)</p>"# }
      ?? #"<p class="why note">No reason was given for this run (<code>--why "…"</code> records one).</p>"#
  }

  /// The command line, the contents of `run.json` and the summary.
  private var facts: Markup {
    let words = (run.facts["command_line"]?.array ?? []).compactMap(\.text)
    let command: Markup = words.isEmpty ? "" : "<pre><code>\(words.map(quoted).joined(separator: " "))</code></pre>"
    let shownElsewhere: Set = ["command", "environment", "member", "command_line", "why", "began"]
    var rows = [("folder", run.directory.path)]
    if let began = run.facts["began"]?.int { rows.append(("began", date(nanoseconds: began))) }
    rows += flattened(.object((run.facts.members ?? []).filter { !shownElsewhere.contains($0.key) }))
    let outcome = flattened(.object((run.summary?.members ?? []).filter { $0.key != "evaluations" }))
    return """
      \(command)
      \(factsTable(rows.map { ($0.0, "\($0.1)") }))
      \(outcome.isEmpty ? "" : fold("Summary", factsTable(outcome.map { ($0.name, "\($0.value)") })))
      """
  }

  /// The state probe, and reconstructions over time.
  private var observations: Markup {
    var parts: [Markup] = []
    let probe = run.probe
    if !probe.isEmpty {
      let rows: [[Markup]] = probe.map { name, r2 in
        let share = min(max(r2 ?? 0, 0), 1) * 100
        return [
          "\(name)", "\(shown(r2))",
          #"<span class="bar" aria-hidden="true"><i style="width:\#(Int(share))%"></i></span>"#,
        ]
      }
      parts.append(
        """
        <h3>State probe</h3>
        \(table(["state", "R²", ""], rows, numeric: [1], caption: "State probe", isWide: false))
        <p class="note">R² on held-out frames: how well a small network predicts the true state from the latents. 1 is \
        perfect.</p>
        """)
    }
    let (grids, count) = pictures.reconstructions(limit: reconstructionLimit)
    if !grids.isEmpty {
      let figures: [Markup] = grids.compactMap { name, step in
        pictures.figure(
          name, caption: "after \(step) \(run.stepName)", alternative: "Reconstructions after \(step) \(run.stepName)")
      }
      let left = count > grids.count ? " \(grids.count) of \(count) evaluations are shown." : ""
      parts.append(
        #"<h3>Reconstructions over time</h3><p class="note">Frames of an evaluation's first episode, their keypoints if there are any, the autoencoder's target, its reconstruction, and the error.\#(left)</p><div class="shots">\#(figures)</div>"#
      )
    }
    for (name, title) in [("reconstructions.png", "Held-out reconstructions"), ("worst.png", "Worst reconstructions")] {
      guard let figure = pictures.figure(name, caption: "\(title)", alternative: title) else { continue }
      parts.append("<h3>\(title)</h3>\(figure)")
    }
    if let video = pictures.figure(
      "film.png", caption: "The first held-out episode frame by frame, with step and reward (an animated PNG).",
      alternative: "Video of reconstructions")
    {
      parts.append("<h3>Video of reconstructions</h3>\(video)")
    }
    return parts.isEmpty ? #"<p class="note">This run has no pictures of its observations.</p>"# : parts.joined()
  }

  /// The results of `pixelrl inspect`: traversals, projections, Q-values against returns.
  private var inspection: Markup {
    let names = pictures.inspections
    let path = run.directory.file("inspection/inspection.json")
    var record: JSON = .null
    var problem: Markup = ""
    if exists(path) {
      do { record = try run.directory.json("inspection/inspection.json") } catch {
        problem = #"<p class="warn">\#("\(error)")</p>"#
      }
    }
    guard !names.isEmpty else {
      let command = "pixelrl inspect \(quoted(run.directory.path))"
      return problem
        + """
        <p class="note"><code>\(command)</code> makes latent traversals, projections of the latents, and a plot of \
        Q-values against observed returns.</p>
        """
    }
    // The record has their order and captions. Pictures that it does not list come last, titled by their file name.
    let described = (record["pictures"]?.array ?? []).compactMap { picture in
      picture["file"]?.text.map { ($0, picture) }
    }
    let known =
      described.filter { names.contains($0.0) }
      + names.filter { name in
        !described.contains { $0.0 == name }
      }.map { ($0, JSON.null) }
    let figures: [Markup] = known.compactMap { name, words in
      let title = words["title"]?.text ?? title(ofPicture: name)
      return pictures.figure("inspection/\(name)", caption: "\(words["caption"]?.text ?? "")", alternative: title)
        .map { "<h3>\(title)</h3>\($0)" }
    }
    let notes: [Markup] = (record["notes"]?.array ?? []).compactMap(\.text).map { #"<p class="note">\#($0)</p>"# }
    let step: Markup = record["step"]?.int.map { #"<p class="note">After \#($0) \#(run.stepName).</p>"# } ?? ""
    return problem + step + figures.joined(separator: "\n") + notes.joined()
  }

  /// `q-and-return.png` as "Q and return".
  private func title(ofPicture name: String) -> String {
    let words = name.dropLast(4).split { "-_".contains($0) }.joined(separator: " ")
    return words.prefix(1).uppercased() + words.dropFirst()
  }

  private var video: Markup? {
    pictures.figure(
      "episode.png", caption: "The first episode of the last evaluation, with deterministic actions (an animated PNG).",
      alternative: "Video of an evaluation episode of \(run.environment)")
  }

  private var settings: Markup {
    let groups: [Markup] = run.settings.map { group in
      let rows = group.entries.map { (name: $0.key, value: "\($0.text)" as Markup) }
      return "<div><h3>\(group.title)</h3>\(factsTable(rows))</div>"
    }
    return groups.isEmpty
      ? #"<p class="note">The settings cannot be read.</p>"# : #"<div class="grid">\#(groups)</div>"#
  }
}

/// The leaves of a JSON value by their path, such as `host processor`. Long texts and lists are shortened.
private func flattened(_ json: JSON, under path: String = "") -> [(name: String, value: String)] {
  func name(_ part: String) -> String { path.isEmpty ? part : "\(path) \(part)" }
  switch json {
  case .null: return []
  case .object(let members): return members.flatMap { flattened($0.value, under: name($0.key)) }
  case .array(let values) where values.count > 12: return [(path, "\(values.count) values")]
  case .array(let values):
    return [(path, values.map { $0.text ?? ($0.double.map { shown($0) } ?? $0.description) }.joined(separator: ", "))]
  case .string(let text): return [(path, text.count > 2000 ? "\(text.prefix(2000))…" : text)]
  case .integer(let bytes) where path.hasSuffix("_bytes"): return [(path, "\(shown(Double(bytes) / 1e9)) GB")]
  // Large numbers, such as nanoseconds, are not grouped in threes.
  case .integer(let number): return [(path, abs(Double(number)) < 1e7 ? shown(Double(number)) : "\(number)")]
  case .number(let number): return [(path, shown(number))]
  case .bool(let value): return [(path, value ? "yes" : "no")]
  }
}

/// Quotes a word of a command line for a shell.
func quoted(_ word: String) -> String {
  let isPlain =
    !word.isEmpty
    && word.unicodeScalars.allSatisfy {
      $0.isASCII
        && ($0.properties.isAlphabetic || $0.properties.numericType != nil || "-_./=:,@%+".unicodeScalars.contains($0))
    }
  return isPlain ? word : "'\(word.replacing("'", with: #"'\''"#))'"
}
