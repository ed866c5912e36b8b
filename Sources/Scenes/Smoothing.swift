import Pixels

/// A pixel at an edge, with its antialiased colour.
struct SmoothedEdge: Sendable {
  let row: Int
  let column: Int
  let color: Color
}

extension TracedPicture {
  /// Computes the colours of edge pixels as the mean of several rays. A pixel is at an edge if one of its four
  /// neighbours shows a different part. A ray that hits the same part as the pixel or a neighbour uses that pixel's
  /// colour, like the samples of OpenGL's multisampling.
  ///
  /// - Parameters:
  ///   - sky: the colours of each packet for rays that hit nothing.
  ///   - frame: the picture before antialiasing.
  ///   - touches: the packets that differ from the backdrop; nil for all. Edges elsewhere are taken from the backdrop.
  func smoothedEdges(
    _ tracer: Tracer, _ sky: [LaneVectors], _ frame: PixelBuffer, near touches: [Backdrop.Touch]? = nil
  ) -> [SmoothedEdge] {
    let samples = tracer.quality.antialiasing
    guard samples > 1 else { return [] }
    let offsets = (0..<samples).map { sample in
      SIMD2((Float(sample) + 0.5) / Float(samples), reversedFraction(sample) + 0.5 / Float(samples))
    }
    let edges = edges(near: touches)
    var sums = [SIMD3<Float>](repeating: SIMD3(), count: edges.count)
    // The samples of all edges, eight at a time.
    for first in stride(from: 0, to: edges.count * samples, by: Lanes.count) {
      let count = min(Lanes.count, edges.count * samples - first)
      var (x, y) = (Lanes(0), Lanes(0))
      var area = PixelArea(column: edges[first / samples].column, row: edges[first / samples].row)
      for lane in 0..<count {
        let edge = edges[(first + lane) / samples]
        let offset = offsets[(first + lane) % samples]
        x[lane] = Float(edge.column) + offset.x
        y[lane] = Float(edge.row) + offset.y
        area.include(edge.column, edge.row)
      }
      let d = tracer.lens.rays(x, y)
      let hit = tracer.hit(d, in: area)
      var unknown = LaneMask(first: count)
      for lane in 0..<count {
        let edge = edges[(first + lane) / samples]
        guard !tracer.seesThrough(in: PixelArea(column: edge.column, row: edge.row)),
          let color = knownColor(hit.part[lane], edge.row, edge.column, frame)
        else { continue }
        sums[(first + lane) / samples] += color
        unknown.remove(lane)
      }
      if unknown.isEmpty { continue }
      func gathered(_ packets: [LaneVectors]) -> LaneVectors {
        var gathered = LaneVectors(SIMD3(0, 0, 0))
        for lane in 0..<count {
          let edge = edges[(first + lane) / samples]
          let color = packets[edge.row * across + edge.column / Lanes.count][edge.column % Lanes.count]
          (gathered.x[lane], gathered.y[lane], gathered.z[lane]) = (color.x, color.y, color.z)
        }
        return gathered
      }
      let found = tracer.colors(
        hit, along: d, in: area, unknown, sky: gathered(sky), background: tracer.background.map(gathered))
      let colors = found.colors * Lanes(255)
      for lane in 0..<count where unknown[lane] { sums[(first + lane) / samples] += colors[lane] }
    }
    return zip(edges, sums).map { edge, sum in
      SmoothedEdge(
        row: edge.row, column: edge.column, color: PixelBytes(LaneVectors(sum / Float(255 * samples)))[0])
    }
  }

  /// Returns the colour, from 0 to 255, of the pixel or the first of its four neighbours that shows a part, or nil.
  private func knownColor(_ part: Int32, _ row: Int, _ column: Int, _ frame: PixelBuffer) -> SIMD3<Float>? {
    for (dy, dx) in [(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)] {
      let (y, x) = (row + dy, column + dx)
      guard y >= 0, y < height, x >= 0, x < width else { continue }
      guard seen[y * across + x / Lanes.count][x % Lanes.count] == part else { continue }
      let at = y * frame.stride + x * frame.channels
      switch frame.format {
      case .gray: return SIMD3(repeating: Float(frame.bytes[at]))
      case .rgb: return SIMD3(Float(frame.bytes[at]), Float(frame.bytes[at + 1]), Float(frame.bytes[at + 2]))
      }
    }
    return nil
  }

  /// Returns the pixels at edges, row by row.
  private func edges(near touches: [Backdrop.Touch]?) -> [(row: Int, column: Int)] {
    var edges: [(row: Int, column: Int)] = []
    for row in 0..<height {
      for packet in 0..<across where touches.map({ isNear($0, row, packet) }) ?? true {
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

  /// Returns whether a packet or an adjacent one differs from the backdrop.
  func isNear(_ touches: [Backdrop.Touch], _ row: Int, _ packet: Int) -> Bool {
    let index = row * across + packet
    return touches[index] != .nothing || row > 0 && touches[index - across] != .nothing
      || row + 1 < height && touches[index + across] != .nothing || packet > 0 && touches[index - 1] != .nothing
      || packet + 1 < across && touches[index + 1] != .nothing
  }
}

/// Returns an element of the van der Corput sequence (1935): the bits of the index mirrored at the binary point. Any
/// number of elements is evenly distributed.
private func reversedFraction(_ index: Int) -> Float {
  var (result, half, rest) = (Float(0), Float(0.5), index)
  while rest > 0 {
    if rest & 1 == 1 { result += half }
    half /= 2
    rest >>= 1
  }
  return result
}
