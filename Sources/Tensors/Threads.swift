#if canImport(Glibc)
  import Glibc
#endif

/// The threads that oneDNN computes with.
public enum Threads {
  /// Sets the number of threads for calls from the current thread, at least 1 and at most `OMP_THREAD_LIMIT`. Does
  /// nothing without OpenMP, and so without oneDNN: every computation then uses one thread.
  public static func set(_ count: Int) {
    precondition(count > 0, "the number of threads must be at least 1, not \(count)")
    #if canImport(Glibc)
      // Looked up at run time: OpenMP is linked through oneDNN and has no Swift module.
      typealias Setter = @convention(c) (Int32) -> Void
      typealias Getter = @convention(c) () -> Int32
      guard let threads = unsafe dlsym(nil, "omp_set_num_threads"),
        let limit = unsafe dlsym(nil, "omp_get_thread_limit"),
        let dynamic = unsafe dlsym(nil, "omp_set_dynamic")
      else { return }
      // oneDNN waits for the number of threads that it requested, so it must get all of them, whatever OMP_DYNAMIC is.
      unsafe unsafeBitCast(dynamic, to: Setter.self)(0)
      let most = unsafe unsafeBitCast(limit, to: Getter.self)()
      unsafe unsafeBitCast(threads, to: Setter.self)(min(Int32(clamping: count), max(1, most)))
    #endif
  }

  /// The number of threads that the current thread computes with: 1 without OpenMP, else the value of `set`, of
  /// `OMP_NUM_THREADS`, or the number of CPU cores.
  public static var count: Int {
    #if canImport(Glibc)
      if let openMP = unsafe OpenMP.shared { return unsafe Int(openMP.threadLimit()) }
    #endif
    return 1
  }

  /// Starts the program again, in the same process, with OpenMP's threads waiting for microseconds before they sleep.
  ///
  /// By default GNU's OpenMP lets them spin for milliseconds. Beside another busy process that is most of the time: the
  /// thread that spins has the core that the thread it waits for needs. OpenMP reads its settings only when it is loaded,
  /// so `main` calls this before anything else. Does nothing if the user has set OMP_WAIT_POLICY or GOMP_SPINCOUNT.
  public static func limitSpinning() {
    #if canImport(Glibc)
      guard unsafe getenv("OMP_WAIT_POLICY") == nil, unsafe getenv("GOMP_SPINCOUNT") == nil else { return }
      // About 30 µs. oneDNN's convolutions still wait for OpenMP's threads; our own passes do not, see `Workers`.
      guard unsafe setenv("GOMP_SPINCOUNT", "2000", 1) == 0 else { return }
      // Returns only if it fails. Then the threads spin as before.
      unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
    #endif
  }

  // MARK: - Parallel passes

  /// The number of elements below which a pass ends before another thread has started.
  private static let worthwhile = 16_384

  /// Divides `0..<count` into parts and calls `body` once on each, at the same time on several threads.
  ///
  /// The parts depend only on the arguments and on the number of threads. Which thread takes which part does not matter:
  /// a part that no other thread has begun is taken by the caller, so that it never waits for a thread that another
  /// process keeps from running.
  ///
  /// - Parameters:
  ///   - count: the number of items to divide, such as rows or columns.
  ///   - grain: parts start at multiples of it; 16 floats fill a cache line.
  ///   - elements: the number of elements of the whole pass; a small pass stays on the current thread.
  ///   - body: must not write what another part reads or writes.
  public static func divide(_ count: Int, grain: Int = 1, elements: Int, _ body: (_ part: Range<Int>) -> Void) {
    #if canImport(Glibc)
      if elements >= worthwhile, let openMP = unsafe OpenMP.shared {
        let threads = unsafe Int(openMP.threadLimit())
        if threads > 1 {
          // More parts than threads, so that a thread that comes late still helps.
          let parts = elements >= 8 * worthwhile ? 2 * threads : threads
          let grains = (count + grain - 1) / grain
          // What the parts call, such as a product of oneDNN, must not start threads itself.
          unsafe openMP.setThreads(1)
          Workers.shared.run(parts, helpers: threads - 1) { index in
            let start = min(grains * index / parts * grain, count)
            let end = min(grains * (index + 1) / parts * grain, count)
            if start < end { body(start..<end) }
          }
          unsafe openMP.setThreads(Int32(threads))
          return
        }
      }
    #endif
    if count > 0 { body(0..<count) }
  }

  #if canImport(Glibc)
    /// OpenMP's functions, looked up at run time: the library is linked through oneDNN and has no Swift module.
    @unsafe private struct OpenMP {
      /// The number of threads that oneDNN would use on the current thread.
      let threadLimit: @convention(c) () -> Int32
      let setThreads: @convention(c) (Int32) -> Void

      /// Nil without oneDNN.
      static let shared: OpenMP? = unsafe find()

      private static func find() -> OpenMP? {
        guard let limit = unsafe dlsym(nil, "omp_get_max_threads"), let set = unsafe dlsym(nil, "omp_set_num_threads")
        else { return nil }
        return unsafe OpenMP(
          threadLimit: unsafeBitCast(limit, to: (@convention(c) () -> Int32).self),
          setThreads: unsafeBitCast(set, to: (@convention(c) (Int32) -> Void).self))
      }
    }
  #endif
}
