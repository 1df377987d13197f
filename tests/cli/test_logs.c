/*
 * pmo logs and pmo flush: which lines, of whom, in what form; and what stays of the files.
 */
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUICK   "pmo: {defaults: {start_watch: 0}}\n"
#define FLUSHED "--- Log flushed at %TIME ---\n"

/* A log of COUNT lines "PREFIX 1" to "PREFIX COUNT". */
static void write_log(struct test_project *project, const char *name, const char *prefix, int count)
{
	char text[4096];
	size_t length = 0;
	for (int i = 1; i <= count; i++)
		length +=
		    (size_t)snprintf(text + length, sizeof(text) - length, "%s %d\n", prefix, i);
	project_write_bytes(project, name, text, length);
}

static void append_log(struct test_project *project, const char *name, const char *text)
{
	FILE *log = fopen(project_path(project, "%s", name), "a");
	assert_non_null(log);
	fputs(text, log);
	assert_int_equal(fclose(log), 0);
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;
	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void assert_file(struct test_project *project, const char *name, const char *pattern)
{
	char *content = project_read(project, name);
	assert_non_null(content);
	assert_text(content, pattern);
	free(content);
}

static void two_services(struct test_project *project)
{
	project_write(project, "pmo.yml", "web: 'true'\nworker: {cmd: 'true', merge_logs: yes}\n");
}

static void test_number_of_lines(void **state)
{
	struct test_project *project = *state;
	struct run run;
	two_services(project);
	write_log(project, ".pmo/logs/web-out.log", "out", 50);
	write_log(project, ".pmo/logs/web-error.log", "err", 50);
	write_log(project, ".pmo/logs/worker.log", "both", 50);

	run_pmo(project, &run, "logs", NULL);
	assert_int_equal(run.status, 0);
	assert_int_equal(count_lines(run.out), 3 * 15);
	assert_string_equal(run.err, "");
	run_release(&run);

	run_pmo(project, &run, "log", "web", NULL);
	assert_int_equal(count_lines(run.out), 2 * 30);
	run_release(&run);

	run_pmo(project, &run, "logs", "--lines", "2", "all", NULL);
	assert_run(&run, 0,
		   "web    | out 49\nweb    | out 50\n"
		   "web    ! err 49\nweb    ! err 50\n"
		   "worker | both 49\nworker | both 50\n",
		   "");
	run_release(&run);

	run_pmo(project, &run, "logs", "-l0", "web", NULL);
	assert_run(&run, 0, "", "");
	run_release(&run);

	run_pmo(project, &run, "logs", "-l", "9223372036854775807", "--out", "web", NULL);
	assert_int_equal(count_lines(run.out), 50);
	run_release(&run);
}

static void test_streams(void **state)
{
	struct test_project *project = *state;
	struct run run;
	two_services(project);
	write_log(project, ".pmo/logs/web-out.log", "out", 2);
	write_log(project, ".pmo/logs/web-error.log", "err", 2);
	write_log(project, ".pmo/logs/worker.log", "both", 2);

	run_pmo(project, &run, "logs", "-l1", "--out", NULL);
	assert_run(&run, 0, "web    | out 2\nworker | both 2\n", "");
	run_release(&run);
	run_pmo(project, &run, "logs", "-l1", "--err", NULL);
	assert_run(&run, 0, "web    ! err 2\nworker | both 2\n", "");
	run_release(&run);
	run_pmo(project, &run, "logs", "-l1", "--err", "--out", "2", "1", NULL);
	assert_run(&run, 0, "web    | out 2\nweb    ! err 2\nworker | both 2\n", "");
	run_release(&run);
}

static void test_what_cannot_be_shown(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      "web: 'true'\nquiet: {cmd: 'true', out_file: /dev/null}\n");

	run_pmo(project, &run, "logs", NULL);
	assert_run(&run, 0, "",
		   "pmo: no log of 'web' yet\n"
		   "pmo: log '/dev/null' of 'quiet' is no regular file: it cannot be shown\n");
	run_release(&run);

	write_log(project, ".pmo/logs/web-out.log", "out", 1);
	run_pmo(project, &run, "logs", "wbe", "web", NULL);
	assert_run(&run, 4, "web | out 1\n", "pmo: no service 'wbe' (did you mean 'web'?)\n");
	run_release(&run);

	run_pmo(project, &run, "logs", "-l", "-1", NULL);
	assert_run(&run, 2, "",
		   "pmo: invalid value '-1' for --lines: expected a number from 0 to "
		   "9223372036854775807\n");
	run_release(&run);

	assert_int_equal(mkdir(project_path(project, ".pmo/logs/web-error.log"), 0700), 0);
	run_pmo(project, &run, "logs", "web", NULL);
	assert_run(&run, 1, "web | out 1\n",
		   "pmo: log '%DIR/.pmo/logs/web-error.log' is a directory\n");
	run_release(&run);

	project_write(project, "pmo.yml", "{}\n");
	run_pmo(project, &run, "logs", NULL);
	assert_run(&run, 0, "", "pmo: there are no services whose logs could be shown\n");
	run_release(&run);
}

