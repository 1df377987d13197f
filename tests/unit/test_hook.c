/*
 * Hooks as real shells: their output, environment, end, time limit, and what they leave behind.
 */
#include "support/support.h"

#include "base/clock.h"
#include "base/memory.h"
#include "service/hook.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY_ID = 65534, MANY = 50 };

static const char mark[] = "0123456789abcdef0123456789abcdef";
static const struct hook_facts no_facts = { 0 };

/* A service that is nothing but its hooks. */
struct scene {
	struct test_project *project;
	struct environment environment;
	struct hooks hooks;
	struct hook_source source;
};

static void scene_open(struct scene *scene, struct test_project *project)
{
	*scene = (struct scene){ .project = project };
	scene->hooks.timeout_ns = WAIT_LIMIT_S * NSEC_PER_SEC;
	environment_set(&scene->environment, "PATH", "/usr/bin:/bin");
	environment_set(&scene->environment, "PMO_DIR", project->directory);
	environment_set(&scene->environment, "PMO_RUN", mark);
	scene->source = (struct hook_source){
		.service = "web",
		.hooks = &scene->hooks,
		.environment = &scene->environment,
		.directory = project->directory,
		.log_out = project_path(project, "out.log"),
		.log_error = project_path(project, "error.log"),
		.umask = -1,
	};
}

static void scene_close(struct scene *scene)
{
	environment_release(&scene->environment);
}

/* Run one hook to its end; the error as text to be freed, NULL for success. */
static char *run_with(struct scene *scene, enum hook_kind kind, const char *command,
		      const struct hook_facts *facts)
{
	struct error err = ERROR_INIT;
	scene->hooks.commands[kind] = command;
	const struct hook_request request = { kind, &scene->source, *facts };
	size_t failed = hooks_run(&request, 1, &err);
	assert_int_equal(failed, err.kind != ERROR_NONE);
	char *text = err.message ? memory_strdup(err.message) : NULL;
	error_clear(&err);
	return text;
}

static char *run_hook(struct scene *scene, const char *command)
{
	return run_with(scene, HOOK_PRE_START, command, &no_facts);
}

static void run_ok(struct scene *scene, const char *command)
{
	char *problem CLEANUP_FREE = run_hook(scene, command);
	if (problem)
		fail_msg("'%s': %s", command, problem);
}

static void check_failure(struct scene *scene, const char *command, const char *expected)
{
	char *problem CLEANUP_FREE = run_hook(scene, command);
	assert_non_null(problem);
	assert_text(problem, expected);
}

static void check_file(struct scene *scene, const char *name, const char *expected)
{
	char *text CLEANUP_FREE = project_read(scene->project, name);
	assert_non_null(text);
	assert_text(text, expected);
}

static size_t count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;
	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Orphans of hooks come to this process, their subreaper: as long as one of them lives, or one that
 * it has forked, there is a child. A look at /proc could miss those that fork and end all the time.
 */
static bool all_ended(void)
{
	pid_t pid;
	do {
		pid = waitpid(-1, NULL, WNOHANG);
	} while (pid > 0);
	return pid < 0 && errno == ECHILD;
}

static void assert_nothing_runs(void)
{
	WAIT_FOR(all_ended());
}

