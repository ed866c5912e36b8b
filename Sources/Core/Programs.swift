import CLinux

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Starts a program in a new process group. The program is searched for in `PATH`.
///
/// In the new process no signal is blocked or ignored, regardless of this process; its child processes inherit that.
/// Only the given files and the standard streams are open. Standard input is empty unless it is given.
///
/// - Parameters:
///   - words: the program and its arguments.
///   - environment: the complete environment of the new process.
///   - files: descriptors of this process and their numbers in the new process. Numbers above 2 must be contiguous.
/// - Returns: the process ID, which is also the process group ID. The caller must wait for the process.
/// - Throws: `WorldError` with the program's name and the system's reason.
public func startProgram(
  _ words: [String], environment: [String: String], files: [(number: Int32, file: Int32)]
) throws -> pid_t {
  var actions = unsafe posix_spawn_file_actions_t()
  var attributes = posix_spawnattr_t()
  unsafe posix_spawn_file_actions_init(&actions)
  unsafe posix_spawnattr_init(&attributes)
  defer {
    unsafe posix_spawn_file_actions_destroy(&actions)
    unsafe posix_spawnattr_destroy(&attributes)
  }
  unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  // Copies above all target numbers, so that no `dup2` closes a descriptor that is still needed.
  let last = files.map(\.number).reduce(2, max)
  let copies = files.map { fcntl($0.file, F_DUPFD_CLOEXEC, last + 1) }
  defer { for copy in copies { close(copy) } }
  for (file, copy) in zip(files, copies) { unsafe posix_spawn_file_actions_adddup2(&actions, copy, file.number) }
  // If the new process kept the write end of another pipe open, the reader of that pipe would never see its end.
  unsafe linux_close_from(&actions, last + 1)

  var (none, all) = (sigset_t(), sigset_t())
  unsafe sigemptyset(&none)
  unsafe sigfillset(&all)
  unsafe posix_spawnattr_setsigmask(&attributes, &none)
  unsafe posix_spawnattr_setsigdefault(&attributes, &all)
  unsafe posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

  var started: pid_t = 0
  let failure = unsafe withCStrings(words) { words in
    unsafe withCStrings(environment.map { "\($0)=\($1)" }) { variables in
      unsafe posix_spawnp(&started, words[0]!, &actions, &attributes, words, variables)
    }
  }
  guard failure == 0 else { throw WorldError(path: words[0], unsafe String(cString: strerror(failure))) }
  return started
}

/// Calls `body` with a null-terminated array of C strings.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
  defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
  return unsafe copies.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
}