static const char hostile_line[] = "a\tb\033[2J\033]0;x\a\xff\r\n\033[31mred\nno newline";

static void test_bytes_off_a_terminal(void **state)
{
	struct test_project *project = *state;
	struct run run;
	two_services(project);
	project_write_bytes(project, ".pmo/logs/web-out.log", hostile_line,
			    sizeof(hostile_line) - 1);
	run_pmo(project, &run, "logs", "web", NULL);
	assert_string_equal(run.out, "web | a\tb\033[2J\033]0;x\a\xff\r\n"
				     "web | \033[31mred\n"
				     "web | no newline\n");
	run_release(&run);
}

static void test_bytes_on_a_terminal(void **state)
{
	struct test_project *project = *state;
	const struct run_options terminal = { .columns = 80 };
	struct run run;
	two_services(project);
	project_write_bytes(project, ".pmo/logs/web-out.log", hostile_line,
			    sizeof(hostile_line) - 1);
	run_pmo_with(project, &run, &terminal, "logs", "-n", "web", NULL);
	assert_out_has(&run, "\033[36mweb\033[0m | a\tb\\x1b[2J\\x1b]0;x\\x07\\xff\r\n");
	assert_out_has(&run, "\033[36mweb\033[0m | \033[31mred\033[0m\r\n");
	assert_out_has(&run, "\033[36mweb\033[0m | no newline\r\n");
	run_release(&run);
	run_pmo_with(project, &run, &terminal, "--no-color", "logs", "-n", "-l2", "web", NULL);
	assert_out_has(&run, "web | red\r\nweb | no newline\r\n");
	assert_null(strchr(run.out, '\033'));
	run_release(&run);
}

/* What a run that is under way has written so far holds TEXT. */
static bool has_output(struct running *running, const char *text)
{
	char *output = run_pmo_output(running);
	bool found = strstr(output, text) != NULL;
	free(output);
	return found;
}

static size_t times_in_output(struct running *running, const char *text)
{
	char *output = run_pmo_output(running);
	size_t count = 0;
	for (const char *hit = output; (hit = strstr(hit, text)); hit++)
		count++;
	free(output);
	return count;
}

static void interrupt(struct running *running, struct run *run)
{
	run_pmo_signal(running, SIGINT);
	run_pmo_finish(running, run);
	assert_int_equal(run->signal, SIGINT);
}

/* Over a restart, a flush and a stop, from before there is any log. */
static void test_follow(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;
	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: ['%s', print, out, hello, print, err, oops, wait]}\n",
		      ACTOR);
	run_pmo_start(project, &running, NULL, "logs", "--follow", NULL);
	pmo_ok(project, "start", "web");
	WAIT_FOR(times_in_output(&running, "web | hello\n") == 1);
	WAIT_FOR(has_output(&running, "web ! oops\n"));
	pmo_ok(project, "restart", "web");
	WAIT_FOR(times_in_output(&running, "web | hello\n") == 2);
	append_log(project, ".pmo/logs/web-out.log", "after the restart\nbegun");
	WAIT_FOR(has_output(&running, "web | after the restart\n"));
	assert_false(has_output(&running, "begun"));
	append_log(project, ".pmo/logs/web-out.log", " and ended\n");
	WAIT_FOR(has_output(&running, "web | begun and ended\n"));
	pmo_ok(project, "flush");
	WAIT_FOR(has_output(&running, "web | --- Log flushed at"));
	append_log(project, ".pmo/logs/web-out.log", "after the flush\n");
	WAIT_FOR(has_output(&running, "web | after the flush\n"));
	pmo_ok(project, "stop", "web");
	pmo_ok(project, "flush");
	assert_false(project_exists(project, ".pmo/logs/web-out.log"));
	pmo_ok(project, "start", "web");
	WAIT_FOR(times_in_output(&running, "web | hello\n") == 3);
	append_log(project, ".pmo/logs/web-out.log", "the end\n");
	WAIT_FOR(has_output(&running, "web | the end\n"));
	assert_int_equal(times_in_output(&running, "web | hello\n"), 3);
	interrupt(&running, &run);
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

