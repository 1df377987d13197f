/*
 * The promises of pmo(1), each attacked: nothing runs untracked, no stranger is signalled, nothing
 * runs twice, readers never see torn state. (test_stop.c: stop means gone. test_locks.c: locks.
 * test_broken_config.c and test_resources.c: broken pmo.yml, full disks and the like.)
 */
#include "support/support.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUICK "pmo: {defaults: {start_watch: 0}}\n"

/* True if some NAME.pid of the project holds PID. */
static bool has_record(struct test_project *project, pid_t pid)
{
	DIR *directory = opendir(project_path(project, ".pmo/pids"));
	struct dirent *entry;
	bool found = false;

	while (directory != NULL && !found && (entry = readdir(directory)) != NULL) {
		char *dot = strrchr(entry->d_name, '.');

		if (dot == NULL || strcmp(dot, ".pid") != 0)
			continue;
		*dot = '\0';
		found = read_pid(project, entry->d_name) == pid;
	}
	if (directory != NULL)
		closedir(directory);
	return found;
}

/* A child that was never released goes away by itself; anything else must have a record. */
static bool all_have_records(struct test_project *project)
{
	pid_t pids[64];
	size_t count = project_processes(project, pids, 64);
	size_t i;

	for (i = 0; i < count && i < 64; i++) {
		if (!has_record(project, pids[i]) && process_alive(pids[i]))
			return false;
	}
	return true;
}

/* The time one undisturbed start takes, in microseconds. */
static long measure_start(struct test_project *project)
{
	struct run run;
	double seconds;

	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 0, NULL, NULL);
	seconds = run.seconds;
	run_release(&run);
	pmo_ok(project, "stop", "all");
	return (long)(seconds * 1e6);
}

static void test_killed_start_leaves_nothing_untracked(void **state)
{
	struct test_project *project = *state;
	enum { ROUNDS = 240 };
	int died_early = 0;
	int finished = 0;
	long length;
	int round;

	project_write(project, "pmo.yml", QUICK "a: &a\n  cmd: [%s, wait]\nb: *a\nc: *a\nd: *a\n",
		      ACTOR);
	length = measure_start(project);
	for (round = 0; round < ROUNDS; round++) {
		struct running running;
		struct run run;

		run_pmo_start(project, &running, NULL, "start", "all", NULL);
		wait_microseconds(length * 3 / 2 * round / ROUNDS);
		run_pmo_signal(&running, SIGKILL);
		run_pmo_finish(&running, &run);
		finished += run.signal == 0;
		WAIT_FOR(all_have_records(project));
		died_early += project_processes(project, NULL, 0) == 0;
		run_release(&run);
		pmo_ok(project, "stop", "all");
		assert_int_equal(project_processes(project, NULL, 0), 0);
	}
	/* else the instants were all too early or too late to prove anything */
	assert_in_range(died_early, 1, ROUNDS - 1);
	assert_in_range(finished, 0, ROUNDS - 1);
}

