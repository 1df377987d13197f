/* view/list_view: the table of `pmo ls`, its marks and footer, its JSON, and what it costs. */
#include "support/support.h"

#include "base/clock.h"
#include "base/memory.h"
#include "view/figure.h"
#include "view/list_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEBIBYTE INT64_C(1048576)

static const struct output plain = { .utf8 = true };
static const struct output terminal = { .terminal = true, .utf8 = true, .columns = 120 };

static const struct definition web_definition = { .name = "web", .namespace_name = "front" };
static const struct definition api_definition = { .name = "api", .namespace_name = "default" };

static const struct catalog_entry entries[] = {
	{ .id = 1,
	  .name = "web",
	  .configured = true,
	  .recorded = true,
	  .definition = &web_definition },
	{ .id = 2,
	  .name = "api",
	  .configured = true,
	  .recorded = true,
	  .definition = &api_definition },
	{ .id = 3, .name = "job", .configured = true },
	{ .id = 4, .name = "old", .configured = false, .recorded = true },
};

static const struct catalog catalog = { .ids_valid = true };
static const struct catalog blind = { .ids_valid = false };

static struct service_status running_web(void)
{
	return (struct service_status){
		.entry = &entries[0],
		.state = SERVICE_RUNNING,
		.record = { .intent = true,
			    .valid = true,
			    .identity = { .pid = 4242, .host = { .name = "here" } },
			    .started_at_ns = 1767268800 * NSEC_PER_SEC,
			    .restarts = 2 },
		.pid = 4242,
		.uptime_ns = 7384 * NSEC_PER_SEC + 500 * NSEC_PER_MSEC,
		.cpu_percent = 12.345,
		.memory_bytes = 12 * MEBIBYTE,
		.next_try_in_ns = -1,
		.memory_peak_bytes = 20 * MEBIBYTE,
		.cpu_seconds = 1.25,
		.member_count = 3,
		.gpu_known = true,
		.user = "www",
		.command = "python3 -m http.server",
		.cwd = "/srv/web",
		.log_out = "/srv/web/.pmo/logs/web-out.log",
		.log_error = "/srv/web/.pmo/logs/web-error.log",
	};
}

static struct service_status ended(size_t entry, enum service_state state, struct exit_record end)
{
	return (struct service_status){
		.entry = &entries[entry],
		.state = state,
		.record = { .exit = end },
		.uptime_ns = -1,
		.cpu_percent = NAN,
		.memory_bytes = -1,
		.next_try_in_ns = -1,
		.memory_peak_bytes = -1,
		.cpu_seconds = NAN,
		.gpu_known = true,
	};
}

static const struct exit_record no_exit = { .kind = EXIT_UNKNOWN };
static const struct exit_record signal_9 = { .kind = EXIT_SIGNAL, .value = 9 };
static const struct exit_record status_3 = { .kind = EXIT_CODE,
					     .value = 3,
					     .at_realtime_ns = 1767225600 * NSEC_PER_SEC };
static const struct exit_record given_up = { .kind = EXIT_CODE,
					     .value = 1,
					     .at_realtime_ns = 1767225600 * NSEC_PER_SEC,
					     .reason = "gave up after 16 restarts in a row" };

static void assert_list(struct service_status *services, size_t count, const struct catalog *from,
			const struct output *output, const char *expected)
{
	const struct snapshot snapshot = { .services = services, .count = count };
	const struct list_part part = { &snapshot, from };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	list_view_append(&part, 1, output, &text);
	assert_string_equal(buffer_string(&text), expected);
}

static void test_plain_table(void **state)
{
	struct service_status services[] = {
		running_web(),
		ended(1, SERVICE_ERRORED, status_3),
		ended(2, SERVICE_STOPPED, no_exit),
		ended(3, SERVICE_EXITED, no_exit),
	};
	(void)state;
	services[0].changed = true;
	assert_list(services, 4, &catalog, &plain,
		    "id  name   pid  uptime  status   ↺    cpu     mem  user\n"
		    " 1  web   4242   2h 3m  running  2  12.3%  12.0mb  www\n"
		    " 2  api      -       -  errored  0      -       -  -\n"
		    " 3  job      -       -  stopped  0      -       -  -\n"
		    " 4  old      -       -  exited   0      -       -  -\n");
}

