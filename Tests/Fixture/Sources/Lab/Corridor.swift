import Core
import Environments
import Pixels

/// A walker in a corridor goes to a lamp and stays there.
struct Corridor: BuiltInEnvironment {
  static let id = "corridor"
  static let note = "walk to the lamp and stay there"
  /// 0 walks left, 1 stands, 2 walks right.
  static let actionSpace = ActionSpace.discrete(count: 3)
  static let episodeLength = 50
  static let stateNames = ["walker", "lamp"]
  static let observationNames = stateNames

  // Positions in [-1, 1].
  private var walker = 0.0
  private var lamp = 0.5

  init() {}

  mutating func reset(using random: inout Random) {
    (walker, lamp) = (random.uniform(-1, 1), random.uniform(-1, 1))
  }

  /// The reward is 1 at the lamp, and lower farther away.
  mutating func step(_ action: [Double]) -> Step {
    walker = min(max(walker + 0.1 * (action[0] - 1), -1), 1)
    return Step(reward: tolerance(walker - lamp, -0.1...0.1, margin: 1))
  }

  var state: [Double] {
    get { [walker, lamp] }
    set { (walker, lamp) = (newValue[0], newValue[1]) }
  }

  var observation: [Double] { state }

  func render(into frame: inout PixelBuffer) {
    frame.draw { canvas in
      canvas.view(center: Point(0, 0), width: 2.6, height: 2.6)
      canvas.fill(Color(gray: 30))
      canvas.rectangle(center: Point(lamp, 0.4), width: 0.4, height: 0.4, Color(255, 196, 46))
      canvas.circle(center: Point(walker, -0.4), radius: 0.25, Color(64, 200, 255))
    }
  }
}
