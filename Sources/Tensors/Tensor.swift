import Core

/// A dense array of numbers in row-major order, with value semantics.
///
/// Operations return new tensors. Inside `valueWithGradient` they are also recorded, so that the gradient of a loss can
/// be computed.
public struct Tensor: Sendable {
  public let shape: Shape
  public let precision: Precision
  private(set) var storage: Storage
  /// The tensor's position on a tape; nil for a constant.
  var trace: Trace?

  /// Creates a tensor without values: the caller must write every element.
  init(uninitialized shape: Shape, _ precision: Precision) {
    self.shape = shape
    self.precision = precision
    storage = StoragePool.borrow(byteCount: shape.count * precision.byteCount)
  }

  private init(shape: Shape, precision: Precision, storage: Storage) {
    self.shape = shape
    self.precision = precision
    self.storage = storage
  }

  /// The same elements in another shape of equal count; not recorded on a tape.
  func viewed(as shape: Shape) -> Tensor { Tensor(shape: shape, precision: precision, storage: storage) }

  /// The tensor as a constant: no gradient flows through it.
  public var detached: Tensor {
    var copy = self
    copy.trace = nil
    return copy
  }

  /// The elements for reading, `shape.count` of them.
  @_lifetime(borrow self)
  @inline(__always)
  func elements<S: TensorScalar>(_ type: S.Type = S.self) -> Span<S> {
    precondition(S.precision == precision, "a \(precision) tensor cannot be read as \(S.self)")
    let buffer = unsafe UnsafeBufferPointer<S>(
      start: storage.base.assumingMemoryBound(to: S.self), count: shape.count)
    let span = unsafe Span<S>(_unsafeElements: buffer)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The elements for writing, in a tensor that was just created and whose memory is not shared.
  @_lifetime(&self)
  @inline(__always)
  mutating func freshElements<S: TensorScalar>(_ type: S.Type = S.self) -> MutableSpan<S> {
    precondition(S.precision == precision, "a \(precision) tensor cannot be written as \(S.self)")
    let buffer = unsafe UnsafeMutableBufferPointer<S>(
      start: storage.base.assumingMemoryBound(to: S.self), count: shape.count)
    let span = unsafe MutableSpan<S>(_unsafeElements: buffer)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// The elements for changing in place. Copies them first if their memory may be shared.
  @_lifetime(&self)
  mutating func mutableElements<S: TensorScalar>(_ type: S.Type = S.self) -> MutableSpan<S> {
    if storage.isPooled || !isKnownUniquelyReferenced(&storage) {
      let own = Storage(byteCount: storage.byteCount, isPooled: false)
      unsafe own.base.copyMemory(from: storage.base, byteCount: shape.count * precision.byteCount)
      storage = own
    }
    trace = nil
    return freshElements(S.self)
  }
}

// MARK: - Creating and reading tensors

extension Tensor {
  /// - Parameter elements: the elements in row-major order, `shape.count` of them.
  public init<S: TensorScalar>(_ elements: [S], _ shape: Shape) {
    precondition(elements.count == shape.count, "\(elements.count) elements do not fill the shape \(shape)")
    self.init(shape, of: S.self) { target in
      for i in elements.indices { target[i] = elements[i] }
    }
  }

  /// Creates a tensor. `fill` must write every element, because the memory is uninitialised.
  public init<S: TensorScalar>(_ shape: Shape, of type: S.Type, fill: (inout MutableSpan<S>) -> Void) {
    self.init(uninitialized: shape, S.precision)
    var target = freshElements(S.self)
    fill(&target)
  }

  public init(repeating value: Double, _ shape: Shape, _ precision: Precision = .float32) {
    self.init(uninitialized: shape, precision)
    switch precision {
    case .float32: fill(Float(value))
    case .float64: fill(value)
    }
  }

  public static func zeros(_ shape: Shape, _ precision: Precision = .float32) -> Tensor {
    Tensor(repeating: 0, shape, precision)
  }

  /// Creates a tensor without axes.
  public init(scalar value: Double, _ precision: Precision = .float32) {
    self.init(repeating: value, .scalar, precision)
  }

  /// Creates a tensor of standard normal elements.
  public static func normal(_ shape: Shape, _ precision: Precision = .float32, using random: inout Random) -> Tensor {
    var result = Tensor(uninitialized: shape, precision)
    switch precision {
    case .float32:
      var target = result.freshElements(Float.self)
      for i in 0..<target.count { target[i] = Float(random.normal()) }
    case .float64:
      var target = result.freshElements(Double.self)
      for i in 0..<target.count { target[i] = random.normal() }
    }
    return result
  }

  private mutating func fill<S: TensorScalar>(_ value: S) {
    var target = freshElements(S.self)
    for i in 0..<target.count { target[i] = value }
  }

  /// Calls `body` with the elements of a `float32` tensor.
  public func withElements<Result>(_ body: (Span<Float>) throws -> Result) rethrows -> Result {
    try body(elements(Float.self))
  }

  /// Changes the elements of a `float32` tensor in place; other copies keep their values.
  public mutating func withMutableElements<Result>(_ body: (inout MutableSpan<Float>) throws -> Result) rethrows
    -> Result
  {
    var elements = mutableElements(Float.self)
    return try body(&elements)
  }

  /// The elements in row-major order.
  public var array: [Float] {
    switch precision {
    case .float32: copied(Float.self)
    case .float64: copied(Double.self).map(Float.init)
    }
  }

  /// The elements in row-major order, in double precision.
  public var doubles: [Double] {
    switch precision {
    case .float32: copied(Float.self).map(Double.init)
    case .float64: copied(Double.self)
    }
  }

  private func copied<S: TensorScalar>(_ type: S.Type) -> [S] {
    let source = elements(S.self)
    return unsafe [S](unsafeUninitializedCapacity: source.count) { target, count in
      for i in 0..<source.count { unsafe target[i] = source[i] }
      count = source.count
    }
  }

  /// The value of a tensor with one element.
  public var item: Double {
    precondition(shape.count == 1, "item needs a tensor of one element, not of shape \(shape)")
    switch precision {
    case .float32: return Double(elements(Float.self)[0])
    case .float64: return elements(Double.self)[0]
    }
  }

  /// Whether no element is NaN or infinite.
  public var isFinite: Bool {
    switch precision {
    case .float32: allFinite(Float.self)
    case .float64: allFinite(Double.self)
    }
  }

  private func allFinite<S: TensorScalar>(_ type: S.Type) -> Bool {
    // x - x is 0 for finite numbers, else NaN: one pass without a branch.
    let source = elements(S.self)
    var residue = SIMD8<S>(repeating: 0)
    var i = 0
    while i + 8 <= source.count {
      let x = source.vector(at: i)
      residue += x - x
      i += 8
    }
    var rest: S = residue.sum()
    while i < source.count {
      rest += source[i] - source[i]
      i += 1
    }
    return rest == 0
  }

  /// The same values in another precision, as a constant.
  public func converted(to precision: Precision) -> Tensor {
    guard precision != self.precision else { return detached }
    var result = Tensor(uninitialized: shape, precision)
    switch precision {
    case .float32:
      let source = elements(Double.self)
      var target = result.freshElements(Float.self)
      for i in 0..<target.count { target[i] = Float(source[i]) }
    case .float64:
      let source = elements(Float.self)
      var target = result.freshElements(Double.self)
      for i in 0..<target.count { target[i] = Double(source[i]) }
    }
    return result
  }
}

extension Span where Element: TensorScalar {
  /// Eight adjacent elements; the caller ensures `index + 8 <= count`.
  @inline(__always)
  func vector(at index: Int) -> SIMD8<Element> {
    unsafe bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: index * MemoryLayout<Element>.stride, as: SIMD8<Element>.self)
  }
}
