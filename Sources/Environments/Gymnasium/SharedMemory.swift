import Core
import Foundation

/// Memory shared with another process: an anonymous file whose descriptor that process inherits.
///
/// It is fully allocated at the start and its size is sealed, since an access beyond its end would crash this program.
@safe final class SharedMemory {
  let file: Descriptor
  private var memory: UnsafeMutableRawPointer?
  private var count = 0

  init() throws { file = try .memory() }

  deinit { if let memory = unsafe memory { unsafe munmap(memory, count) } }

  /// Allocates `count` bytes, initialised to 0.
  ///
  /// - Parameter available: The maximum number of bytes. Allocating more than the system has would end other programs.
  /// - Returns: A pointer to the first byte.
  /// - Throws: `WorldError` if there is not enough memory.
  func reserve(_ count: Int, of available: Int = SharedMemory.available) throws -> UnsafeMutableRawPointer {
    func failure(_ reason: String) -> WorldError {
      WorldError(
        "cannot allocate \(count) bytes of memory to share with a Python process: \(reason); use fewer environments or "
          + "smaller pictures")
    }
    func failure(_ code: Int32) -> WorldError { failure(unsafe String(cString: strerror(code))) }
    guard count <= available else { throw failure("only \(available) are available") }
    let code = posix_fallocate(file.number, 0, off_t(count))
    guard code == 0 else { throw failure(code) }
    guard file.sealSize() else { throw failure(errno) }
    let mapped = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw failure(errno) }
    (unsafe memory, self.count) = unsafe (mapped, count)
    return unsafe mapped
  }

  /// The number of bytes that programs can still allocate, as the kernel estimates it. Without an estimate, half of all
  /// memory.
  static var available: Int {
    let facts = (try? readBytes(from: "/proc/meminfo")) ?? []
    let line = facts.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "MemAvailable:".utf8) }
    let kilobytes = line.flatMap { Int(String(decoding: $0.filter { (48...57).contains($0) }, as: UTF8.self)) }
    return kilobytes.map { 1024 * $0 } ?? sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) / 2
  }

  func load<Value: BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
    precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "shared memory ends at \(count)")
    return unsafe memory!.loadUnaligned(fromByteOffset: offset, as: Value.self)
  }

  func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
    precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "shared memory ends at \(count)")
    unsafe memory!.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }

  func withBytes<Result>(_ range: Range<Int>, _ body: (Span<UInt8>) -> Result) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "shared memory ends at \(count)")
    let start = unsafe UnsafeRawPointer(memory! + range.lowerBound).assumingMemoryBound(to: UInt8.self)
    return unsafe body(Span(_unsafeStart: start, count: range.count))
  }
}
