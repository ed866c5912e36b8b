import Core
import Formats

extension Report {
  /// A LaTeX fragment for a paper: a table of the runs, the standard plots, and the ranking of the runs.
  ///
  /// - Parameter plots: The folder of the plots, relative to the including document.
  func latex(plots: String) -> LaTeX {
    let figures: [LaTeX] = standardPlots.map { plot in
      """
      \\begin{figure}[htbp]
        \\centering
        \\resizebox{\\linewidth}{!}{\\input{\\pixelrlplots/\(LaTeX(stringLiteral: plot.name)).tikz}}
        \\caption{\(plot.caption)\(bandNote)}
      \\end{figure}

      """
    }
    return """
      % Made by 'pixelrl report'. \\input this file in a document with \\usepackage{tikz}. If the folder of the plots is
      % elsewhere, define it first: \\newcommand{\\pixelrlplots}{...}
      \\providecommand{\\pixelrlplots}{\(LaTeX(stringLiteral: plots))}
      \(runs.compactMap { run in standing(of: run).map { "\($0).\n" } })
      \\begin{table}[htbp]
        \\centering
        \\begin{tabular}{llrrr}
          \\hline
          run & environment & seed & return & \(groups.stepName) \\\\
          \\hline
      \(runs.map(row))    \\hline
      \(groups.filter { $0.scores.count > 1 }.map(row))  \\end{tabular}
        \\caption{The return of a run is the mean of its last three evaluations, or of all if fewer\(intervalNote)}
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
