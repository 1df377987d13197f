#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes. Each block is twice as large as the one before: small arenas stay small, large ones fast.
 */
enum { ARENA_BLOCK_FIRST = 480, ARENA_BLOCK_LARGEST = 65536 };

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	max_align_t data[];
};

void memory_exhausted(void)
{
	static const char message[] = "pmo: out of memory\n";
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(1);
	_exit(1);
}

static void *checked(void *block)
{
	if (!block)
		memory_exhausted();
	return block;
}

void *memory_alloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *memory_zalloc(size_t count, size_t size)
{
	enum { SMALL = 1024 };
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SMALL)
		return checked(calloc(count ? count : 1, size ? size : 1));
	/* calloc(3) of glibc does not use the small blocks that free(3) keeps at hand */
	return memset(memory_alloc(bytes), 0, bytes);
}

void *memory_resize(void *block, size_t count, size_t size)
{
	return checked(reallocarray(block, count ? count : 1, size ? size : 1));
}

char *memory_strdup(const char *string)
{
	return checked(strdup(string));
}

char *memory_strndup(const char *string, size_t length)
{
	return checked(strndup(string, length));
}

char *memory_vprintf(const char *format, va_list arguments)
{
	char *text = NULL;
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	return checked(text);
}

char *memory_printf(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = memory_vprintf(format, arguments);
	va_end(arguments);
	return text;
}

void memory_cleanup_free(void *pointer_to_pointer)
{
	void *block;
	memcpy(&block, pointer_to_pointer, sizeof(block));
	free(block);
}

void memory_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static struct arena_block *arena_add_block(struct arena *arena, size_t size)
{
	struct arena_block *block = memory_zalloc(1, sizeof(*block) + size);
	block->used = 0;
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t alignment = _Alignof(max_align_t);
	if (size > PTRDIFF_MAX) /* nothing is so large, and sums with it could wrap */
		checked(NULL);
	size = (size + alignment - 1) / alignment * alignment;
	struct arena_block *block = arena->blocks;
	if (!block || block->size - block->used < size) {
		size_t next = block ? block->size * 2 : ARENA_BLOCK_FIRST;
		next = next < ARENA_BLOCK_LARGEST ? next : ARENA_BLOCK_LARGEST;
		block = arena_add_block(arena, size > next ? size : next);
	}
	void *result = (char *)block->data + block->used;
	block->used += size;
	return result;
}

char *arena_strndup(struct arena *arena, const char *string, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);
	memcpy(copy, string, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *string)
{
	return arena_strndup(arena, string, strlen(string));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text CLEANUP_FREE = memory_vprintf(format, arguments);
	va_end(arguments);
	return arena_strdup(arena, text);
}

void arena_release(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;
		free(arena->blocks);
		arena->blocks = next;
	}
}
