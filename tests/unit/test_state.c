/*
 * The files under .pmo: round trips, garbage, listing, removal.
 */
#include "support/support.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/config.h"
#include "model/state.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY_ID = 65534, NOT_POSSIBLE = 99 };

#define BOOT "01234567-89ab-cdef-0123-456789abcdef"
#define MARK "0123456789abcdef0123456789abcdef"

static const struct identity some_identity = {
	.pid = 4242,
	.ticks = 987654321,
	.host = { .boot_id = BOOT, .pid_namespace = 4026531836, .name = "box" },
	.mark = MARK,
};

static const int64_t SOME_TIME = INT64_C(1769860800123456000);

static const char *const names[] = {
	"web",
	"a",
	"two words",
	"dotted.name.v2",
	"web.pid",
	"web.exit",
	"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
	"na\xc3\xafve",
	"_-.+@x",
	"quote'\"$(x)`\\*?",
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnn",
};

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

static mode_t mode_of(struct test_project *project, const char *path)
{
	struct stat status;
	assert_int_equal(lstat(project_path(project, "%s", path), &status), 0);
	return status.st_mode;
}

static void test_open(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	struct state files;
	assert_int_equal(state_open(&files, project->directory, NULL, STATE_READ, &err), 0);
	assert_int_equal(files.pids_fd, -1);
	assert_string_equal(files.directory, project_path(project, ".pmo"));
	state_close(&files);
	assert_false(project_exists(project, ".pmo"));
	assert_false(state_exists(project->directory, NULL));
	open_state(project, &files);
	assert_true(files.pids_fd >= 0);
	assert_int_equal(fcntl(files.pids_fd, F_GETFD), FD_CLOEXEC);
	assert_string_equal(files.logs_directory, project_path(project, ".pmo/logs"));
	assert_int_equal(mode_of(project, ".pmo"), S_IFDIR | 0700);
	assert_int_equal(mode_of(project, ".pmo/pids"), S_IFDIR | 0700);
	assert_int_equal(mode_of(project, ".pmo/logs"), S_IFDIR | 0700);
	state_close(&files);
	assert_int_equal(files.pids_fd, -1);
	state_close(&files);
	open_state(project, &files);
	state_close(&files);
	assert_true(state_exists(project->directory, NULL));
	assert_false(state_exists(project->directory, "box"));
}

static void test_open_host(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	struct state files;
	assert_int_equal(state_open(&files, project->directory, "box", STATE_CREATE, &err), 0);
	assert_string_equal(files.directory, project_path(project, ".pmo/box"));
	state_close(&files);
	assert_int_equal(mode_of(project, ".pmo/box"), S_IFDIR | 0700);
	assert_int_equal(mode_of(project, ".pmo/box/pids"), S_IFDIR | 0700);
	assert_int_equal(mode_of(project, ".pmo/box/logs"), S_IFDIR | 0700);
	assert_true(state_exists(project->directory, "box"));
	assert_false(state_exists(project->directory, NULL));
}

static void check_open_fails(struct test_project *project, enum state_access access,
			     const char *format)
{
	struct error err = ERROR_INIT;
	struct state files;
	assert_int_equal(state_open(&files, project->directory, NULL, access, &err), -1);
	assert_int_equal(files.pids_fd, -1);
	char *expected CLEANUP_FREE = text_format("%s", format);
	check_text(err.message, expected, false, __FILE__, __LINE__);
	assert_int_equal(err.kind, ERROR_FAILED);
	error_clear(&err);
}

static void test_open_blocked(void **state)
{
	struct test_project *project = *state;
	project_write(project, ".pmo", "a file");
	check_open_fails(project, STATE_CREATE, "/.pmo': Not a directory");
	check_open_fails(project, STATE_READ, "/.pmo/pids': Not a directory");
	assert_int_equal(unlink(project_path(project, ".pmo")), 0);
	project_write(project, ".pmo/pids", "a file");
	check_open_fails(project, STATE_CREATE, "/.pmo/pids': Not a directory");
	check_open_fails(project, STATE_READ, "/.pmo/pids': Not a directory");
}

