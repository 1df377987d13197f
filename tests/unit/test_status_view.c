/* view/status_view: the panel, the process tree, the JSON, the exit status. */
#include "support/support.h"

#include "base/clock.h"
#include "base/memory.h"
#include "view/figure.h"
#include "view/status_view.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEBIBYTE INT64_C(1048576)

static const struct output plain = { .utf8 = true };

static struct variable variables[] = { { "PORT", "8000" }, { "TOKEN", "secret" } };
static const char *env_files[] = { "web.env" };

static const struct definition definition = {
	.name = "web",
	.namespace_name = "front",
	.env = variables,
	.env_count = 2,
	.env_files = { env_files, 1 },
	.autostart = true,
	.stop_signal = SIGTERM,
	.stop_timeout_ns = 2500 * NSEC_PER_MSEC,
	.start_watch_ns = 200 * NSEC_PER_MSEC,
};

static const struct catalog_entry web = {
	.id = 1, .name = "web", .configured = true, .recorded = true, .definition = &definition
};
static const struct catalog_entry removed = { .id = 2, .name = "old", .recorded = true };

static const struct catalog catalog = { .ids_valid = true };
static const struct catalog blind = { .ids_valid = false };

static const struct process processes[] = {
	{ .pid = 10, .parent = 1, .state = 'S', .name = "sh", .resident_bytes = MEBIBYTE },
	{ .pid = 11,
	  .parent = 10,
	  .state = 'R',
	  .name = "python3",
	  .resident_bytes = 9 * MEBIBYTE },
	{ .pid = 12, .parent = 11, .state = 'S', .name = "worker", .resident_bytes = 512 },
	{ .pid = 13, .parent = 10, .state = 'S', .name = "tee", .resident_bytes = 2048 },
	{ .pid = 99, .parent = 1, .state = 'S', .name = "stray", .resident_bytes = 4096 },
};

static struct member members[] = {
	{ &processes[0], 0, 0, "/bin/sh -c run" },
	{ &processes[1], 1, 12.5, "python3 -m http.server" },
	{ &processes[2], 2, NAN, "worker" },
	{ &processes[3], 1, 0, "tee log" },
	{ &processes[4], 0, 0, NULL },
};

static struct service_status running_web(void)
{
	return (struct service_status){
		.entry = &web,
		.state = SERVICE_RUNNING,
		.record = { .intent = true,
			    .valid = true,
			    .identity = { .pid = 10,
					  .ticks = 123456,
					  .host = { .boot_id = "b007",
						    .pid_namespace = 4026531836,
						    .name = "here" },
					  .mark = "abcd" },
			    .started_at_ns = 1767268800 * NSEC_PER_SEC,
			    .restarts = 2 },
		.pid = 10,
		.uptime_ns = 7384 * NSEC_PER_SEC,
		.cpu_percent = 12.5,
		.memory_bytes = 10 * MEBIBYTE,
		.next_try_in_ns = -1,
		.memory_peak_bytes = 12 * MEBIBYTE,
		.cpu_seconds = 75.25,
		.members = members,
		.member_count = ARRAY_LENGTH(members),
		.gpu_known = true,
		.user = "www",
		.command = "run\n",
		.cwd = "/srv/web",
		.log_out = "/srv/out.log",
		.log_error = "/srv/error.log",
	};
}

static struct service_status without_processes(const struct catalog_entry *entry,
					       enum service_state state, enum exit_kind kind,
					       int value)
{
	return (struct service_status){
		.entry = entry,
		.state = state,
		.record = { .exit = { .kind = kind,
				      .value = value,
				      .at_realtime_ns =
					  kind == EXIT_UNKNOWN ? 0 : 1767225600 * NSEC_PER_SEC } },
		.uptime_ns = -1,
		.cpu_percent = NAN,
		.memory_bytes = -1,
		.next_try_in_ns = -1,
		.memory_peak_bytes = -1,
		.cpu_seconds = NAN,
		.gpu_known = true,
	};
}

static char *json_of(const struct service_status *service, const struct catalog *from)
{
	struct buffer text = BUFFER_INIT;
	struct json json = JSON_INIT(&text);
	status_view_append_json(&json, service, from);
	json_finish(&json);
	return buffer_detach(&text);
}

static void assert_panel(const struct service_status *service, const struct catalog *from,
			 const struct output *output, const char *expected)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	status_view_append(service, from, output, &text);
	assert_string_equal(buffer_string(&text), expected);
}

