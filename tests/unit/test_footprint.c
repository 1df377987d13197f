/*
 * What keeps forked processes small must not lose anything: memory after trimming, a stack that
 * begins anew, pages that a child does not get.
 */
#include "support/support.h"

#include "base/footprint.h"
#include "base/memory.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(pid_t pid)
{
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Blocks of many sizes, every other one freed again. */
enum { BLOCKS = 400 };

static size_t size_of_block(size_t i)
{
	return 8 + i * i % 9000;
}

static void make_blocks(unsigned char **blocks)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = memory_alloc(size_of_block(i));
		memset(blocks[i], (int)(i % 251), size_of_block(i));
	}
	for (size_t i = 0; i < BLOCKS; i += 2) {
		free(blocks[i]);
		blocks[i] = NULL;
	}
}

static bool blocks_are_whole(unsigned char *const *blocks)
{
	for (size_t i = 1; i < BLOCKS; i += 2)
		for (size_t k = 0; k < size_of_block(i); k++)
			if (blocks[i][k] != i % 251)
				return false;
	return true;
}

static void test_trim_loses_nothing(void **state)
{
	unsigned char *blocks[BLOCKS];
	(void)state;
	footprint_isolate_large();
	footprint_pack();
	for (size_t round = 0; round < 20; round++) {
		make_blocks(blocks);
		footprint_trim();
		assert_true(blocks_are_whole(blocks));
		/* what comes from the trimmed end is zeroed where that was asked for */
		unsigned char *zeroed = memory_zalloc(1, 10000 + round * 1000);
		for (size_t i = 0; i < 10000 + round * 1000; i++)
			assert_int_equal(zeroed[i], 0);
		memset(zeroed, 0xff, 10000 + round * 1000);
		free(zeroed);
		for (size_t i = 1; i < BLOCKS; i += 2)
			free(blocks[i]);
	}
}

static void test_own_pages(void **state)
{
	(void)state;
	volatile int *numbers CLEANUP_OWN = footprint_own(3000, sizeof(*numbers));
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(numbers[i], 0);
	numbers[2999] = 7;
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(numbers[2999] == 7 ? 0 : 1);
	}
	int status = status_of(pid);
	assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
	assert_int_equal(numbers[2999], 7);
}

struct luggage {
	uintptr_t caller;
	char *variable;
};

static int dig(int depth)
{
	volatile char room[4096];
	room[0] = (char)depth;
	room[sizeof(room) - 1] = room[0];
	return depth ? dig(depth - 1) + (room[0] == room[sizeof(room) - 1]) : 0;
}

static void live(void *argument)
{
	const struct luggage *luggage = argument;
	const char *variable = environ[0];
	bool same = strcmp(variable, luggage->variable) == 0;
#ifdef __SANITIZE_ADDRESS__
	bool above = true; /* it has stacks of its own */
#else
	bool above = (uintptr_t)&variable > luggage->caller;
#endif
	int depth = dig(100);
	footprint_trim();
	_exit(same && above && depth == 100 && dig(100) == 100 ? 42 : 1);
}

static _Noreturn void leave(void)
{
	struct luggage *luggage = memory_alloc(sizeof(*luggage));
	volatile char room[20000];
	room[0] = 1;
	luggage->caller = (uintptr_t)room;
	luggage->variable = memory_strdup(environ[0]);
	footprint_leave_callers(live, luggage);
}

static void test_new_stack(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		leave();
	int status = status_of(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trim_loses_nothing),
		cmocka_unit_test(test_own_pages),
		cmocka_unit_test(test_new_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
