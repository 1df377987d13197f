/*
 * The files under .pmo when they hold what nobody should have put there.
 */
#include "support/support.h"

#include "base/clock.h"
#include "base/memory.h"
#include "model/state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT "01234567-89ab-cdef-0123-456789abcdef"
#define MARK "0123456789abcdef0123456789abcdef"

static void open_state(struct test_project *project, struct state *files)
{
	struct error err = ERROR_INIT;
	if (state_open(files, project->directory, NULL, STATE_CREATE, &err) < 0)
		fail_msg("%s", err.message);
}

static struct record read_record(const struct state *files, const char *name)
{
	struct record record;
	state_read(files, name, &record);
	return record;
}

#define TIME_LINES(pid) "1769860800.5\n" pid " 77 " BOOT " 4026531836 box " MARK "\n"

/* .pid and .time as somebody may have left them; the second is NULL where it is missing. */
struct pair {
	const char *pid;
	size_t pid_length;
	const char *time;
	size_t time_length;
	bool valid;
};

#define TEXT(literal) literal, sizeof(literal) - 1
#define GOOD_TIME     TEXT(TIME_LINES("4242"))

static const struct pair pairs[] = {
	{ TEXT("4242\n"), GOOD_TIME, true },
	{ TEXT("4242"), GOOD_TIME, true },
	{ TEXT("4242\n\n"), GOOD_TIME, true },
	{ TEXT("4242\n"), NULL, 0, false },
	/* a pid that is none */
	{ TEXT(""), GOOD_TIME, false },
	{ TEXT("\n"), GOOD_TIME, false },
	{ TEXT("0\n"), TEXT(TIME_LINES("0")), false },
	{ TEXT("1\n"), TEXT(TIME_LINES("1")), false },
	{ TEXT("-1\n"), TEXT(TIME_LINES("-1")), false },
	{ TEXT("-4242\n"), GOOD_TIME, false },
	{ TEXT("-4242\n"), TEXT(TIME_LINES("-4242")), false },
	{ TEXT("+4242\n"), GOOD_TIME, false },
	{ TEXT(" 4242\n"), GOOD_TIME, false },
	{ TEXT("4242 \n"), GOOD_TIME, false },
	{ TEXT("4242\r\n"), GOOD_TIME, false },
	{ TEXT("4242\n4243\n"), GOOD_TIME, false },
	{ TEXT("42x2\n"), GOOD_TIME, false },
	{ TEXT("0x1092\n"), GOOD_TIME, false },
	{ TEXT("2147483648\n"), GOOD_TIME, false },
	{ TEXT("4294971538\n"), GOOD_TIME, false }, /* 4242 + 2^32 */
	{ TEXT("18446744073709555858\n"), GOOD_TIME, false },
	{ TEXT("99999999999999999999999999999999999\n"), GOOD_TIME, false },
	{ TEXT("hello\n"), GOOD_TIME, false },
	{ TEXT("4242\0\n"), GOOD_TIME, false },
	{ TEXT("4242\0rest"), GOOD_TIME, false },
	{ TEXT("\x7f"
	       "ELF\x02\x01\x01\0\0\0"),
	  GOOD_TIME, false },
	{ TEXT("\xff\xfe\xff"), GOOD_TIME, false },
	/* a time that is none, or another's */
	{ TEXT("4243\n"), GOOD_TIME, false },
	{ TEXT("4242\n"), TEXT(""), false },
	{ TEXT("4242\n"), TEXT("\n"), false },
	{ TEXT("4242\n"), TEXT("1769860800.5\n"), false },
	{ TEXT("4242\n"), TEXT("1769860800.5\n\n"), false },
	{ TEXT("4242\n"), TEXT("4242 77 " BOOT " 4026531836 box " MARK "\n"), false },
	{ TEXT("4242\n"), TEXT("1769860800.5\n4242 77 " BOOT " 4026531836 box\n"), false },
	{ TEXT("4242\n"), TEXT("1769860800.5\n4242 77 " BOOT " 4026531836 box 0123456\n"), false },
	{ TEXT("4242\n"), TEXT("1769860800.5\n4242 -7 " BOOT " 4026531836 box " MARK), false },
	{ TEXT("4242\n"), TEXT("1769860800.5\n4242 77 boot 4026531836 box " MARK), false },
	{ TEXT("4242\n"), TEXT("1769860800.5\n4242  77 " BOOT " 4026531836 box " MARK), false },
	{ TEXT("4242\n"), TEXT(TIME_LINES("4242") "more\n"), false },
	{ TEXT("4242\n"), TEXT("1769860800.5\n4242 77 " BOOT " 4026531836 box " MARK "\0"), false },
	{ TEXT("4242\n"), TEXT("\0\0\0\0\0\0\0\0"), false },
	/* when it started is for people only */
	{ TEXT("4242\n"), TEXT("whenever\n4242 77 " BOOT " 4026531836 box " MARK), true },
};