static void test_killed_restart_leaves_nothing_untracked(void **state)
{
	struct test_project *project = *state;
	enum { ROUNDS = 100 };
	long length;
	int round;

	project_write(project, "pmo.yml", QUICK "a: &a\n  cmd: [%s, wait]\nb: *a\n", ACTOR);
	length = measure_start(project) * 4;
	for (round = 0; round < ROUNDS; round++) {
		struct running running;
		struct run run;

		pmo_ok(project, "start", "all");
		run_pmo_start(project, &running, NULL, "restart", "all", NULL);
		wait_microseconds(length * round / ROUNDS);
		run_pmo_signal(&running, SIGKILL);
		run_pmo_finish(&running, &run);
		run_release(&run);
		WAIT_FOR(all_have_records(project));
	}
	pmo_ok(project, "stop", "all");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_killed_stop_keeps_the_record_of_what_lives(void **state)
{
	struct test_project *project = *state;
	enum { ROUNDS = 60 };
	int round;

	project_write(project, "pmo.yml", QUICK "a: &a\n  cmd: [%s, wait]\nb: *a\n", ACTOR);
	for (round = 0; round < ROUNDS; round++) {
		struct running running;
		struct run run;

		pmo_ok(project, "start", "all");
		run_pmo_start(project, &running, NULL, "stop", "all", NULL);
		wait_microseconds(200L * round);
		run_pmo_signal(&running, SIGKILL);
		run_pmo_finish(&running, &run);
		run_release(&run);
		assert_true(all_have_records(project));
	}
	pmo_ok(project, "stop", "all");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* What .time may say about a stranger; %P is its pid, %T its start time in ticks (as they are), %B
 * the boot id, %N the pid namespace, %H the host. */
static const char *const forged_times[] = {
	NULL,
	"",
	"\n",
	"1700000000.5\n",
	"garbage\ngarbage\n",
	"1700000000.5\n%P\n",
	"1700000000.5\n%P 1 %B %N %H 00000000000000000000000000000000\n",
	"1700000000.5\n%P 18446744073709551615 %B %N %H 00000000000000000000000000000000\n",
	"1700000000.5\n%P -%T %B %N %H 00000000000000000000000000000000\n",
	"1700000000.5\n1 %T %B %N %H 00000000000000000000000000000000\n",
	"1700000000.5\n-%P %T %B %N %H 00000000000000000000000000000000\n",
	"1700000000.5\n%P %T 00000000-0000-0000-0000-000000000000 %N %H "
	"00000000000000000000000000000000\n",
	"1700000000.5\n%P %T %B %N %H\n",
	"1700000000.5\n%P %T %B %N %H 00000000000000000000000000000000 more\n",
};

static const char *const forged_pids[] = {
	"%P\n",         "%P",     "-%P\n",  "0\n",      "1\n",          "-1\n",
	"+%P\n",        " %P\n",  "%P x\n", "%P\n%P\n", "4294967297\n", "99999999999999999999999\n",
	"2147483648\n", "0x10\n", "",       "\n",       "garbage\n",    "\x01\xff\xfe",
};

/* Replace the letters that stand for what is true of PID. */
static char *forge(const char *form, pid_t pid)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	char *boot = read_file("/proc/sys/kernel/random/boot_id", NULL);
	struct stat info = { 0 };
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	stat("/proc/self/ns/pid", &info);
	boot[strcspn(boot, "\n")] = '\0';
	for (; *form != '\0'; form++) {
		if (*form != '%') {
			fputc(*form, out);
			continue;
		}
		form++;
		if (*form == 'P')
			fprintf(out, "%d", (int)pid);
		else if (*form == 'T')
			fprintf(out, "%llu", process_start_ticks(pid));
		else if (*form == 'B')
			fputs(boot, out);
		else if (*form == 'N')
			fprintf(out, "%llu", (unsigned long long)info.st_ino);
		else if (*form == 'H')
			fputs(host, out);
	}
	fclose(out);
	free(boot);
	return text;
}

static void write_forged(struct test_project *project, const char *name, const char *form,
			 pid_t pid)
{
	char *text;

	if (form == NULL) {
		unlink(project_path(project, "%s", name));
		return;
	}
	text = forge(form, pid);
	project_write(project, name, "%s", text);
	free(text);
}

/* Run the commands that could signal; the stranger must outlive each. */
static void attack(struct test_project *project, pid_t stranger, const char *pid_form,
		   const char *time_form)
{
	static const char *const commands[][5] = {
		{ "kill", "-s", "KILL", "web" },
		{ "ls" },
		{ "status", "web" },
		{ "stop", "web" },
		{ "start", "web" },
		{ "restart", "web" },
		{ "stop", "all" },
		{ "delete", "web" },
	};
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct running running;
		struct run run;

		if (read_pid(project, "web") == 0 || strcmp(commands[i][0], "restart") != 0) {
			write_forged(project, ".pmo/pids/web.time", time_form, stranger);
			write_forged(project, ".pmo/pids/web.pid", pid_form, stranger);
		}
		run_pmo_start_argv(project, &running, NULL, commands[i]);
		run_pmo_finish(&running, &run);
		if (run.signal != 0 || !process_alive(stranger)) {
			print_error("after '%s' with .pid '%s' and .time '%s'\n", run.command,
				    pid_form, time_form != NULL ? time_form : "(none)");
			assert_run(&run, 0, NULL, NULL);
		}
		assert_true(process_alive(stranger));
		run_release(&run);
	}
	project_kill_all(project);
}

