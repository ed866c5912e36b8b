import Pixels

/// What of the look can be had for less.
public struct SceneLook: Sendable, Hashable {
  public var shadows: Bool
  public var reflections: Bool
  /// Samples of a pixel at edges: 1 for none.
  public var antialiasing: Int

  public init(shadows: Bool = true, reflections: Bool = true, antialiasing: Int = 4) {
    precondition(antialiasing > 0, "a pixel has at least one sample, not \(antialiasing)")
    self.shadows = shadows
    self.reflections = reflections
    self.antialiasing = antialiasing
  }
}

/// Draws scenes by following a ray through each pixel, eight at a time; where neighbours see different parts, through
/// several places of the pixel. It keeps its memory, and the sky as long as the camera looks the same
/// way: the scenes that one renderer draws have one sky.
public struct SceneRenderer: Sendable {
  /// What a sky looks like from a camera.
  private struct Sky: Sendable {
    var forward: SIMD3<Float>
    var up: SIMD3<Float>
    var slope: Float
    var width: Int
    var height: Int
    /// Of eight pixels of a row each.
    var packets: [LaneVectors]
  }

  private var sky: Sky?
  /// What each pixel saw, a row of packets at a time.
  private var seen: [SIMD8<Int32>] = []

  public init() {}

  /// Draws into every pixel of a frame of any size and format.
  public mutating func draw(_ scene: Scene, _ look: SceneLook = SceneLook(), into frame: inout PixelBuffer) {
    let tracer = Tracer(scene, look, width: frame.width, height: frame.height)
    let across = (frame.width + Lanes.count - 1) / Lanes.count
    prepareSky(scene, tracer.lens, across)
    guard let sky else { preconditionFailure("there is no sky after it was prepared") }
    if seen.count != across * frame.height {
      seen = [SIMD8<Int32>](repeating: SIMD8(repeating: 0), count: across * frame.height)
    }
    for row in 0..<frame.height {
      for packet in 0..<across {
        let first = packet * Lanes.count
        let area = PixelArea(columns: first..<first + Lanes.count, rows: row..<row + 1)
        let d = tracer.lens.rays(firstPlaces + Float(first), Lanes(Float(row) + 0.5))
        let found = tracer.colors(
          tracer.hit(d, in: area), along: d, in: area, .all, sky: sky.packets[row * across + packet])
        seen[row * across + packet] = found.seen
        let bytes = Bytes(found.colors)
        for lane in 0..<min(Lanes.count, frame.width - first) { bytes.write(lane, into: &frame, row, first + lane) }
      }
    }
    if look.antialiasing > 1 { smooth(tracer, across, look.antialiasing, sky, into: &frame) }
  }

  /// Sees the sky anew where the camera has turned.
  private mutating func prepareSky(_ scene: Scene, _ lens: Lens, _ across: Int) {
    let count = across * lens.height
    if let sky, sky.forward == lens.forward, sky.up == lens.up, sky.slope == scene.camera.slope,
      sky.width == lens.width, sky.height == lens.height
    {
      return
    }
    var packets = [LaneVectors](repeating: LaneVectors(SIMD3(0, 0, 0)), count: count)
    if let texture = scene.sky {
      // Texels of a face that a pixel is wide, where the face is seen from the front.
      let footprint = Lanes(lens.pixel * Float(texture.width) / 2)
      for row in 0..<lens.height {
        for packet in 0..<across {
          let d = lens.rays(firstPlaces + Float(packet * Lanes.count), Lanes(Float(row) + 0.5))
          // MuJoCo's sky is turned a quarter around x.
          packets[row * across + packet] = texture.cube(
            LaneVectors(d.x, d.z, -d.y), footprint: footprint, .all)
        }
      }
    }
    sky = Sky(
      forward: lens.forward, up: lens.up, slope: scene.camera.slope, width: lens.width, height: lens.height,
      packets: packets)
  }