static void check_pair(struct test_project *project, const struct state *files, size_t row)
{
	const struct pair *pair = &pairs[row];
	project_write_bytes(project, ".pmo/pids/web.pid", pair->pid, pair->pid_length);
	unlink(project_path(project, ".pmo/pids/web.time"));
	if (pair->time)
		project_write_bytes(project, ".pmo/pids/web.time", pair->time, pair->time_length);
	struct record record = read_record(files, "web");
	assert_true(record.intent);
	if (record.valid != pair->valid)
		fail_msg("row %zu ('%s') is %s", row, pair->pid, record.valid ? "valid" : "not");
	assert_int_equal(record.damaged, !pair->valid);
	if (record.valid)
		assert_int_equal(record.identity.pid, 4242);
}

static void test_garbage_pid(void **state)
{
	struct test_project *project = *state;
	struct state files;
	open_state(project, &files);
	for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
		check_pair(project, &files, i);
	/* every truncation of a good one */
	const char good[] = TIME_LINES("4242");
	project_write(project, ".pmo/pids/web.pid", "4242\n");
	for (size_t length = 0; length < sizeof(good) - 2; length++) {
		project_write_bytes(project, ".pmo/pids/web.time", good, length);
		assert_false(read_record(&files, "web").valid);
	}
	/* and files that are far too large */
	char *large CLEANUP_FREE = memory_alloc(3000000);
	memset(large, '4', 3000000);
	project_write_bytes(project, ".pmo/pids/web.pid", large, 3000000);
	assert_false(read_record(&files, "web").valid);
	project_write_bytes(project, ".pmo/pids/web.time", large, 3000000);
	assert_false(read_record(&files, "web").valid);
	state_close(&files);
}

/* An empty .pid alone is a wish, not damage. */
static void test_mere_intent(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	struct state files;
	open_state(project, &files);
	assert_int_equal(state_write_intent(&files, "web", &err), 0);
	struct record record = read_record(&files, "web");
	assert_true(record.intent);
	assert_false(record.valid || record.damaged);
	project_write(project, ".pmo/pids/web.time", "garbage\n");
	assert_false(read_record(&files, "web").damaged);
	assert_int_equal(state_remove(&files, "web", STATE_FILE_PID, &err), 0);
	project_write(project, ".pmo/pids/web.time", TIME_LINES("4242"));
	record = read_record(&files, "web");
	assert_false(record.intent || record.valid || record.damaged);
	state_close(&files);
}

static void test_garbage_times(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *text;
		int64_t time_ns; /* 0: says nothing */
	} rows[] = {
		{ "1769860800", INT64_C(1769860800000000000) },
		{ "1769860800.25", INT64_C(1769860800250000000) },
		{ "0", 0 },
		{ "-5", 0 },
		{ "", 0 },
		{ "nan", 0 },
		{ "inf", 0 },
		{ "1e5", 0 },
		{ "0x10", 0 },
		{ " 5", 0 },
		{ "5 ", 0 },
		{ "1.2.3", 0 },
		{ "9300000000", 0 },
		{ "99999999999999999999999999999", 0 },
		{ "now", 0 },
	};
	struct state files;
	open_state(project, &files);
	project_write(project, ".pmo/pids/web.pid", "4242\n");
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		project_write(project, ".pmo/pids/web.time",
			      "%s\n4242 77 " BOOT " 4026531836 box " MARK "\n", rows[i].text);
		struct record record = read_record(&files, "web");
		assert_true(record.valid);
		if (record.started_at_ns != rows[i].time_ns)
			fail_msg("'%s' is %lld", rows[i].text, (long long)record.started_at_ns);
	}
	state_close(&files);
}