static void test_running_panel(void **state)
{
	struct service_status service = running_web();
	struct gpu_total gpus[] = { { 0, "GPU-a", 512 * MEBIBYTE }, { -1, NULL, -1 } };
	(void)state;
	service.gpus = gpus;
	service.gpu_count = 2;
	service.changed = true;
	assert_panel(&service, &catalog, &plain,
		     "web\n"
		     "  status      running\n"
		     "  pid         10\n"
		     "  uptime      2h 3m\n"
		     "  started     2026-01-01 12:00:00\n"
		     "  restarts    2\n"
		     "  cpu         12.5%\n"
		     "  memory      10.0mb\n"
		     "  peak memory 12.0mb\n"
		     "  cpu time    1m 15s\n"
		     "  processes   5\n"
		     "  gpu         0: 512mb (GPU-a)\n"
		     "              ?\n"
		     "  command     run\n"
		     "  directory   /srv/web\n"
		     "  user        www\n"
		     "  namespace   front\n"
		     "  variables   PORT TOKEN\n"
		     "  logs        /srv/out.log\n"
		     "              /srv/error.log\n"
		     "  note        pmo.yml has changed since the start: restart to apply\n"
		     "\n"
		     "  pid    cpu    mem  command\n"
		     "   10   0.0%  1.0mb  /bin/sh -c run\n"
		     "   11  12.5%  9.0mb  ├─ python3 -m http.server\n"
		     "   12      -   512b  │  └─ worker\n"
		     "   13   0.0%    2kb  └─ tee log\n"
		     "   99   0.0%    4kb  stray\n");
}

static void test_tree_on_terminal(void **state)
{
	const struct output narrow = { .terminal = true, .columns = 36 };
	struct service_status service = running_web();
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	status_view_append(&service, &catalog, &narrow, &text);
	const char *tree = strstr(buffer_string(&text), "  pid    mem");
	assert_non_null(tree);
	assert_string_equal(tree, "  pid    mem  command\n"
				  "   10  1.0mb  /bin/sh -c run\n"
				  "   11  9.0mb  |- python3 -m http....\n"
				  "   12   512b  |  `- worker\n"
				  "   13    2kb  `- tee log\n"
				  "   99    4kb  stray\n");
}

static void test_ended_panels(void **state)
{
	struct service_status service = without_processes(&web, SERVICE_ERRORED, EXIT_CODE, 3);
	(void)state;
	service.log_out = "/srv/web.log";
	service.log_error = "/srv/web.log";
	assert_panel(&service, &catalog, &plain,
		     "web\n"
		     "  status      errored (exit status 3, 2026-01-01 00:00:00)\n"
		     "  restarts    0\n"
		     "  namespace   front\n"
		     "  variables   PORT TOKEN\n"
		     "  logs        /srv/web.log\n");
	service = without_processes(&removed, SERVICE_ERRORED, EXIT_SIGNAL, SIGKILL);
	assert_panel(&service, &catalog, &plain,
		     "old\n"
		     "  status      errored (signal KILL, 2026-01-01 00:00:00)\n"
		     "  restarts    0\n"
		     "  note        not in pmo.yml any more: pmo delete removes it\n");
	service = without_processes(&removed, SERVICE_EXITED, EXIT_UNKNOWN, 0);
	assert_panel(&service, &blind, &plain,
		     "old\n"
		     "  status      exited (exit status unknown)\n"
		     "  restarts    0\n");
	service = without_processes(&removed, SERVICE_STARTING, EXIT_CODE, 1);
	assert_panel(&service, &blind, &plain,
		     "old\n"
		     "  status      starting\n"
		     "  last end    exit status 1, 2026-01-01 00:00:00\n"
		     "  restarts    0\n");
	service = without_processes(&removed, SERVICE_ELSEWHERE, EXIT_UNKNOWN, 0);
	service.record.valid = true;
	strcpy(service.record.identity.host.name, "node7");
	assert_panel(&service, &blind, &plain,
		     "old\n"
		     "  status      elsewhere (on record from host node7)\n"
		     "  restarts    0\n");
}

