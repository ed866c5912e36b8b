import Formats
import Foundation
import Pixels
import Testing

@testable import Plots

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct PlotSVGTests {
  private func isXML(_ markup: Markup) -> Bool { XMLParser(data: Data(markup.description.utf8)).parse() }

  @Test func svgIsValidXMLForAnyNames() {
    let name = "<a href='x'>\"&]]>\u{0}\u{8}"
    let plot = Plot(
      title: name, xLabel: name, yLabel: name,
      series: [.init(name, [Point(0, 1), Point(1, .nan), Point(2, 1e300), Point(3, -.infinity), Point(4, 2)])])
    #expect(isXML(plot.svg()) && isXML(plot.svg(width: 160, height: 120)))
    #expect(!plot.svg().description.contains("nan") && !plot.svg().description.contains("inf"))
    let rows = IntervalPlot(title: name, xLabel: name, rows: [.init(name, 1, 0...2)])
    #expect(isXML(rows.svg()) && isXML(IntervalPlot(title: "", xLabel: "", rows: []).svg()))
    #expect(isXML(Plot(title: "", xLabel: "", yLabel: "", series: []).svg()))
  }

  @Test func pointsThatAreNotFiniteInterruptTheLine() {
    let plot = Plot(
      title: "", xLabel: "", yLabel: "",
      series: [.init("", [Point(0, 0), Point(1, 1), Point(2, .nan), Point(3, 1), Point(4, 0)])])
    let line = plot.svg().description.matches(of: #/class="line[^>]*d="([^"]*)"/#).map { $0.1 }
    #expect(line.count == 1)
    #expect(line[0].count { $0 == "M" } == 2 && line[0].count { $0 == "L" } == 2)
  }

  @Test func svgHasAxesBandsAndColours() {
    let plot = Plot(
      title: "t", xLabel: "x", yLabel: "y",
      series: [
        .init("one", [Point(0, 0), Point(10, 4)], band: [-1...1, 3...5]),
        .init("two", [Point(0, 1), Point(10, 2)], color: .red),
      ])
    let svg = plot.svg(width: 900, height: 550).description
    for label in plot.axes(ticks: 10, 10).y.labels { #expect(svg.contains(">\(label)</text>"), "\(label)") }
    #expect(svg.contains(Color.blue.hexadecimal) && svg.contains(Color.red.hexadecimal))
    #expect(svg.count(of: "<polygon") == 1 && svg.count(of: "<circle") == 4)
    #expect(svg.contains("one: 4 at 10"))
    #expect(Color(1, 160, 255).hexadecimal == "#01a0ff")
  }
}

@Suite struct PlotTikZTests {
  private let plot = Plot(
    title: "t", xLabel: "env steps", yLabel: #"50% \end{x} #_&"#,
    series: [
      .init("a_b", [Point(0, 0), Point(10, 4), Point(12, .nan), Point(13, 1e300), Point(14, -1)], band: []),
      .init("~^{", [Point(0, -1), Point(10, 2)], band: [-3...1, 0...3]),
    ])

  /// Special characters of TeX are escaped, and braces are balanced.
  @Test func textIsEscaped() {
    let tikz = plot.tikz().description
    #expect(tikz.contains(#"{a\_b}"#) && tikz.contains(##"50\% \textbackslash{}end\{x\} \#\_\&"##))
    #expect(!tikz.contains("nan") && !tikz.contains("inf") && !tikz.contains("1e"))
    let bare = tikz.replacing(#"\{"#, with: "").replacing(#"\}"#, with: "")
    #expect(bare.count { $0 == "{" } == bare.count { $0 == "}" })
    #expect(tikz.contains("{$-$2}") && !tikz.contains("{t}"), "a minus sign, and no title")
  }

  @Test func tikzHasTheSameBandsAndDotsAsSVG() {
    let (tikz, svg) = (plot.tikz().description, plot.svg(width: 480, height: 270).description)
    #expect(tikz.count(of: #"\fill[pixelrl1,opacity"#) == 1 && tikz.count(of: "circle[") == svg.count(of: "<circle"))
    #expect(tikz.contains(#"\definecolor{pixelrl0}{RGB}{47,108,191}"#))
    #expect(tikz.hasPrefix(#"\begin{tikzpicture}"#) && tikz.hasSuffix("\\end{tikzpicture}\n"))
    #expect(tikz == plot.tikz().description)
  }
}

extension String {
  fileprivate func count(of part: String) -> Int { components(separatedBy: part).count - 1 }
}