static void test_garbage_exit(void **state)
{
	struct test_project *project = *state;
	const int64_t second = NSEC_PER_SEC;
	const struct {
		const char *text;
		enum exit_kind kind;
		int value;
		int64_t at;
	} rows[] = {
		{ "code 0 5\n", EXIT_CODE, 0, 5 * second },
		{ "code 255 5.5\n", EXIT_CODE, 255, 11 * second / 2 },
		{ "signal 9 5\n", EXIT_SIGNAL, 9, 5 * second },
		{ "signal 64 5", EXIT_SIGNAL, 64, 5 * second },
		{ "code 1", EXIT_CODE, 1, 0 },
		{ "code 1 yesterday", EXIT_CODE, 1, 0 },
		{ "unknown 0 5", EXIT_UNKNOWN, 0, 5 * second },
		{ "unknown 0", EXIT_UNKNOWN, 0, 0 },
		{ "unknown 1 5", EXIT_UNKNOWN, 0, 0 },
		{ "code 256 5", EXIT_UNKNOWN, 0, 0 },
		{ "code -1 5", EXIT_UNKNOWN, 0, 0 },
		{ "signal 0 5", EXIT_UNKNOWN, 0, 0 },
		{ "signal 65 5", EXIT_UNKNOWN, 0, 0 },
		{ "signal TERM 5", EXIT_UNKNOWN, 0, 0 },
		{ "Code 1 5", EXIT_UNKNOWN, 0, 0 },
		{ "exit 1 5", EXIT_UNKNOWN, 0, 0 },
		{ "code", EXIT_UNKNOWN, 0, 0 },
		{ "1", EXIT_UNKNOWN, 0, 0 },
		{ "", EXIT_UNKNOWN, 0, 0 },
		{ " ", EXIT_UNKNOWN, 0, 0 },
		{ "\x1b[31m 1 5", EXIT_UNKNOWN, 0, 0 },
	};
	struct state files;
	open_state(project, &files);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		project_write(project, ".pmo/pids/web.exit", "%s", rows[i].text);
		struct record record = read_record(&files, "web");
		if (record.exit.kind != rows[i].kind || record.exit.value != rows[i].value ||
		    record.exit.at_realtime_ns != rows[i].at)
			fail_msg("'%s': kind %d, value %d", rows[i].text, (int)record.exit.kind,
				 record.exit.value);
	}
	state_close(&files);
}

static void test_garbage_exit_details(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *text; /* after "code 1 5" */
		int64_t next_try_s;
		const char *reason;
	} rows[] = {
		{ "", 0, "" },
		{ "\n", 0, "" },
		{ "\nnext 7\nreason why\n", 7, "why" },
		{ "\nreason why\nnext 7", 7, "why" },
		{ "\n\nnext 7\n\n\nreason why\n\n", 7, "why" },
		{ "\nnext\nreason\n", 0, "" },
		{ "\nnext \nreason \n", 0, "" },
		{ "\nnext soon\nreason x", 0, "x" },
		{ "\nnext -7\nlast 8\nnext7\nreasons x\nReason x", 0, "" },
		{ "\nnext 99999999999999999999\nreason  two  spaces ", 0, " two  spaces " },
		{ "\nreason \x1b]0;x\x07\t\xff\r\nx", 0, "\\x1b]0;x\\x07\\t\\xff\\x0d" },
	};
	struct state files;
	open_state(project, &files);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		project_write(project, ".pmo/pids/web.exit", "code 1 5%s", rows[i].text);
		struct record record = read_record(&files, "web");
		assert_int_equal(record.exit.kind, EXIT_CODE);
		assert_int_equal(record.exit.at_realtime_ns, 5 * NSEC_PER_SEC);
		if (record.exit.next_try_ns != rows[i].next_try_s * NSEC_PER_SEC ||
		    strcmp(record.exit.reason, rows[i].reason) != 0)
			fail_msg("'%s': next %lld, reason '%s'", rows[i].text,
				 (long long)record.exit.next_try_ns, record.exit.reason);
	}
	/* of a line that says nothing the rest says nothing either */
	project_write(project, ".pmo/pids/web.exit", "ode 1 5\nnext 7\nreason x\n");
	struct record record = read_record(&files, "web");
	assert_int_equal(record.exit.next_try_ns, 0);
	assert_string_equal(record.exit.reason, "");
	state_close(&files);
}