static void test_supervision(void **state)
{
	struct service_status service =
	    without_processes(&removed, SERVICE_RESTARTING, EXIT_CODE, 1);
	(void)state;
	service.supervision = SUPERVISION_ALIVE;
	service.supervisor_pid = 77;
	service.next_try_in_ns = 3200 * NSEC_PER_MSEC;
	service.record.exit.next_try_ns = 1767225603200 * NSEC_PER_MSEC;
	service.record.restarts = 4;
	assert_panel(&service, &blind, &plain,
		     "old\n"
		     "  status      restarting (next try in 3.2s)\n"
		     "  last end    exit status 1, 2026-01-01 00:00:00\n"
		     "  supervisor  77\n"
		     "  restarts    4\n");
	char *text CLEANUP_FREE = json_of(&service, &blind);
	assert_json(text, "next_try_at", "2026-01-01T00:00:03.200Z");
	service = without_processes(&removed, SERVICE_ERRORED, EXIT_SIGNAL, SIGKILL);
	service.supervision = SUPERVISION_MISSING;
	strcpy(service.record.exit.reason, "its memory passed 512M");
	assert_panel(&service, &blind, &plain,
		     "old\n"
		     "  status      errored (signal KILL, 2026-01-01 00:00:00)\n"
		     "  reason      its memory passed 512M\n"
		     "  supervisor  missing: pmo resurrect gives it a new one\n"
		     "  restarts    0\n");
}