static void test_ascii(void **state)
{
	const struct output ascii = { 0 };
	struct service_status services[] = { running_web() };
	(void)state;
	services[0].cpu_percent = NAN;
	assert_list(services, 1, &catalog, &ascii,
		    "id  name   pid  uptime  status   rst  cpu     mem  user\n"
		    " 1  web   4242   2h 3m  running    2    -  12.0mb  www\n");
}

static void test_terminal_footer(void **state)
{
	struct service_status services[] = {
		running_web(),
		ended(1, SERVICE_ERRORED, status_3),
		ended(2, SERVICE_EXITED, no_exit),
		ended(3, SERVICE_EXITED, no_exit),
	};
	(void)state;
	services[0].changed = true;
	services[2].record.intent = true;
	assert_list(services, 4, &catalog, &terminal,
		    "id  name   pid  uptime  status    ↺    cpu     mem  user\n"
		    " 1  web   4242   2h 3m  running*  2  12.3%  12.0mb  www\n"
		    " 2  api      -       -  errored   0      -       -  -\n"
		    " 3  job      -       -  exited    0      -       -  -\n"
		    " 4  old      -       -  exited**  0      -       -  -\n"
		    "1 of 4 running\n"
		    "api: exit status 3, 2026-01-01 00:00:00; see pmo logs api\n"
		    "job: exit status unknown; see pmo logs job\n"
		    "* pmo.yml has changed since the start: restart to apply\n"
		    "** not in pmo.yml any more: pmo delete removes it\n");
}

static void test_many_failures(void **state)
{
	struct service_status services[8];
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	const struct snapshot snapshot = { .services = services, .count = 8 };
	const struct list_part part = { &snapshot, &catalog };
	(void)state;
	for (size_t i = 0; i < 8; i++)
		services[i] = ended(1, SERVICE_ERRORED, signal_9);
	list_view_append(&part, 1, &terminal, &text);
	const char *footer = strstr(buffer_string(&text), "0 of 8 running\n");
	assert_non_null(footer);
	assert_string_equal(footer, "0 of 8 running\n"
				    "api: signal KILL; see pmo logs api\n"
				    "api: signal KILL; see pmo logs api\n"
				    "api: signal KILL; see pmo logs api\n"
				    "api: signal KILL; see pmo logs api\n"
				    "api: signal KILL; see pmo logs api\n"
				    "and 3 more that failed\n");
}

/* What is wrong: failures, then supervisors that are gone, then restarts. */
static void test_supervision(void **state)
{
	struct service_status services[] = {
		ended(0, SERVICE_RESTARTING, status_3),
		ended(1, SERVICE_ERRORED, given_up),
		running_web(),
		ended(2, SERVICE_ERRORED, signal_9),
		running_web(),
	};
	(void)state;
	services[0].supervision = SUPERVISION_ALIVE;
	services[0].next_try_in_ns = 3240 * NSEC_PER_MSEC;
	services[0].record.restarts = 4;
	services[2].supervision = SUPERVISION_MISSING;
	services[3].supervision = SUPERVISION_MISSING;
	services[4].supervision = SUPERVISION_ALIVE;
	assert_list(services, 5, &catalog, &terminal,
		    "id  name   pid  uptime  status      ↺    cpu     mem  user\n"
		    " 1  web      -       -  restarting  4      -       -  -\n"
		    " 2  api      -       -  errored     0      -       -  -\n"
		    " 1  web   4242   2h 3m  running     2  12.3%  12.0mb  www\n"
		    " 3  job      -       -  errored     0      -       -  -\n"
		    " 1  web   4242   2h 3m  running     2  12.3%  12.0mb  www\n"
		    "2 of 5 running\n"
		    "api: gave up after 16 restarts in a row (exit status 1), 2026-01-01 00:00:00; "
		    "see pmo logs api\n"
		    "job: signal KILL, and its supervisor is gone; see pmo logs job\n"
		    "web: its supervisor is gone; pmo resurrect gives it a new one\n"
		    "web: next try in 3.2s (exit status 3, 4 restarts)\n");
}