/* Reasons of any length, of characters of up to three bytes, end between two characters. */
static void test_long_reasons(void **state)
{
	struct test_project *project = *state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct state files;
	open_state(project, &files);
	for (size_t pad = 0; pad < 4; pad++) {
		buffer_clear(&text);
		buffer_printf(&text, "code 1 5\nreason %.*s", (int)pad, "xxxx");
		for (int i = 0; i < 200; i++)
			buffer_append_string(&text, "\xe6\x97\xa5");
		project_write_bytes(project, ".pmo/pids/web.exit", buffer_string(&text),
				    text.length);
		struct record record = read_record(&files, "web");
		assert_int_equal(strlen(record.exit.reason), pad + (REASON_SIZE - 1 - pad) / 3 * 3);
		assert_int_equal(state_write_exit(&files, "web", &record.exit, NULL), 0);
		struct record again = read_record(&files, "web");
		assert_string_equal(again.exit.reason, record.exit.reason);
	}
	state_close(&files);
}

static void test_garbage_supervisor(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{ "77\n77 5 " BOOT " 4026531836 box " MARK "\n", true },
		{ "77\n77 5 " BOOT " 4026531836 box " MARK, true },
		{ "77\n78 5 " BOOT " 4026531836 box " MARK "\n", false },
		{ "1\n1 5 " BOOT " 4026531836 box " MARK "\n", false },
		{ "0\n0 5 " BOOT " 4026531836 box " MARK "\n", false },
		{ "-77\n-77 5 " BOOT " 4026531836 box " MARK "\n", false },
		{ "\n77 5 " BOOT " 4026531836 box " MARK "\n", false },
		{ "77 5 " BOOT " 4026531836 box " MARK "\n", false },
		{ "77\n77 5 " BOOT " 4026531836 box " MARK "\nmore\n", false },
		{ "77\n77 5 boot 4026531836 box " MARK "\n", false },
		{ "77\n77 5 " BOOT " 4026531836 box\n", false },
		{ "77\n", false },
		{ "77", false },
		{ "\n\n\n", false },
		{ "", false },
		{ "\x1b[31m\n\xff\n", false },
	};
	struct state files;
	open_state(project, &files);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		project_write(project, ".pmo/pids/web.supervisor", "%s", rows[i].text);
		struct record record = read_record(&files, "web");
		assert_true(record.supervised);
		assert_false(record.intent || record.unreadable);
		if (record.supervisor_valid != rows[i].valid)
			fail_msg("'%s' is %s", rows[i].text, rows[i].valid ? "refused" : "taken");
	}
	state_close(&files);
}

static void test_garbage_restarts(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *text;
		int64_t restarts;
	} rows[] = {
		{ "0\n", 0 },
		{ "12", 12 },
		{ "2147483647\n", 2147483647 },
		{ "2147483648\n", 0 },
		{ "9223372036854775807\n", 0 },
		{ "99999999999999999999999\n", 0 },
		{ "-3\n", 0 },
		{ "", 0 },
		{ "many\n", 0 },
		{ "1 2\n", 0 },
	};
	struct state files;
	open_state(project, &files);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		project_write(project, ".pmo/pids/web.restarts", "%s", rows[i].text);
		assert_true(read_record(&files, "web").restarts == rows[i].restarts);
	}
	state_close(&files);
}

