#include "base/footprint.h"

#include "base/memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* AddressSanitizer has a malloc and stacks of its own. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define FOOTPRINT_COUNTS
#include <ucontext.h>
#endif

#ifdef FOOTPRINT_COUNTS
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
#endif

void footprint_pack(void)
{
	tzset(); /* allocates, once and for good, and reads the environment while that is there */
#ifdef FOOTPRINT_COUNTS
	enum { LARGEST = 65536, SMALLEST = 16, STEP = 16, FINE = 1024 };
	malloc_trim(0);
	const char *mark = (const char *)sbrk(0) - mallinfo2().keepcost;
	/* the last one is part of the end again once it is free; a small one would stay what it
	 * is, and be used, with others far from it */
	for (size_t size = LARGEST; size > FINE; size -= size / 8)
		free(use_up(size, mark));
	for (size_t size = FINE; size >= SMALLEST; size -= STEP)
		use_up(size, mark);
#endif
}

void footprint_isolate_large(void)
{
	/* the threshold counts only where the end of the heap has no room, and some is needed: a
	 * child that has to move the end pays a page of the C library's data for that */
	enum { LARGE = 16384, ROOM = 12288 };
	mallopt(M_MMAP_THRESHOLD, LARGE);
	mallopt(M_TOP_PAD, ROOM);
}

/* In front of what footprint_own gives, which is aligned for any type. */
union own_head {
	size_t size;
	max_align_t alignment;
};

void *footprint_own(size_t count, size_t size)
{
	size_t bytes;
	union own_head *head = MAP_FAILED;
	if (!__builtin_mul_overflow(count, size, &bytes) &&
	    !__builtin_add_overflow(bytes, sizeof(*head), &bytes))
		head =
		    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (head == MAP_FAILED)
		memory_exhausted();
	(void)madvise(head, bytes, MADV_DONTFORK);
	head->size = bytes;
	return head + 1;
}

void footprint_cleanup_own(void *pointer_to_pointer)
{
	union own_head *head;
	memcpy(&head, pointer_to_pointer, sizeof(head));
	if (!head)
		return;
	size_t size = head[-1].size;
	munmap(head - 1, size);
}

#ifdef FOOTPRINT_COUNTS
/* makecontext(3) hands on numbers of 32 bits. */
static void enter(unsigned body_high, unsigned body_low, unsigned high, unsigned low)
{
	uint64_t body = (uint64_t)body_high << 32 | body_low;
	uint64_t argument = (uint64_t)high << 32 | low;
	((void (*)(void *))(uintptr_t)body)((void *)(uintptr_t)argument);
	abort();
}

/* The kernel has put environ(7) above the first frame of all; one that was moved is no use here. */
static void switch_stack(void (*body)(void *argument), void *argument)
{
	enum { FARTHEST = 1024 * 1024 };
	ucontext_t here;
	ucontext_t there;
	uintptr_t from = (uintptr_t)__builtin_frame_address(0);
	uintptr_t to = (uintptr_t)environ;
	if (to < from || to - from > FARTHEST || getcontext(&there) < 0)
		return;
	there.uc_stack = (stack_t){ .ss_sp = (void *)from, .ss_size = to - from };
	there.uc_link = NULL;
	uint64_t one = (uintptr_t)body;
	uint64_t two = (uintptr_t)argument;
	makecontext(&there, (void (*)(void))enter, 4, (unsigned)(one >> 32), (unsigned)one,
		    (unsigned)(two >> 32), (unsigned)two);
	swapcontext(&here, &there);
}
#endif

void footprint_leave_callers(void (*body)(void *argument), void *argument)
{
#ifdef FOOTPRINT_COUNTS
	switch_stack(body, argument);
#endif
	body(argument);
	abort();
}

static uintptr_t round_down(uintptr_t address)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	return address / page * page;
}

/* The free end of the heap stays, but its pages go. A heap that has been continued elsewhere ends
 * somewhere else, and is left alone: a block that begins where the end should is the proof. */
static void trim_end(void)
{
	size_t room = mallinfo2().keepcost;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t end = (uintptr_t)sbrk(0);
	if (room < 2 * page)
		return;
	char *volatile block = malloc(room / 2);
	bool proof = block && (uintptr_t)block - 2 * sizeof(size_t) == end - room;
	free(block);
	uintptr_t from = round_down(end - room) + page;
	if (proof && from < end)
		(void)madvise((void *)from, end - from, MADV_DONTNEED);
}

void footprint_trim(void)
{
	enum { STACK = 256 * 1024, NEEDED = 256 };
	uintptr_t end = round_down((uintptr_t)__builtin_frame_address(0) - NEEDED);
	malloc_trim(SIZE_MAX / 2); /* all but the end: see above */
	trim_end();
	/* what is not mapped is skipped, with an error */
	(void)madvise((void *)(end - STACK), STACK, MADV_DONTNEED);
}
