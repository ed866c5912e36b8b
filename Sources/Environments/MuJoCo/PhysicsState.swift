#if MuJoCo
  import CMuJoCo
  import Core
  import Synchronization

  /// Everything that the future of a simulation depends on, as a value. A copy is a snapshot, and is free until it is
  /// stepped.
  ///
  /// It is one array in the order of `StateLayout`. It includes the solver's warm start, which affects the last digits
  /// of the next step, and the sensors, since touch sensors report the state before.
  struct PhysicsState: Sendable, Codable {
    var numbers: [Double]
    /// Identifies this state among those that simulations hold. Not part of the state.
    var stamp: UInt64 = 0

    private enum CodingKeys: CodingKey { case numbers }

    private static let lastStamp = Atomic<UInt64>(0)
    static func newStamp() -> UInt64 { lastStamp.wrappingAdd(1, ordering: .relaxed).newValue }
  }

  /// The positions of the parts of a state in its array.
  struct StateLayout: Sendable, Hashable {
    let positions: Range<Int>
    let velocities: Range<Int>
    let activations: Range<Int>
    let placed: Range<Int>
    let warmStart: Range<Int>
    /// The number of values in `Environment.state`. The others do not affect the future, or only together with these.
    var stateCount: Int { warmStart.upperBound }
    let control: Range<Int>
    let mocapPositions: Range<Int>
    let mocapRotations: Range<Int>
    let sensors: Range<Int>
    let time: Int
    let count: Int

    init(_ model: UnsafeMutablePointer<mjModel>, placements: Int) {
      var end = 0
      func next(_ count: Int) -> Range<Int> {
        defer { end += count }
        return end..<end + count
      }
      positions = unsafe next(Int(model.pointee.nq))
      velocities = unsafe next(Int(model.pointee.nv))
      activations = unsafe next(Int(model.pointee.na))
      placed = next(placements)
      warmStart = unsafe next(Int(model.pointee.nv))
      control = unsafe next(Int(model.pointee.nu))
      mocapPositions = unsafe next(3 * Int(model.pointee.nmocap))
      mocapRotations = unsafe next(4 * Int(model.pointee.nmocap))
      sensors = unsafe next(Int(model.pointee.nsensordata))
      time = end
      count = end + 1
    }
  }

  extension Simulation {
    /// Writes the current state to an array of the layout's size.
    func save(into numbers: inout [Double], _ layout: StateLayout) {
      for number in 0..<Self.parts {
        let (range, values) = unsafe part(number, layout)
        for (index, at) in range.enumerated() { unsafe numbers[at] = values[index] }
      }
      for (at, x) in zip(layout.placed, placed) { numbers[at] = x }
      numbers[layout.time] = time
    }

    /// Sets the current state.
    func load(_ numbers: [Double], _ layout: StateLayout) {
      precondition(numbers.count == layout.count, "a state has \(layout.count) numbers, not \(numbers.count)")
      for number in 0..<Self.parts {
        let (range, values) = unsafe part(number, layout)
        for (index, at) in range.enumerated() { unsafe values[index] = numbers[at] }
      }
      placed = Array(numbers[layout.placed])
      time = numbers[layout.time]
      follow()
    }

    private static let parts = 8

    /// Returns the range of a part in the array and its address in MuJoCo's memory.
    private func part(_ number: Int, _ layout: StateLayout) -> (Range<Int>, UnsafeMutablePointer<Double>) {
      switch number {
      case 0: unsafe (layout.positions, data.pointee.qpos)
      case 1: unsafe (layout.velocities, data.pointee.qvel)
      case 2: unsafe (layout.activations, data.pointee.act)
      case 3: unsafe (layout.warmStart, data.pointee.qacc_warmstart)
      case 4: unsafe (layout.control, data.pointee.ctrl)
      case 5: unsafe (layout.mocapPositions, data.pointee.mocap_pos)
      case 6: unsafe (layout.mocapRotations, data.pointee.mocap_quat)
      default: unsafe (layout.sensors, data.pointee.sensordata)
      }
    }
  }
#endif
