/*
 * user and group of a service, as root; refused for anybody else.
 */
#include "support/support.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *log_of(struct test_project *project)
{
	char *text;

	WAIT_FOR(!process_alive(read_pid(project, "web")));
	text = project_read(project, ".pmo/logs/web-out.log");
	assert_non_null(text);
	return text;
}

static void start_with(struct test_project *project, const char *keys)
{
	project_write(project, "pmo.yml",
		      "web:\n  cmd: [%s, ids, env, HOME, env, USER, env, LOGNAME, env, SHELL]\n%s",
		      project_copy_program(project, ACTOR), keys);
	pmo_ok(project, "start", "web");
}

static void test_user(void **state)
{
	struct test_project *project = *state;
	const struct passwd *daemon;
	char *expected;
	char *log;

	SKIP_UNLESS_ROOT();
	daemon = getpwnam("daemon");
	if (daemon == NULL)
		SKIP("there is no user 'daemon'");
	start_with(project, "  user: daemon\n");
	log = log_of(project);
	expected = text_format("uid %u %u\ngid %u %u\ngroups %u\n", daemon->pw_uid, daemon->pw_uid,
			       daemon->pw_gid, daemon->pw_gid, daemon->pw_gid);
	assert_text_has(log, expected);
	free(expected);
	expected = text_format("HOME=%s\nUSER=daemon\nLOGNAME=daemon\nSHELL=%s\n", daemon->pw_dir,
			       daemon->pw_shell);
	assert_text_has(log, expected);
	free(expected);
	free(log);
}

static void test_group_and_numbers(void **state)
{
	struct test_project *project = *state;
	char *log;

	SKIP_UNLESS_ROOT();
	start_with(project, "  group: '4242'\n");
	log = log_of(project);
	assert_text_has(log, "uid 0 0\ngid 4242 4242\n");
	free(log);
	start_with(project, "  user: '1'\n  group: '4242'\n  env: {HOME: /mine}\n");
	log = log_of(project);
	assert_text_has(log, "uid 1 1\ngid 4242 4242\n");
	assert_text_has(log, "HOME=/mine\n");
	free(log);
}

/* As in a container: a number needs no entry in passwd(5). */
static void test_number_without_an_entry(void **state)
{
	struct test_project *project = *state;
	char *log;

	SKIP_UNLESS_ROOT();
	start_with(project, "  user: '4141'\n  group: '4242'\n");
	log = log_of(project);
	assert_text_has(log, "uid 4141 4141\ngid 4242 4242\ngroups 4242\n");
	free(log);
}

/* The state is root's, and the service cannot get at it. */
static void test_service_cannot_touch_the_state(void **state)
{
	struct test_project *project = *state;
	struct run run;

	SKIP_UNLESS_ROOT();
	project_write(
	    project, "pmo.yml",
	    "web:\n  cmd: 'cat .pmo/pids/web.pid; echo 1 >.pmo/pids/web.pid; exec %s wait'\n"
	    "  user: '1'\n",
	    project_copy_program(project, ACTOR));
	pmo_ok(project, "start", "web");
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_json(run.out, "0/status", "running");
	assert_json(run.out, "0/user", "%WORD");
	run_release(&run);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* A service that pmo may not signal: reported, its record kept. */
static void test_not_permitted_to_signal(void **state)
{
	struct run_options nobody = { .user = 65533, .group = 65533 };
	struct test_project *project = *state;
	struct run run;

	SKIP_UNLESS_ROOT();
	nobody.program = project_copy_program(project, pmo_binary());
	project_write(project, "pmo.yml", "web:\n  cmd: [%s, wait]\n  stop_timeout: 50ms\n", ACTOR);
	pmo_ok(project, "start", "web");
	/* the project is given away while the service runs as root */
	pmo_ok(project, "ls");
	run_pmo_with(project, &run, &(struct run_options){ .program = "/bin/sh" }, "-c",
		     "chown -R 65533:65533 .", NULL);
	assert_run(&run, 0, NULL, "");
	run_release(&run);
	run_pmo_with(project, &run, &nobody, "stop", "web", NULL);
	assert_run(&run, 1, "", "pmo: cannot stop 'web': not permitted to signal pid %NUMBER\n");
	run_release(&run);
	assert_true(process_alive(read_pid(project, "web")));
	run_pmo_with(project, &run, &nobody, "kill", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot signal pid %NUMBER of 'web': Operation not permitted\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

static void test_only_root_becomes_another(void **state)
{
	struct run_options nobody = { .user = 65534, .group = 65534 };
	struct test_project *project = *state;
	struct run run;

	SKIP_UNLESS_ROOT();
	nobody.program = project_copy_program(project, pmo_binary());
	assert_int_equal(chown(project->directory, 65534, 65534), 0);
	project_write(project, "pmo.yml",
		      "web: {cmd: 'true', user: root}\ngroup: {cmd: 'true', group: root}\n"
		      "self: {cmd: 'true', user: '65534'}\n");
	run_pmo_with(project, &run, &nobody, "start", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot start 'web': only root can run a service as user 'root'\n");
	run_release(&run);
	run_pmo_with(project, &run, &nobody, "start", "group", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot start 'group': only root can run a service as group 'root'\n");
	run_release(&run);
	run_pmo_with(project, &run, &nobody, "start", "self", NULL);
	assert_run(&run, 0, "self finished (exit status 0)\n", "");
	run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_user),
		PROJECT_TEST(test_group_and_numbers),
		PROJECT_TEST(test_number_without_an_entry),
		PROJECT_TEST(test_service_cannot_touch_the_state),
		PROJECT_TEST(test_not_permitted_to_signal),
		PROJECT_TEST(test_only_root_becomes_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
