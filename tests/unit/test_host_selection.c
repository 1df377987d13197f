/* service/host_selection: HOST:SERVICE. */
#include "support/support.h"

#include "base/memory.h"
#include "service/host_selection.h"

#include <stdlib.h>
#include <string.h>

/* The project in *state, opened with pmo.yml as TEXT; two other hosts have records. */
static void open_project(struct test_project *directory, const char *text, struct project *project)
{
	struct message_list messages = MESSAGE_LIST_INIT;
	struct error err = ERROR_INIT;
	project_write(directory, "pmo.yml", "%s", text);
	int result = project_open(project, project_path(directory, "pmo.yml"), PROJECT_NEEDS_STATE,
				  &messages, &err);
	assert_int_equal(result, 0);
	message_list_release(&messages);
}

static void write_records(struct test_project *directory)
{
	project_write(directory, ".pmo/alpha/pids/db.pid", "77\n");
	project_write(directory, ".pmo/alpha/pids/cache.pid", "78\n");
	project_write(directory, ".pmo/beta/pids/web.pid", "79\n");
}

static const char per_host[] = "pmo: {per_host: true}\nweb: run\napi: run\n";

/* "web api alpha:cache" */
static char *describe(const struct host_selections *selections)
{
	struct buffer text = BUFFER_INIT;
	for (size_t i = 0; i < selections->count; i++) {
		const struct host_selection *item = &selections->items[i];
		for (size_t j = 0; j < item->selection.count; j++) {
			buffer_append_string(&text, text.length ? " " : "");
			if (item->host)
				buffer_printf(&text, "%s:", item->host);
			buffer_append_string(&text, item->selection.entries[j]->name);
		}
	}
	return buffer_detach(&text);
}

static void assert_selects(const struct project *project, const char *const *specs,
			   const char *expected, const char *message)
{
	struct host_selections selections;
	struct message_list messages = MESSAGE_LIST_INIT;
	size_t count = 0;
	while (specs[count])
		count++;
	int result = host_selections_make(&selections, project, (char *const *)specs, count,
					  SELECT_ALL_KNOWN, &messages);
	char *description CLEANUP_FREE = describe(&selections);
	assert_string_equal(description, expected);
	assert_int_equal(result, message ? -1 : 0);
	assert_int_equal(messages.count, message ? 1 : 0);
	if (message)
		assert_text(messages.items[0].text, message);
	host_selections_release(&selections);
	message_list_release(&messages);
}

#define SPECS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_selection(void **state)
{
	struct test_project *directory = *state;
	struct project project;
	write_records(directory);
	open_project(directory, per_host, &project);
	char *own CLEANUP_FREE = memory_printf("%s:api", project.host.name);
	assert_selects(&project, (const char *const[]){ NULL }, "web api", NULL);
	assert_selects(&project, SPECS("all"), "web api", NULL);
	assert_selects(&project, SPECS("alpha:db"), "alpha:db", NULL);
	assert_selects(&project, SPECS("alpha:"), "alpha:cache alpha:db", NULL);
	assert_selects(&project, SPECS("beta:all", "alpha:db", "web", "alpha:db"),
		       "web beta:web alpha:db", NULL);
	assert_selects(&project, SPECS("alpha:db", own), "api alpha:db", NULL);
	project_close(&project);
}

static void test_problems(void **state)
{
	struct test_project *directory = *state;
	struct project project;
	write_records(directory);
	open_project(directory, per_host, &project);
	assert_selects(&project, SPECS("alpah:db", "web"), "web",
		       "no host 'alpah' (did you mean 'alpha'?)");
	assert_selects(&project, SPECS("elsewhere:db"), "", "no host 'elsewhere' in '%ANY/.pmo'");
	assert_selects(&project, SPECS("../alpha:db"), "", "no host '../alpha' in '%ANY/.pmo'");
	assert_selects(&project, SPECS("\033[2J:db"), "", "no host '\\x1b[2J' in '%ANY/.pmo'");
	assert_selects(&project, SPECS("alpha:dc"), "", "no service 'dc' (did you mean 'db'?)");
	assert_selects(&project, SPECS("", "web"), "web", "no service ''");
	project_close(&project);
}

/* Before anything was started anywhere. */
static void test_no_records_yet(void **state)
{
	struct test_project *directory = *state;
	struct project project;
	open_project(directory, per_host, &project);
	assert_selects(&project, SPECS("alpha:web"), "", "no host 'alpha' in '%ANY/.pmo'");
	project_close(&project);
}

static void test_one_host_project(void **state)
{
	struct test_project *directory = *state;
	struct project project;
	open_project(directory, "web: run\n", &project);
	assert_selects(&project, SPECS("alpha:web"), "",
		       "no host 'alpha': HOST:SERVICE is for projects with 'per_host'");
	project_close(&project);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_selection),
		PROJECT_TEST(test_problems),
		PROJECT_TEST(test_no_records_yet),
		PROJECT_TEST(test_one_host_project),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
