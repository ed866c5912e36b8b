#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

/// Returns the number of blocks that the process has allocated since its start with malloc, calloc, realloc and their
/// aligned variants, from any library and thread. 0 if the C library is not glibc.
long allocation_count(void);

#endif
