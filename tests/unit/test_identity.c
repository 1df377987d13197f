/*
 * Which process a pid means.
 */
#include "support/support.h"

#include "base/memory.h"
#include "model/identity.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOOT  "01234567-89ab-cdef-0123-456789abcdef"
#define BOOT2 "ffffffff-89ab-cdef-0123-456789abcdef"
#define MARK  "0123456789abcdef0123456789abcdef"

static void test_host(void **state)
{
	struct host host;
	struct host again;
	struct error err = ERROR_INIT;
	struct stat status;
	(void)state;
	memset(&host, 0, sizeof(host));
	memset(&again, 0, sizeof(again));
	assert_int_equal(host_read(&host, &err), 0);
	assert_int_equal(host_read(&again, &err), 0);
	char *boot_id = read_file("/proc/sys/kernel/random/boot_id", NULL);
	boot_id[strcspn(boot_id, "\n")] = '\0';
	assert_string_equal(host.boot_id, boot_id);
	free(boot_id);
	assert_int_equal(stat("/proc/self/ns/pid", &status), 0);
	assert_int_equal(host.pid_namespace, status.st_ino);
	assert_true(host.name[0] != '\0');
	assert_string_equal(host.name, again.name);
}

/* In a process of its own: without descriptors there is no /proc. */
static void test_host_without_descriptors(void **state)
{
	int status;
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		struct rlimit none = { 0, 0 };
		struct host host;
		struct error err = ERROR_INIT;
		setrlimit(RLIMIT_NOFILE, &none);
		if (host_read(&host, &err) != -1)
			_exit(1);
		_exit(err.kind == ERROR_FAILED &&
			      strcmp(err.message, "cannot read '/proc/sys/kernel/random/boot_id': "
						  "Too many open files") == 0
			  ? 0
			  : 2);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_host_name(void **state)
{
	static const struct {
		const char *name;
		const char *expected;
	} names[] = {
		{ "db-1.example.org", "db-1.example.org" },
		{ "two words", "two_words" },
		{ "../../etc", "_._.._etc" },
		{ ".", "_" },
		{ "a\033[2Jb\n", "a_[2Jb_" },
		{ "caf\xc3\xa9", "caf__" },
		{ "", "localhost" },
	};
	(void)state;
	SKIP_UNLESS_ROOT();
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		int status;
		pid_t child = fork();
		if (child == 0) {
			struct host host;
			struct error err = ERROR_INIT;
			if (unshare(CLONE_NEWUTS) < 0)
				_exit(77);
			if (sethostname(names[i].name, strlen(names[i].name)) < 0 ||
			    host_read(&host, &err) < 0)
				_exit(1);
			_exit(strcmp(host.name, names[i].expected) == 0 ? 0 : 2);
		}
		waitpid(child, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			SKIP("namespaces are not allowed here");
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("'%s' is not '%s'", names[i].name, names[i].expected);
	}
}

static void test_mark(void **state)
{
	char marks[100][MARK_LENGTH + 1];
	struct error err = ERROR_INIT;
	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(identity_make_mark(marks[i], &err), 0);
		assert_int_equal(strlen(marks[i]), MARK_LENGTH);
		assert_int_equal(strspn(marks[i], "0123456789abcdef"), MARK_LENGTH);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(marks[i], marks[j]);
	}
}

static void test_round_trip(void **state)
{
	struct identity identity = {
		.pid = 4194303,
		.ticks = UINT64_MAX,
		.host = { BOOT, 4026531836, "db-1.example.org" },
		.mark = MARK,
	};
	struct identity read;
	struct buffer line = BUFFER_INIT;
	(void)state;
	identity_append(&line, &identity);
	assert_string_equal(buffer_string(&line), "4194303 18446744073709551615 " BOOT
						  " 4026531836 db-1.example.org " MARK);
	assert_true(identity_parse(buffer_string(&line), &read));
	assert_int_equal(read.pid, identity.pid);
	assert_int_equal(read.ticks, identity.ticks);
	assert_string_equal(read.host.boot_id, BOOT);
	assert_int_equal(read.host.pid_namespace, 4026531836);
	assert_string_equal(read.host.name, "db-1.example.org");
	assert_string_equal(read.mark, MARK);
	buffer_release(&line);
}

