/*
 * What hooks run with: the launch of a service, or its record and its leader.
 */
#include "support/support.h"

#include "base/clock.h"
#include "base/memory.h"
#include "service/hook_source.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOBODY_ID = 65534 };

static const char mark[] = "0123456789abcdef0123456789abcdef";
static const struct hook_facts no_facts = { 0 };

/* A project with a service on record. */
struct recorded {
	struct project project;
	struct message_list messages;
	struct catalog_entry entry;
};

static void recorded_open(struct recorded *recorded, struct test_project *project, const char *user)
{
	struct error err = ERROR_INIT;
	memset(recorded, 0, sizeof(*recorded));
	recorded->entry = (struct catalog_entry){ .name = "web", .recorded = true };
	project_write(project, "pmo.yml", "web: sleep 300\n");
	project_write(project, "work/file", "x");
	char *spec CLEANUP_FREE =
	    text_format("web:\n  cmd: sleep 300\n  cwd: %s\n  umask: \"027\"\n%s",
			project_path(project, "work"), user);
	if (project_open(&recorded->project, project_path(project, "pmo.yml"), PROJECT_NEEDS_CONFIG,
			 &recorded->messages, &err) < 0 ||
	    project_prepare_state(&recorded->project, &err) < 0 ||
	    state_write_spec(&recorded->project.state, "web", spec, strlen(spec), &err) < 0)
		fail_msg("%s", err.message);
}

static void recorded_close(struct recorded *recorded)
{
	project_close(&recorded->project);
	message_list_release(&recorded->messages);
}

static void read_source(struct recorded *recorded, const struct identity *leader,
			struct hook_source *source)
{
	struct error err = ERROR_INIT;
	if (hook_source_read(source, &recorded->project, &recorded->entry, leader, NULL, &err) < 0)
		fail_msg("%s", err.message);
}

/* Whether the environment is the leader's, which alone knows LEADER_ONLY. */
static bool reads_leader(struct recorded *recorded, const struct identity *leader)
{
	struct hook_source source;
	read_source(recorded, leader, &source);
	const char *own = environment_get(source.environment, "LEADER_ONLY");
	bool result = own != NULL;
	if (own)
		assert_string_equal(own, "a=b c");
	assert_int_equal(environment_get(source.environment, "TEST_ONLY") != NULL, !result);
	assert_string_equal(environment_get(source.environment, "PMO_SERVICE"), "web");
	assert_string_equal(environment_get(source.environment, "PMO_DIR"),
			    recorded->project.directory);
	hook_source_release(&source);
	return result;
}

static pid_t start_leader(struct recorded *recorded, const char *run)
{
	char *directory CLEANUP_FREE = text_format("PMO_DIR=%s", recorded->project.directory);
	pid_t pid = child_start("/usr/bin/env", "-i", "LEADER_ONLY=a=b c", "PMO_SERVICE=web",
				directory, run, "/bin/sleep", "300", NULL);
	char path[64];
	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	for (bool ready = false; !ready;) {
		char *name CLEANUP_FREE = read_file(path, NULL);
		ready = name && strcmp(name, "sleep\n") == 0;
	}
	return pid;
}

static struct identity identity_of(pid_t pid)
{
	struct identity identity = { .pid = pid, .ticks = process_start_ticks(pid) };
	memcpy(identity.mark, mark, sizeof(mark));
	return identity;
}

static void test_source_read(void **state)
{
	struct recorded recorded;
	char run[64];
	recorded_open(&recorded, *state, "");
	setenv("TEST_ONLY", "1", 1);
	assert_false(reads_leader(&recorded, NULL));
	snprintf(run, sizeof(run), "PMO_RUN=%s", mark);
	pid_t pid = start_leader(&recorded, run);
	struct identity leader = identity_of(pid);
	/* a program has its name a moment before its environment */
	WAIT_FOR(reads_leader(&recorded, &leader));
	struct identity wrong = leader;
	wrong.ticks++;
	assert_false(reads_leader(&recorded, &wrong));
	wrong = leader;
	wrong.mark[0] = 'x';
	assert_false(reads_leader(&recorded, &wrong));
	kill(pid, SIGKILL);
	WAIT_FOR(process_state(pid) == 'Z');
	assert_false(reads_leader(&recorded, &leader));
	child_stop(pid);
	assert_false(reads_leader(&recorded, &leader));
	unsetenv("TEST_ONLY");
	recorded_close(&recorded);
}

