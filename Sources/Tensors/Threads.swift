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
      // Longer than the pauses between two passes of an update, so that the threads are still awake.
      guard unsafe setenv("GOMP_SPINCOUNT", "2000", 1) == 0 else { return }
      // Returns only if it fails. Then the threads spin as before.
      unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
    #endif
  }

  // MARK: - Parallel passes
  // They use OpenMP's threads: a second pool would compete with them, because they spin while they wait.

  /// The number of elements below which a pass ends before the other threads have started.
  private static let worthwhile = 16_384

  private typealias Body = (_ part: Range<Int>) -> Void

  /// The data that the threads share in one pass.
  @unsafe private struct Work {
    let count: Int
    let grain: Int
    let body: Body
  }

  /// Divides `0..<count` among the threads and calls `body` once on each, at the same time.
  ///
  /// - Parameters:
  ///   - count: the number of items to divide, such as rows or columns.
  ///   - grain: parts start at multiples of it; 16 floats fill a cache line.
  ///   - elements: the number of elements of the whole pass; a small pass stays on the current thread.
  ///   - body: must not write what another part reads or writes.
  public static func divide(_ count: Int, grain: Int = 1, elements: Int, _ body: (_ part: Range<Int>) -> Void) {
    #if canImport(Glibc)
      if elements >= worthwhile, let openMP = unsafe OpenMP.shared, unsafe openMP.threadLimit() > 1 {
        withoutActuallyEscaping(body) { body in
          var work = unsafe Work(count: count, grain: grain, body: body)
          unsafe withUnsafeMutablePointer(to: &work) { work in
            unsafe openMP.fork(
              { work in
                guard let work = unsafe work?.assumingMemoryBound(to: Work.self).pointee,
                  let openMP = unsafe OpenMP.shared
                else { return }
                let (index, threads) = unsafe (Int(openMP.threadIndex()), Int(openMP.threadCount()))
                let grains = unsafe (work.count + work.grain - 1) / work.grain
                let start = unsafe min(grains * index / threads * work.grain, work.count)
                let end = unsafe min(grains * (index + 1) / threads * work.grain, work.count)
                if start < end { unsafe work.body(start..<end) }
              }, work, 0, 0)
          }
        }
        return
      }
    #endif
    if count > 0 { body(0..<count) }
  }

  #if canImport(Glibc)
    /// OpenMP's functions, looked up at run time: the library is linked through oneDNN and has no Swift module.
    @unsafe private struct OpenMP {
      typealias Part = @convention(c) (UnsafeMutableRawPointer?) -> Void
      /// Runs a function on all threads and waits, as compiled code does for `#pragma omp parallel`.
      let fork: @convention(c) (Part, UnsafeMutableRawPointer?, UInt32, UInt32) -> Void
      /// The number of threads that a fork would use.
      let threadLimit: @convention(c) () -> Int32
      let threadIndex: @convention(c) () -> Int32
      let threadCount: @convention(c) () -> Int32

      /// Nil without oneDNN, or with an OpenMP that is not GNU's.
      static let shared: OpenMP? = unsafe find()

      private static func find() -> OpenMP? {
        typealias Fork = @convention(c) (Part, UnsafeMutableRawPointer?, UInt32, UInt32) -> Void
        typealias Number = @convention(c) () -> Int32
        guard let fork = unsafe dlsym(nil, "GOMP_parallel"), let limit = unsafe dlsym(nil, "omp_get_max_threads"),
          let index = unsafe dlsym(nil, "omp_get_thread_num"), let count = unsafe dlsym(nil, "omp_get_num_threads")
        else { return nil }
        return unsafe OpenMP(
          fork: unsafeBitCast(fork, to: Fork.self), threadLimit: unsafeBitCast(limit, to: Number.self),
          threadIndex: unsafeBitCast(index, to: Number.self), threadCount: unsafeBitCast(count, to: Number.self))
      }
    }
  #endif
}