/* The last lines, then the new ones; the line that is not finished yet belongs to the new ones. */
static void test_follow_from_the_last_lines(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;
	two_services(project);
	project_write(project, ".pmo/logs/web-out.log", "one\ntwo\nthr");
	run_pmo_start(project, &running, NULL, "logs", "-f", "-l1", "web", NULL);
	WAIT_FOR(has_output(&running, "web | two\n"));
	append_log(project, ".pmo/logs/web-out.log", "ee\n");
	WAIT_FOR(has_output(&running, "web | three\n"));
	interrupt(&running, &run);
	assert_string_equal(run.out, "web | two\nweb | three\n");
	run_release(&run);
}

static void test_terminal_follows(void **state)
{
	struct test_project *project = *state;
	const struct run_options terminal = { .columns = 80 };
	struct running running;
	struct run run;
	two_services(project);
	write_log(project, ".pmo/logs/web-out.log", "out", 1);
	run_pmo_start(project, &running, &terminal, "--no-color", "logs", "web", NULL);
	WAIT_FOR(has_output(&running, "web | out 1\r\n"));
	append_log(project, ".pmo/logs/web-out.log", "more\n");
	WAIT_FOR(has_output(&running, "web | more\r\n"));
	run_pmo_type(&running, "\003");
	run_pmo_finish(&running, &run);
	assert_int_equal(run.signal, SIGINT);
	run_release(&run);
	run_pmo_with(project, &run, &terminal, "logs", "-f", "-n", "web", NULL);
	assert_int_equal(run.status, 0);
	run_release(&run);
}

static void test_reader_that_leaves(void **state)
{
	struct test_project *project = *state;
	const struct run_options shell = { .program = "/bin/sh" };
	struct run run;
	char *command = text_format("'%s' logs -f -l1 web | head -n 1", pmo_binary());
	two_services(project);
	write_log(project, ".pmo/logs/web-out.log", "out", 3);
	run_pmo_with(project, &run, &shell, "-c", command, NULL);
	assert_run(&run, 0, "web | out 3\n", "");
	run_release(&run);
	free(command);
}

static void test_full_output(void **state)
{
	struct test_project *project = *state;
	const struct run_options full = { .output_path = "/dev/full" };
	struct run run;
	two_services(project);
	write_log(project, ".pmo/logs/web-out.log", "out", 3);
	run_pmo_with(project, &run, &full, "logs", "web", NULL);
	assert_run(&run, 1, NULL,
		   "pmo: cannot write to standard output: No space left on device\n");
	run_release(&run);
}

/* Where the running service writes counts, not what pmo.yml says by now. */
static void test_paths_of_the_record(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: ['%s', print, out, hello, touch, ready, wait],"
			    " out_file: here.txt, merge_logs: true}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	project_write(project, "pmo.yml", "web: 'true'\n");
	run_pmo(project, &run, "logs", "-l1", "web", NULL);
	assert_run(&run, 0, "web | hello\n", "");
	run_release(&run);
	project_write(project, "pmo.yml", "web: [broken\n");
	run_pmo(project, &run, "logs", "-l1", "web", NULL);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.out, "web | hello\n");
	assert_err_has(&run, "pmo.yml:");
	run_release(&run);
	run_pmo(project, &run, "flush", "web", NULL);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.out, "emptied the logs of web\n");
	run_release(&run);
	assert_file(project, "here.txt", FLUSHED);
	project_write(project, "pmo.yml", "{}\n");
	pmo_ok(project, "stop", "web");
}

/* Neither in pmo.yml nor on record, but still to be read. */
static void test_left_over(void **state)
{
	struct test_project *project = *state;
	struct run run;
	two_services(project);
	write_log(project, ".pmo/logs/old-out.log", "out", 1);
	write_log(project, ".pmo/logs/older.log", "both", 1);
	write_log(project, ".pmo/logs/web-out.log", "out", 1);
	run_pmo(project, &run, "logs", "old", "older", "web", "old", NULL);
	assert_run(&run, 0, "web   | out 1\nold   | out 1\nolder | both 1\n", "");
	run_release(&run);
	run_pmo(project, &run, "logs", "../logs/old", NULL);
	assert_run(&run, 4, "", "pmo: no service '../logs/old'\n");
	run_release(&run);
	run_pmo(project, &run, "flush", "old", NULL);
	assert_run(&run, 0, "removed the logs of old\n", "");
	run_release(&run);
	assert_int_equal(project_count(project, ".pmo/logs", "*.log"), 2);
}

