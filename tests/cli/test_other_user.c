/*
 * State that two users share: what one may not read is no ground to act on, and what root writes
 * stays in the hands of who has the project.
 */
#include "support/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHER = 65533 };

/* The project is that of another user, if we are root; else ours. */
static struct run_options become_other(struct test_project *project)
{
	struct run_options other = { .program = NULL };

	project_write(project, "pmo.yml", "web: {cmd: ['%s', wait], start_watch: 0}\n",
		      project_copy_program(project, ACTOR));
	if (geteuid() != 0)
		return other;
	other.program = project_copy_program(project, pmo_binary());
	other.user = OTHER;
	other.group = OTHER;
	assert_int_equal(chown(project->directory, OTHER, OTHER), 0);
	return other;
}

/* The file cannot be read by anybody but root. */
static void hide(struct test_project *project, const char *path)
{
	const char *hidden = project_path(project, "%s", path);

	assert_int_equal(chmod(hidden, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(hidden, 0, 0), 0);
}

static void show(struct test_project *project, const char *path)
{
	assert_int_equal(chmod(project_path(project, "%s", path), 0644), 0);
}

static void test_unreadable_record(void **state)
{
	static const char *const files[] = { ".pmo/pids/web.pid", ".pmo/pids/web.time" };
	static const char *const commands[] = { "start", "stop", "restart", "delete", "kill" };
	struct test_project *project = *state;
	struct run_options other = become_other(project);
	struct run run;
	pid_t pid;

	run_pmo_with(project, &run, &other, "start", "web", NULL);
	assert_run(&run, 0, "started web (pid %NUMBER)\n", "");
	run_release(&run);
	pid = read_pid(project, "web");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *refusal =
		    text_format("pmo: %%ANYcannot read '%%DIR/%s': Permission denied\n", files[i]);
		char *warning = text_format("pmo: warning: cannot read '%%DIR/%s': Permission "
					    "denied\n",
					    files[i]);

		hide(project, files[i]);
		for (size_t j = 0; j < sizeof(commands) / sizeof(*commands); j++) {
			run_pmo_with(project, &run, &other, commands[j], "web", NULL);
			assert_run(&run, 1, "", refusal);
			run_release(&run);
			assert_true(process_alive(pid));
			assert_int_equal(project_processes(project, NULL, 0), 1);
			assert_true(project_exists(project, files[0]));
			assert_true(project_exists(project, files[1]));
		}
		run_pmo_with(project, &run, &other, "ls", "--json", NULL);
		assert_run(&run, 0, NULL, warning);
		assert_json(run.out, "0/status", "unknown");
		assert_json(run.out, "0/processes", "null");
		run_release(&run);
		run_pmo_with(project, &run, &other, "status", "web", NULL);
		assert_run(&run, 4, NULL, warning);
		run_release(&run);
		show(project, files[i]);
		free(refusal);
		free(warning);
	}
	run_pmo_with(project, &run, &other, "stop", "web", NULL);
	assert_run(&run, 0, "stopped web\n", "");
	run_release(&run);
}

static void assert_owned(struct test_project *project, const char *path)
{
	struct stat status;
	const char *file = project_path(project, "%s", path);

	if (stat(file, &status) < 0)
		fail_msg("there is no '%s'", file);
	if (status.st_uid != OTHER || status.st_gid != OTHER)
		fail_msg("'%s' belongs to user %d", file, (int)status.st_uid);
}

/* Whoever has .pmo can read what root has put there. */
static void test_root_in_the_project_of_another(void **state)
{
	static const char *const files[] = { "pids/web.pid",  "pids/web.time",     "pids/web.spec",
					     "pids/web.lock", "pids/web.restarts", "logs" };
	struct test_project *project = *state;
	struct run_options other;
	struct run run;

	SKIP_UNLESS_ROOT();
	other = become_other(project);
	run_pmo_with(project, &run, &other, "start", "web", NULL);
	assert_run(&run, 0, NULL, "");
	run_release(&run);
	assert_int_equal(unlink(project_path(project, ".pmo/pids/web.lock")), 0);
	assert_int_equal(rename(project_path(project, ".pmo/logs"),
				project_path(project, ".pmo/old")),
			 0);
	pmo_ok(project, "restart", "web");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *path = text_format(".pmo/%s", files[i]);

		assert_owned(project, path);
		free(path);
	}
	run_pmo_with(project, &run, &other, "ls", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	assert_json(run.out, "0/status", "running");
	assert_json(run.out, "0/user", "root");
	run_release(&run);
	run_pmo_with(project, &run, &other, "start", "web", NULL);
	assert_run(&run, 0, "web is already running (pid %NUMBER)\n", "");
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

/* A damaged record, and a process that may be the one it told of: nobody can say. */
static void test_damaged_record_of_root(void **state)
{
	static const char *const commands[] = { "start", "stop", "restart", "delete", "kill" };
	struct test_project *project = *state;
	struct run_options other;
	struct run run;
	pid_t pid;

	SKIP_UNLESS_ROOT();
	other = become_other(project);
	run_pmo_with(project, &run, &other, "start", "web", NULL);
	run_release(&run);
	pmo_ok(project, "restart", "web");
	pid = read_pid(project, "web");
	project_write(project, ".pmo/pids/web.time", "garbage\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		char *hidden = text_format("the record of 'web' is damaged, and it may still run "
					   "as pid %%ANY%d%%ANY, whose environment cannot be read: "
					   "do this as root\n",
					   (int)pid);

		run_pmo_with(project, &run, &other, commands[i], "web", NULL);
		assert_int_equal(run.status, 1);
		assert_err_has(&run, hidden);
		run_release(&run);
		free(hidden);
		assert_true(process_alive(pid));
		assert_int_equal(project_processes(project, NULL, 0), 1);
		assert_true(project_exists(project, ".pmo/pids/web.pid"));
	}
	assert_int_equal(project_kill_all(project), 1);
	pmo_ok(project, "stop", "web");
}

/* Processes of others that have run since long are nobody's: a damaged record can be dropped. */
static void test_damaged_record_of_long_ago(void **state)
{
	struct test_project *project = *state;
	struct run_options other = become_other(project);
	struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	struct run run;

	run_pmo_with(project, &run, &other, "start", "web", NULL);
	run_release(&run);
	assert_int_equal(project_kill_all(project), 1);
	project_write(project, ".pmo/pids/web.time", "garbage\n");
	assert_int_equal(utimensat(AT_FDCWD, project_path(project, ".pmo/pids/web.spec"), times, 0),
			 0);
	run_pmo_with(project, &run, &other, "stop", "web", NULL);
	assert_run(&run, 0, "web is not running\n", "");
	run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_unreadable_record),
		PROJECT_TEST(test_root_in_the_project_of_another),
		PROJECT_TEST(test_damaged_record_of_root),
		PROJECT_TEST(test_damaged_record_of_long_ago),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
