import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The progress of a loop, formatted as text.
public struct ProgressLine: Sendable {
  public let title: String
  public let total: Int
  public var metrics = Metrics()
  /// The progress over the last half minute: the steps done, and the time in seconds since the loop began.
  private var marks: [(done: Int, seconds: Double)] = []

  /// The window of the rate in seconds.
  private static let window = 30.0

  public init(_ title: String, total: Int) {
    precondition(total > 0, "the total of a progress must be positive, not \(total)")
    self.title = title
    self.total = total
  }

  public var done: Int { marks.last?.done ?? 0 }

  /// Records that `done` steps are done.
  ///
  /// - Parameter seconds: The time since the loop began, which must increase with each call.
  public mutating func note(_ done: Int, seconds: Double) {
    marks.append((done, seconds))
    // Keep one that is older than the window, so that the window is covered.
    while marks.count > 2, marks[1].seconds <= seconds - Self.window { marks.removeFirst() }
  }

  /// The recent number of steps per second.
  public var rate: Double {
    guard let first = marks.first, let last = marks.last, last.seconds > first.seconds else { return 0 }
    return Double(last.done - first.done) / (last.seconds - first.seconds)
  }

  /// The remaining seconds at this rate; nil while the rate is unknown.
  public var remaining: Double? { rate > 0 ? Double(max(0, total - done)) / rate : nil }

  /// `train [#####-----] 50% 1,234/s 0:42 left  return 812  loss 0.013`, no longer than `width`. If there is too little
  /// room, the last metrics are left out first, then the bar becomes shorter.
  public func bar(width: Int) -> String {
    let fraction = min(1, Double(done) / Double(total))
    let percent = "\(Int(fraction * 100))%"
    var words = [percent, "\(grouped(rate))/s"]
    if let remaining { words.append("\(clock(remaining)) left") }
    let fixed = "\(title) "
    var tail = words.joined(separator: " ")
    let room = width - fixed.count - tail.count - 3
    guard room >= 5 else { return String("\(fixed)\(tail)".prefix(max(0, width))) }
    for (name, value) in metrics.entries {
      let word = "  \(name) \(short(value))"
      if fixed.count + tail.count + word.count + 3 + 10 > width { break }
      tail += word
    }
    let cells = min(30, width - fixed.count - tail.count - 3)
    let filled = Int(fraction * Double(cells))
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: cells - filled)
    return "\(fixed)[\(bar)] \(tail)"
  }

  /// `train 50000/100000 50% 1,234/s 0:42 left return 812 loss 0.013`: for a file or a pipe.
  public var plain: String {
    let left = remaining.map { " \(clock($0)) left" } ?? ""
    let numbers = metrics.entries.map { " \($0.name) \(short($0.value))" }.joined()
    return "\(title) \(done)/\(total) \(100 * min(done, total) / total)% \(grouped(rate))/s\(left)\(numbers)"
  }
}

/// Prints the progress of a loop on standard error: one line that is overwritten on a terminal, otherwise a new line at
/// intervals.
public struct Progress: ~Copyable {
  public private(set) var line: ProgressLine
  private let isTerminal: Bool
  private let start = ContinuousClock.now
  private var last: ContinuousClock.Instant?
  private var done: Int
  /// The steps done as last printed.
  private var drawn: Int?
  private let period: Duration

  /// - Parameters:
  ///   - done: The number of steps that are already done, such as in a resumed run.
  ///   - plainPeriod: The seconds between lines if standard error is not a terminal.
  public init(_ title: String, total: Int, from done: Int = 0, plainPeriod: Double = 10) {
    line = ProgressLine(title, total: total)
    line.note(done, seconds: 0)
    self.done = done
    isTerminal = isatty(STDERR_FILENO) == 1
    period = isTerminal ? .milliseconds(100) : .seconds(plainPeriod)
    last = isTerminal ? nil : start
  }

  /// Records that `done` steps are done, and prints a line if it is time to.
  public mutating func update(_ done: Int, _ metrics: Metrics = Metrics()) {
    self.done = done
    line.metrics.merge(metrics)
    let now = ContinuousClock.now
    if let last, now - last < period { return }
    draw(at: now)
  }

  /// Prints the final state.
  public consuming func finish() {
    if isTerminal || done != drawn { draw(at: ContinuousClock.now) }
  }

  // The next output, such as an error, starts on a new line.
  deinit {
    if isTerminal && last != nil { put("\n") }
  }

  private mutating func draw(at now: ContinuousClock.Instant) {
    last = now
    drawn = done
    line.note(done, seconds: (now - start) / .seconds(1))
    // Return to the start of the line, and clear the rest of the previous text.
    put(isTerminal ? "\r\(line.bar(width: terminalWidth() - 1))\u{1b}[K" : line.plain + "\n")
  }

  private func put(_ text: String) { StandardStreams.say(text, terminator: "") }
}

/// The number of columns of the terminal, or 80 if it is unknown.
private func terminalWidth() -> Int {
  var size = winsize()
  guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
  return Int(size.ws_col)
}

/// `0:42`, `12:03`, `3:04:05`.
func clock(_ seconds: Double) -> String {
  let whole = Int(min(max(seconds, 0), 1e9).rounded())
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  let (hours, minutes) = (whole / 3600, whole / 60 % 60)
  return hours > 0 ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
}

/// `1,234`, and `0.25` below ten.
public func grouped(_ number: Double) -> String {
  guard number >= 10 else { return short(number) }
  var text = String(Int(min(number, 1e15).rounded()))
  var index = text.count - 3
  while index > 0 {
    text.insert(",", at: text.index(text.startIndex, offsetBy: index))
    index -= 3
  }
  return text
}

/// Formats a number with three significant digits: `812`, `0.0132`, `1.2e-05`, `-` if it is not known yet (NaN).
func short(_ number: Double) -> String {
  guard !number.isNaN else { return "-" }
  guard number.isFinite, number != 0 else { return number == 0 ? "0" : "\(number)" }
  let size = abs(number)
  if size >= 1e6 || size < 1e-4 {
    let exponent = Int(log10(size).rounded(.down))
    let mantissa = (number / pow(10, Double(exponent)) * 10).rounded() / 10
    return "\(mantissa)e\(exponent)"
  }
  if size >= 100 { return String(Int(number.rounded())) }
  let scale = pow(10, Double(2 - Int(log10(size).rounded(.down))))
  let rounded = (number * scale).rounded() / scale
  return rounded == rounded.rounded() ? String(Int(rounded)) : "\(rounded)"
}