static void test_forged_records_never_lead_to_a_signal(void **state)
{
	struct test_project *project = *state;
	pid_t stranger = child_start("sleep", "1000", NULL);
	size_t i;

	WAIT_FOR(process_alive(stranger));
	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	for (i = 0; i < sizeof(forged_times) / sizeof(forged_times[0]); i++)
		attack(project, stranger, "%P\n", forged_times[i]);
	for (i = 0; i < sizeof(forged_pids) / sizeof(forged_pids[0]); i++)
		attack(project, stranger, forged_pids[i],
		       "1700000000.5\n%P 1 %B %N %H 00000000000000000000000000000000\n");
	child_stop(stranger);
}

/* The record of a service that has ended, whose pid somebody else has now: only the ticks differ.
 */
static void test_reused_pid_is_a_stranger(void **state)
{
	struct test_project *project = *state;
	pid_t stranger = child_start("sleep", "1000", NULL);
	char *time;
	char *edited;
	pid_t pid;

	/* a pid is not used again within one tick of the clock */
	wait_microseconds(50000);
	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	pid = read_pid(project, "web");
	time = project_read(project, ".pmo/pids/web.time");
	assert_non_null(time);
	kill(pid, SIGKILL);
	WAIT_FOR(!process_alive(pid));
	edited = strchr(time, '\n');
	assert_non_null(edited);
	*edited++ = '\0';
	edited += strcspn(edited, " ");
	project_write(project, ".pmo/pids/web.time", "%s\n%d%s", time, (int)stranger, edited);
	project_write(project, ".pmo/pids/web.pid", "%d\n", (int)stranger);
	pmo_status(project, 1, "status", "web");
	pmo_ok(project, "stop", "web");
	assert_true(process_alive(stranger));
	assert_false(project_exists(project, ".pmo/pids/web.pid"));
	free(time);
	child_stop(stranger);
}

/* Garbage where no file should be, and files that could make a reader wait for ever. */
static void test_records_of_the_wrong_kind(void **state)
{
	struct test_project *project = *state;
	static const char *const files[] = { "pid", "time", "spec", "exit", "restarts", "stop" };
	size_t i;

	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	pmo_ok(project, "stop", "web");
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *path = project_path(project, ".pmo/pids/web.%s", files[i]);

		unlink(path);
		assert_int_equal(mkfifo(path, 0600), 0);
		pmo_ok(project, "ls");
		pmo_ok(project, "stop", "web");
		unlink(path);
		assert_int_equal(symlink("/etc/passwd", path), 0);
		pmo_ok(project, "ls");
		pmo_ok(project, "stop", "web");
		unlink(path);
		assert_int_equal(mkdir(path, 0700), 0);
		pmo_ok(project, "ls");
		rmdir(path);
	}
	assert_int_equal(access("/etc/passwd", R_OK), 0);
}

static void test_many_starts_at_once_give_one_process(void **state)
{
	struct test_project *project = *state;
	enum { STARTS = 20, ROUNDS = 5 };
	struct running running[STARTS];
	struct run run;
	int round;
	int i;

	project_write(project, "pmo.yml",
		      QUICK "web:\n  cmd: [%s, append-file, born, x, ignore, HUP, wait]\n", ACTOR);
	for (round = 0; round < ROUNDS; round++) {
		char *born;

		for (i = 0; i < STARTS; i++)
			run_pmo_start(project, &running[i], NULL, "start", "web", NULL);
		for (i = 0; i < STARTS; i++) {
			run_pmo_finish(&running[i], &run);
			assert_run(&run, 0, NULL, NULL);
			run_release(&run);
		}
		WAIT_FOR(project_exists(project, "born"));
		assert_int_equal(project_processes(project, NULL, 0), 1);
		assert_true(process_alive(read_pid(project, "web")));
		born = project_read(project, "born");
		assert_text(born, "x\n");
		free(born);
		pmo_ok(project, "stop", "web");
		unlink(project_path(project, "born"));
	}
}

