/*
 * What forked processes that live long cost, each beside all others.
 *
 * After a fork both sides share every page until one of them writes to it; then both have it. So a
 * child pays for what it writes itself, and for what its parent writes before it forks the next
 * one. All of this is for malloc(3) of glibc, and does no harm with others.
 */
#ifndef PMO_BASE_FOOTPRINT_H
#define PMO_BASE_FOOTPRINT_H

#include <stddef.h>

/* The parent, before its first fork: uses up what is free between living blocks, for good, so that
 * what is allocated from here on lies together. */
void footprint_pack(void);

/* The parent, before that: large blocks (16 KiB) get pages that go when the block does, instead of
 * changing pages of the heap for a moment. Costs system calls. */
void footprint_isolate_large(void);

/* Zeroed memory in pages that a forked child does not get, nor pay for; it must touch nothing of
 * it. Released at the end of scope: `type *array CLEANUP_OWN = footprint_own(count, size);`. Memory
 * that runs out is dealt with as in base/memory.h. */
void *footprint_own(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

#define CLEANUP_OWN __attribute__((cleanup(footprint_cleanup_own)))
void footprint_cleanup_own(void *pointer_to_pointer);

/* The child: run BODY, which never returns, with its frames where those of main() are. They, and
 * all others so far, are lost: ARGUMENT is nothing of the stack. What environ(7) points to stays
 * as it is; the array of the arguments does not. */
_Noreturn void footprint_leave_callers(void (*body)(void *argument), void *argument);

/* Give back what this process has free: of the heap, and of the stack below the caller. */
void footprint_trim(void);

#endif
