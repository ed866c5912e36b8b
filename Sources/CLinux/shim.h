#pragma once

// What Swift's Glibc does not have of Linux.

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

/// A new file in memory that no name leads to, and whose size can be sealed; -1 and errno where there is none.
static inline int linux_memory_file(const char *name) {
  return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */ | 2u /* MFD_ALLOW_SEALING */);
}

/// Has a program that is started close all files from a number on.
static inline int linux_close_from(posix_spawn_file_actions_t *actions, int number) {
  extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
  return posix_spawn_file_actions_addclosefrom_np(actions, number);
}

/// Forbids everyone to change the size of such a file; -1 and errno where that fails.
static inline int linux_seal_size(int file) {
  return fcntl(file, 1033 /* F_ADD_SEALS */, 1 /* F_SEAL_SEAL */ | 2 /* F_SEAL_SHRINK */ | 4 /* F_SEAL_GROW */);
}

/// Whether this machine has the instructions that the program was built for.
static inline int linux_fits_processor(void) {
#if defined(__x86_64__) && defined(__AVX2__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#else
  return 1;
#endif
}

/// Tells the processor that a thread waits in a loop.
static inline void linux_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Has this process receive a signal when the process that started it ends, however it ends.
static inline int linux_signal_at_end_of_parent(int number) {
  extern int prctl(int, ...);
  return prctl(1 /* PR_SET_PDEATHSIG */, (unsigned long)number);
}