/* Commands of all kinds at once: whatever comes out of it, there is at most one process, and what
 * runs has its record. */
static void test_commands_at_once_end_in_one_state(void **state)
{
	struct test_project *project = *state;
	static const char *const verbs[] = { "start", "restart", "stop", "start", "restart" };
	enum { COMMANDS = 15 };
	struct running running[COMMANDS];
	struct run run;
	int i;

	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	for (i = 0; i < COMMANDS; i++)
		run_pmo_start(project, &running[i], NULL, verbs[i % 5], "web", NULL);
	for (i = 0; i < COMMANDS; i++) {
		run_pmo_finish(&running[i], &run);
		assert_run(&run, 0, NULL, NULL);
		run_release(&run);
	}
	assert_true(project_processes(project, NULL, 0) <= 1);
	assert_true(all_have_records(project));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* While restarts follow each other, whoever looks sees a whole service. */
static void test_readers_never_see_torn_state(void **state)
{
	struct test_project *project = *state;
	enum { READS = 150 };
	struct running running = { 0 };
	struct run run;
	bool restarting = false;
	int restarts = 0;
	int i;

	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	for (i = 0; i < READS; i++) {
		char *status;

		if (restarting && !process_alive(running.pid)) {
			run_pmo_finish(&running, &run);
			assert_run(&run, 0, NULL, NULL);
			run_release(&run);
			restarting = false;
			restarts++;
		}
		if (!restarting)
			run_pmo_start(project, &running, NULL, "restart", "web", NULL);
		restarting = true;
		run_pmo(project, &run, "ls", "--json", "--sample", "0", NULL);
		assert_run(&run, 0, NULL, "");
		assert_int_equal(json_count(run.out, ""), 1);
		status = json_get(run.out, "0/status");
		if (status == NULL ||
		    (strcmp(status, "running") != 0 && strcmp(status, "stopping") != 0 &&
		     strcmp(status, "restarting") != 0 && strcmp(status, "stopped") != 0 &&
		     strcmp(status, "starting") != 0))
			assert_run(&run, 0, "a status that a restart may show", NULL);
		free(status);
		run_release(&run);
	}
	run_pmo_finish(&running, &run);
	assert_run(&run, 0, NULL, NULL);
	run_release(&run);
	assert_true(restarts > 3);
	assert_int_equal(project_count(project, ".pmo/pids", "*~"), 0);
	pmo_ok(project, "stop", "web");
}

/* A service that was removed from pmo.yml is shown and can be stopped. */
static void test_removed_service_stays_known(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      QUICK "web:\n  cmd: [%s, wait]\nold:\n  cmd: [%s, wait]\n", ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_run(&run, 0, NULL, NULL);
	assert_int_equal(json_count(run.out, ""), 2);
	assert_json(run.out, "0/configured", "true");
	assert_json(run.out, "1/name", "old");
	assert_json(run.out, "1/configured", "false");
	assert_json(run.out, "1/status", "running");
	run_release(&run);
	pmo_ok(project, "stop", "old");
	assert_true(process_alive(read_pid(project, "web")));
	assert_int_equal(project_processes(project, NULL, 0), 1);
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_int_equal(json_count(run.out, ""), 1);
	run_release(&run);
	pmo_ok(project, "stop", "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_killed_start_leaves_nothing_untracked),
		PROJECT_TEST(test_killed_restart_leaves_nothing_untracked),
		PROJECT_TEST(test_killed_stop_keeps_the_record_of_what_lives),
		PROJECT_TEST(test_forged_records_never_lead_to_a_signal),
		PROJECT_TEST(test_reused_pid_is_a_stranger),
		PROJECT_TEST(test_records_of_the_wrong_kind),
		PROJECT_TEST(test_many_starts_at_once_give_one_process),
		PROJECT_TEST(test_commands_at_once_end_in_one_state),
		PROJECT_TEST(test_readers_never_see_torn_state),
		PROJECT_TEST(test_removed_service_stays_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