static void check_identity(const struct identity *a, const struct identity *b)
{
	assert_int_equal(a->pid, b->pid);
	assert_true(a->ticks == b->ticks);
	assert_string_equal(a->host.boot_id, b->host.boot_id);
	assert_true(a->host.pid_namespace == b->host.pid_namespace);
	assert_string_equal(a->host.name, b->host.name);
	assert_string_equal(a->mark, b->mark);
}

static void check_round_trip(const struct state *files, const char *name)
{
	struct error err = ERROR_INIT;
	const struct exit_record end = { .kind = EXIT_SIGNAL,
					 .value = 9,
					 .at_realtime_ns = SOME_TIME,
					 .next_try_ns = SOME_TIME + NSEC_PER_SEC,
					 .reason = "its memory passed 512M" };
	struct record record = read_record(files, name);
	assert_false(record.intent || record.valid || record.stopping || record.supervised);
	assert_int_equal(record.restarts, 0);
	assert_int_equal(record.exit.kind, EXIT_UNKNOWN);
	assert_int_equal(state_write_identity(files, name, &some_identity, SOME_TIME, &err), 0);
	record = read_record(files, name);
	assert_false(record.intent || record.valid);
	assert_int_equal(state_write_pid(files, name, 4242, &err), 0);
	assert_int_equal(state_write_restarts(files, name, 17, &err), 0);
	assert_int_equal(state_write_exit(files, name, &end, &err), 0);
	assert_int_equal(state_write_stop(files, name, &err), 0);
	struct identity supervisor = some_identity;
	supervisor.pid = 777;
	assert_int_equal(state_write_supervisor(files, name, &supervisor, &err), 0);
	record = read_record(files, name);
	assert_true(record.intent && record.valid && record.stopping);
	check_identity(&record.identity, &some_identity);
	assert_true(record.started_at_ns == SOME_TIME);
	assert_int_equal(record.restarts, 17);
	assert_int_equal(record.exit.kind, EXIT_SIGNAL);
	assert_int_equal(record.exit.value, 9);
	assert_true(record.exit.at_realtime_ns == SOME_TIME);
	assert_true(record.exit.next_try_ns == SOME_TIME + NSEC_PER_SEC);
	assert_string_equal(record.exit.reason, "its memory passed 512M");
	assert_true(record.supervised && record.supervisor_valid);
	check_identity(&record.supervisor, &supervisor);
}

/* What the listing has not shown is not looked for. */
static void test_read_listed(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	struct state files;
	struct record record;
	open_state(project, &files);
	check_round_trip(&files, "web");
	state_read_listed(&files, "web", 1U << STATE_FILE_PID, &record);
	assert_true(record.valid);
	assert_false(record.stopping || record.supervised || record.supervisor_valid);
	assert_int_equal(record.exit.at_realtime_ns, 0);
	state_read_listed(&files, "web", 1U << STATE_FILE_SUPERVISOR, &record);
	assert_true(record.supervised && record.supervisor_valid);
	assert_false(record.intent || record.valid);
	state_read_identity(&files, "web", &record);
	assert_false(record.supervised);
	state_read_supervisor(&files, "web", &record);
	assert_true(record.valid && record.supervisor_valid);
	assert_int_equal(record.supervisor.pid, 777);
	assert_int_equal(state_remove(&files, "web", STATE_FILE_SUPERVISOR, &err), 0);
	state_read_supervisor(&files, "web", &record);
	assert_true(record.valid);
	assert_false(record.supervised || record.supervisor_valid);
	state_close(&files);
}

static void test_round_trip(void **state)
{
	struct test_project *project = *state;
	struct state files;
	open_state(project, &files);
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		check_round_trip(&files, names[i]);
	state_close(&files);
}