/* A hook that runs with what was read. */
static void test_source_runs(void **state)
{
	struct hooks hooks = { .timeout_ns = WAIT_LIMIT_S * NSEC_PER_SEC };
	struct recorded recorded;
	struct hook_source source;
	struct error err = ERROR_INIT;
	recorded_open(&recorded, *state, "");
	struct identity leader = { .pid = 1, .ticks = 1 };
	memcpy(leader.mark, mark, sizeof(mark));
	read_source(&recorded, &leader, &source);
	hooks.commands[HOOK_POST_STOP] = "pwd; echo $PWD; umask; echo $PMO_RUN $PMO_HOOK";
	source.hooks = &hooks;
	const struct hook_request request = { HOOK_POST_STOP, &source, no_facts };
	assert_int_equal(hooks_run(&request, 1, &err), 0);
	char *out CLEANUP_FREE = read_file(source.log_out, NULL);
	char *expected CLEANUP_FREE = text_format("%1$s/work\n%1$s/work\n0027\n%2$s post_stop\n",
						  recorded.project.directory, mark);
	assert_string_equal(out, expected);
	char *log CLEANUP_FREE =
	    text_format("%s/.pmo/logs/web-out.log", recorded.project.directory);
	assert_string_equal(source.log_out, log);
	hook_source_release(&source);
	/* twice, and without a record */
	hook_source_release(&source);
	recorded.entry.name = "gone";
	assert_int_equal(hook_source_read(&source, &recorded.project, &recorded.entry, NULL, NULL,
					  &err),
			 -1);
	assert_non_null(err.message);
	error_clear(&err);
	hook_source_release(&source);
	recorded_close(&recorded);
}

/* The hook runs as root: what the leader has become must not choose its environment. */
static void test_source_other_user(void **state)
{
	struct recorded recorded;
	struct hook_source source;
	SKIP_UNLESS_ROOT();
	recorded_open(&recorded, *state, "");
	setenv("TEST_ONLY", "1", 1);
	char *run CLEANUP_FREE = text_format("PMO_RUN=%s", mark);
	pid_t pid = child_start("/usr/bin/setpriv", "--reuid=65534", "--regid=65534",
				"--clear-groups", "/usr/bin/env", "-i", "LEADER_ONLY=a=b c",
				"PMO_SERVICE=web", run, "/bin/sleep", "300", NULL);
	char *path CLEANUP_FREE = text_format("/proc/%ld/comm", (long)pid);
	for (bool ready = false; !ready;) {
		char *name CLEANUP_FREE = read_file(path, NULL);
		ready = name && strcmp(name, "sleep\n") == 0;
	}
	struct identity leader = identity_of(pid);
	assert_false(reads_leader(&recorded, &leader));
	recorded_close(&recorded);
	/* as that user, it may; and without a leader it gets that user's variables */
	recorded_open(&recorded, *state, "  user: nobody\n  group: \"65534\"\n");
	read_source(&recorded, &leader, &source);
	assert_non_null(environment_get(source.environment, "LEADER_ONLY"));
	assert_true(source.credentials.set);
	assert_int_equal(source.credentials.user, NOBODY_ID);
	hook_source_release(&source);
	child_stop(pid);
	read_source(&recorded, &leader, &source);
	assert_string_equal(environment_get(source.environment, "USER"), "nobody");
	assert_string_not_equal(environment_get(source.environment, "HOME"), getenv("HOME"));
	hook_source_release(&source);
	unsetenv("TEST_ONLY");
	recorded_close(&recorded);
}

static void test_source_from_launch(void **state)
{
	struct test_project *project = *state;
	struct project opened;
	struct launcher launcher;
	struct launch launch;
	struct message_list messages = MESSAGE_LIST_INIT;
	struct hook_source source;
	struct error err = ERROR_INIT;
	project_write(project, "pmo.yml",
		      "web: {cmd: sleep 300, cwd: /tmp, umask: \"027\", nice: 3, merge_logs: yes,"
		      " limits: {nofile: 55}, env: {A: b}}\nplain: sleep 300\n");
	if (project_open(&opened, project_path(project, "pmo.yml"), PROJECT_NEEDS_CONFIG, &messages,
			 &err) < 0 ||
	    launcher_open(&launcher, &opened, &messages, &err) < 0 ||
	    launch_prepare(&launch, &launcher, config_find(&opened.config, "web"), &err) < 0)
		fail_msg("%s", err.message);
	hook_source_from_launch(&source, &launch, 022, NULL);
	assert_string_equal(source.service, "web");
	assert_string_equal(source.directory, "/tmp");
	assert_ptr_equal(source.log_out, source.log_error);
	assert_int_equal(source.umask, 027);
	assert_int_equal(source.nice, 3);
	assert_true(source.has_nice);
	assert_int_equal(source.limit_count, 1);
	assert_string_equal(environment_get(source.environment, "A"), "b");
	launch_release(&launch);
	assert_int_equal(launch_prepare(&launch, &launcher, config_find(&opened.config, "plain"),
					&err),
			 0);
	hook_source_from_launch(&source, &launch, 022, NULL);
	assert_int_equal(source.umask, 022);
	hook_source_release(&source);
	launch_release(&launch);
	launcher_close(&launcher);
	project_close(&opened);
	message_list_release(&messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_source_read),
		PROJECT_TEST(test_source_runs),
		PROJECT_TEST(test_source_other_user),
		PROJECT_TEST(test_source_from_launch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
