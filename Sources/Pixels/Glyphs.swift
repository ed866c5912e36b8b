/// The glyphs of `Font` as pen strokes: printable ASCII and a few symbols for captions.
///
/// Each line has a character, the width of its strokes, and their path in units of a tenth of a capital's height: `M`
/// moves the pen, `L` draws a line, and `Q` draws a quarter of an ellipse to an end point, with a corner as its control
/// point. The baseline is y = 0; lowercase letters reach y = 7 and capitals y = 10. y points up.
enum Glyphs {
  /// A movement of the pen.
  enum Move: Sendable, Hashable {
    case line(to: Point)
    case corner(Point, end: Point)

    var end: Point {
      switch self {
      case .line(let end), .corner(_, let end): end
      }
    }
  }

  struct Stroke: Sendable, Hashable {
    var start: Point
    var moves: [Move] = []
  }

  struct Outline: Sendable, Hashable {
    var width: Double
    var strokes: [Stroke]
  }

  static let outlines: [Character: Outline] = Dictionary(
    uniqueKeysWithValues: drawn.split(separator: "\n").map { line in
      let parts = line.dropFirst(2).split(separator: ":", maxSplits: 1)
      return (line.first ?? "?", Outline(width: number(parts[0]), strokes: strokes(parts[1])))
    })

  private static func strokes(_ path: Substring) -> [Stroke] {
    var strokes: [Stroke] = []
    var rest = path
    while let command = rest.popFirst() {
      let numbers = rest.prefix { !"MLQ".contains($0) }.split(separator: " ").map(number)
      rest = rest.drop { !"MLQ".contains($0) }
      let points = stride(from: 0, to: numbers.count, by: 2).map { Point(numbers[$0], numbers[$0 + 1]) }
      switch command {
      case "M": strokes.append(Stroke(start: points[0]))
      case "L": strokes[strokes.count - 1].moves.append(.line(to: points[0]))
      default: strokes[strokes.count - 1].moves.append(.corner(points[0], end: points[1]))
      }
    }
    return strokes
  }

  private static func number(_ text: Substring) -> Double {
    guard let number = Double(text) else { preconditionFailure("a glyph has the invalid number '\(text)'") }
    return number
  }