static void test_other_host(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", "pmo: {per_host: true}\nweb: 'true'\n");
	project_write(project, ".pmo/far/pids/db.pid", "77\n");
	write_log(project, ".pmo/far/logs/db-out.log", "out", 3);
	write_log(project, ".pmo/far/logs/db-out.log.1", "old", 3);
	write_log(project, ".pmo/far/logs/gone-out.log", "gone", 1);
	run_pmo(project, &run, "logs", "-l1", "far:", "far:gone", NULL);
	assert_run(&run, 0, "far:db   | out 3\nfar:gone | gone 1\n", "");
	run_release(&run);
	run_pmo(project, &run, "logs", "fra:db", NULL);
	assert_run(&run, 4, "", "pmo: no host 'fra' (did you mean 'far'?)\n");
	run_release(&run);
	run_pmo(project, &run, "logs", "far:web", NULL);
	assert_run(&run, 4, "", "pmo: no service 'web'%LINE\n");
	run_release(&run);
	run_pmo(project, &run, "logs", "../x:web", NULL);
	assert_int_equal(run.status, 4);
	run_release(&run);
	run_pmo(project, &run, "flush", "far:all", "far:gone", NULL);
	assert_run(&run, 0, "emptied the logs of far:db\nemptied the logs of far:gone\n", "");
	run_release(&run);
	assert_file(project, ".pmo/far/logs/db-out.log", FLUSHED);
	assert_file(project, ".pmo/far/logs/gone-out.log", FLUSHED);
	assert_false(project_exists(project, ".pmo/far/logs/db-out.log.1"));
}

/* On a shared file system no event tells what another host writes. */
static void test_other_host_is_followed(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;
	project_write(project, "pmo.yml", "pmo: {per_host: true}\nweb: 'true'\n");
	project_write(project, ".pmo/far/pids/db.pid", "77\n");
	write_log(project, ".pmo/far/logs/db-out.log", "out", 1);
	run_pmo_start(project, &running, NULL, "logs", "-f", "far:db", NULL);
	WAIT_FOR(has_output(&running, "far:db | out 1\n"));
	append_log(project, ".pmo/far/logs/db-out.log", "more\n");
	WAIT_FOR(has_output(&running, "far:db | more\n"));
	interrupt(&running, &run);
	run_release(&run);
}