static void test_cpu_time(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} rows[] = {
		{ 0, "0.00s" },  { 1.234, "1.23s" }, { 59.99, "59.99s" }, { 59.999, "59s" },
		{ 60, "1m 0s" }, { 90000, "1d 1h" }, { NAN, "-" },
	};
	char text[FIGURE_SIZE];
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		figure_format_cpu_time(rows[i].seconds, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_unknown_gpu(void **state)
{
	struct service_status service = running_web();
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	service.gpu_known = false;
	status_view_append(&service, &catalog, &plain, &text);
	assert_non_null(strstr(buffer_string(&text), "\n  gpu         ?\n"));
}

static void test_hostile_texts(void **state)
{
	const struct output color = { .terminal = true, .columns = 80 };
	struct service_status service = running_web();
	struct member hostile = { &processes[0], 0, 0, "evil\033[2J" };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	service.command = "a\033]0;title\a";
	service.cwd = "/srv/\n\r";
	service.members = &hostile;
	service.member_count = 1;
	status_view_append(&service, &catalog, &color, &text);
	assert_null(strchr(buffer_string(&text), '\033'));
	assert_null(strchr(buffer_string(&text), '\r'));
	assert_non_null(strstr(buffer_string(&text), "a\\x1b]0;title\\x07\n"));
	assert_non_null(strstr(buffer_string(&text), "  directory   /srv/\\n\\x0d\n"));
	assert_non_null(strstr(buffer_string(&text), "evil\\x1b[2J\n"));
}

/* Deeper than is drawn, and a tree whose branches all end: nothing is read beyond its arrays. */
static void test_deep_tree(void **state)
{
	enum { DEPTH = 100 };
	struct member chain[DEPTH];
	struct service_status service = running_web();
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	for (int i = 0; i < DEPTH; i++)
		chain[i] = (struct member){ &processes[0], i, 0, "link" };
	service.members = chain;
	service.member_count = DEPTH;
	status_view_append(&service, &catalog, &plain, &text);
	size_t links = 0;
	for (const char *at = buffer_string(&text); (at = strstr(at, "─ link\n")) != NULL; at++)
		links++;
	assert_int_equal(links, DEPTH - 1);
}

static void test_codes(void **state)
{
	static const struct {
		enum service_state state;
		bool intent;
		enum exit_kind kind;
		int value;
		enum status_code expected;
	} cases[] = {
		{ SERVICE_RUNNING, true, EXIT_UNKNOWN, 0, 0 },
		{ SERVICE_STARTING, true, EXIT_UNKNOWN, 0, 0 },
		{ SERVICE_RESTARTING, true, EXIT_CODE, 1, 0 },
		{ SERVICE_STOPPING, true, EXIT_UNKNOWN, 0, 0 },
		{ SERVICE_ERRORED, false, EXIT_CODE, 1, 1 },
		{ SERVICE_ERRORED, true, EXIT_SIGNAL, 9, 1 },
		{ SERVICE_EXITED, true, EXIT_UNKNOWN, 0, 1 },
		{ SERVICE_EXITED, false, EXIT_CODE, 0, 3 },
		{ SERVICE_EXITED, true, EXIT_CODE, 0, 3 },
		{ SERVICE_STOPPED, false, EXIT_UNKNOWN, 0, 3 },
		{ SERVICE_ELSEWHERE, true, EXIT_UNKNOWN, 0, 4 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct service_status service =
		    without_processes(&web, cases[i].state, cases[i].kind, cases[i].value);
		service.record.intent = cases[i].intent;
		assert_int_equal(status_view_code(&service), cases[i].expected);
	}
}

static void test_worse_code(void **state)
{
	static const enum status_code order[] = { STATUS_CODE_RUNNING, STATUS_CODE_STOPPED,
						  STATUS_CODE_FAILED, STATUS_CODE_UNKNOWN };
	(void)state;
	for (size_t a = 0; a < ARRAY_LENGTH(order); a++)
		for (size_t b = 0; b < ARRAY_LENGTH(order); b++)
			assert_int_equal(status_view_worse_code(order[a], order[b]),
					 order[a > b ? a : b]);
}

static void test_json(void **state)
{
	struct service_status service = running_web();
	char *text CLEANUP_FREE = json_of(&service, &catalog);
	(void)state;
	assert_true(json_valid(text));
	assert_json(text, "name", "web");
	assert_json(text, "pid", "10");
	assert_json(text, "process_tree/4/command", "null");
	assert_int_equal(json_count(text, "process_tree"), 5);
	const char *expected = "  \"wanted\": true,\n"
			       "  \"definition_changed\": false,\n"
			       "  \"identity\": {\n"
			       "    \"pid\": 10,\n"
			       "    \"start_ticks\": 123456,\n"
			       "    \"boot_id\": \"b007\",\n"
			       "    \"pid_namespace\": 4026531836,\n"
			       "    \"host\": \"here\",\n"
			       "    \"mark\": \"abcd\"\n"
			       "  },\n"
			       "  \"autostart\": true,\n"
			       "  \"merge_logs\": false,\n"
			       "  \"stop_signal\": \"TERM\",\n"
			       "  \"stop_timeout_seconds\": 2.5,\n"
			       "  \"start_watch_seconds\": 0.2,\n"
			       "  \"environment\": [\n"
			       "    \"PORT\",\n"
			       "    \"TOKEN\"\n"
			       "  ],\n"
			       "  \"env_files\": [\n"
			       "    \"web.env\"\n"
			       "  ],\n"
			       "  \"process_tree\": [\n"
			       "    {\n"
			       "      \"pid\": 10,\n"
			       "      \"parent\": 1,\n"
			       "      \"depth\": 0,\n"
			       "      \"name\": \"sh\",\n"
			       "      \"state\": \"S\",\n"
			       "      \"cpu_percent\": 0,\n"
			       "      \"memory_bytes\": 1048576,\n"
			       "      \"command\": \"/bin/sh -c run\"\n"
			       "    },\n";
	assert_non_null(strstr(text, expected));
	assert_null(strstr(text, "secret"));
}

static void test_json_unknown(void **state)
{
	static const char *const nulls[] = {
		"id",        "namespace",  "definition_changed",   "identity",
		"autostart", "merge_logs", "stop_signal",          "environment",
		"env_files", "configured", "stop_timeout_seconds", "start_watch_seconds"
	};
	struct service_status service =
	    without_processes(&removed, SERVICE_STOPPED, EXIT_UNKNOWN, 0);
	char *text CLEANUP_FREE = json_of(&service, &blind);
	(void)state;
	assert_true(json_valid(text));
	for (size_t i = 0; i < ARRAY_LENGTH(nulls); i++)
		assert_json(text, nulls[i], "null");
	assert_json(text, "wanted", "false");
	assert_int_equal(json_count(text, "process_tree"), 0);
	char *known CLEANUP_FREE = json_of(&service, &catalog);
	assert_json(known, "configured", "false");
	assert_json(known, "id", "2");
	/* the same fields, known or not */
	struct service_status running = running_web();
	char *full CLEANUP_FREE = json_of(&running, &catalog);
	assert_int_equal(json_count(full, ""), json_count(text, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_running_panel), cmocka_unit_test(test_tree_on_terminal),
		cmocka_unit_test(test_ended_panels),  cmocka_unit_test(test_unknown_gpu),
		cmocka_unit_test(test_supervision),   cmocka_unit_test(test_cpu_time),
		cmocka_unit_test(test_hostile_texts), cmocka_unit_test(test_deep_tree),
		cmocka_unit_test(test_codes),         cmocka_unit_test(test_worse_code),
		cmocka_unit_test(test_json),          cmocka_unit_test(test_json_unknown),
	};
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