static void test_output(void **state)
{
	struct scene scene;
	struct stat status;
	scene_open(&scene, *state);
	project_write(scene.project, "out.log", "before\n");
	run_ok(&scene, "echo out; echo err >&2; read line || echo end of input");
	check_file(&scene, "out.log", "before\nout\nend of input\n");
	check_file(&scene, "error.log", "err\n");
	assert_int_equal(stat(scene.source.log_error, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(project_count(scene.project, ".", "*.log*"), 2);
	/* merged */
	scene.source.log_error = scene.source.log_out;
	run_ok(&scene, "echo 3; echo 4 >&2");
	check_file(&scene, "out.log", "before\nout\nend of input\n3\n4\n");
	check_file(&scene, "error.log", "err\n");
	scene_close(&scene);
}

static void test_failure(void **state)
{
	struct scene scene;
	scene_open(&scene, *state);
	check_failure(&scene, "echo no port >&2; exit 3",
		      "hook 'pre_start' ended with exit status 3");
	check_file(&scene, "error.log",
		   "no port\n--- hook 'pre_start' ended with exit status 3 at %TIME ---\n");
	check_file(&scene, "out.log", "");
	/* a last line without its newline stays a line of its own */
	project_write_bytes(scene.project, "error.log", "", 0);
	check_failure(&scene, "printf 'no port' >&2; kill -USR1 $$",
		      "hook 'pre_start' was ended by signal USR1");
	check_file(&scene, "error.log",
		   "no port\n--- hook 'pre_start' was ended by signal USR1 at %TIME ---\n");
	/* killed by somebody else than its limit */
	check_failure(&scene, "kill -KILL $$", "hook 'pre_start' was ended by signal KILL");
	check_failure(&scene, "/nowhere/at-all", "hook 'pre_start' ended with exit status 127");
	scene_close(&scene);
}

static void test_environment(void **state)
{
	static const char show[] = "set -u; echo \"$PMO_SERVICE $PMO_HOOK $PMO_PID "
				   "c=$PMO_EXIT_CODE s=$PMO_EXIT_SIGNAL $MINE $PMO_RUN\"";
	static const struct hook_facts facts[] = {
		{ 0 },
		{ .pid = 77, .exit = { .kind = EXIT_CODE, .value = 0 } },
		{ .pid = 77, .exit = { .kind = EXIT_CODE, .value = 255 } },
		{ .exit = { .kind = EXIT_SIGNAL, .value = SIGKILL } },
		{ .exit = { .kind = EXIT_UNKNOWN, .value = 5 } },
	};
	static const char *const expected[] = {
		"web on_fail  c= s= a b",      "web on_fail 77 c=0 s= a b",
		"web on_fail 77 c=255 s= a b", "web on_fail  c= s=KILL a b",
		"web on_fail  c= s= a b",
	};
	struct scene scene;
	scene_open(&scene, *state);
	environment_set(&scene.environment, "MINE", "a b");
	/* those of an outer hook */
	environment_set(&scene.environment, "PMO_PID", "1");
	environment_set(&scene.environment, "PMO_EXIT_CODE", "1");
	environment_set(&scene.environment, "PMO_EXIT_SIGNAL", "HUP");
	environment_set(&scene.environment, "PMO_HOOK", "pre_stop");
	environment_set(&scene.environment, "PMO_SERVICE", "outer");
	for (size_t i = 0; i < ARRAY_LENGTH(facts); i++) {
		char *line CLEANUP_FREE = text_format("%s %s\n", expected[i], mark);
		project_write_bytes(scene.project, "out.log", "", 0);
		char *problem CLEANUP_FREE = run_with(&scene, HOOK_ON_FAIL, show, &facts[i]);
		assert_null(problem);
		check_file(&scene, "out.log", line);
	}
	scene_close(&scene);
}

/* Each kind has its own command and says its name; one that the service lacks is no failure. */
static void test_kinds(void **state)
{
	struct scene scene;
	scene_open(&scene, *state);
	for (enum hook_kind kind = 0; kind < HOOK_COUNT; kind++) {
		char *expected CLEANUP_FREE =
		    text_format("hook '%s' ended with exit status 9", hook_kind_name(kind));
		char *problem CLEANUP_FREE =
		    run_with(&scene, kind, "echo $PMO_HOOK; exit 9", &no_facts);
		assert_string_equal(problem, expected);
		char *none CLEANUP_FREE = run_with(&scene, kind, NULL, &no_facts);
		assert_null(none);
	}
	check_file(&scene, "out.log",
		   "pre_start\npost_start\npre_stop\npost_stop\non_restart\non_fail\n");
	scene_close(&scene);
}

static void test_settings(void **state)
{
	static const struct limit limits[] = { { "nofile", RLIMIT_NOFILE, 33, 44 } };
	struct scene scene;
	scene_open(&scene, *state);
	project_write(scene.project, "deep/er/file", "x");
	scene.source.directory = project_path(scene.project, "deep/er");
	scene.source.umask = 0137;
	scene.source.limits = limits;
	scene.source.limit_count = ARRAY_LENGTH(limits);
	scene.source.has_nice = true;
	scene.source.nice = 7;
	run_ok(&scene, "pwd; umask; ulimit -Sn; ulimit -Hn; nice; cut -d' ' -f6 /proc/$$/stat | "
		       "grep -qx $$ && echo leader");
	check_file(&scene, "out.log", "%WORD/deep/er\n0137\n33\n44\n7\nleader\n");
	scene_close(&scene);
}

static void test_user(void **state)
{
	struct scene scene;
	gid_t groups[] = { NOBODY_ID };
	struct stat status;
	SKIP_UNLESS_ROOT();
	scene_open(&scene, *state);
	scene.source.credentials =
	    (struct credentials){ true, NOBODY_ID, NOBODY_ID, groups, ARRAY_LENGTH(groups) };
	run_ok(&scene, "id -u; id -g; id -G");
	check_file(&scene, "out.log", "65534\n65534\n65534\n");
	assert_int_equal(stat(scene.source.log_out, &status), 0);
	assert_int_equal(status.st_uid, NOBODY_ID);
	/* the log is not followed where the user could have led it */
	project_write(scene.project, "theirs/secret", "secret\n");
	const char *theirs = project_path(scene.project, "theirs");
	assert_int_equal(chown(theirs, NOBODY_ID, NOBODY_ID), 0);
	assert_int_equal(symlink("secret", project_path(scene.project, "theirs/log")), 0);
	assert_int_equal(lchown(project_path(scene.project, "theirs/log"), NOBODY_ID, NOBODY_ID),
			 0);
	scene.source.log_out = scene.source.log_error = project_path(scene.project, "theirs/log");
	check_failure(&scene, "echo written; exit 1", "hook 'pre_start' ended with exit status 1");
	check_file(&scene, "theirs/secret", "secret\n");
	scene_close(&scene);
}

/* What fails before the shell runs is a failure like any other. */
static void test_no_execution(void **state)
{
	static const struct limit limits[] = { { "nofile", RLIMIT_NOFILE, 44, 33 } };
	struct scene scene;
	scene_open(&scene, *state);
	scene.source.directory = project_path(scene.project, "gone");
	check_failure(&scene, "echo ran",
		      "hook 'pre_start': cannot change to directory '%WORD/gone': "
		      "No such file or directory");
	check_file(&scene, "error.log",
		   "--- hook 'pre_start': cannot change to directory '%WORD/gone': "
		   "No such file or directory at %TIME ---\n");
	scene.source.directory = scene.project->directory;
	scene.source.limits = limits;
	scene.source.limit_count = 1;
	check_failure(&scene, "echo ran",
		      "hook 'pre_start': cannot set the limit 'nofile': Invalid argument");
	scene.source.limit_count = 0;
	char *large CLEANUP_FREE = memory_alloc(1 << 20);
	memset(large, 'x', 1 << 20);
	large[(1 << 20) - 1] = '\0';
	environment_set(&scene.environment, "LARGE", large);
	check_failure(&scene, "echo ran",
		      "hook 'pre_start': cannot execute '/bin/sh': Argument list too long");
	check_file(&scene, "out.log", "");
	assert_no_children();
	scene_close(&scene);
}

/* A log that cannot be opened loses the output, not the hook. */
static void test_no_log(void **state)
{
	struct scene scene;
	scene_open(&scene, *state);
	scene.source.log_out = project_path(scene.project, "gone/out.log");
	scene.source.log_error = scene.project->directory;
	run_ok(&scene, "echo out; echo err >&2; touch ran");
	assert_true(project_exists(scene.project, "ran"));
	check_failure(&scene, "exit 4", "hook 'pre_start' ended with exit status 4");
	scene_close(&scene);
}

/* Whatever it does with TERM, its children and their sessions: gone after its limit. */
static void test_time_limit(void **state)
{
	static const char stubborn[] =
	    "trap '' TERM HUP INT; (trap '' TERM HUP; setsid sleep 300) & (sleep 300 &);"
	    "(setsid sh -c 'sleep 300 & wait') & touch ready; while :; do sleep 300; done";
	struct scene scene;
	scene_open(&scene, *state);
	size_t descriptors = count_descriptors();
	scene.hooks.timeout_ns = 700 * NSEC_PER_MSEC;
	double begin = wait_now();
	check_failure(&scene, stubborn, "hook 'pre_start' took longer than 700ms");
	assert_true(wait_now() - begin >= 0.7);
	assert_true(wait_now() - begin < WAIT_LIMIT_S);
	assert_true(project_exists(scene.project, "ready"));
	check_file(&scene, "error.log",
		   "--- hook 'pre_start' took longer than 700ms at %TIME ---\n");
	assert_nothing_runs();
	assert_int_equal(count_descriptors(), descriptors);
	scene_close(&scene);
}

/* Generations that each fork the next one cannot outrun it. */
static void test_time_limit_breeding(void **state)
{
	struct scene scene;
	scene_open(&scene, *state);
	scene.hooks.timeout_ns = 300 * NSEC_PER_MSEC;
	for (int round = 0; round < 5; round++) {
		check_failure(&scene, ACTOR " breed 100000 & sleep 300",
			      "hook 'pre_start' took longer than 300ms");
		assert_nothing_runs();
	}
	scene_close(&scene);
}

/* What it leaves in the background ends with it, but not another service. */
static void test_leftovers(void **state)
{
	struct scene scene;
	scene_open(&scene, *state);
	run_ok(&scene, "sleep 300 & (sleep 300 & sleep 300 &) ; touch ready");
	assert_true(project_exists(scene.project, "ready"));
	assert_nothing_runs();
	scene.hooks.timeout_ns = 700 * NSEC_PER_MSEC;
	check_failure(&scene,
		      "PMO_RUN=fedcba9876543210fedcba9876543210 setsid sleep 300 & echo $! >other;"
		      "setsid sleep 300 & wait",
		      "hook 'pre_start' took longer than 700ms");
	char *other CLEANUP_FREE = project_read(scene.project, "other");
	pid_t pid = (pid_t)strtol(other, NULL, 10);
	siginfo_t info = { 0 };
	assert_true(process_alive(pid));
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	assert_int_equal(info.si_pid, 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_nothing_runs();
	scene_close(&scene);
}

static void start(struct scene *scene, enum hook_kind kind, struct hook *hook)
{
	struct error err = ERROR_INIT;
	if (hook_start(hook, kind, &scene->source, &no_facts, &err) < 0)
		fail_msg("%s", err.message);
}

static void check_end(struct hook *hook, const char *expected)
{
	struct error err = ERROR_INIT;
	struct pollfd ended = { .fd = hook->child.pidfd, .events = POLLIN };
	int status;
	assert_int_equal(poll(&ended, 1, WAIT_LIMIT_S * 1000), 1);
	assert_int_equal(waitpid(hook->child.pid, &status, WNOHANG), hook->child.pid);
	assert_int_equal(hook_end(hook, status, &err), expected ? -1 : 0);
	if (expected)
		assert_string_equal(err.message, expected);
	assert_int_equal(hook->child.pidfd, -1);
	assert_int_equal(hook->child.channel, -1);
	error_clear(&err);
}

/* As a supervisor does it: several at once, in a loop of its own. */
static void test_loop(void **state)
{
	struct scene scene;
	struct hook hooks[4];
	scene_open(&scene, *state);
	size_t descriptors = count_descriptors();
	scene.hooks.commands[HOOK_PRE_START] = "while [ ! -e go ]; do sleep 0.02; done";
	scene.hooks.commands[HOOK_POST_START] = "sleep 300";
	scene.hooks.commands[HOOK_ON_RESTART] = "exit 2";
	scene.hooks.commands[HOOK_ON_FAIL] = "sleep 300 & exit 0";
	double begin = wait_now();
	start(&scene, HOOK_PRE_START, &hooks[0]);
	start(&scene, HOOK_POST_START, &hooks[1]);
	start(&scene, HOOK_ON_RESTART, &hooks[2]);
	start(&scene, HOOK_ON_FAIL, &hooks[3]);
	assert_true(wait_now() - begin < WAIT_LIMIT_S);
	assert_true(hooks[0].deadline_ns > clock_monotonic_ns());
	check_end(&hooks[2], "hook 'on_restart' ended with exit status 2");
	/* before its time is over */
	hook_kill(&hooks[1]);
	assert_true(hooks[1].deadline_ns == INT64_MAX);
	check_end(&hooks[1], "hook 'post_start' was ended by signal KILL");
	/* a zombie: what it has left */
	WAIT_FOR(process_state(hooks[3].child.pid) == 'Z');
	hook_kill(&hooks[3]);
	check_end(&hooks[3], NULL);
	project_write(scene.project, "go", "x");
	check_end(&hooks[0], NULL);
	assert_nothing_runs();
	assert_int_equal(count_descriptors(), descriptors);
	scene_close(&scene);
}

/* Late, and not even /proc can be opened: its leader and group end all the same. */
static void test_kill_without_descriptors(void **state)
{
	struct scene scene;
	struct hook hook;
	struct rlimit before;
	struct rlimit none;
	scene_open(&scene, *state);
	scene.hooks.timeout_ns = 1;
	scene.hooks.commands[HOOK_PRE_STOP] = "sleep 300";
	start(&scene, HOOK_PRE_STOP, &hook);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	hook_kill(&hook);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	check_end(&hook, "hook 'pre_stop' took longer than 0.000001ms");
	scene_close(&scene);
}

static void test_no_limit(void **state)
{
	struct scene scene;
	struct hook hook;
	scene_open(&scene, *state);
	scene.hooks.timeout_ns = 0;
	scene.hooks.commands[HOOK_PRE_STOP] = "exit 0";
	start(&scene, HOOK_PRE_STOP, &hook);
	assert_true(hook.deadline_ns == INT64_MAX);
	check_end(&hook, NULL);
	scene.hooks.timeout_ns = INT64_MAX;
	start(&scene, HOOK_PRE_STOP, &hook);
	assert_true(hook.deadline_ns == INT64_MAX);
	check_end(&hook, NULL);
	scene_close(&scene);
}

static void run_many(struct scene *scene, const char *command, struct error *errors)
{
	struct hook_source sources[MANY];
	struct hook_request requests[MANY];
	char names[MANY][16];
	scene->hooks.commands[HOOK_POST_STOP] = command;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "%zu", i);
		sources[i] = scene->source;
		sources[i].service = names[i];
		requests[i] = (struct hook_request){ HOOK_POST_STOP, &sources[i], no_facts };
	}
	hooks_run(requests, MANY, errors);
}

/* None ends before all run: one after the other they would only reach their limit. */
static void test_parallel(void **state)
{
	static const char barrier[] =
	    "touch started/$PMO_SERVICE; set -- started/*; while [ $# -lt 50 ]; do sleep 0.05; "
	    "set -- started/*; done; echo $PMO_SERVICE; exit $((PMO_SERVICE % 3))";
	struct error errors[MANY];
	struct scene scene;
	scene_open(&scene, *state);
	size_t descriptors = count_descriptors();
	assert_int_equal(mkdir(project_path(scene.project, "started"), 0755), 0);
	run_many(&scene, barrier, errors);
	for (size_t i = 0; i < MANY; i++) {
		char *expected CLEANUP_FREE =
		    text_format("hook 'post_stop' ended with exit status %zu", i % 3);
		if (i % 3 == 0)
			assert_null(errors[i].message);
		else
			assert_string_equal(errors[i].message, expected);
		error_clear(&errors[i]);
	}
	char *out CLEANUP_FREE = project_read(scene.project, "out.log");
	size_t lines = 0;
	for (const char *at = out; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, MANY);
	assert_no_children();
	assert_int_equal(count_descriptors(), descriptors);
	scene_close(&scene);
}

/* Some late, some failing, some leaving things behind. */
static void test_parallel_late(void **state)
{
	static const char mixed[] = "case $((PMO_SERVICE % 3)) in 0) exit 0;; 1) trap '' TERM; "
				    "sleep 300 & wait; sleep 300;; 2) sleep 300 & exit 1;; esac";
	static const char *const expected[] = { NULL, "hook 'post_stop' took longer than 1s",
						"hook 'post_stop' ended with exit status 1" };
	struct error errors[MANY];
	struct scene scene;
	scene_open(&scene, *state);
	scene.hooks.timeout_ns = NSEC_PER_SEC;
	/* so many shells may need longer than that on a busy machine: the quick ones come first */
	run_many(&scene, mixed, errors);
	size_t late = 0;
	for (size_t i = 0; i < MANY; i++) {
		const char *message = errors[i].message;
		bool is_late = message && strcmp(message, expected[1]) == 0;
		late += is_late;
		if (!is_late && expected[i % 3])
			assert_string_equal(message, expected[i % 3]);
		assert_true(i % 3 != 1 || is_late);
		error_clear(&errors[i]);
	}
	assert_true(late < MANY);
	assert_nothing_runs();
	scene_close(&scene);
}

static void test_few_descriptors(void **state)
{
	struct error errors[MANY];
	struct rlimit before;
	struct scene scene;
	scene_open(&scene, *state);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	struct rlimit few = { .rlim_cur = 40, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	run_many(&scene, "ulimit -Sn", errors);
	scene.source.file_limit = &before;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < MANY; i++)
		assert_null(errors[i].message);
	project_write_bytes(scene.project, "out.log", "", 0);
	run_ok(&scene, "ulimit -Sn");
	char *expected CLEANUP_FREE = text_format("%llu\n", (unsigned long long)before.rlim_cur);
	check_file(&scene, "out.log", expected);
	assert_no_children();
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_output),
		PROJECT_TEST(test_failure),
		PROJECT_TEST(test_environment),
		PROJECT_TEST(test_kinds),
		PROJECT_TEST(test_settings),
		PROJECT_TEST(test_user),
		PROJECT_TEST(test_no_execution),
		PROJECT_TEST(test_no_log),
		PROJECT_TEST(test_time_limit),
		PROJECT_TEST(test_time_limit_breeding),
		PROJECT_TEST(test_leftovers),
		PROJECT_TEST(test_loop),
		PROJECT_TEST(test_kill_without_descriptors),
		PROJECT_TEST(test_no_limit),
		PROJECT_TEST(test_parallel),
		PROJECT_TEST(test_parallel_late),
		PROJECT_TEST(test_few_descriptors),
	};
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
