import Synchronization

/// The memory of a tensor: a block aligned to a cache line. Safe to share, because it is written only while a single
/// tensor holds it.
@safe final class Storage: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  /// Whether the pool holds it too, and reuses it once all tensors have released it.
  let isPooled: Bool

  init(byteCount: Int, isPooled: Bool) {
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 64), alignment: 64)
    self.byteCount = byteCount
    self.isPooled = isPooled
  }

  deinit { unsafe base.deallocate() }
}

/// A pool of memory blocks that are reused, so that a steady-state update allocates nothing.
///
/// The pool keeps every block; a block that only the pool holds is free. Blocks are found by their exact size, because
/// an update requests the same sizes each time.
enum StoragePool {
  /// Free blocks are released once the pool holds more bytes than this.
  static let capacity = 768 << 20

  fileprivate struct FreeList {
    var blocks: [Storage] = []
    var cursor = 0
  }

  private struct State {
    var shelves: [Int: FreeList] = [:]
    var heldBytes = 0
    var allocations = 0
  }

  private static let state = Mutex(State())

  /// The number of blocks allocated since the start; constant in a steady state.
  static var allocations: Int { state.withLock { $0.allocations } }
  /// The size in bytes of all blocks that the pool holds.
  static var heldBytes: Int { state.withLock { $0.heldBytes } }

  static func borrow(byteCount: Int) -> Storage {
    let size = (max(byteCount, 64) + 63) & ~63
    return state.withLock { state in
      if let free = state.shelves[size, default: FreeList()].next() { return free }
      if state.heldBytes + size > capacity { dropFreeBlocks(&state) }
      let fresh = Storage(byteCount: size, isPooled: true)
      state.allocations += 1
      state.heldBytes += size
      state.shelves[size, default: FreeList()].blocks.append(fresh)
      return fresh
    }
  }

  private static func dropFreeBlocks(_ state: inout State) {
    for size in Array(state.shelves.keys) {
      guard var shelf = state.shelves.removeValue(forKey: size) else { continue }
      var kept: [Storage] = []
      while var block = shelf.blocks.popLast() {
        if isKnownUniquelyReferenced(&block) { state.heldBytes -= size } else { kept.append(block) }
      }
      if !kept.isEmpty { state.shelves[size] = FreeList(blocks: kept) }
    }
  }
}

extension StoragePool.FreeList {
  /// The next block that no tensor holds, searching the list once.
  fileprivate mutating func next() -> Storage? {
    for _ in 0..<blocks.count {
      cursor = cursor + 1 < blocks.count ? cursor + 1 : 0
      if isKnownUniquelyReferenced(&blocks[cursor]) { return blocks[cursor] }
    }
    return nil
  }
}

/// The memory that the tensors of this process have allocated.
public enum TensorMemory {
  /// The number of blocks allocated since the start; constant while updates repeat.
  public static var allocations: Int { StoragePool.allocations }
  /// The size in bytes of all blocks, in use or kept for reuse.
  public static var heldBytes: Int { StoragePool.heldBytes }
}
