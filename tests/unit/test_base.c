/*
 * Errors, messages, memory and buffers.
 */
#include "support/support.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}
#endif

static void test_error_set(void **state)
{
	struct error err = ERROR_INIT;
	(void)state;
	assert_int_equal(error_set(&err, ERROR_USAGE, "no '%s' in %d", "x", 3), -1);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_string_equal(err.message, "no 'x' in 3");
	/* an older error is dropped, also one that the new text quotes */
	assert_int_equal(error_set(&err, ERROR_TIMEOUT, "again: %s", err.message), -1);
	assert_int_equal(err.kind, ERROR_TIMEOUT);
	assert_string_equal(err.message, "again: no 'x' in 3");
	error_clear(&err);
	assert_null(err.message);
	assert_int_equal(err.kind, ERROR_NONE);
	error_clear(&err);
}

static void test_error_set_errno(void **state)
{
	struct error err = ERROR_INIT;
	(void)state;
	assert_int_equal(error_set_errno(&err, ERROR_FAILED, ENOENT, "cannot open '%s'", "a%sb"),
			 -1);
	assert_string_equal(err.message, "cannot open 'a%sb': No such file or directory");
	assert_int_equal(err.kind, ERROR_FAILED);
	error_clear(&err);
}

static void test_error_prefix(void **state)
{
	struct error err = ERROR_INIT;
	(void)state;
	assert_int_equal(error_prefix(&err, "unused"), -1);
	assert_null(err.message);
	error_set(&err, ERROR_NO_SERVICE, "inner");
	assert_int_equal(error_prefix(&err, "outer %d", 1), -1);
	assert_string_equal(err.message, "outer 1: inner");
	assert_int_equal(err.kind, ERROR_NO_SERVICE);
	error_clear(&err);
}

static void test_error_null(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, ERROR_FAILED, "x"), -1);
	assert_int_equal(error_set_errno(NULL, ERROR_FAILED, EIO, "x"), -1);
	assert_int_equal(error_prefix(NULL, "x"), -1);
}

static void test_messages(void **state)
{
	struct message_list list = MESSAGE_LIST_INIT;
	(void)state;
	message_add(NULL, MESSAGE_ERROR, "dropped %d", 1);
	for (int i = 0; i < 30; i++)
		message_add(&list, i % 3 ? MESSAGE_WARNING : MESSAGE_ERROR, "number %d", i);
	assert_int_equal(list.count, 30);
	assert_string_equal(list.items[29].text, "number 29");
	assert_int_equal(list.items[27].level, MESSAGE_ERROR);
	assert_int_equal(message_count(&list, MESSAGE_ERROR), 10);
	assert_int_equal(message_count(&list, MESSAGE_WARNING), 20);
	assert_int_equal(message_count(&list, MESSAGE_NOTE), 0);
	message_list_release(&list);
	assert_int_equal(list.count, 0);
	assert_null(list.items);
	message_list_release(&list);
}

static void test_buffer(void **state)
{
	struct buffer buffer = BUFFER_INIT;
	(void)state;
	assert_string_equal(buffer_string(&buffer), "");
	buffer_append(&buffer, NULL, 0);
	assert_string_equal(buffer_string(&buffer), "");
	buffer_append(&buffer, "a\0b", 3);
	assert_int_equal(buffer.length, 3);
	assert_memory_equal(buffer.data, "a\0b", 4);
	buffer_clear(&buffer);
	assert_int_equal(buffer.length, 0);
	assert_string_equal(buffer_string(&buffer), "");
	buffer_append_string(&buffer, "one");
	buffer_append_char(&buffer, ' ');
	buffer_printf(&buffer, "%s-%03d", "two", 3);
	assert_string_equal(buffer_string(&buffer), "one two-003");
	assert_int_equal(buffer.length, strlen("one two-003"));
	buffer_release(&buffer);
	assert_null(buffer.data);
	buffer_release(&buffer);
}

static void test_buffer_growth(void **state)
{
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	for (int i = 0; i < 100000; i++) {
		buffer_append_char(&buffer, (char)('a' + i % 26));
		assert_int_equal(buffer.data[buffer.length], '\0');
	}
	assert_int_equal(buffer.length, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buffer.data[i], 'a' + i % 26);
	assert_true(buffer.capacity <= 2 * 100001);
	char *end = buffer_reserve(&buffer, 1000000);
	assert_ptr_equal(end, buffer.data + buffer.length);
	assert_true(buffer.capacity > buffer.length + 1000000);
}

