/*
 * Memory that is never NULL, and clean-up tied to a variable's scope.
 *
 * When memory runs out these functions write "pmo: out of memory" to standard error and end the
 * process with status 1. That is the one exit below cli/: there is nothing left to report an error
 * with, and every state the program can be killed in is a state that the next one recovers from.
 */
#ifndef PMO_BASE_MEMORY_H
#define PMO_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* malloc(3), calloc(3), reallocarray(3), strdup(3), strndup(3), vasprintf(3) that cannot fail. The
 * caller owns the result and releases it with free(3). */
void *memory_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *memory_zalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *memory_resize(void *block, size_t count, size_t size) __attribute__((returns_nonnull));
char *memory_strdup(const char *string) __attribute__((malloc, returns_nonnull));
char *memory_strndup(const char *string, size_t length) __attribute__((malloc, returns_nonnull));
char *memory_printf(const char *format, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
char *memory_vprintf(const char *format, va_list arguments)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 0)));

/* That end, for what gets memory elsewhere. */
_Noreturn void memory_exhausted(void);

/* Make room for one more element at array[count], doubling *capacity: MEMORY_GROW(a, count, cap).
 */
#define MEMORY_GROW(array, count, capacity)                                                        \
	do {                                                                                       \
		if ((count) >= (capacity)) {                                                       \
			(capacity) = (capacity) ? (capacity)*2 : 8;                                \
			(array) = memory_resize((array), (capacity), sizeof(*(array)));            \
		}                                                                                  \
	} while (0)

/* `char *text CLEANUP_FREE = ...;` and `int fd CLEANUP_CLOSE = -1;` are released at end of scope.
 */
#define CLEANUP_FREE  __attribute__((cleanup(memory_cleanup_free)))
#define CLEANUP_CLOSE __attribute__((cleanup(memory_cleanup_close)))

void memory_cleanup_free(void *pointer_to_pointer);
void memory_cleanup_close(int *fd);

/* Many small allocations with one lifetime: an arena is released as a whole. */
struct arena {
	struct arena_block *blocks;
};

#define ARENA_INIT                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

/* Zeroed memory, aligned for any type, valid until arena_release. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *string) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *arena, const char *string, size_t length)
    __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((returns_nonnull, format(printf, 2, 3)));
void arena_release(struct arena *arena);

#endif
