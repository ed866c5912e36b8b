#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

/// Blocks that the process has asked the C library for since its start, by malloc, calloc, realloc and their aligned
/// kin, from any library and thread. 0 where the C library is not glibc.
long allocation_count(void);

#endif
