import Formats
import Pixels

extension Plot {
  /// Returns the plot as a TikZ picture, which uses the document's font. It corresponds to `svg`, but without the
  /// title, which belongs in a caption. It requires `\usepackage{tikz}` and is 346 pt wide by default.
  public func tikz(width: Int = 480, height: Int = 270) -> LaTeX {
    precondition(width >= 160 && height >= 120, "a plot must have at least 160x120 units, not \(width)x\(height)")
    var plot = self
    plot.title = ""
    return VectorPlot(plot: plot, width: Double(width), height: Double(height)).tikz
  }
}

extension VectorPlot {
  fileprivate var tikz: LaTeX {
    """
    \\begin{tikzpicture}[x=0.72pt,y=-0.72pt,font=\\footnotesize,line cap=round,line join=round]
    \(colors)\\path[use as bounding box] (0,0) rectangle \(coordinates(Point(width, height)));
    \\draw[pixelrlgrid,line width=0.4pt]\(grid);
    \(plot.series.indices.map(strip))\(plot.series.indices.map(stroke))\(margins)\(legend.map(latex))\\end{tikzpicture}

    """
  }

  /// Formats a point as TikZ coordinates.
  private func coordinates(_ point: Point) -> LaTeX {
    LaTeX(stringLiteral: "(\(SVG.length(point.x)),\(SVG.length(point.y)))")
  }

  private func path(_ points: [Point]) -> LaTeX {
    LaTeX(stringLiteral: points.map { coordinates($0).description }.joined(separator: "--"))
  }

  private var colors: LaTeX {
    let theme = PictureTheme.light
    var named = [("grid", theme.grid), ("axis", theme.axis), ("ink", theme.ink)]
    named += plot.series.indices.map { ("\($0)", plot.color(of: $0)) }
    let lines: [LaTeX] = named.map { name, color in
      """
      \\definecolor{pixelrl\(name)}{RGB}{\(Int(color.red)),\(Int(color.green)),\(Int(color.blue))}

      """
    }
    return "\(lines)"
  }

  private var grid: LaTeX {
    let columns = x.ticks.map { path([Point(column($0), top), Point(column($0), bottom)]) }
    let rows = y.ticks.map { path([Point(left, row($0)), Point(right, row($0))]) }
    return "\(columns)\(rows)"
  }

  private func strip(of index: Int) -> LaTeX {
    let corners = band(of: index)
    return corners.isEmpty ? "" : "\\fill[pixelrl\(index),opacity=0.18] \(path(corners))--cycle;\n"
  }

  private func stroke(of index: Int) -> LaTeX {
    let dashes: LaTeX = plot.series[index].isDashed ? ",dash pattern=on 4.3pt off 3.6pt" : ""
    let pieces: [LaTeX] = line(of: index).filter { $0.count > 1 }.map {
      "\\draw[pixelrl\(index),line width=1.1pt\(dashes)] \(path($0));\n"
    }
    let dots: [LaTeX] = dots(of: index).map { dot in
      "\\fill[pixelrl\(index)] \(coordinates(dot.place)) circle[radius=1.5pt];\n"
    }
    return "\(pieces)\(dots)"
  }

  private func node(_ text: String, at point: Point, _ options: LaTeX) -> LaTeX {
    "\\node[inner sep=0pt,\(options)] at \(coordinates(point)) {\(text)};\n"
  }

  /// Replaces the hyphen of a number with a minus sign.
  private func minus(_ number: String) -> String { number.replacing("-", with: "−") }

  private var margins: LaTeX {
    var nodes = zip(x.ticks, x.labels).map { tick, label in
      node(minus(label), at: Point(column(tick), bottom + 15), "anchor=base,text=pixelrlink")
    }
    nodes += zip(y.ticks, y.labels).map { tick, label in
      node(minus(label), at: Point(left - 6, row(tick)), "anchor=east,text=pixelrlink")
    }
    nodes.append(node(plot.xLabel, at: Point((left + right) / 2, height - 5), "anchor=base,text=pixelrlink"))
    nodes.append(
      node(plot.yLabel, at: Point(15, (top + bottom) / 2), "anchor=base,rotate=90,text=pixelrlink"))
    let axes = path([Point(left, top), Point(left, bottom), Point(right, bottom)])
    return "\\draw[pixelrlaxis,line width=0.5pt] \(axes);\n\(nodes)"
  }

  private func latex(of entry: LegendEntry) -> LaTeX {
    let key = path([Point(entry.x, entry.y - 3), Point(entry.x + 18, entry.y - 3)])
    let name = node(
      plot.series[entry.series].name, at: Point(entry.x + 24, entry.y + 1), "anchor=base west,text=pixelrlink")
    return "\\draw[pixelrl\(entry.series),line width=2pt] \(key);\n\(name)"
  }
}