static void test_next_try(void **state)
{
	static const struct {
		int64_t left_ms;
		const char *text;
	} rows[] = {
		{ 0, "next try now" },
		{ 49, "next try now" },
		{ 100, "next try in 0.1s" },
		{ 58949, "next try in 58.9s" },
		{ 59999, "next try in 59s" },
		{ 61000, "next try in 1m 1s" },
		{ 7384000, "next try in 2h 3m" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		figure_append_next_try(rows[i].left_ms * NSEC_PER_MSEC, &text);
		assert_string_equal(buffer_string(&text), rows[i].text);
	}
	struct service_status services[8];
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	const struct snapshot snapshot = { .services = services, .count = 8 };
	const struct list_part part = { &snapshot, &catalog };
	for (size_t i = 0; i < 8; i++) {
		services[i] = ended(1, SERVICE_RESTARTING, signal_9);
		services[i].record.restarts = 1;
	}
	list_view_append(&part, 1, &terminal, &text);
	assert_non_null(strstr(text.data, "api: next try soon (signal KILL, 1 restart)\n"
					  "and 3 more that wait to be restarted\n"));
}

/* While pmo.yml cannot be read positions mean nothing, and nothing is "not in pmo.yml". */
static void test_broken_config(void **state)
{
	struct service_status services[] = { ended(3, SERVICE_STOPPED, no_exit) };
	(void)state;
	assert_list(services, 1, &blind, &terminal,
		    "id  name  pid  uptime  status   ↺  cpu  mem  user\n"
		    " -  old     -       -  stopped  0    -    -  -\n"
		    "0 of 1 running\n");
}

static void test_gpu_columns(void **state)
{
	struct gpu_total gpus[] = { { 0, "GPU-a", 512 * MEBIBYTE },
				    { 2, "MIG-b", 512 * MEBIBYTE },
				    { 2, "MIG-c", 1024 * MEBIBYTE } };
	struct service_status services[] = { running_web(), running_web(), running_web(),
					     ended(2, SERVICE_STOPPED, no_exit) };
	struct gpu_total unknown[] = { { -1, "GPU-x", -1 } };
	(void)state;
	services[0].gpus = gpus;
	services[0].gpu_count = 3;
	services[1].gpus = unknown;
	services[1].gpu_count = 1;
	assert_list(services, 4, &catalog, &plain,
		    "id  name   pid  uptime  status   ↺    cpu     mem  gpu mem  gpu id  user\n"
		    " 1  web   4242   2h 3m  running  2  12.3%  12.0mb    2.0gb     0,2  www\n"
		    " 1  web   4242   2h 3m  running  2  12.3%  12.0mb        ?       ?  www\n"
		    " 1  web   4242   2h 3m  running  2  12.3%  12.0mb        -       -  www\n"
		    " 3  job      -       -  stopped  0      -       -        -       -  -\n");
	services[2].gpu_known = false;
	services[3].gpu_known = false;
	assert_list(services + 2, 2, &catalog, &plain,
		    "id  name   pid  uptime  status   ↺    cpu     mem  gpu mem  gpu id  user\n"
		    " 1  web   4242   2h 3m  running  2  12.3%  12.0mb        ?       ?  www\n"
		    " 3  job      -       -  stopped  0      -       -        -       -  -\n");
}

static void test_other_host(void **state)
{
	struct service_status here[] = { running_web() };
	struct service_status there[] = { ended(3, SERVICE_ELSEWHERE, no_exit) };
	const struct snapshot snapshots[] = { { .services = here, .count = 1 },
					      { .services = there, .count = 1 } };
	const struct list_part parts[] = { { &snapshots[0], &catalog }, { &snapshots[1], &blind } };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	there[0].record.valid = true;
	strcpy(there[0].record.identity.host.name, "node7");
	list_view_append(parts, 2, &plain, &text);
	assert_string_equal(buffer_string(&text),
			    "id  name   pid  uptime  status     ↺    cpu     mem  host   user\n"
			    " 1  web   4242   2h 3m  running    2  12.3%  12.0mb  here   www\n"
			    " -  old      -       -  elsewhere  0      -       -  node7  -\n");
	buffer_clear(&text);
	list_view_append_json(parts, 2, &text);
	assert_json(buffer_string(&text), "1/status", "elsewhere");
	assert_json(buffer_string(&text), "1/id", "null");
	assert_json(buffer_string(&text), "1/configured", "null");
	assert_json(buffer_string(&text), "1/processes", "null");
	assert_json(buffer_string(&text), "1/gpus", "null");
	assert_json(buffer_string(&text), "1/host", "node7");
}

static void test_colors(void **state)
{
	const struct output color = { .terminal = true, .color = true, .columns = 30 };
	struct service_status services[] = { running_web(), ended(1, SERVICE_ERRORED, status_3),
					     ended(2, SERVICE_STOPPED, no_exit) };
	const struct snapshot snapshot = { .services = services, .count = 3 };
	const struct list_part part = { &snapshot, &catalog };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	list_view_append(&part, 1, &color, &text);
	assert_non_null(strstr(text.data, "\033[32mrunning\033[0m"));
	assert_non_null(strstr(text.data, "\033[31merrored\033[0m"));
	assert_non_null(strstr(text.data, "\033[2mstopped\033[0m"));
}

static void test_hostile_texts(void **state)
{
	const struct catalog_entry hostile = { .id = 1, .name = "a\033[2Jb", .configured = true };
	struct service_status services[] = { ended(1, SERVICE_ERRORED, status_3) };
	(void)state;
	services[0].entry = &hostile;
	services[0].user = "e\nvil";
	assert_list(services, 1, &catalog, &plain,
		    "id  name       pid  uptime  status   ↺  cpu  mem  user\n"
		    " 1  a\\x1b[2Jb    -       -  errored  0    -    -  e\\nvil\n");
	const struct snapshot snapshot = { .services = services, .count = 1 };
	const struct list_part part = { &snapshot, &catalog };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	list_view_append(&part, 1, &terminal, &text);
	assert_null(strchr(text.data, '\033'));
}

static void test_nothing(void **state)
{
	const struct snapshot snapshot = { 0 };
	const struct list_part part = { &snapshot, &catalog };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	assert_list(NULL, 0, &catalog, &terminal, "");
	list_view_append_json(&part, 1, &text);
	assert_string_equal(buffer_string(&text), "[]\n");
}

/* Every field, in the documented order. */
static void test_json(void **state)
{
	struct gpu_total gpus[] = { { 0, "GPU-a", 512 }, { -1, "GPU-b", -1 } };
	struct service_status services[] = { running_web(), ended(1, SERVICE_ERRORED, status_3) };
	const struct snapshot snapshot = { .services = services, .count = 2 };
	const struct list_part part = { &snapshot, &catalog };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	services[0].gpus = gpus;
	services[0].gpu_count = 2;
	services[0].supervision = SUPERVISION_ALIVE;
	services[0].supervisor_pid = 4241;
	services[1].record.exit = given_up;
	services[1].record.exit.kind = EXIT_SIGNAL;
	services[1].record.exit.value = 9;
	list_view_append_json(&part, 1, &text);
	assert_true(json_valid(buffer_string(&text)));
	assert_string_equal(buffer_string(&text),
			    "[\n"
			    "  {\n"
			    "    \"id\": 1,\n"
			    "    \"name\": \"web\",\n"
			    "    \"namespace\": \"front\",\n"
			    "    \"status\": \"running\",\n"
			    "    \"health\": null,\n"
			    "    \"pid\": 4242,\n"
			    "    \"supervisor_pid\": 4241,\n"
			    "    \"supervisor\": \"alive\",\n"
			    "    \"uptime_seconds\": 7384.5,\n"
			    "    \"started_at\": \"2026-01-01T12:00:00.000Z\",\n"
			    "    \"restarts\": 2,\n"
			    "    \"cpu_percent\": 12.345,\n"
			    "    \"memory_bytes\": 12582912,\n"
			    "    \"memory_peak_bytes\": 20971520,\n"
			    "    \"cpu_seconds\": 1.25,\n"
			    "    \"processes\": 3,\n"
			    "    \"ports\": [],\n"
			    "    \"gpus\": [\n"
			    "      {\n"
			    "        \"index\": 0,\n"
			    "        \"uuid\": \"GPU-a\",\n"
			    "        \"memory_bytes\": 512\n"
			    "      },\n"
			    "      {\n"
			    "        \"index\": null,\n"
			    "        \"uuid\": \"GPU-b\",\n"
			    "        \"memory_bytes\": null\n"
			    "      }\n"
			    "    ],\n"
			    "    \"user\": \"www\",\n"
			    "    \"exit_code\": null,\n"
			    "    \"exit_signal\": null,\n"
			    "    \"exited_at\": null,\n"
			    "    \"exit_reason\": null,\n"
			    "    \"next_try_at\": null,\n"
			    "    \"configured\": true,\n"
			    "    \"command\": \"python3 -m http.server\",\n"
			    "    \"cwd\": \"/srv/web\",\n"
			    "    \"log_out\": \"/srv/web/.pmo/logs/web-out.log\",\n"
			    "    \"log_error\": \"/srv/web/.pmo/logs/web-error.log\",\n"
			    "    \"host\": \"here\"\n"
			    "  },\n"
			    "  {\n"
			    "    \"id\": 2,\n"
			    "    \"name\": \"api\",\n"
			    "    \"namespace\": \"default\",\n"
			    "    \"status\": \"errored\",\n"
			    "    \"health\": null,\n"
			    "    \"pid\": null,\n"
			    "    \"supervisor_pid\": null,\n"
			    "    \"supervisor\": null,\n"
			    "    \"uptime_seconds\": null,\n"
			    "    \"started_at\": null,\n"
			    "    \"restarts\": 0,\n"
			    "    \"cpu_percent\": null,\n"
			    "    \"memory_bytes\": null,\n"
			    "    \"memory_peak_bytes\": null,\n"
			    "    \"cpu_seconds\": null,\n"
			    "    \"processes\": 0,\n"
			    "    \"ports\": [],\n"
			    "    \"gpus\": [],\n"
			    "    \"user\": null,\n"
			    "    \"exit_code\": null,\n"
			    "    \"exit_signal\": 9,\n"
			    "    \"exited_at\": \"2026-01-01T00:00:00.000Z\",\n"
			    "    \"exit_reason\": \"gave up after 16 restarts in a row\",\n"
			    "    \"next_try_at\": null,\n"
			    "    \"configured\": true,\n"
			    "    \"command\": null,\n"
			    "    \"cwd\": null,\n"
			    "    \"log_out\": null,\n"
			    "    \"log_error\": null,\n"
			    "    \"host\": null\n"
			    "  }\n"
			    "]\n");
}

/* Rendering is a small part of what `pmo ls` costs: about 1 ms for 1000 services. The limit here
 * leaves room for a sanitizer and a busy machine, and still finds anything quadratic. */
static void test_thousand_services(void **state)
{
	enum { SERVICES = 1000, LIMIT_MS = 500 };
	struct service_status *services CLEANUP_FREE = memory_zalloc(SERVICES, sizeof(*services));
	const struct snapshot snapshot = { .services = services, .count = SERVICES };
	const struct list_part part = { &snapshot, &catalog };
	int64_t best = INT64_MAX;
	(void)state;
	for (size_t i = 0; i < SERVICES; i++)
		services[i] = running_web();
	for (int round = 0; round < 20; round++) {
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		int64_t before = clock_monotonic_ns();
		list_view_append(&part, 1, &terminal, &text);
		int64_t spent = clock_monotonic_ns() - before;
		best = spent < best ? spent : best;
	}
	print_message("%d services: %.3f ms\n", SERVICES, (double)best / 1e6);
	assert_true(best < LIMIT_MS * NSEC_PER_MSEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_table),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_terminal_footer),
		cmocka_unit_test(test_many_failures),
		cmocka_unit_test(test_supervision),
		cmocka_unit_test(test_next_try),
		cmocka_unit_test(test_broken_config),
		cmocka_unit_test(test_gpu_columns),
		cmocka_unit_test(test_other_host),
		cmocka_unit_test(test_colors),
		cmocka_unit_test(test_hostile_texts),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_thousand_services),
	};
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
