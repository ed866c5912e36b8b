import Core

/// What distracts from a task in its frames, as in the Distracting Control Suite (Stone et al. 2021): a moving
/// background, changed colours and a moved camera.
///
/// `begin` draws a new distraction for an episode, and `advance` moves it by random walks. All randomness comes from the
/// generator that it stores, so a copy is a snapshot and a checkpoint is complete. What is drawn depends on this value
/// only.
///
/// The walks stay within -1 to 1, whatever the levels are: a level only scales them. The same seed therefore gives the
/// same walk at each level.
public struct Distraction: Sendable, Codable, Hashable {
  public let levels: DistractionLevels
  private var random: Random
  /// The seed of the background's pattern in this episode.
  private var pattern: UInt64 = 0
  /// Simulator steps since the start of the episode.
  private var time = 0
  /// The change of red, green and blue of each group of colours.
  private var tints = [SIMD3<Float>](repeating: SIMD3(), count: Self.tintCount)
  /// To the side, up, roll and distance of the camera, and their rates per simulator step.
  private var pose = SIMD4<Double>()
  private var rates = SIMD4<Double>()

  private static let tintCount = 16
  /// The standard deviation of a colour's step: 0.03 times the scale in the suite.
  private static let tintStep = 0.03
  /// The standard deviation and limit of the changes of the camera's rates. The suite's numbers for the angles, the roll
  /// and the distance, divided by their ranges, are 0.007 to 0.025 and 0.04 to 0.1.
  private static let rateStep = 0.015
  private static let maximumRate = 0.06

  /// Returns nil if nothing is distracted.
  ///
  /// - Parameter random: the source of all changes.
  public init?(_ levels: DistractionLevels, _ random: Random) {
    guard levels != DistractionLevels() else { return nil }
    self.levels = levels
    self.random = random
  }

  /// Draws the pattern, colours and pose of a new episode.
  public mutating func begin() {
    time = 0
    pattern = random.next()
    for index in tints.indices { tints[index] = SIMD3<Float>.drawn { Float(random.uniform(-1, 1)) } }
    pose = SIMD4<Double>.drawn { random.uniform(-1, 1) }
    rates = SIMD4<Double>.drawn { random.uniform(-Self.maximumRate, Self.maximumRate) }
  }

  /// Checks that this value, read from a checkpoint, can replace a new one of the same settings.
  ///
  /// - Throws: `InputError` if something is out of its bounds.
  public func validate(against new: Distraction) throws(InputError) {
    let limit = Self.maximumRate + 1e-9
    let values = (0..<4).allSatisfy { abs(pose[$0]) <= 1 && abs(rates[$0]) <= limit }
    guard levels == new.levels, time >= 0, values, tints.count == new.tints.count,
      tints.allSatisfy({ tint in (0..<3).allSatisfy { abs(tint[$0]) <= 1 } })
    else { throw InputError("a distraction is out of its bounds") }
  }

  /// Takes the walks of some simulator steps.
  public mutating func advance(by steps: Int) {
    time += steps
    let deviation = Self.tintStep * Double(steps).squareRoot()
    for index in tints.indices {
      let step = SIMD3<Float>.drawn { Float(deviation * random.normal()) }
      tints[index] = (tints[index] + step).clamped(lowerBound: SIMD3(repeating: -1), upperBound: SIMD3(repeating: 1))
    }
    let (limit, one) = (SIMD4(repeating: Self.maximumRate), SIMD4(repeating: 1.0))
    for _ in 0..<steps {
      let push = SIMD4<Double>.drawn { Self.rateStep * random.normal() }
      rates = (rates + push).clamped(lowerBound: -limit, upperBound: limit)
      let next = (pose + rates).clamped(lowerBound: -one, upperBound: one)
      // At the end of its range it stops.
      rates = next - pose
      pose = next
    }
  }
}

extension SIMD where Scalar: BinaryFloatingPoint {
  /// Returns a vector of drawn components.
  fileprivate static func drawn(_ next: () -> Scalar) -> Self {
    var vector = Self()
    for index in vector.indices { vector[index] = next() }
    return vector
  }
}

/// What is distracted, and how strongly.
public struct DistractionLevels: Sendable, Codable, Hashable {
  public var background = DistractionLevel.none
  public var colors = DistractionLevel.none
  public var camera = DistractionLevel.none

  public init() {}
}

/// The strength of a distraction, as written on the command line.
public enum DistractionLevel: String, ChoiceSetting, Hashable {
  case none, easy, medium, hard

  /// The scale of colours and camera in the Distracting Control Suite. It changes colours by up to this fraction of
  /// their range, and turns the camera by up to this fraction of 90 degrees.
  public var scale: Double {
    switch self {
    case .none: 0
    case .easy: 0.1
    case .medium: 0.2
    case .hard: 0.3
    }
  }

  /// The opacity of a background. In the suite it is 1 at each level, and the number of films is 4, 8 or 60.
  var opacity: Double {
    switch self {
    case .none: 0
    case .easy: 0.3
    case .medium: 0.6
    case .hard: 1
    }
  }
}

// MARK: - What it changes

extension Distraction {
  /// The moving background; nil for none.
  public var background: MovingBackground? {
    guard levels.background != .none else { return nil }
    return MovingBackground(seed: Seed(pattern), time: time, opacity: levels.background.opacity)
  }

  /// Returns the changed colour of a part, red, green and blue from 0 to 1. Parts with the same colour and material
  /// change alike.
  public func color(_ color: SIMD3<Float>, material: Int = 0) -> SIMD3<Float> {
    guard levels.colors != .none else { return color }
    let reach = SIMD3(repeating: Float(levels.colors.scale))
    let (zero, one) = (SIMD3<Float>(), SIMD3<Float>(repeating: 1))
    let low = (color - reach).clamped(lowerBound: zero, upperBound: one)
    let high = (color + reach).clamped(lowerBound: zero, upperBound: one)
    return low + (high - low) * (tints[Self.group(of: color, material)] + 1) * 0.5
  }

  public func color(_ color: Color) -> Color {
    guard levels.colors != .none else { return color }
    let changed = self.color(SIMD3(Float(color.red), Float(color.green), Float(color.blue)) / 255) * 255
    func level(_ x: Float) -> UInt8 { UInt8(x.rounded()) }
    return Color(level(changed.x), level(changed.y), level(changed.z))
  }

  private static func group(of color: SIMD3<Float>, _ material: Int) -> Int {
    var hash = UInt64(bitPattern: Int64(material))
    for index in 0..<3 { hash = (hash ^ UInt64(color[index].bitPattern)) &* 0x9e37_79b9_7f4a_7c15 }
    return Int(hash >> 32) % tintCount
  }

  /// The change of the camera; nil for none.
  public var camera: CameraChange? {
    guard levels.camera != .none else { return nil }
    let scale = levels.camera.scale
    let turns = .pi / 2 * scale * pose
    return CameraChange(
      aside: turns.x, up: turns.y, roll: turns.z, distance: 1 + (pose.w < 0 ? 0.5 : 1.5) * scale * pose.w)
  }
}

/// A change of a camera's pose. Angles are in radians.
public struct CameraChange: Sendable, Hashable {
  /// The angles by which it moves around what it shows, to the right and up. It still looks at the same point.
  public var aside: Double
  public var up: Double
  /// The angle by which it turns around its axis.
  public var roll: Double
  /// The factor of its distance from what it shows.
  public var distance: Double
}
