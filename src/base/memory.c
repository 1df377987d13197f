#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes. Each block is twice as large as the one before: small arenas stay small, large ones fast.
 */
enum { ARENA_BLOCK_FIRST = 992, ARENA_BLOCK_LARGEST = 65536 };

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	max_align_t data[];
};

static void *checked(void *block)
{
	if (block)
		return block;
	static const char message[] = "pmo: out of memory\n";
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(1);
	_exit(1);
}

void *memory_alloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *memory_zalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
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

/* Blocks of SIZE until one comes from the end of the heap, which MARK is in. */
static void *use_up(size_t size, const char *mark)
{
	enum { MOST = 4096 };
	for (int i = 0; i < MOST; i++) {
		char *volatile block = malloc(size); /* else the compiler sees no use for it */
		if (!block || (uintptr_t)block >= (uintptr_t)mark)
			return block;
	}
	return NULL;
}

void memory_pack(void)
{
	enum { LARGEST = 65536, SMALLEST = 16, STEP = 16, FINE = 1024 };
	malloc_trim(0);
	const char *mark = (const char *)sbrk(0) - mallinfo2().keepcost;
	/* the last one is part of the end again once it is free; a small one would stay what it
	 * is, and be used, with others far from it */
	for (size_t size = LARGEST; size > FINE; size -= size / 8)
		free(use_up(size, mark));
	for (size_t size = FINE; size >= SMALLEST; size -= STEP)
		use_up(size, mark);
}

void memory_isolate_large(void)
{
	enum { LARGE = 16384 };
	mallopt(M_MMAP_THRESHOLD, LARGE);
	/* the threshold counts only where the end of the heap has no room */
	mallopt(M_TOP_PAD, 0);
}

static uintptr_t page_size(void)
{
	return (uintptr_t)sysconf(_SC_PAGESIZE);
}

void memory_trim(void)
{
	enum { STACK = 256 * 1024, NEEDED = 256 };
	uintptr_t page = page_size();
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - NEEDED) / page * page;
	/* to move the end of the heap would cost a page of the C library's data */
	malloc_trim(SIZE_MAX / 2);
	/* what is not mapped is skipped, with an error */
	(void)madvise((void *)(end - STACK), STACK, MADV_DONTNEED);
}

void memory_forget_callers(const void *frame, const void *end)
{
	uintptr_t page = page_size();
	uintptr_t from = ((uintptr_t)frame + page - 1) / page * page;
	uintptr_t to = (uintptr_t)end / page * page;
	if (from < to)
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

/* The first bytes of pages of one's own: enough for the alignment of any type. */
union own_head {
	size_t size;
	max_align_t alignment;
};

void *memory_own(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(union own_head), &bytes))
		return checked(NULL);
	union own_head *head =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (head == MAP_FAILED)
		return checked(NULL);
	(void)madvise(head, bytes, MADV_DONTFORK);
	head->size = bytes;
	return head + 1;
}

void memory_cleanup_own(void *pointer_to_pointer)
{
	union own_head *head;
	memcpy(&head, pointer_to_pointer, sizeof(head));
	if (head)
		munmap(head - 1, head[-1].size);
}

static struct arena_block *arena_add_block(struct arena *arena, size_t size)
{
	struct arena_block *block = memory_zalloc(1, sizeof(*block) + size);
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
