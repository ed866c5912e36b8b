/// Text of a LaTeX document. As with `Markup`, a string that is interpolated is escaped.
struct LaTeX: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
  let description: String

  init(stringLiteral text: String) { description = text }
  init(stringInterpolation pieces: StringInterpolation) { description = pieces.text }

  struct StringInterpolation: StringInterpolationProtocol {
    var text = ""

    init(literalCapacity: Int, interpolationCount: Int) {}
    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ latex: LaTeX) { text += latex.description }
    mutating func appendInterpolation(_ parts: [LaTeX]) { for part in parts { text += part.description } }
    mutating func appendInterpolation(_ string: String) { text += escaped(string) }
    mutating func appendInterpolation(_ number: Int) { text += String(number) }
  }
}

/// What TeX gives a meaning is spelled out; a character that pdfLaTeX has no sign for in its usual fonts becomes `?`.
private func escaped(_ text: String) -> String {
  var result = ""
  var last: Unicode.Scalar = " "
  for scalar in text.unicodeScalars {
    defer { last = scalar }
    switch scalar {
    case "\\": result += #"\textbackslash{}"#
    case "^": result += #"\textasciicircum{}"#
    case "~": result += #"\textasciitilde{}"#
    case "{", "}", "#", "$", "%", "&", "_": result += "\\\(scalar)"
    case "<": result += #"\textless{}"#
    case ">": result += #"\textgreater{}"#
    case "|": result += #"\textbar{}"#
    // Two of them would become one other sign.
    case "-" where last == scalar, "," where last == scalar: result += "{\(scalar)}"
    // So would these with others; and \\ takes what begins with [ or * as its argument.
    case "'", "`", "!", "?", "[", "]", "*": result += "{\(scalar)}"
    case "\"": result += "{''}"
    case "–": result += "--"
    case "—": result += "---"
    case "−": result += "$-$"
    case "\t", "\n", "\r": result += " "
    case "²": result += "$^2$"
    case " "..."\u{7E}": result.unicodeScalars.append(scalar)
    case "À"..."ÿ" where !"ÐðÞþ×÷".unicodeScalars.contains(scalar): result.unicodeScalars.append(scalar)
    default: result += "?"
    }
  }
  return result
}

extension Report {
  /// A fragment for a paper: the runs as a table, the standard plots, and where the run stands.
  ///
  /// - Parameter plots: the folder of the plots, as the including document sees it.
  func latex(plots: String) -> LaTeX {
    let figures: [LaTeX] = standardPlots.map { plot in
      """
      \\begin{figure}[htbp]
        \\centering
        \\includegraphics[width=\\linewidth]{\\pixelrlplots/\(LaTeX(stringLiteral: plot.name)).png}
        \\caption{\(plot.caption)\(bandNote)}
      \\end{figure}

      """
    }
    return """
      % Made by 'pixelrl report'. In a document with \\usepackage{graphicx}, \\input this file; where the folder of plots
      % lies elsewhere, \\newcommand{\\pixelrlplots}{...} before.
      \\providecommand{\\pixelrlplots}{\(LaTeX(stringLiteral: plots))}
      \(runs.compactMap { run in standing(of: run).map { "\($0).\n" } })
      \\begin{table}[htbp]
        \\centering
        \\begin{tabular}{llrrr}
          \\hline
          run & environment & seed & return & env steps \\\\
          \\hline
      \(runs.map(row))    \\hline
      \(groups.filter { $0.scores.count > 1 }.map(row))  \\end{tabular}
        \\caption{The return of a run is the mean of its last three evaluations, or of as many as it has\(intervalNote)}
      \\end{table}

      \(figures)
      """
  }

  private func row(_ run: RunRecord) -> LaTeX {
    "    \(run.name) & \(run.environment) & \(run.seed) & \(shown(run.score)) & \(shown(run.lastStep)) \\\\\n"
  }

  private func row(_ group: RunGroup) -> LaTeX {
    let estimate = bootstrap.estimate([group.scores]) { Aggregate.interquartileMean($0) }
    return """
          \(group.name), IQM of \(group.scores.count) & \(group.environment) & & \(shown(estimate.value)) & \
      (\(shown(estimate.interval))) \\\\

      """
  }

  private var isOfSeeds: Bool { groups.contains { $0.runs.count > 1 } }
  private var bandNote: LaTeX {
    isOfSeeds ? ". Interquartile mean over seeds with a 95\\,\\% bootstrap band" : ""
  }
  private var intervalNote: LaTeX {
    isOfSeeds ? "; IQM is the interquartile mean over seeds, with its 95\\,\\% bootstrap interval" : ""
  }
}