  /// Draws the pixels at edges again, as the mean of several rays. A ray that meets what the pixel or a neighbour has seen
  /// takes the colour from there, as OpenGL's samples share one.
  private func smooth(_ tracer: Tracer, _ across: Int, _ samples: Int, _ sky: Sky, into frame: inout PixelBuffer) {
    let places = (0..<samples).map { sample in
      SIMD2((Float(sample) + 0.5) / Float(samples), reversedFraction(sample) + 0.5 / Float(samples))
    }
    let edges = edges(width: frame.width, height: frame.height, across)
    var sums = [SIMD3<Float>](repeating: SIMD3(), count: edges.count)
    // Samples of all edges in turn, eight at a time.
    for first in stride(from: 0, to: edges.count * samples, by: Lanes.count) {
      let count = min(Lanes.count, edges.count * samples - first)
      var (x, y) = (Lanes(0), Lanes(0))
      var area = PixelArea(column: edges[first / samples].column, row: edges[first / samples].row)
      for lane in 0..<count {
        let edge = edges[(first + lane) / samples]
        let place = places[(first + lane) % samples]
        x[lane] = Float(edge.column) + place.x
        y[lane] = Float(edge.row) + place.y
        area.include(edge.column, edge.row)
      }
      let d = tracer.lens.rays(x, y)
      let isClear = !tracer.seesThrough(in: area)
      let hit = tracer.hit(d, in: area)
      var unknown = LaneMask(first: count)
      for lane in 0..<count where isClear {
        let edge = edges[(first + lane) / samples]
        guard let color = known(hit.part[lane], edge.row, edge.column, across, frame) else { continue }
        sums[(first + lane) / samples] += color
        unknown.remove(lane)
      }
      if unknown.isEmpty { continue }
      var background = LaneVectors(SIMD3(0, 0, 0))
      for lane in 0..<count {
        let edge = edges[(first + lane) / samples]
        let color = sky.packets[edge.row * across + edge.column / Lanes.count][edge.column % Lanes.count]
        (background.x[lane], background.y[lane], background.z[lane]) = (color.x, color.y, color.z)
      }
      let colors = tracer.colors(hit, along: d, in: area, unknown, sky: background).colors * Lanes(255)
      for lane in 0..<count where unknown[lane] { sums[(first + lane) / samples] += colors[lane] }
    }
    for (edge, sum) in zip(edges, sums) {
      Bytes(LaneVectors(sum / Float(255 * samples))).write(0, into: &frame, edge.row, edge.column)
    }
  }

  /// The colour of a pixel or one of its four neighbours that has seen a part, in levels of 255.
  private func known(_ part: Int32, _ row: Int, _ column: Int, _ across: Int, _ frame: PixelBuffer) -> SIMD3<Float>? {
    for (dy, dx) in [(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)] {
      let (y, x) = (row + dy, column + dx)
      guard y >= 0, y < frame.height, x >= 0, x < frame.width else { continue }
      guard seen[y * across + x / Lanes.count][x % Lanes.count] == part else { continue }
      let at = y * frame.stride + x * frame.channels
      switch frame.format {
      case .gray: return SIMD3(repeating: Float(frame.bytes[at]))
      case .rgb: return SIMD3(Float(frame.bytes[at]), Float(frame.bytes[at + 1]), Float(frame.bytes[at + 2]))
      }
    }
    return nil
  }

  /// The pixels that see something else than one of their four neighbours, row by row.
  private func edges(width: Int, height: Int, _ across: Int) -> [(row: Int, column: Int)] {
    var edges: [(row: Int, column: Int)] = []
    for row in 0..<height {
      for packet in 0..<across {
        let own = seen[row * across + packet]
        let above = row > 0 ? seen[(row - 1) * across + packet] : own
        let below = row + 1 < height ? seen[(row + 1) * across + packet] : own
        let before = packet > 0 ? seen[row * across + packet - 1][7] : own[0]
        let after = packet + 1 < across ? seen[row * across + packet + 1][0] : own[7]
        let left = SIMD8(before, own[0], own[1], own[2], own[3], own[4], own[5], own[6])
        let right = SIMD8(own[1], own[2], own[3], own[4], own[5], own[6], own[7], after)
        let differs = (own ^ above) | (own ^ below) | (own ^ left) | (own ^ right)
        if LaneMask(bits: differs).isEmpty { continue }
        for lane in 0..<Lanes.count where differs[lane] != 0 && packet * Lanes.count + lane < width {
          edges.append((row, packet * Lanes.count + lane))
        }
      }
    }
    return edges
  }
}

/// The centres of the first eight pixels of a row.
private let firstPlaces = Lanes(SIMD8(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5))

/// The bits of a number mirrored behind the point (van der Corput 1935): places that lie evenly however many there are.
private func reversedFraction(_ index: Int) -> Float {
  var (result, half, rest) = (Float(0), Float(0.5), index)
  while rest > 0 {
    if rest & 1 == 1 { result += half }
    half /= 2
    rest >>= 1
  }
  return result
}

/// Eight colours in bytes.
private struct Bytes {
  let red: SIMD8<Int32>
  let green: SIMD8<Int32>
  let blue: SIMD8<Int32>

  @inline(__always)
  init(_ colors: LaneVectors) {
    func level(_ x: Lanes) -> SIMD8<Int32> { (min(max(x, Lanes(0)), Lanes(1)) * 255).integers }
    (red, green, blue) = (level(colors.x), level(colors.y), level(colors.z))
  }

  @inline(__always)
  func write(_ lane: Int, into frame: inout PixelBuffer, _ row: Int, _ column: Int) {
    let color = Color(
      UInt8(truncatingIfNeeded: red[lane]), UInt8(truncatingIfNeeded: green[lane]),
      UInt8(truncatingIfNeeded: blue[lane]))
    switch frame.format {
    case .gray: frame.bytes[row * frame.stride + column] = color.luminance
    case .rgb:
      let at = row * frame.stride + 3 * column
      frame.bytes[at] = color.red
      frame.bytes[at + 1] = color.green
      frame.bytes[at + 2] = color.blue
    }
  }
}