static void test_flush(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: ['%s', print, out, hello, touch, ready, wait-file, go,"
			    " print, out, again, touch, done, wait]}\nidle: 'true'\n"
			    "never: {cmd: 'true', out_file: /dev/null}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	write_log(project, ".pmo/logs/web-out.log.1", "old", 1);
	write_log(project, ".pmo/logs/idle-out.log", "idle", 1);
	write_log(project, ".pmo/logs/idle-error.log.7", "idle", 1);
	write_log(project, ".pmo/logs/removed-out.log", "removed", 1);
	write_log(project, ".pmo/logs/removed.log.30", "removed", 1);
	run_pmo(project, &run, "flush", NULL);
	assert_run(&run, 0,
		   "emptied the logs of web\nremoved the logs of idle\n"
		   "removed 2 logs of services that are no more\n",
		   "");
	run_release(&run);
	assert_file(project, ".pmo/logs/web-out.log", FLUSHED);
	assert_int_equal(project_count(project, ".pmo/logs", "*"), 2);
	project_write(project, "go", "%s", "");
	WAIT_FOR(project_exists(project, "done"));
	assert_file(project, ".pmo/logs/web-out.log", FLUSHED "again\n");
	pmo_ok(project, "stop", "web");
	run_pmo(project, &run, "flush", "web", NULL);
	assert_run(&run, 0, "removed the logs of web\n", "");
	run_release(&run);
	assert_int_equal(project_count(project, ".pmo/logs", "*"), 0);
	run_pmo(project, &run, "flush", NULL);
	assert_run(&run, 0, "", "pmo: there are no logs\n");
	run_release(&run);
	run_pmo(project, &run, "flush", "nobody", NULL);
	assert_run(&run, 4, "", "pmo: no service 'nobody'\n");
	run_release(&run);
}

/* Nobody knows then whose the other logs are. */
static void test_flush_without_config(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", QUICK "web: {cmd: ['%s', wait]}\nidle: 'true'\n", ACTOR);
	pmo_ok(project, "start", "web");
	write_log(project, ".pmo/logs/idle-out.log", "idle", 1);
	project_write(project, "pmo.yml", "web: [broken\n");
	run_pmo(project, &run, "flush", NULL);
	assert_run(&run, 0, "emptied the logs of web\n",
		   "%ANYpmo: warning: 'pmo.yml' cannot be read: only the logs of services on "
		   "record are flushed\n");
	run_release(&run);
	assert_true(project_exists(project, ".pmo/logs/idle-out.log"));
	assert_int_equal(unlink(project_path(project, "pmo.yml")), 0);
	run_pmo(project, &run, "flush", NULL);
	assert_run(&run, 0, "emptied the logs of web\n",
		   "%ANYpmo: warning: 'pmo.yml' cannot be read: only the logs of services on "
		   "record are flushed\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
	run_pmo(project, &run, "flush", "all", NULL);
	assert_run(&run, 0, "",
		   "%ANYpmo: warning: 'pmo.yml' cannot be read: only the logs of services on "
		   "record are flushed\n");
	run_release(&run);
	assert_true(project_exists(project, ".pmo/logs/idle-out.log"));
	project_write(project, "pmo.yml", "idle: 'true'\n");
	run_pmo(project, &run, "flush", NULL);
	assert_run(&run, 0, NULL, "");
	run_release(&run);
	assert_int_equal(project_count(project, ".pmo/logs", "*"), 0);
}

/* The leader is gone, a child writes on: its file must not vanish under it. */
static void test_flush_keeps_what_is_written(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: ['%s', fork, '{', touch, ready, wait, '}', wait-file,"
			    " ready]}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t leader = read_pid(project, "web");
	WAIT_FOR(!process_alive(leader));
	run_pmo(project, &run, "flush", "web", NULL);
	assert_run(&run, 0, "emptied the logs of web\n", "");
	run_release(&run);
	assert_file(project, ".pmo/logs/web-out.log", FLUSHED);
	pmo_ok(project, "stop", "web");
}

static void test_flush_that_fails(void **state)
{
	struct test_project *project = *state;
	struct run run;
	two_services(project);
	project_write(project, ".pmo/logs/web-out.log/file", "%s", "");
	write_log(project, ".pmo/logs/worker.log", "both", 1);
	run_pmo(project, &run, "flush", "web", "worker", NULL);
	assert_run(&run, 1, "removed the logs of worker\n",
		   "pmo: log '%DIR/.pmo/logs/web-out.log' is a directory\n");
	run_release(&run);
}

/* What a service that says nothing would have said: a log with nothing but its header is not kept.
 */
static void say_something(struct test_project *project, const char *path)
{
	FILE *log = fopen(project_path(project, "%s", path), "a");
	assert_non_null(log);
	fputs("something\n", log);
	fclose(log);
}

/* Each start begins a new log; a log that cannot be had keeps the service from starting. */
static void test_logs_of_a_start(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: ['%s', wait], log_keep: 2}\n"
			    "both: {cmd: ['%s', wait], merge_logs: true}\n"
			    "lost: {cmd: ['%s', wait], out_file: no/where.log}\n",
		      ACTOR, ACTOR, ACTOR);
	pmo_ok(project, "start", "both");
	for (int i = 0; i < 4; i++) {
		pmo_ok(project, "start", "web");
		pmo_ok(project, "stop", "web");
		say_something(project, ".pmo/logs/web-out.log");
	}
	pmo_ok(project, "stop", "both");
	assert_int_equal(project_count(project, ".pmo/logs", "web-out.log*"), 3);
	assert_int_equal(project_count(project, ".pmo/logs", "web-error.log*"), 1);
	assert_file(project, ".pmo/logs/web-out.log.2",
		    "--- Starting service 'web' at %TIME ---\nsomething\n");
	assert_file(project, ".pmo/logs/both.log",
		    "--- Starting service 'both' at %TIME (merged logs) ---\n");
	run_pmo(project, &run, "start", "lost", NULL);
	assert_int_equal(run.status, 1);
	assert_err_has(&run, "cannot open log '%DIR/no/where.log': create its directory "
			     "'%DIR/no' first");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_number_of_lines),
		PROJECT_TEST(test_streams),
		PROJECT_TEST(test_what_cannot_be_shown),
		PROJECT_TEST(test_bytes_off_a_terminal),
		PROJECT_TEST(test_bytes_on_a_terminal),
		PROJECT_TEST(test_follow),
		PROJECT_TEST(test_follow_from_the_last_lines),
		PROJECT_TEST(test_terminal_follows),
		PROJECT_TEST(test_reader_that_leaves),
		PROJECT_TEST(test_full_output),
		PROJECT_TEST(test_paths_of_the_record),
		PROJECT_TEST(test_left_over),
		PROJECT_TEST(test_other_host),
		PROJECT_TEST(test_other_host_is_followed),
		PROJECT_TEST(test_flush),
		PROJECT_TEST(test_flush_without_config),
		PROJECT_TEST(test_flush_keeps_what_is_written),
		PROJECT_TEST(test_flush_that_fails),
		PROJECT_TEST(test_logs_of_a_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