static void check_content(struct test_project *project, const char *path, const char *expected)
{
	char *text CLEANUP_FREE = project_read(project, path);
	assert_non_null(text);
	assert_string_equal(text, expected);
	assert_int_equal(mode_of(project, path), S_IFREG | 0600);
}

static void check_exit_formats(struct test_project *project, const struct state *files)
{
	struct exit_record end = { .kind = EXIT_SIGNAL, .value = 15, .at_realtime_ns = SOME_TIME };
	state_write_exit(files, "web", &end, NULL);
	check_content(project, ".pmo/pids/web.exit", "signal 15 1769860800.123456\n");
	end = (struct exit_record){ .value = 7, .at_realtime_ns = SOME_TIME };
	state_write_exit(files, "web", &end, NULL);
	check_content(project, ".pmo/pids/web.exit", "unknown 0 1769860800.123456\n");
	end = (struct exit_record){ .kind = EXIT_CODE,
				    .value = 1,
				    .at_realtime_ns = SOME_TIME,
				    .next_try_ns = SOME_TIME + NSEC_PER_SEC / 10,
				    .reason = "two\nlines, \x1b[31m" };
	state_write_exit(files, "web", &end, NULL);
	check_content(project, ".pmo/pids/web.exit",
		      "code 1 1769860800.123456\nnext 1769860800.223456\n"
		      "reason two\\nlines, \\x1b[31m\n");
}

