import Core
import Formats
import Foundation
import Pixels
import Runs
import Testing

@testable import Reports

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct ReportTests {
  /// If every text of a run is an attack, its page has no tag, script or control character from them.
  @Test(arguments: [
    "<script>alert(1)</script>", #""><img src=x onerror=alert(1)>"#, "' onload='x", "]]><b>", "</style><i>",
    "&lt;\u{1}\u{0}",
    "\u{202E}txt", "{{x}} ${y} `z`",
  ])
  func textsOfARunAreEscaped(_ attack: String) throws {
    try RunFolder.with { folder in
      let run = try run(of: attack, in: folder)
      let page = Report(of: [run]).html()
      // A harmless word instead makes the same tags.
      #expect(tags(of: page) == tags(of: Report(of: [try self.run(of: "word", in: folder)]).html()))
      #expect(!page.contains("<script") && !page.contains("]]>"))
      #expect(!page.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0 == "\u{202E}" })
      #expect(page.contains("\(Markup(escaping: attack))"))
      for file in try Report(of: [run]).write(to: folder.root + "/page.html") where file.hasSuffix(".svg") {
        let parser = XMLParser(data: Data(try readBytes(from: file)))
        #expect(parser.parse(), "\(file) is not XML")
      }
    }
  }

  /// A run in which every text is `text`.
  private func run(of text: String, in folder: RunFolder) throws -> RunDirectory {
    try folder.run(
      "run " + text.replacing("/", with: "").replacing("\u{0}", with: ""), environment: text, member: text, why: text,
      settings:
        "agent:\n  key: \(JSON.string(text.filter { $0 != "\u{0}" }).description.replacing("&", with: #"\u0026"#))\n",
      files: [
        "metrics.jsonl": #"{"step":1,"# + "\(JSON.string(text)):1}\n" + #"{"step":2,"evaluation/return":null}"# + "\n",
        "summary.json": JSON.object([.init(text, .string(text)), .init("probe", [.string(text)])]).description,
        "failure.json": JSON.object([.init("error", .string(text))]).description,
        "episode.png": text,
      ])
  }

  /// The tags of a page in order, with the names of their attributes.
  private func tags(of page: String) -> [String] {
    page.matches(of: #/<([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-z:-]+(?:="[^"]*")?)*)/#).map { match in
      "\(match.1)" + match.2.matches(of: #/([a-z:-]+)="/#).map { " \($0.1)" }.joined()
    }
  }

  @Test func thePageIsSelfContained() throws {
    try RunFolder.with { folder in
      let page = Report(of: [try folder.run("a", returns: [1, 2, 3])]).html(refreshEvery: 5)
      #expect(page.contains("default-src 'none'") && page.contains(#"http-equiv="refresh" content="5""#))
      #expect(!page.replacing("http://www.w3.org/2000/svg", with: "").contains("http://") && !page.contains("https://"))
      #expect(!Report(of: [try folder.run("b")]).html().contains("http-equiv=\"refresh\""))
    }
  }

  @Test func damagedPartsAreReported() throws {
    try RunFolder.with { folder in
      let run = try folder.run(
        "a", returns: [1, 2],
        files: [
          "settings.yaml": "[[[", "summary.json": "{", "episode.png": "no picture", "worst.png": "",
          "metrics.jsonl": "{\"step\":1,\"loss\":1}\nnonsense\n{\"step\":2,\"step\":3}\n{\"step\":4,\"loss\":2}\n{\"st",
        ])
      let page = Report(of: [run]).html()
      #expect(page.contains("summary.json") && page.contains("settings.yaml"))
      #expect(page.contains("2 of 4 lines are damaged (line 2, 3)"))
      #expect(page.contains("episode.png cannot be shown") && page.contains("worst.png cannot be shown"))
      #expect(page.contains("pixelrl inspect"))
      try writeAtomically(Array("{".utf8), to: run.file("run.json"))
      #expect(Report(of: [run]).html().contains("unknown environment"))
    }
  }

  @Test func picturesAreEmbedded() throws {
    try RunFolder.with { folder in
      let run = try folder.run("a", returns: [1])
      let frame = PixelBuffer(width: 8, height: 4)
      for step in 0..<20 {
        try PNG.write(
          frame, to: run.file("reconstructions-\(String(repeating: "0", count: step < 10 ? 7 : 6))\(step).png"))
      }
      try makeFolder(run.file("inspection"))
      try PNG.write(frame, to: run.file("inspection/q-against-returns.png"))
      try PNG.write(frame, to: run.file("inspection/a.png"))
      let record = #"{"pictures":[{"file":"../x.png","title":"no"},{"file":"a.png","title":"<A>","caption":"of a"}]}"#
      try writeAtomically(Array(record.utf8), to: run.file("inspection/inspection.json"))
      try PNG.write(frame, to: run.file("x.png"))
      let page = Report(of: [run]).html()
      #expect(page.contains("<h3>&lt;A&gt;</h3>") && page.contains("of a") && !page.contains("<h3>no</h3>"))
      let bytes = try readBytes(from: run.file("inspection/q-against-returns.png"))
      #expect(page.contains(Data(bytes).base64EncodedString()))
      #expect(page.contains("Q against returns") && page.contains("8 of 20 evaluations"))
      #expect(page.contains("after 0 env steps") && page.contains("after 19 env steps"))
    }
  }

  @Test func runsThatDifferOnlyInTheirSeedAreAGroup() throws {
    try RunFolder.with { folder in
      let runs = try (0..<3).map { seed in
        try folder.run(
          "20260101-00000\(seed)-train-catch-x-s\(seed)", seed: seed, returns: [Double(seed), 1, 5],
          settings: "seed:\n  seed: \(seed)\nagent:\n  hidden: 256\n")
      }
      let other = try folder.run("wide", seed: 0, returns: [0, 0, 0], settings: "agent:\n  hidden: 512\n")
      let groups = RunGroup.groups(of: (runs + [other]).map(RunRecord.init))
      #expect(groups.map(\.name) == ["train-catch-x", "wide"])
      #expect(groups.map(\.runs.count) == [3, 1])
      let curve = try #require(LearningCurve(of: LearningCurve.evaluation, in: groups[0], Bootstrap()))
      #expect(curve.points.map(\.y) == [1, 1, 5])
      #expect(curve.band[0] == 0...2 && curve.band[1] == 1...1)
      let single = try #require(LearningCurve(of: LearningCurve.evaluation, in: groups[1], Bootstrap()))
      #expect(single.band[0] == -1...1, "the deviation of the evaluation's episodes")
    }
  }

  /// In a task with a maximum return of 1000, the band ends at 1000.
  @Test func bandsAreLimitedToTheRangeOfReturns() throws {
    #expect([1000.0, 1000, 1000, 600].deviationBand == 900 - 30_000.0.squareRoot()...1000)
    #expect([0.1, 0.1, 0.1].deviationBand == 0.1...0.1)
    #expect([Double]().deviationBand == nil && [1, Double.nan].deviationBand == nil)
    try RunFolder.with { folder in
      let run = try folder.run("a", returns: [500, 900])
      var archive = try NumPyArchiveWriter(path: run.file("evaluations.npz"))
      try archive.append("timesteps", [0, 1000] as [Int64], shape: [2])
      try archive.append("results", [500.0, 500, 500, 500, 1000, 1000, 1000, 600], shape: [2, 4])
      try archive.commit()
      let group = RunGroup.groups(of: [RunRecord(run)])[0]
      let curve = try #require(LearningCurve(of: LearningCurve.evaluation, in: group, Bootstrap()))
      #expect(curve.band == [500...500, 900 - 30_000.0.squareRoot()...1000])
      try writeAtomically(Array("damaged".utf8), to: run.file("evaluations.npz"))
      let other = try #require(LearningCurve(of: LearningCurve.evaluation, in: group, Bootstrap()))
      #expect(other.band == [499...501, 899...901])
    }
  }

  /// Every picture of a page has its own check box, which enlarges it to the window.
  @Test func picturesAreEnlargedOnAClick() throws {
    try RunFolder.with { folder in
      let run = try folder.run("a", returns: [1, 2])
      try PNG.write(PixelBuffer(width: 300, height: 40), to: run.file("film.png"))
      let page = Report(of: [run]).html()
      let pictures = page.matches(of: #/<(img|svg)[ >]/#).count
      let boxes = page.matches(of: #/<input type="checkbox" aria-label="[^"]+, large"><(img|svg)/#).count
      #expect(pictures >= 3 && boxes == pictures)
      #expect(page.contains(#"style="--w:300;--h:40""#) && page.contains(".zoom:has(input:checked)"))
      #expect(!page.contains("<script") && !page.contains("onclick"))
    }
  }

  @Test func runsAreRanked() throws {
    try RunFolder.with { folder in
      let runs = try [3.0, 1, 2, 3].enumerated().map { try folder.run("r\($0)", returns: [$1]) }
      try folder.run("elsewhere", environment: "cartpole", returns: [99])
      try folder.run("damaged", returns: [99], files: ["summary.json": "{"])
      let sentences = try runs.map { run in
        try #require(Ranking(of: RunRecord(run))).sentence("catch", in: "runs")
      }
      #expect(sentences[0] == "This run is the best so far of the 4 runs of catch in runs")
      #expect(sentences[1] == "This run is the worst so far of the 4 runs of catch in runs")
      #expect(sentences[2] == "This run is number 3 of the 4 runs of catch in runs")
    }
  }

  /// However its path is written.
  @Test func theFolderOfARunIsFound() throws {
    try RunFolder.with { folder in
      try folder.run("a", returns: [1])
      for path in ["a", "a/", "a//", "a/.", "a/./", "a/../a"] {
        let root = try RunDirectory(existing: "\(folder.root)/\(path)").root
        #expect(try absolutePath(root) == absolutePath(folder.root), "\(path)")
      }
    }
  }

  /// The summary of a pretraining counts the steps of its random play, which are no updates.
  @Test func theUpdatesOfAPretrainingAreCounted() throws {
    try RunFolder.with { folder in
      let facts: JSON = [
        "command": "pretrain-ae", "environment": "catch", "member": "keypoint", "seed": "0", "command_line": [],
        "version": "0", "began": 1,
      ]
      let lines = (1...100).map { #"{"step":\#($0),"autoencoder/loss":1}"# + "\n" }.joined()
      let record = RunRecord(
        try folder.run(
          "p",
          files: ["run.json": facts.indented, "metrics.jsonl": lines, "summary.json": #"{"env_steps":2500}"#]))
      #expect(record.stepName == "updates" && record.lastStep == 100)
    }
  }

  /// Thinned metrics keep their first and last step.
  @Test func theLastStepIsThatOfTheLastLine() throws {
    try RunFolder.with { folder in
      let lines = (0..<5000).map { #"{"step":\#($0 * 20),"evaluation/return":1}"# + "\n" }.joined()
      let record = RunRecord(try folder.run("r", files: ["metrics.jsonl": lines]))
      #expect(record.lastStep == 99_980 && record.evaluationCount == 4999)
    }
  }

  /// A curve ends where half of the runs have ended, whichever has the most points.
  @Test func aCurveEndsWhereHalfOfTheRunsEnd() throws {
    try RunFolder.with { folder in
      for (name, steps) in [
        ("a", Array(stride(from: 0, through: 3000, by: 100))), ("b", [0, 5000, 10000]), ("c", [0, 9000]),
      ] {
        let lines = steps.map { #"{"step":\#($0),"evaluation/return":1}"# + "\n" }.joined()
        try folder.run(name, files: ["metrics.jsonl": lines])
      }
      let group = RunGroup(
        name: "g",
        runs: try ["a", "b", "c"].map {
          RunRecord(try RunDirectory(existing: "\(folder.root)/\($0)"))
        })
      let curve = try #require(LearningCurve(of: LearningCurve.evaluation, in: group, Bootstrap()))
      #expect(curve.points.map(\.x) == [0, 9000] && curve.counts == [3, 2])
    }
  }

  @Test(arguments: [
    (812.46, "812.5"), (14_000, "14,000"), (-14_000, "−14,000"), (12_345_678, "12,345,678"), (5e7, "50,000,000"),
    (1.234e-5, "1.23e−5"), (-9.999e-5, "−1.0e−4"), (2.5e16, "2.5e16"), (0, "0"), (.infinity, "–"),
  ])
  func numbersAreShown(_ number: Double, _ text: String) { #expect(shown(number) == text) }

  @Test func onlyPagesOfPixelrlAreReplaced() throws {
    try RunFolder.with { folder in
      let run = try folder.run("a", returns: [1, 2])
      let path = run.file("report.html")
      let files = try Report(of: [run]).write(to: path)
      #expect(
        files.map { String($0.dropFirst(run.path.count + 1)) } == [
          "report.html", "report/return.png", "report/return.svg", "report/return.tikz", "report.tex",
        ])
      let fragment = String(decoding: try readBytes(from: run.file("report.tex")), as: UTF8.self)
      #expect(fragment.contains(#"\input{\pixelrlplots/return.tikz}"#) && !fragment.contains("includegraphics"))
      #expect(try Report(of: [run]).write(to: path) == files)
      try writeAtomically(Array("mine".utf8), to: path)
      #expect(throws: InputError.self) { try Report(of: [run]).write(to: path) }
      #expect(throws: InputError.self) { try Report(of: [run]).write(to: folder.root + "/page.txt") }
    }
  }

  @Test func textForTeXIsEscaped() {
    let words = #"a_b & 50% $x$ #1 {z} ~^ \end -- "q" é 😀"#
    let text: LaTeX = "\\\\\(words)"
    #expect(
      text.description
        == ##"\\a\_b \& 50\% \$x\$ \#1 \{z\} \textasciitilde{}\textasciicircum{} \textbackslash{}end -{-} {''}q{''} é ?"##
    )
  }
}
