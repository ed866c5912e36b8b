import Core
import Formats

/// A self-contained HTML page. Its content security policy forbids all requests and scripts, except the script that
/// refreshes a live page from its own server.
struct Page {
  var title: String
  var body: Markup
  /// The refresh interval of a live page in seconds; nil for a static page.
  var refresh: Int?

  /// The tag that identifies a page of this program.
  static let mark = #"<meta name="generator" content="pixelrl">"#

  var html: Markup {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    \(Markup(stringLiteral: Self.mark))
    <meta http-equiv="Content-Security-Policy" content="\(policy)">
    \(refresh.map { #"<noscript><meta http-equiv="refresh" content="\#($0)"></noscript>"# as Markup } ?? "")
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(title)</title>
    <style>\(PageStyle.sheet)</style>
    </head>
    <body>
    \(body)
    \(refresh.map { #"<script src="live.js" data-period="\#($0)"></script>"# as Markup } ?? "")
    </body>
    </html>

    """
  }

  private var policy: Markup {
    let own: Markup = refresh == nil ? "" : "; script-src 'self'; connect-src 'self'"
    return "default-src 'none'; img-src data:; style-src 'unsafe-inline'\(own)"
  }
}

/// A table: a row of headers, then rows whose first cell is the row's header.
///
/// - Parameter numeric: The columns with numbers, which are right-aligned.
func table(_ headers: [String], _ rows: [[Markup]], numeric: Set<Int> = [], caption: String, isWide: Bool = true)
  -> Markup
{
  func alignment(_ column: Int) -> Markup { numeric.contains(column) ? #" class="n""# : "" }
  let head: [Markup] = headers.enumerated().map { #"<th scope="col"\#(alignment($0))>\#($1)</th>"# }
  let body: [Markup] = rows.map { row in
    let cells: [Markup] = row.enumerated().map { column, cell in
      column == 0 ? #"<th scope="row">\#(cell)</th>"# : #"<td\#(alignment(column))>\#(cell)</td>"#
    }
    return "<tr>\(cells)</tr>\n"
  }
  let width: Markup = isWide ? #" class="wide""# : ""
  return """
    <div class="scroll" role="region" aria-label="\(caption)" tabindex="0"><table\(width)>
    <thead><tr>\(head)</tr></thead>
    <tbody>
    \(body)</tbody></table></div>
    """
}

/// A picture that fills the window when it is clicked or selected with the space bar, and shrinks at the next click. It
/// is a check box, without a script.
///
/// - Parameters:
///   - width, height: The size in CSS pixels. The enlarged picture is at least as large.
///   - name: The description for screen readers.
func enlargeable(_ picture: Markup, width: Int, height: Int, named name: String) -> Markup {
  """
  <label class="zoom" style="--w:\(width);--h:\(height)"><input type="checkbox" aria-label="\(name), large">\(picture)</label>
  """
}

/// A table of facts with a name and a value each.
func factsTable(_ facts: [(name: String, value: Markup)]) -> Markup {
  let rows: [Markup] = facts.map { #"<tr><th scope="row">\#($0.name)</th><td>\#($0.value)</td></tr>"# }
  return #"<table class="facts"><tbody>\#(rows)</tbody></table>"#
}

/// A card with the settings in which groups differ, a column for each group.
func differencesCard(_ groups: [String], _ differences: DifferingSettings) -> Markup {
  guard !differences.rows.isEmpty else { return "" }
  let rows: [[Markup]] = differences.rows.map { row in ["\(row.name)"] + row.values.map { "\($0)" } }
  return card(
    "Settings that differ", table(["setting"] + groups, rows, caption: "Settings that differ"))
}

/// A section that can be folded.
func fold(_ title: String, isOpen: Bool = false, _ content: Markup) -> Markup {
  "<details\(isOpen ? " open" : "")><summary>\(title)</summary>\n\(content)\n</details>\n"
}

func card(_ title: String, _ content: Markup) -> Markup {
  #"<section class="card"><h2>\#(title)</h2>\#n\#(content)\#n</section>\#n"#
}