  private static let drawn = #"""
    ! 0:M0 10L0 3.2M0 0L0 0.2
    " 2.6:M0 10L0 7M2.6 10L2.6 7
    # 7:M1.7 0L2.9 10M4.1 0L5.3 10M0.2 3.2L6.6 3.2M0.4 6.8L6.8 6.8
    $ 5.6:M5.3 8.3Q4.8 10 2.8 10Q0.3 10 0.3 7.6Q0.3 5.8 2.8 5.2Q5.6 4.6 5.6 2.6Q5.6 0 2.8 0Q0.5 0 0 1.9M2.8 -1.4L2.8 11.4
    % 8.4:M2 5.4Q0 5.4 0 7.7Q0 10 2 10Q4 10 4 7.7Q4 5.4 2 5.4M6.4 0Q4.4 0 4.4 2.3Q4.4 4.6 6.4 4.6Q8.4 4.6 8.4 2.3Q8.4 0 6.4 0M7 10L1.4 0
    & 7:M7 0L1.5 6.4Q0.7 7.4 0.7 8.2Q0.7 10 2.6 10Q4.5 10 4.5 8.2Q4.5 6.8 2.5 5.6Q0 4.2 0 2.6Q0 0 2.8 0Q5.8 0 6.5 4.8
    ' 0:M0 10L0 7
    ( 2.2:M2.2 11Q0 9 0 4.5Q0 0 2.2 -2
    ) 2.2:M0 11Q2.2 9 2.2 4.5Q2.2 0 0 -2
    * 4.4:M2.2 10L2.2 5.2M0.1 8.8L4.3 6.4M0.1 6.4L4.3 8.8
    + 6:M3 1.5L3 7.5M0 4.5L6 4.5
    , 0.9:M0.9 0.4L0 -2
    - 3.2:M0 3.9L3.2 3.9
    . 0:M0 0L0 0.2
    / 4:M0 -1.4L4 11
    0 5.6:M2.8 0Q0 0 0 5Q0 10 2.8 10Q5.6 10 5.6 5Q5.6 0 2.8 0
    1 5.6:M0.5 7.7L2.8 10L2.8 0M0.5 0L5.1 0
    2 5.6:M0.2 7.4Q0.2 10 2.8 10Q5.4 10 5.4 7.5Q5.4 5.9 3.7 4.1L0 0L5.6 0
    3 5.6:M0.3 8.2Q0.8 10 2.8 10Q5.3 10 5.3 7.6Q5.3 5.3 2.2 5.3Q5.6 5.3 5.6 2.7Q5.6 0 2.7 0Q0.5 0 0 2
    4 5.6:M4.3 0L4.3 10L0 3L5.6 3
    5 5.6:M5.1 10L0.7 10L0.3 5.1Q1.2 6.4 2.8 6.4Q5.6 6.4 5.6 3.2Q5.6 0 2.7 0Q0.6 0 0 1.8
    6 5.6:M5.2 8.6Q4.6 10 3.1 10Q0 10 0 4.6L0 3.1Q0 0 2.8 0Q5.6 0 5.6 3.1Q5.6 6.1 2.9 6.1Q0.6 6.1 0 3.6
    7 5.6:M0 10L5.6 10L1.8 0
    8 5.6:M2.8 5.3Q0.4 5.3 0.4 7.7Q0.4 10 2.8 10Q5.2 10 5.2 7.7Q5.2 5.3 2.8 5.3Q0 5.3 0 2.7Q0 0 2.8 0Q5.6 0 5.6 2.7Q5.6 5.3 2.8 5.3
    9 5.6:M0.4 1.4Q1 0 2.5 0Q5.6 0 5.6 5.4L5.6 6.9Q5.6 10 2.8 10Q0 10 0 6.9Q0 3.9 2.7 3.9Q5 3.9 5.6 6.4
    : 0:M0 0L0 0.2M0 5.8L0 6
    ; 0.9:M0.9 0.4L0 -2M0.7 5.8L0.7 6
    < 5.6:M5.6 7.8L0 4.5L5.6 1.2
    = 6:M0 6L6 6M0 3L6 3
    > 5.6:M0 7.8L5.6 4.5L0 1.2
    ? 4.6:M0 8Q0.2 10 2.3 10Q4.6 10 4.6 7.8Q4.6 6.4 3.4 5.4Q2.3 4.5 2.3 3.2M2.3 0L2.3 0.2
    @ 9:M6.4 4.8Q6.4 7 4.5 7Q2.6 7 2.6 4.7Q2.6 2.4 4.4 2.4Q6.4 2.4 6.4 4.8L6.4 4.2Q6.4 2.4 7.5 2.4Q9 2.4 9 5.2Q9 10 4.6 10Q0 10 0 4.4Q0 -1.6 4.6 -1.6Q6.2 -1.6 7.3 -0.9
    A 7:M0 0L3.5 10L7 0M1.2 3.4L5.8 3.4
    B 5.8:M0 0L0 10L2.8 10Q5.3 10 5.3 7.7Q5.3 5.3 2.8 5.3L0 5.3M2.8 5.3Q5.8 5.3 5.8 2.7Q5.8 0 2.8 0L0 0
    C 6.4:M6.4 8Q5.6 10 3.7 10Q0 10 0 5Q0 0 3.7 0Q5.6 0 6.4 2
    D 6.6:M0 0L0 10L2.4 10Q6.6 10 6.6 5Q6.6 0 2.4 0L0 0
    E 5.2:M5.2 10L0 10L0 0L5.2 0M0 5.3L4.6 5.3
    F 5:M5 10L0 10L0 0M0 5.3L4.4 5.3
    G 6.8:M6.5 8Q5.7 10 3.7 10Q0 10 0 5Q0 0 3.6 0Q6.8 0 6.8 3.2L6.8 4.7L3.9 4.7
    H 6.4:M0 0L0 10M6.4 0L6.4 10M0 5.3L6.4 5.3
    I 0:M0 0L0 10
    J 4.2:M4.2 10L4.2 2.9Q4.2 0 2 0Q0.3 0 0 1.9
    K 6:M0 0L0 10M5.8 10L0 3.8M2.1 6L6 0
    L 5:M0 10L0 0L5 0
    M 8:M0 0L0 10L4 2.8L8 10L8 0
    N 6.6:M0 0L0 10L6.6 0L6.6 10
    O 7.4:M3.7 0Q0 0 0 5Q0 10 3.7 10Q7.4 10 7.4 5Q7.4 0 3.7 0
    P 5.6:M0 0L0 10L2.8 10Q5.6 10 5.6 7.2Q5.6 4.5 2.8 4.5L0 4.5
    Q 7.4:M3.7 0Q0 0 0 5Q0 10 3.7 10Q7.4 10 7.4 5Q7.4 0 3.7 0M4.8 2.4L7.4 -0.9
    R 5.9:M0 0L0 10L2.8 10Q5.6 10 5.6 7.2Q5.6 4.5 2.8 4.5L0 4.5M2.9 4.5L5.9 0
    S 5.6:M5.3 8.3Q4.8 10 2.8 10Q0.3 10 0.3 7.6Q0.3 5.8 2.8 5.2Q5.6 4.6 5.6 2.6Q5.6 0 2.8 0Q0.5 0 0 1.9
    T 6.4:M0 10L6.4 10M3.2 10L3.2 0
    U 6.4:M0 10L0 3.4Q0 0 3.2 0Q6.4 0 6.4 3.4L6.4 10
    V 6.8:M0 10L3.4 0L6.8 10
    W 9.6:M0 10L2.4 0L4.8 9L7.2 0L9.6 10
    X 6.4:M0 0L6.4 10M0 10L6.4 0
    Y 6.4:M0 10L3.2 4.8L6.4 10M3.2 4.8L3.2 0
    Z 6:M0 10L6 10L0 0L6 0
    [ 2:M2 11L0 11L0 -2L2 -2
    \ 4:M0 11L4 -1.4
    ] 2:M0 11L2 11L2 -2L0 -2
    ^ 5:M0 6L2.5 10L5 6
    _ 6:M0 -1.6L6 -1.6
    ` 1.6:M0 10L1.6 8.2
    a 4.8:M0.4 5.8Q1 7 2.5 7Q4.8 7 4.8 4.8L4.8 0M4.8 4.1L2.4 4.1Q0 4.1 0 2.1Q0 0 2.1 0Q4 0 4.8 1.8
    b 5:M0 10L0 0M0 3.5Q0 7 2.6 7Q5 7 5 3.5Q5 0 2.6 0Q0 0 0 3.5
    c 4.4:M4.4 5.4Q3.9 7 2.5 7Q0 7 0 3.5Q0 0 2.5 0Q3.9 0 4.4 1.6
    d 5:M5 10L5 0M5 3.5Q5 7 2.4 7Q0 7 0 3.5Q0 0 2.4 0Q5 0 5 3.5
    e 5:M0 3.6L5 3.6Q5 7 2.5 7Q0 7 0 3.6Q0 0 2.6 0Q4.2 0 4.8 1.4
    f 3.2:M3.2 10Q1.1 10 1.1 7.8L1.1 0M0 7L2.9 7
    g 5:M5 7L5 -0.4Q5 -3 2.5 -3Q0.8 -3 0.3 -1.8M5 3.5Q5 7 2.4 7Q0 7 0 3.5Q0 0 2.4 0Q5 0 5 3.5
    h 4.8:M0 10L0 0M0 4Q0 7 2.5 7Q4.8 7 4.8 4.4L4.8 0
    i 0:M0 7L0 0M0 9.8L0 10
    j 1.6:M1.6 7L1.6 -1.2Q1.6 -3 0 -3M1.6 9.8L1.6 10
    k 4.6:M0 10L0 0M4.4 7L0 2.8M1.8 4.5L4.6 0
    l 1.3:M0 10L0 1.6Q0 0 1.3 0
    m 8:M0 7L0 0M0 4.4Q0 7 2.1 7Q4 7 4 4.6L4 0M4 4.4Q4 7 6.1 7Q8 7 8 4.6L8 0
    n 4.8:M0 7L0 0M0 4Q0 7 2.5 7Q4.8 7 4.8 4.4L4.8 0
    o 5.2:M2.6 0Q0 0 0 3.5Q0 7 2.6 7Q5.2 7 5.2 3.5Q5.2 0 2.6 0
    p 5:M0 7L0 -3M0 3.5Q0 7 2.6 7Q5 7 5 3.5Q5 0 2.6 0Q0 0 0 3.5
    q 5:M5 7L5 -3M5 3.5Q5 7 2.4 7Q0 7 0 3.5Q0 0 2.4 0Q5 0 5 3.5
    r 2.8:M0 7L0 0M0 3.8Q0 7 2.8 7
    s 4.2:M4 5.7Q3.6 7 2.1 7Q0.2 7 0.2 5.3Q0.2 4 2.1 3.6Q4.2 3.2 4.2 1.8Q4.2 0 2.1 0Q0.4 0 0 1.4
    t 3.2:M1.2 9.4L1.2 1.8Q1.2 0 3.1 0M0 7L3 7
    u 4.8:M0 7L0 2.6Q0 0 2.3 0Q4.8 0 4.8 3M4.8 7L4.8 0
    v 5:M0 7L2.5 0L5 7
    w 7.4:M0 7L1.9 0L3.7 6.4L5.5 0L7.4 7
    x 4.8:M0 0L4.8 7M0 7L4.8 0
    y 5:M0 7L2.5 0M5 7L2.3 -0.6Q1.5 -3 0 -3
    z 4.4:M0 7L4.4 7L0 0L4.4 0
    { 2.6:M2.6 11Q1.2 11 1.2 9.4L1.2 6.2Q1.2 4.5 0 4.5Q1.2 4.5 1.2 2.8L1.2 -0.4Q1.2 -2 2.6 -2
    | 0:M0 11L0 -2
    } 2.6:M0 11Q1.4 11 1.4 9.4L1.4 6.2Q1.4 4.5 2.6 4.5Q1.4 4.5 1.4 2.8L1.4 -0.4Q1.4 -2 0 -2
    ~ 6:M0 3.6Q0.2 5.4 1.7 5.4Q2.6 5.4 3 4.5Q3.4 3.6 4.3 3.6Q5.8 3.6 6 5.4
    ² 3:M0.1 8.8Q0.1 10.4 1.5 10.4Q2.9 10.4 2.9 9.1Q2.9 8.2 2 7.2L0 5L3 5
    – 5.6:M0 3.9L5.6 3.9
    − 6:M0 4.5L6 4.5
    … 6:M0 0L0 0.2M3 0L3 0.2M6 0L6 0.2
    · 0:M0 4.2L0 4.4
    ± 6:M3 2.6L3 8.2M0 5.4L6 5.4M0 0L6 0
    × 5:M0 2L5 7M0 7L5 2
    ° 3:M1.5 7Q0 7 0 8.5Q0 10 1.5 10Q3 10 3 8.5Q3 7 1.5 7
    ≥ 5.6:M0 9L5.6 5.7L0 2.4M0 0L5.6 0
    ≤ 5.6:M5.6 9L0 5.7L5.6 2.4M0 0L5.6 0
    """#
}
