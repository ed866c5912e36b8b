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

  extension dnnl_memory_desc_t {
    /// Describes float32 data in a named layout; `dnnl_format_tag_any` lets the primitive choose.
    init(_ extents: [Int], _ tag: dnnl_format_tag_t) {
      self.init()
      let extents = extents.map { dnnl_dim_t($0) }
      unsafe check(
        dnnl_memory_desc_init_by_tag(&self, Int32(extents.count), extents, dnnl_f32, tag), "describe \(extents)")
    }

    /// Describes the upper left part of the images of a plain tensor.
    init(part height: Int, _ width: Int, of shape: Shape) {
      self.init()
      let extents = [shape[0], shape[1], height, width].map { dnnl_dim_t($0) }
      let strides = (0..<4).map { dnnl_dim_t(shape.inner($0)) }
      unsafe check(dnnl_memory_desc_init_by_strides(&self, 4, extents, dnnl_f32, strides), "describe \(shape)")
    }

    /// The same memory with only `first` and `second` elements of the first two axes in use; the rest is padding.
    func using(_ first: Int, _ second: Int) -> dnnl_memory_desc_t {
      var narrowed = self
      narrowed.dims.0 = dnnl_dim_t(first)
      narrowed.dims.1 = dnnl_dim_t(second)
      return narrowed
    }

    var byteCount: Int {
      var copy = self
      return unsafe dnnl_memory_desc_get_size(&copy)
    }
  }

  /// An operand of primitives: a description, and the address of the data, which is set before each call.
  @safe final class Operand {
    let description: dnnl_memory_desc_t
    let memory: dnnl_memory_t

    init(_ description: dnnl_memory_desc_t) {
      var description = description
      var memory: dnnl_memory_t?
      unsafe check(dnnl_memory_create(&memory, &description, Device.shared.engine, nil), "create an operand")
      guard let memory = unsafe memory else { preconditionFailure("oneDNN created no operand") }
      self.description = description
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
      let offset = offset ?? reserve(operand.description.byteCount)
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
    init?(_ operation: UnsafeRawPointer, _ attributes: Attributes, hint: PrimitiveDescription? = nil) {
      var handle: dnnl_primitive_desc_t?
      let status = unsafe dnnl_primitive_desc_create(
        &handle, operation, attributes.handle, Device.shared.engine, hint?.handle)
      withExtendedLifetime((attributes, hint)) {}
      guard status == dnnl_success, let handle = unsafe handle else { return nil }
      unsafe self.handle = handle
    }

    /// Describes a copy from one layout to another.
    init(reorderFrom source: dnnl_memory_desc_t, to target: dnnl_memory_desc_t) {
      var (source, target) = (source, target)
      var handle: dnnl_primitive_desc_t?
      let engine = unsafe Device.shared.engine
      let attributes = Attributes()
      unsafe check(
        dnnl_reorder_primitive_desc_create(&handle, &source, engine, &target, engine, attributes.handle), "reorder")
      withExtendedLifetime(attributes) {}
      guard let handle = unsafe handle else { preconditionFailure("oneDNN does not reorder") }
      unsafe self.handle = handle
    }

    deinit { unsafe dnnl_primitive_desc_destroy(handle) }

    /// The layout of an operand; nil if there is no such operand.
    func layout(_ query: dnnl_query_t) -> dnnl_memory_desc_t? {
      unsafe dnnl_primitive_desc_query_md(handle, query, 0)?.pointee
    }

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
      unsafe check(dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, 0, 0), "append ReLU")
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
      if let layout = description.layout(dnnl_query_scratchpad_md), layout.byteCount > 0 {
        let working = Operand(layout)
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
      let offset = block.reserve(operands.map(\.description.byteCount).max() ?? 0)
      for operand in operands { block.put(operand, at: offset) }
    }
  }
#endif
