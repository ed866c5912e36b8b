#if canImport(Glibc)
  import Glibc
#endif

/// The threads that oneDNN computes with.
public enum Threads {
  /// Sets their number for calls from the present thread, at least 1. Without OpenMP, and so without oneDNN, every
  /// computation has one thread anyway and nothing happens.
  public static func set(_ count: Int) {
    precondition(count > 0, "computing needs at least one thread, not \(count)")
    #if canImport(Glibc)
      // Looked up at run time: OpenMP comes with oneDNN and has no module of its own.
      typealias Setter = @convention(c) (Int32) -> Void
      guard let symbol = unsafe dlsym(nil, "omp_set_num_threads") else { return }
      unsafe unsafeBitCast(symbol, to: Setter.self)(Int32(clamping: count))
    #endif
  }
}
