#if OneDNN
  import CDNNL

  /// Traps if a call of oneDNN failed, which does not happen with correct sizes.
  func check(_ status: dnnl_status_t, _ what: @autoclosure () -> String) {
    precondition(status == dnnl_success, "oneDNN cannot \(what()): status \(status.rawValue)")
  }

  /// Unwraps a description that oneDNN supports on every machine.
  func needed(_ description: PrimitiveDescription?, _ what: @autoclosure () -> String) -> PrimitiveDescription {
    guard let description else { preconditionFailure("oneDNN does not compute \(what())") }
    return description
  }

  /// oneDNN's CPU engine, and a stream on it.
  @safe final class Device: @unchecked Sendable {
    static let shared = Device()

    let engine: dnnl_engine_t
    let stream: dnnl_stream_t

    private init() {
      var engine: dnnl_engine_t?
      var stream: dnnl_stream_t?
      unsafe check(dnnl_engine_create(&engine, dnnl_cpu, 0), "create a CPU engine")
      guard let engine = unsafe engine else { preconditionFailure("oneDNN created no engine") }
      unsafe check(dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue)), "create a stream")
      guard let stream = unsafe stream else { preconditionFailure("oneDNN created no stream") }
      unsafe self.engine = engine
      unsafe self.stream = stream
    }
  }

  // MARK: - Descriptors

  /// The layout of float32 data in memory: extents, and how they map to addresses.
  @safe final class Layout: @unchecked Sendable {
    let handle: dnnl_memory_desc_t

    /// Takes over what `make` creates.
    private init(_ what: @autoclosure () -> String, _ make: (inout dnnl_memory_desc_t?) -> dnnl_status_t) {
      var handle: dnnl_memory_desc_t?
      unsafe check(make(&handle), "describe \(what())")
      guard let handle = unsafe handle else { preconditionFailure("oneDNN described no memory") }
      unsafe self.handle = handle
    }

    deinit { unsafe dnnl_memory_desc_destroy(handle) }

    /// A named layout; `dnnl_format_tag_any` lets the primitive choose.
    convenience init(_ extents: [Int], _ tag: dnnl_format_tag_t) {
      unsafe self.init("\(extents)") { handle in
        unsafe dnnl_memory_desc_create_with_tag(
          &handle, Int32(extents.count), extents.map { dnnl_dim_t($0) }, dnnl_f32, tag)
      }
    }

    /// Images in blocks of adjacent channels, which the fast kernels need.
    convenience init(blocked extents: [Int]) {
      self.init(extents, BlockedCorrelation.block == 16 ? dnnl_aBcd16b : dnnl_aBcd8b)
    }

    /// The upper left part of the images of a plain tensor.
    convenience init(part height: Int, _ width: Int, of shape: Shape) {
      unsafe self.init("\(shape)") { handle in
        unsafe dnnl_memory_desc_create_with_strides(
          &handle, 4, [shape[0], shape[1], height, width].map { dnnl_dim_t($0) }, dnnl_f32,
          (0..<4).map { dnnl_dim_t(shape.inner($0)) })
      }
    }

    /// An operand's layout that oneDNN chose.
    convenience init(_ operand: dnnl_query_t, of description: PrimitiveDescription) {
      unsafe self.init("an operand") { handle in
        unsafe dnnl_memory_desc_clone(&handle, dnnl_primitive_desc_query_md(description.handle, operand, 0))
      }
    }

    /// The same memory with only `first` and `second` elements of the first two axes in use; the rest is padding.
    func using(_ first: Int, _ second: Int) -> Layout {
      let extents = [first, second, extent(2), extent(3)]
      return unsafe Layout("\(extents) as a part of [\(extent(0)), \(extent(1))]") { handle in
        unsafe pixelrl_narrow(&handle, self.handle, extents.map { dnnl_dim_t($0) })
      }
    }

    func extent(_ axis: Int) -> Int { unsafe Int(pixelrl_dims(handle)[axis]) }
    var byteCount: Int { unsafe dnnl_memory_desc_get_size(handle) }
  }

  /// An operand of primitives: a layout, and the address of the data, which is set before each call.
  @safe final class Operand {
    let layout: Layout
    let memory: dnnl_memory_t

    init(_ layout: Layout) {
      var memory: dnnl_memory_t?
      unsafe check(dnnl_memory_create(&memory, layout.handle, Device.shared.engine, nil), "create an operand")
      guard let memory = unsafe memory else { preconditionFailure("oneDNN created no operand") }
      self.layout = layout
      unsafe self.memory = memory
    }

    deinit { unsafe dnnl_memory_destroy(memory) }

    func place(at address: UnsafeMutableRawPointer) {
      unsafe check(dnnl_memory_set_data_handle(memory, address), "set the address of an operand")
    }

    /// Sets the address to the elements of a tensor. A primitive may write to them only if nothing else uses them.
    func place(on tensor: Tensor) { unsafe place(at: tensor.storage.base) }
  }

  /// The offsets of operands in one block of memory.
  struct BlockPlan {
    private(set) var byteCount = 0
    private var entries: [(operand: Operand, offset: Int)] = []

    /// Reserves memory aligned to a cache line and returns its offset.
    mutating func reserve(_ bytes: Int) -> Int {
      defer { byteCount += (bytes + 63) & ~63 }
      return byteCount
    }

    /// Adds an operand at a new offset, or at one that was reserved for several that are not used at the same time.
    mutating func put(_ operand: Operand, at offset: Int? = nil) {
      let offset = offset ?? reserve(operand.layout.byteCount)
      entries.append((operand, offset))
    }

    func place(in block: Storage) {
      for (operand, offset) in entries { unsafe operand.place(at: block.base + offset) }
    }
  }

  // MARK: - Primitives

  /// Describes what a primitive computes. It is queried for the layouts first, then the primitive is created from it.
  @safe final class PrimitiveDescription {
    let handle: dnnl_primitive_desc_t

    /// Nil if oneDNN has no kernel for it on this machine.
    ///
    /// - Parameter make: creates the description on an engine, with the handle of `attributes`.
    init?(
      _ attributes: Attributes = Attributes(),
      _ make: (inout dnnl_primitive_desc_t?, dnnl_engine_t, dnnl_primitive_attr_t) -> dnnl_status_t
    ) {
      var handle: dnnl_primitive_desc_t?
      let status = unsafe make(&handle, Device.shared.engine, attributes.handle)
      withExtendedLifetime(attributes) {}
      guard status == dnnl_success, let handle = unsafe handle else { return nil }
      unsafe self.handle = handle
    }

    /// Describes a copy from one layout to another.
    static func copy(from source: Layout, to target: Layout) -> PrimitiveDescription {
      let copy = unsafe PrimitiveDescription { handle, engine, attributes in
        unsafe dnnl_reorder_primitive_desc_create(&handle, source.handle, engine, target.handle, engine, attributes)
      }
      return needed(copy, "a copy from one layout to another")
    }

    deinit { unsafe dnnl_primitive_desc_destroy(handle) }

    /// The layout that oneDNN chose for an operand; empty if there is no such operand.
    func layout(_ operand: dnnl_query_t) -> Layout { Layout(operand, of: self) }

    /// The name of the kernel: one that begins with `ref` is a hundred times slower than the others.
    var kernel: String {
      var name: UnsafePointer<CChar>?
      let status = unsafe dnnl_primitive_desc_query(handle, dnnl_query_impl_info_str, 0, &name)
      guard status == dnnl_success, let name = unsafe name else { return "unknown" }
      return unsafe String(cString: name)
    }
  }

  /// Attributes of a primitive: its working memory comes from the caller, and ReLU may be fused to its end.
  @safe final class Attributes {
    let handle: dnnl_primitive_attr_t

    init(rectified: Bool = false) {
      var handle: dnnl_primitive_attr_t?
      unsafe check(dnnl_primitive_attr_create(&handle), "create attributes")
      guard let handle = unsafe handle else { preconditionFailure("oneDNN created no attributes") }
      unsafe self.handle = handle
      // oneDNN's own working memory belongs to the thread that created the primitive; the caller's belongs to a call.
      unsafe check(
        dnnl_primitive_attr_set_scratchpad_mode(handle, dnnl_scratchpad_mode_user), "set the scratchpad mode")
      guard rectified else { return }
      var operations: dnnl_post_ops_t?
      unsafe check(dnnl_post_ops_create(&operations), "create post-ops")
      unsafe check(pixelrl_append_relu(operations), "append ReLU")
      unsafe check(dnnl_primitive_attr_set_post_ops(handle, operations), "fuse ReLU")
      unsafe check(dnnl_post_ops_destroy(operations), "free post-ops")
    }

    deinit { unsafe dnnl_primitive_attr_destroy(handle) }
  }

  /// A computation with its operands.
  @safe final class Primitive {
    let kernel: String
    private let handle: dnnl_primitive_t
    private let operands: [Operand]
    private let arguments: [dnnl_exec_arg_t]

    /// - Parameter operands: the operands with their `DNNL_ARG_` numbers.
    init(_ description: PrimitiveDescription, _ operands: [(Int32, Operand)], scratch: inout Scratch) {
      var handle: dnnl_primitive_t?
      unsafe check(dnnl_primitive_create(&handle, description.handle), "create a primitive")
      guard let handle = unsafe handle else { preconditionFailure("oneDNN created no primitive") }
      unsafe self.handle = handle
      kernel = description.kernel  // also keeps the description alive until here
      var operands = operands
      let scratchpad = description.layout(dnnl_query_scratchpad_md)
      if scratchpad.byteCount > 0 {
        let working = Operand(scratchpad)
        scratch.add(working)
        operands.append((DNNL_ARG_SCRATCHPAD, working))
      }
      self.operands = operands.map(\.1)
      unsafe arguments = operands.map { unsafe dnnl_exec_arg_t(arg: $0.0, memory: $0.1.memory) }
    }

    deinit { unsafe dnnl_primitive_destroy(handle) }

    func run() {
      unsafe check(
        dnnl_primitive_execute(handle, Device.shared.stream, Int32(arguments.count), arguments), "run \(kernel)")
    }
  }

  /// The working memory of primitives. They run one after another and share the same memory.
  struct Scratch {
    private var operands: [Operand] = []

    mutating func add(_ operand: Operand) { operands.append(operand) }

    func put(into block: inout BlockPlan) {
      let offset = block.reserve(operands.map(\.layout.byteCount).max() ?? 0)
      for operand in operands { block.put(operand, at: offset) }
    }
  }
#endif
