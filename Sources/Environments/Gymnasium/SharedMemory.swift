import Core
import Foundation

/// Memory that another process sees too: a file without a name, whose descriptor that process inherits.
///
/// All of it is there from the start, and nobody can change its size: to touch what is not there would end this program.
@safe final class SharedMemory {
  let file: Descriptor
  private var memory: UnsafeMutableRawPointer?
  private var count = 0

  init() throws { file = try .memory() }

  deinit { if let memory = unsafe memory { unsafe munmap(memory, count) } }

  /// Takes so many bytes, which are 0.
  ///
  /// - Parameter available: what may be taken at most: to ask the system for more than it has would end other programs.
  /// - Returns: where they begin.
  /// - Throws: `WorldError` where there are not so many.
  func reserve(_ count: Int, of available: Int = SharedMemory.available) throws -> UnsafeMutableRawPointer {
    func failure(_ reason: String) -> WorldError {
      WorldError(
        "\(count) bytes of memory to share with a Python process cannot be had: \(reason); fewer environments or smaller "
          + "pictures need less")
    }
    func failure(_ code: Int32) -> WorldError { failure(unsafe String(cString: strerror(code))) }
    guard count <= available else { throw failure("there are \(available)") }
    let code = posix_fallocate(file.number, 0, off_t(count))
    guard code == 0 else { throw failure(code) }
    guard file.sealSize() else { throw failure(errno) }
    let mapped = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw failure(errno) }
    (unsafe memory, self.count) = unsafe (mapped, count)
    return unsafe mapped
  }

  /// Bytes of memory that programs can still have, as the kernel estimates it; half of all where it does not.
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