static void test_real_round_trip(void **state)
{
	struct identity identity = { .pid = getpid(), .ticks = process_start_ticks(getpid()) };
	struct identity read;
	struct error err = ERROR_INIT;
	struct buffer line = BUFFER_INIT;
	(void)state;
	assert_int_equal(host_read(&identity.host, &err), 0);
	assert_int_equal(identity_make_mark(identity.mark, &err), 0);
	identity_append(&line, &identity);
	assert_true(identity_parse(buffer_string(&line), &read));
	assert_int_equal(identity_place(&read, &identity.host), IDENTITY_HERE);
	buffer_release(&line);
}

#define REST " " BOOT " 4026531836 host " MARK

static const char *const refused[] = {
	"",
	" ",
	"7",
	"7 8",
	"7 8 " BOOT " 9 host",
	"7 8 " BOOT " 9 host ",
	"7 8" REST " ",
	"7 8" REST "\n",
	" 7 8" REST,
	"7  8" REST,
	"7\t8" REST,
	"0 8" REST,
	"1 8" REST,
	"-7 8" REST,
	"+7 8" REST,
	"07 8" REST,
	"0x7 8" REST,
	"7.0 8" REST,
	"2147483648 8" REST,
	"18446744073709551623 8" REST,
	"7 18446744073709551616" REST,
	"7 -8" REST,
	"7 08" REST,
	"7 8 x" BOOT " 9 host " MARK,
	"7 8 01234567-89ab-cdef-0123-456789abcde 9 host " MARK,
	"7 8 01234567-89AB-cdef-0123-456789abcdef 9 host " MARK,
	"7 8 " BOOT " 9x host " MARK,
	"7 8 " BOOT " 9 ../../tmp " MARK,
	"7 8 " BOOT " 9 .hidden " MARK,
	"7 8 " BOOT " 9 a/b " MARK,
	"7 8 " BOOT " 9 a\033[2Jb " MARK,
	"7 8 " BOOT " 9 host " MARK "0",
	"7 8 " BOOT " 9 host 0123456789abcdef0123456789abcde",
	"7 8 " BOOT " 9 host 0123456789abcdef0123456789abcdeg",
	"7 8 " BOOT " 9 host 0123456789ABCDEF0123456789ABCDEF",
	"7 8 " BOOT " 9 host " MARK " more",
};

static void test_refused(void **state)
{
	struct identity identity = { .pid = 99 };
	(void)state;
	assert_true(identity_parse("7 8" REST, &identity));
	identity.pid = 99;
	for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
		if (identity_parse(refused[i], &identity))
			fail_msg("accepted: '%s'", refused[i]);
		assert_int_equal(identity.pid, 99);
	}
}

static void test_refused_lengths(void **state)
{
	struct identity identity;
	char name[HOST_NAME_MAX + 2];
	(void)state;
	memset(name, 'h', sizeof(name));
	name[HOST_NAME_MAX + 1] = '\0';
	char *line = text_format("7 8 " BOOT " 9 %s " MARK, name);
	assert_false(identity_parse(line, &identity));
	free(line);
	name[HOST_NAME_MAX] = '\0';
	line = text_format("7 8 " BOOT " 9 %s " MARK, name);
	assert_true(identity_parse(line, &identity));
	assert_string_equal(identity.host.name, name);
	free(line);
}

static void test_place(void **state)
{
	static const struct {
		struct host recorded;
		enum identity_place place;
	} places[] = {
		{ { BOOT, 10, "here" }, IDENTITY_HERE },
		{ { BOOT, 10, "renamed" }, IDENTITY_HERE },
		{ { BOOT, 11, "here" }, IDENTITY_ELSEWHERE },
		{ { BOOT, 11, "container" }, IDENTITY_ELSEWHERE },
		{ { BOOT2, 10, "here" }, IDENTITY_LOST },
		{ { BOOT2, 11, "here" }, IDENTITY_LOST },
		{ { BOOT2, 10, "there" }, IDENTITY_ELSEWHERE },
		{ { BOOT2, 10, "HERE" }, IDENTITY_ELSEWHERE },
	};
	const struct host here = { BOOT, 10, "here" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
		struct identity identity = { .pid = 7, .host = places[i].recorded };
		if (identity_place(&identity, &here) != places[i].place)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),       cmocka_unit_test(test_host_without_descriptors),
		cmocka_unit_test(test_host_name),  cmocka_unit_test(test_mark),
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_real_round_trip),
		cmocka_unit_test(test_refused),    cmocka_unit_test(test_refused_lengths),
		cmocka_unit_test(test_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