static void test_buffer_detach(void **state)
{
	struct buffer buffer = BUFFER_INIT;
	(void)state;
	char *empty = buffer_detach(&buffer);
	assert_string_equal(empty, "");
	free(empty);
	buffer_append_string(&buffer, "mine");
	char *text = buffer_detach(&buffer);
	assert_string_equal(text, "mine");
	assert_null(buffer.data);
	assert_int_equal(buffer.length, 0);
	free(text);
}

static void test_memory(void **state)
{
	(void)state;
	int *zeros = memory_zalloc(1000, sizeof(int));
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(zeros[i], 0);
	zeros = memory_resize(zeros, 2000, sizeof(int));
	free(zeros);
	free(memory_alloc(0));
	free(memory_zalloc(0, 8));
	free(memory_resize(NULL, 0, 8));
	char *part CLEANUP_FREE = memory_strndup("abcdef", 3);
	assert_string_equal(part, "abc");
	char *text CLEANUP_FREE = memory_printf("%s/%d", part, 7);
	assert_string_equal(text, "abc/7");
}

static void test_grow(void **state)
{
	int *items = NULL;
	size_t count = 0;
	size_t capacity = 0;
	(void)state;
	for (int i = 0; i < 1000; i++) {
		MEMORY_GROW(items, count, capacity);
		assert_true(count < capacity);
		items[count++] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	free(items);
}

static void test_cleanup(void **state)
{
	int copy;
	(void)state;
	{
		int fd CLEANUP_CLOSE = open("/dev/null", O_RDONLY | O_CLOEXEC);
		int none CLEANUP_CLOSE = -1;
		assert_true(fd >= 0);
		assert_int_equal(none, -1);
		copy = fd;
	}
	assert_int_equal(fcntl(copy, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static void test_arena(void **state)
{
	struct arena arena = ARENA_INIT;
	(void)state;
	char *words[2000];
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		words[i] = arena_printf(&arena, "word %zu", i);
		assert_int_equal((uintptr_t)words[i] % _Alignof(max_align_t), 0);
		char *zeros = arena_alloc(&arena, i % 40 + 1);
		for (size_t j = 0; j <= i % 40; j++)
			assert_int_equal(zeros[j], 0);
		memset(zeros, 'x', i % 40 + 1);
	}
	char *large = arena_alloc(&arena, 300000);
	memset(large, 'y', 300000);
	assert_string_equal(arena_strndup(&arena, "abcdef", 2), "ab");
	assert_string_equal(arena_strdup(&arena, ""), "");
	(void)arena_alloc(&arena, 0);
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		char *expected CLEANUP_FREE = memory_printf("word %zu", i);
		assert_string_equal(words[i], expected);
	}
	arena_release(&arena);
	assert_null(arena.blocks);
	arena_release(&arena);
}

/* What a child that asks for too much leaves behind. */
static void check_out_of_memory(void *(*ask)(void))
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		_exit(ask() ? 40 : 41);
	}
	close(ends[1]);
	char text[4096];
	size_t length = 0;
	for (ssize_t got; (got = read(ends[0], text + length, sizeof(text) - 1 - length)) > 0;)
		length += (size_t)got;
	text[length] = '\0';
	close(ends[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	const char *message = "pmo: out of memory\n";
	assert_true(length >= strlen(message));
	assert_string_equal(text + length - strlen(message), message);
}

static void *ask_alloc(void)
{
	volatile size_t size = SIZE_MAX / 4;
	return memory_alloc(size);
}

static void *ask_overflow(void)
{
	volatile size_t count = SIZE_MAX / 2;
	return memory_resize(NULL, count, 4);
}

static void *ask_arena(void)
{
	struct arena arena = ARENA_INIT;
	volatile size_t size = SIZE_MAX;
	return arena_alloc(&arena, size);
}

static void *ask_arena_wrap(void)
{
	struct arena arena = ARENA_INIT;
	volatile size_t size = SIZE_MAX - 2 * _Alignof(max_align_t);
	return arena_alloc(&arena, size);
}

static void test_out_of_memory(void **state)
{
	(void)state;
	check_out_of_memory(ask_alloc);
	check_out_of_memory(ask_overflow);
	check_out_of_memory(ask_arena);
	check_out_of_memory(ask_arena_wrap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_set),     cmocka_unit_test(test_error_set_errno),
		cmocka_unit_test(test_error_prefix),  cmocka_unit_test(test_error_null),
		cmocka_unit_test(test_messages),      cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_buffer_growth), cmocka_unit_test(test_buffer_detach),
		cmocka_unit_test(test_memory),        cmocka_unit_test(test_grow),
		cmocka_unit_test(test_cleanup),       cmocka_unit_test(test_arena),
		cmocka_unit_test(test_out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
