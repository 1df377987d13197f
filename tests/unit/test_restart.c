/* service/restart: what is left when its second half cannot be begun. */
#include "support/support.h"

#include "service/restart.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t open_descriptors(void)
{
	DIR *stream = opendir("/proc/self/fd");
	size_t count = 0;
	assert_non_null(stream);
	while (readdir(stream))
		count++;
	closedir(stream);
	return count;
}

/* Called while the service is being stopped: the state cannot be made again afterwards. */
static void take_state_away(void *context, const struct stop_result *const *waiting, size_t count)
{
	struct test_project *directory = context;
	(void)waiting;
	if (count == 0 || project_exists(directory, "away"))
		return;
	rename(project_path(directory, ".pmo"), project_path(directory, "away"));
	project_write(directory, ".pmo", "in the way");
}

static void open_project(struct test_project *directory, struct project *project)
{
	struct message_list messages = MESSAGE_LIST_INIT;
	struct error err = ERROR_INIT;
	int result = project_open(project, project_path(directory, "pmo.yml"), PROJECT_NEEDS_CONFIG,
				  &messages, &err);
	assert_int_equal(result, 0);
	message_list_release(&messages);
}

static void test_locks_are_given_back(void **state)
{
	struct test_project *directory = *state;
	struct project project;
	struct launcher launcher;
	struct error err = ERROR_INIT;
	struct restart_result result = { 0 };
	struct start_options start = { .umask = 022 };
	struct stop_options stop = { .timeout_ns = -1,
				     .progress = take_state_away,
				     .progress_context = directory };
	project_write(directory, "pmo.yml",
		      "web: {cmd: ['%s', ignore, TERM, touch, ready, wait], start_watch: 0, "
		      "stop_timeout: 1s}\n",
		      ACTOR);
	pmo_ok(directory, "start", "web");
	WAIT_FOR(project_exists(directory, "ready"));
	open_project(directory, &project);
	assert_int_equal(launcher_open(&launcher, &project, NULL, &err), 0);
	const struct catalog_entry *entry = &project.catalog.entries[0];
	const struct selection selection = { .entries = &entry, .count = 1 };
	size_t before = open_descriptors();

	assert_int_equal(restart_services(&project, &launcher, &selection, &stop, &start, &result,
					  &err),
			 -1);
	assert_text(err.message, "%LINE'%LINE.pmo'%LINE");
	assert_true(project_exists(directory, "away/pids/web.pid"));
	assert_int_equal(open_descriptors(), before);
	restart_results_release(&result, 1);
	error_clear(&err);
	launcher_close(&launcher);
	project_close(&project);
}

int main(void)
{
	const struct CMUnitTest tests[] = { PROJECT_TEST(test_locks_are_given_back) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
