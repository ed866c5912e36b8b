import CLinux

/// The machine's processor.
public enum Processor {
  /// Whether it has the instructions that this program was built for, such as AVX2.
  public static var fitsProgram: Bool { linux_fits_processor() != 0 }

  /// Waits for some nanoseconds, in a loop that waits for another thread.
  public static func pause() { linux_pause() }
}