static const char *const extensions[STATE_FILE_COUNT] = {
	[STATE_FILE_PID] = "pid",
	[STATE_FILE_TIME] = "time",
	[STATE_FILE_SPEC] = "spec",
	[STATE_FILE_RESTARTS] = "restarts",
	[STATE_FILE_EXIT] = "exit",
	[STATE_FILE_STOP] = "stop",
	[STATE_FILE_SUPERVISOR] = "supervisor",
	[STATE_FILE_LOCK] = "lock",
};

enum obstacle { OBSTACLE_DIRECTORY, OBSTACLE_LINK, OBSTACLE_DANGLING, OBSTACLE_FIFO, OBSTACLES };

static void put_obstacle(struct test_project *project, const char *path, enum obstacle obstacle)
{
	const char *full = project_path(project, "%s", path);
	int result = 0;
	switch (obstacle) {
	case OBSTACLE_DIRECTORY:
		result = mkdir(full, 0700);
		break;
	case OBSTACLE_LINK:
		result = symlink(project_path(project, "elsewhere"), full);
		break;
	case OBSTACLE_DANGLING:
		result = symlink("nowhere", full);
		break;
	case OBSTACLE_FIFO:
	case OBSTACLES:
		result = mkfifo(full, 0600);
		break;
	}
	assert_int_equal(result, 0);
}

/* Something that is no file stands in the place of each of them: nothing hangs, nothing is
 * believed, and the next writer puts its file there (but for a directory). */
static void test_obstacles(void **state)
{
	struct test_project *project = *state;
	struct state files;
	open_state(project, &files);
	project_write(project, "elsewhere", "4242\n");
	for (int obstacle = 0; obstacle < OBSTACLES; obstacle++) {
		for (size_t file = 0; file < STATE_FILE_LOCK; file++)
			put_obstacle(project,
				     project_path(project, ".pmo/pids/web.%s", extensions[file]),
				     (enum obstacle)obstacle);
		struct buffer spec CLEANUP_BUFFER = BUFFER_INIT;
		struct record record = read_record(&files, "web");
		assert_true(record.intent);
		/* a FIFO reads as an empty file does */
		assert_int_equal(record.damaged, obstacle != OBSTACLE_FIFO);
		assert_false(record.valid);
		assert_int_equal(record.restarts, 0);
		assert_int_equal(record.exit.kind, EXIT_UNKNOWN);
		assert_true(record.supervised);
		assert_false(record.supervisor_valid || record.unreadable);
		if (obstacle != OBSTACLE_LINK)
			assert_int_equal(state_read_spec_text(&files, "web", &spec), -1);
		int expected = obstacle == OBSTACLE_DIRECTORY ? -1 : 0;
		assert_int_equal(state_write_pid(&files, "web", 4242, NULL), expected);
		for (size_t file = 0; file < STATE_FILE_LOCK; file++)
			assert_int_equal(state_remove(&files, "web", (enum state_file)file, NULL),
					 expected);
		for (size_t file = 0; file < STATE_FILE_LOCK; file++)
			rmdir(project_path(project, ".pmo/pids/web.%s", extensions[file]));
	}
	char *text CLEANUP_FREE = project_read(project, "elsewhere");
	assert_string_equal(text, "4242\n");
	state_close(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_garbage_pid),
		PROJECT_TEST(test_mere_intent),
		PROJECT_TEST(test_garbage_times),
		PROJECT_TEST(test_garbage_exit),
		PROJECT_TEST(test_garbage_exit_details),
		PROJECT_TEST(test_long_reasons),
		PROJECT_TEST(test_garbage_supervisor),
		PROJECT_TEST(test_garbage_restarts),
		PROJECT_TEST(test_obstacles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