/* What other programs read: kill `cat .pmo/pids/web.pid`. */
static void test_file_format(void **state)
{
	struct test_project *project = *state;
	struct state files;
	struct exit_record end = { .kind = EXIT_CODE, .value = 3, .at_realtime_ns = SOME_TIME };
	open_state(project, &files);
	state_write_identity(&files, "web", &some_identity, SOME_TIME, NULL);
	state_write_pid(&files, "web", 4242, NULL);
	state_write_restarts(&files, "web", 2, NULL);
	state_write_exit(&files, "web", &end, NULL);
	state_write_stop(&files, "web", NULL);
	state_write_spec(&files, "web", "spec", 4, NULL);
	check_content(project, ".pmo/pids/web.pid", "4242\n");
	check_content(project, ".pmo/pids/web.time",
		      "1769860800.123456\n"
		      "4242 987654321 " BOOT " 4026531836 box " MARK "\n");
	check_content(project, ".pmo/pids/web.restarts", "2\n");
	check_content(project, ".pmo/pids/web.exit", "code 3 1769860800.123456\n");
	check_content(project, ".pmo/pids/web.stop", "");
	check_content(project, ".pmo/pids/web.spec", "spec");
	check_exit_formats(project, &files);
	assert_int_equal(state_write_supervisor(&files, "web", &some_identity, NULL), 0);
	check_content(project, ".pmo/pids/web.supervisor",
		      "4242\n4242 987654321 " BOOT " 4026531836 box " MARK "\n");
	assert_int_equal(project_count(project, ".pmo/pids", "*"), 7);
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

static void test_list(void **state)
{
	struct test_project *project = *state;
	struct state_names list;
	struct error err = ERROR_INIT;
	struct state files;
	static const char *const ignored[] = {
		"web.time",   "web.spec", "web.restarts", "web.stop",    "web.lock",
		"ports.lock", "new.pid~", "new.exit~",    ".pid",        ".exit",
		"all.pid",    "pmo.exit", "12.pid",       "a:b.pid",     ".hidden.pid",
		"-x.pid",     "@x.pid",   "x~.pid",       "bad\xff.pid", "\x1b[31m.pid",
		"tab\t.exit", "noise",    "web.pid.swp",  "WEB.PID",
	};
	static const char *const listed[] = { "a b",     "once",    "twice",
					      "watched", "web.pid", "\xc3\xa9" };
	open_state(project, &files);
	for (size_t i = 0; i < ARRAY_LENGTH(ignored); i++)
		project_write(project, project_path(project, ".pmo/pids/%s", ignored[i]), "x");
	project_write(project, ".pmo/pids/folder.pid/x", "x");
	project_write(project, ".pmo/pids/twice.pid", "1");
	project_write(project, ".pmo/pids/twice.exit", "1");
	project_write(project, ".pmo/pids/\xc3\xa9.exit", "1");
	project_write(project, ".pmo/pids/once.pid", "1");
	project_write(project, ".pmo/pids/a b.exit", "1");
	project_write(project, ".pmo/pids/web.pid.pid", "1");
	project_write(project, ".pmo/pids/watched.supervisor", "1");
	project_write(project, ".pmo/pids/twice.supervisor", "1");
	for (int again = 0; again < 2; again++) {
		assert_int_equal(state_list(&files, &list, &err), 0);
		assert_int_equal(list.count, ARRAY_LENGTH(listed));
		for (size_t i = 0; i < list.count; i++)
			assert_string_equal(list.items[i], listed[i]);
		assert_int_equal(list.files[2], 1U << STATE_FILE_PID | 1U << STATE_FILE_EXIT |
						    1U << STATE_FILE_SUPERVISOR);
		assert_int_equal(list.files[3], 1U << STATE_FILE_SUPERVISOR);
		state_names_release(&list);
	}
	state_close(&files);
}

static void test_list_nothing(void **state)
{
	struct test_project *project = *state;
	struct state_names list;
	struct error err = ERROR_INIT;
	struct state files;
	assert_int_equal(state_open(&files, project->directory, NULL, STATE_READ, &err), 0);
	assert_int_equal(state_list(&files, &list, &err), 0);
	assert_int_equal(list.count, 0);
	state_names_release(&list);
	state_close(&files);
	open_state(project, &files);
	assert_int_equal(state_list(&files, &list, &err), 0);
	assert_int_equal(list.count, 0);
	state_names_release(&list);
	state_close(&files);
}

static void test_list_many(void **state)
{
	struct test_project *project = *state;
	struct state_names list;
	struct state files;
	open_state(project, &files);
	for (int i = 0; i < 500; i++)
		state_write_pid(&files,
				project_path(project, "%03d-s", 999 - i) +
				    strlen(project->directory) + 1,
				4242, NULL);
	assert_int_equal(state_list(&files, &list, NULL), 0);
	assert_int_equal(list.count, 500);
	assert_string_equal(list.items[0], "500-s");
	assert_string_equal(list.items[499], "999-s");
	state_names_release(&list);
	state_close(&files);
}

static void test_list_hosts(void **state)
{
	struct test_project *project = *state;
	struct state_names hosts;
	struct error err = ERROR_INIT;
	assert_int_equal(state_list_hosts(project->directory, &hosts, &err), 0);
	assert_int_equal(hosts.count, 0);
	state_names_release(&hosts);
	project_write(project, ".pmo/zeta/pids/web.pid", "1");
	project_write(project, ".pmo/alpha/pids/web.pid", "1");
	project_write(project, ".pmo/empty/logs/x", "1");
	project_write(project, ".pmo/file", "1");
	project_write(project, ".pmo/pids/web.pid", "1");
	project_write(project, ".pmo/logs/web-out.log", "1");
	assert_int_equal(state_list_hosts(project->directory, &hosts, &err), 0);
	assert_int_equal(hosts.count, 2);
	assert_string_equal(hosts.items[0], "alpha");
	assert_string_equal(hosts.items[1], "zeta");
	state_names_release(&hosts);
}

static void test_list_hosts_blocked(void **state)
{
	struct test_project *project = *state;
	struct state_names hosts;
	struct error err = ERROR_INIT;
	project_write(project, ".pmo", "a file");
	assert_int_equal(state_list_hosts(project->directory, &hosts, &err), -1);
	char *expected CLEANUP_FREE = text_format("cannot read directory '%s': Not a directory",
						  project_path(project, ".pmo"));
	assert_string_equal(err.message, expected);
	error_clear(&err);
	state_names_release(&hosts);
}

static void test_remove(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	struct state files;
	assert_int_equal(state_open(&files, project->directory, NULL, STATE_READ, &err), 0);
	assert_int_equal(state_remove(&files, "web", STATE_FILE_PID, &err), 0);
	state_close(&files);
	open_state(project, &files);
	for (size_t file = 0; file < STATE_FILE_COUNT; file++) {
		const char *path = project_path(project, ".pmo/pids/web.%s", extensions[file]);
		project_write(project, path, "x");
		project_write(project, project_path(project, ".pmo/pids/web.%s~", extensions[file]),
			      "x");
		assert_int_equal(state_remove(&files, "web", (enum state_file)file, &err), 0);
		assert_false(project_exists(project, path));
		assert_int_equal(state_remove(&files, "web", (enum state_file)file, &err), 0);
	}
	assert_int_equal(mkdir(project_path(project, ".pmo/pids/web.pid"), 0700), 0);
	assert_int_equal(state_remove(&files, "web", STATE_FILE_PID, &err), -1);
	char *expected CLEANUP_FREE = text_format("cannot remove '%s': Is a directory",
						  project_path(project, ".pmo/pids/web.pid"));
	assert_string_equal(err.message, expected);
	error_clear(&err);
	state_close(&files);
}

/* What each writer says when it may not write, and that it leaves nothing behind. */
static int write_forbidden(struct test_project *project)
{
	const struct exit_record end = { .kind = EXIT_CODE, .at_realtime_ns = SOME_TIME };
	struct error errors[7] = { ERROR_INIT };
	struct state files;
	if (state_open(&files, project->directory, NULL, STATE_READ, NULL) < 0)
		return 1;
	int results[] = {
		state_write_pid(&files, "web", 4242, &errors[0]),
		state_write_identity(&files, "web", &some_identity, SOME_TIME, &errors[1]),
		state_write_spec(&files, "web", "x", 1, &errors[2]),
		state_write_restarts(&files, "web", 1, &errors[3]),
		state_write_exit(&files, "web", &end, &errors[4]),
		state_write_stop(&files, "web", &errors[5]),
		state_write_supervisor(&files, "web", &some_identity, &errors[6]),
	};
	static const enum state_file written[] = { STATE_FILE_PID,       STATE_FILE_TIME,
						   STATE_FILE_SPEC,      STATE_FILE_RESTARTS,
						   STATE_FILE_EXIT,      STATE_FILE_STOP,
						   STATE_FILE_SUPERVISOR };
	for (size_t i = 0; i < ARRAY_LENGTH(results); i++) {
		char *expected CLEANUP_FREE =
		    text_format("cannot write '%s/.pmo/pids/web.%s': Permission denied",
				project->directory, extensions[written[i]]);
		if (results[i] != -1 || errors[i].kind != ERROR_FAILED ||
		    strcmp(errors[i].message, expected) != 0)
			return 10 + (int)i;
		error_clear(&errors[i]);
	}
	struct error err = ERROR_INIT;
	if (state_open_lock(&files, "new", &err) != -1 ||
	    !strstr(err.message, "/.pmo/pids/new.lock': ") ||
	    strncmp(err.message, "cannot open '", 13) != 0)
		return 20;
	error_clear(&err);
	/* a lock that is there can be taken by who may only read */
	int lock = state_open_lock(&files, "old", &err);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return 21;
	close(lock);
	if (state_remove(&files, "web", STATE_FILE_PID, &err) != -1)
		return 22;
	error_clear(&err);
	state_close(&files);
	return 0;
}

static void test_forbidden(void **state)
{
	struct test_project *project = *state;
	if (geteuid() != 0)
		SKIP("needs root");
	project_write(project, ".pmo/pids/web.pid", "4242\n");
	project_write(project, ".pmo/pids/old.lock", "%s", "");
	assert_int_equal(chmod(project_path(project, ".pmo/pids"), 0555), 0);
	assert_int_equal(chmod(project_path(project, ".pmo/pids/old.lock"), 0444), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(NOBODY_ID) < 0 || setuid(NOBODY_ID) < 0)
			_exit(NOT_POSSIBLE);
		_exit(write_forbidden(project));
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(project_count(project, ".pmo/pids", "*"), 2);
	char *text CLEANUP_FREE = project_read(project, ".pmo/pids/web.pid");
	assert_string_equal(text, "4242\n");
}

/* Of a supervisor that may be anybody nothing is known, not even of the rest of the record. */
static int read_forbidden(struct test_project *project)
{
	struct error err = ERROR_INIT;
	struct state files;
	if (state_open(&files, project->directory, NULL, STATE_READ, NULL) < 0)
		return 1;
	struct record record = read_record(&files, "web");
	if (record.unreadable != EACCES || record.unreadable_file != STATE_FILE_SUPERVISOR ||
	    !record.intent || record.valid || record.damaged || !record.supervised ||
	    record.supervisor_valid)
		return 2;
	if (state_require_readable(&files, "web", &record, &err) != -1 ||
	    !strstr(err.message, "/.pmo/pids/web.supervisor': Permission denied"))
		return 3;
	error_clear(&err);
	state_close(&files);
	return 0;
}

static void test_unreadable_supervisor(void **state)
{
	struct test_project *project = *state;
	struct state files;
	if (geteuid() != 0)
		SKIP("needs root");
	open_state(project, &files);
	check_round_trip(&files, "web");
	state_close(&files);
	assert_int_equal(chmod(project_path(project, ".pmo"), 0755), 0);
	assert_int_equal(chmod(project_path(project, ".pmo/pids"), 0755), 0);
	static const char *const readable[] = { "pid", "time", "exit", "restarts", "stop" };
	for (size_t i = 0; i < ARRAY_LENGTH(readable); i++)
		assert_int_equal(chmod(project_path(project, ".pmo/pids/web.%s", readable[i]),
				       0644),
				 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(NOBODY_ID) < 0 || setuid(NOBODY_ID) < 0)
			_exit(NOT_POSSIBLE);
		_exit(read_forbidden(project));
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_lock_file(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	struct state files;
	open_state(project, &files);
	int first = state_open_lock(&files, "web", &err);
	int second = state_open_lock(&files, "web", &err);
	assert_true(first >= 0 && second >= 0);
	assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
	assert_int_equal(mode_of(project, ".pmo/pids/web.lock"), S_IFREG | 0600);
	assert_int_equal(flock(first, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(flock(second, LOCK_EX | LOCK_NB), -1);
	close(first);
	assert_int_equal(flock(second, LOCK_EX | LOCK_NB), 0);
	close(second);
	assert_int_equal(symlink("web.lock", project_path(project, ".pmo/pids/link.lock")), 0);
	assert_int_equal(state_open_lock(&files, "link", &err), -1);
	error_clear(&err);
	state_close(&files);
	assert_int_equal(state_open_lock(&files, "web", NULL), -1);
}

static void test_log_paths(void **state)
{
	struct test_project *project = *state;
	static const struct {
		enum state_log log;
		const char *path;
	} rows[] = {
		{ STATE_LOG_OUT, ".pmo/logs/a b-out.log" },
		{ STATE_LOG_ERROR, ".pmo/logs/a b-error.log" },
		{ STATE_LOG_MERGED, ".pmo/logs/a b.log" },
	};
	struct state files;
	open_state(project, &files);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char *path CLEANUP_FREE = state_log_path(&files, "a b", rows[i].log);
		assert_string_equal(path, project_path(project, "%s", rows[i].path));
	}
	state_close(&files);
}

static void test_spec(void **state)
{
	struct test_project *project = *state;
	struct arena arena = ARENA_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct error err = ERROR_INIT;
	struct definition definition;
	struct state files;
	static const char spec[] = "web:\n  cmd: sleep 5\n  stop_timeout: 2s\n";
	open_state(project, &files);
	assert_int_equal(state_read_spec(&files, "web", &arena, &definition, &err), -1);
	assert_string_equal(err.message, "'web' has no record of its definition");
	error_clear(&err);
	assert_int_equal(state_write_spec(&files, "web", spec, strlen(spec), &err), 0);
	assert_int_equal(state_read_spec_text(&files, "web", &text), 0);
	assert_string_equal(buffer_string(&text), spec);
	assert_int_equal(state_read_spec(&files, "web", &arena, &definition, &err), 0);
	assert_string_equal(definition.name, "web");
	assert_string_equal(definition.shell_command, "sleep 5");
	assert_true(definition.stop_timeout_ns == 2 * NSEC_PER_SEC);
	static const char *const garbage[] = {
		"",       "\n",       "other:\n  cmd: x\n",
		"web: [", "\x01\x02", "web:\n  cmd: x\n  unknown_key: 1\n",
		"- web\n"
	};
	for (size_t i = 0; i < ARRAY_LENGTH(garbage); i++) {
		state_write_spec(&files, "web", garbage[i], strlen(garbage[i]), NULL);
		assert_int_equal(state_read_spec(&files, "web", &arena, &definition, &err), -1);
		assert_non_null(err.message);
		error_clear(&err);
	}
	arena_release(&arena);
	state_close(&files);
}

enum { GENERATIONS = 4000 };

/* As a restart does it: each generation has another pid, in .time and then in .pid. */
static int write_generations(const char *directory)
{
	struct state files;
	if (state_open(&files, directory, NULL, STATE_READ, NULL) < 0)
		return 1;
	for (int i = 0; i < GENERATIONS; i++) {
		struct identity identity = some_identity;
		identity.pid = 1000 + i;
		identity.ticks = (uint64_t)identity.pid * 7;
		if (state_write_identity(&files, "web", &identity, SOME_TIME, NULL) < 0 ||
		    state_write_pid(&files, "web", identity.pid, NULL) < 0)
			return 2;
	}
	return 0;
}

/* A reader without a lock never takes one generation's pid with another's identity. */
static void test_readers(void **state)
{
	struct test_project *project = *state;
	struct state files;
	size_t valid = 0;
	open_state(project, &files);
	pid_t writer = fork();
	assert_true(writer >= 0);
	if (writer == 0)
		_exit(write_generations(project->directory));
	int status;
	while (waitpid(writer, &status, WNOHANG) == 0) {
		struct record record = read_record(&files, "web");
		if (!record.valid)
			continue;
		assert_true(record.identity.ticks == (uint64_t)record.identity.pid * 7);
		valid++;
	}
	assert_int_equal(status, 0);
	assert_true(valid > 0);
	assert_int_equal(read_record(&files, "web").identity.pid, 1000 + GENERATIONS - 1);
	state_close(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_open),
		PROJECT_TEST(test_open_host),
		PROJECT_TEST(test_open_blocked),
		PROJECT_TEST(test_round_trip),
		PROJECT_TEST(test_read_listed),
		PROJECT_TEST(test_file_format),
		PROJECT_TEST(test_list),
		PROJECT_TEST(test_list_nothing),
		PROJECT_TEST(test_list_many),
		PROJECT_TEST(test_list_hosts),
		PROJECT_TEST(test_list_hosts_blocked),
		PROJECT_TEST(test_remove),
		PROJECT_TEST(test_forbidden),
		PROJECT_TEST(test_unreadable_supervisor),
		PROJECT_TEST(test_lock_file),
		PROJECT_TEST(test_log_paths),
		PROJECT_TEST(test_spec),
		cmocka_unit_test_setup_teardown(test_readers, project_setup_in_memory,
						project_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
