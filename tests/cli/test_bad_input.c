/*
 * Bad input: each gets a clear error with its place and the right exit status, and nothing is done.
 */
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bad_config {
	const char *text;
	const char *errors; /* without "pmo: " and the summary */
};

static const struct bad_config bad_configs[] = {
	{ "web: [unclosed\n", "pmo.yml:2:1: %LINE\n" },
	{ "web:\n\tcmd: x\n", "pmo.yml:2:1: a tab cannot indent, use spaces\n" },
	{ "web: @x\n", "pmo.yml:1:6: text that starts with '@' must be put in quotes\n" },
	{ "- web\n", "pmo.yml:1:1: expected a mapping of service names to commands, not a list\n" },
	{ "just text\n",
	  "pmo.yml:1:1: expected a mapping of service names to commands, not 'just text'\n" },
	{ "web: [a, b]\n",
	  "pmo.yml:1:6: 'web' must be a command or a mapping, not a list: write 'cmd: [...]'\n" },
	{ "web: {cmd: x, cdw: /}\n",
	  "pmo.yml:1:15: unknown key 'cdw' in 'web' (did you mean 'cwd'?)\n" },
	{ "web: {cmd: x, zzz: /}\n", "pmo.yml:1:15: unknown key 'zzz' in 'web'\n" },
	{ "web: {cmd: x, cmd: y}\n", "pmo.yml:1:15: duplicate key 'cmd', first given at 1:7\n" },
	{ "web: x\nweb: y\n", "pmo.yml:2:1: duplicate key 'web', first given at 1:1\n" },
	{ "web: {cmd: x, script: y}\n",
	  "pmo.yml:1:15: 'web' has both 'cmd' and 'script', which mean the same\n" },
	{ "web: {cwd: /}\n",
	  "pmo.yml:1:1: 'web' has no command (add 'cmd', or extend it from another service)\n" },
	{ "web: {cmd: ''}\n", "pmo.yml:1:12: 'cmd' in 'web' is empty\n" },
	{ "web: {cmd: []}\n", "pmo.yml:1:12: 'cmd' in 'web' is empty\n" },
	{ "web: {cmd: {a: b}}\n",
	  "pmo.yml:1:12: 'cmd' in 'web' must be a command or a list of words, not a mapping\n" },
	{ "web: {cmd: [a, [b]]}\n",
	  "pmo.yml:1:16: 'cmd' in 'web' must be a list of texts, but one of them is a list\n" },
	{ "web: {cmd: x, cwd: [a]}\n",
	  "pmo.yml:1:20: 'cwd' in 'web' must be a directory, not a list\n" },
	{ "web: {cmd: x, env: [A=1]}\n",
	  "pmo.yml:1:20: 'env' in 'web' must be a mapping, not a list: write 'NAME: value' instead "
	  "of '- NAME=value'\n" },
	{ "web: {cmd: x, env: {A: [1]}}\n",
	  "pmo.yml:1:24: variable 'A' of 'web' must be a single value, not a list\n" },
	{ "web: {cmd: x, env: {A=B: 1}}\n",
	  "pmo.yml:1:21: variable 'A=B' of 'web' has '=' in its name\n" },
	{ "web: {cmd: x, umask: 999}\n",
	  "pmo.yml:1:22: 'umask' in 'web' must be an octal number from "
	  "0 to 0777, not '999'\n" },
	{ "web: {cmd: x, nice: 20}\n",
	  "pmo.yml:1:21: 'nice' in 'web' must be a number from -20 to 19, not '20'\n" },
	{ "web: {cmd: x, stop_signal: LOUD}\n",
	  "pmo.yml:1:28: 'stop_signal' in 'web' must be a signal "
	  "like TERM, HUP or 15, not 'LOUD'\n" },
	{ "web: {cmd: x, stop_timeout: soon}\n",
	  "pmo.yml:1:29: 'stop_timeout' in 'web' must be a duration like 500ms, 5s or 2m, not "
	  "'soon'\n" },
	{ "web: {cmd: x, stop_timeout: -1}\n", "pmo.yml:1:29: 'stop_timeout' in 'web' must be a "
					       "duration like 500ms, 5s or 2m, not '-1'\n" },
	{ "web: {cmd: x, autostart: maybe}\n",
	  "pmo.yml:1:26: 'autostart' in 'web' must be true or false, not 'maybe'\n" },
	{ "web: {cmd: x, log_keep: -1}\n",
	  "pmo.yml:1:25: 'log_keep' in 'web' must be a number from 0 to 1000, not '-1'\n" },
	{ "web: {cmd: x, log_on_stop: burn}\n",
	  "pmo.yml:1:28: 'log_on_stop' in 'web' must be keep or delete, not 'burn'\n" },
	{ "web: {cmd: x, limits: {files: 1}}\n",
	  "pmo.yml:1:24: unknown limit 'files' in 'web'%LINE\n" },
	{ "web: {cmd: x, limits: {nofile: '5:3'}}\n",
	  "pmo.yml:1:32: the soft limit 'nofile' in 'web' is above the hard one\n" },
	{ "web: {cmd: x, restart: unless-stopped}\n",
	  "pmo.yml:1:24: 'restart' in 'web' must be no, on-failure or always, not 'unless-stopped' "
	  "(write 'always': pmo never starts again what was stopped)\n" },
	{ "web: {cmd: x, max_memory: lots}\n", "pmo.yml:1:27: 'max_memory' in 'web' must be a size "
					       "of at least 1M, like 512M or 2G, or 0 "
					       "for none, not 'lots'\n" },
	{ "web: {cmd: x, hooks: {on_fial: x}}\n",
	  "pmo.yml:1:23: unknown hook 'on_fial' in 'web' (did you mean 'on_fail'?)\n" },
	{ "web: {cmd: x, depends_on: db}\n",
	  "pmo.yml:1:15: 'depends_on' in 'web' is not supported by this version of pmo yet\n" },
	{ "web: {cmd: x, extends: web}\n", "pmo.yml:1:24: 'web' extends itself: web -> web\n" },
	{ "a: {extends: b}\nb: {extends: c}\nc: {extends: a}\n",
	  "pmo.yml:%NUMBER:%NUMBER: 'a' extends itself: a -> b -> c -> a\n" },
	{ "web: {cmd: x, extends: bse}\nbase: y\n",
	  "pmo.yml:1:24: 'web' extends 'bse', which does not exist (did you mean 'base'?)\n" },
	{ "a/b: x\n", "pmo.yml:1:1: service name 'a/b' contains '/'\n" },
	{ "../up: x\n", "pmo.yml:1:1: service name '../up' %LINE\n" },
	{ "'a:b': x\n", "pmo.yml:1:1: service name 'a:b' contains ':'\n" },
	{ "\"a\\eb\": x\n", "pmo.yml:1:1: service name 'a\\x1bb' contains a control character\n" },
	{ "\"a\\nb\": x\n", "pmo.yml:1:1: service name 'a\\nb' contains a control character\n" },
	{ "-a: x\n", "pmo.yml:1:1: service name '-a' starts with '-'\n" },
	{ ".a: x\n", "pmo.yml:1:1: service name '.a' starts with '.'\n" },
	{ "'@a': x\n", "pmo.yml:1:1: service name '@a' starts with '@'\n" },
	{ "all: x\n", "pmo.yml:1:1: service name 'all' is a reserved word\n" },
	{ "12: x\n",
	  "pmo.yml:1:1: service name '12' is a number, which would be taken for an id\n" },
	{ "'': x\n", "pmo.yml:1:1: service name '' is empty\n" },
	{ "web: x\nweb-out: {cmd: y, merge_logs: true}\n",
	  "pmo.yml:2:1: 'web' and 'web-out' would both write the log file 'web-out.log'\n" },
	{ "a: {cmd: x, out_file: l}\nb: {cmd: y, out_file: ./l}\n",
	  "pmo.yml:2:1: 'a' and 'b' would both write the log file '%LINE'\n" },
	{ "pmo: {defautls: {}}\nweb: x\n",
	  "pmo.yml:1:7: unknown setting 'defautls' in 'pmo' (did you mean 'defaults'?)\n" },
	{ "pmo: text\nweb: x\n", "pmo.yml:1:6: 'pmo' holds the settings of the project and must be "
				 "a mapping, not 'text'\n" },
	{ "pmo: {defaults: {cmd: x}}\nweb: x\n", "pmo.yml:1:18: 'cmd' cannot have a default\n" },
	{ "web: x\n---\nother: y\n",
	  "pmo.yml:2:1: a second document starts here, but the file can only hold one\n" },
	{ "web: *nobody\n", "pmo.yml:1:6: there is no anchor '&nobody' before it\n" },
	{ "web: &a {cmd: x, env: *a}\n", "pmo.yml:1:23: 'a' refers to itself\n" },
	{ "web: !!python/object:os.system x\n",
	  "pmo.yml:1:6: tag '!!python/object:os.system' is not supported\n" },
	{ "web: \"a\\0b\"\n", "pmo.yml:1:6: a NUL character cannot be part of a text\n" },
	{ "web: \xff\xfe\n", "pmo.yml:1:6: the file is not UTF-8\n" },
	{ "web: a\x01z\n", "pmo.yml:1:7: control character U+0001 is not allowed\n" },
	{ "web: {<<: text}\n",
	  "pmo.yml:1:11: '<<' must name a mapping or a list of mappings, not 'text'\n" },
};

/* "pmo: " before each line, and the summary behind them. */
static char *whole_message(const char *errors)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int count = 0;

	while (*errors != '\0') {
		size_t line = strcspn(errors, "\n") + 1;

		fprintf(out, "pmo: %.*s", (int)line, errors);
		errors += line;
		count++;
	}
	fprintf(out, "pmo: 'pmo.yml' has %d error%s: nothing was done\n", count,
		count == 1 ? "" : "s");
	fclose(out);
	return text;
}

static void test_bad_configs(void **state)
{
	struct test_project *project = *state;
	size_t i;

	for (i = 0; i < sizeof(bad_configs) / sizeof(bad_configs[0]); i++) {
		char *expected = whole_message(bad_configs[i].errors);
		struct run run;

		project_write(project, "pmo.yml", "%s", bad_configs[i].text);
		run_pmo(project, &run, "start", "all", NULL);
		assert_run(&run, 2, "", expected);
		assert_false(project_exists(project, ".pmo"));
		run_release(&run);
		free(expected);
	}
}

static void test_all_problems_in_one_run(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(
	    project, "pmo.yml", "%s",
	    "web: {cmd: x, nice: high}\nall: y\nold:\n  cmd: z\n  retsart: no\n  umask: x\n");
	run_pmo(project, &run, "config", NULL);
	assert_run(
	    &run, 2, "",
	    "pmo: pmo.yml:1:21: 'nice' in 'web' must be a number from -20 to 19, not 'high'\n"
	    "pmo: pmo.yml:2:1: service name 'all' is a reserved word\n"
	    "pmo: pmo.yml:5:3: unknown key 'retsart' in 'old' (did you mean 'restart'?)\n"
	    "pmo: pmo.yml:6:10: 'umask' in 'old' must be an octal number from 0 to 0777, not "
	    "'x'\n"
	    "pmo: 'pmo.yml' has 4 errors: nothing was done\n");
	run_release(&run);
}

/* The label of the messages is what the user typed. */
static void test_place_with_another_file(void **state)
{
	struct test_project *project = *state;
	const char *const environment[] = { "PMO_FILE=sub/other.yml", NULL };
	struct run run;

	project_write(project, "sub/other.yml", "web: {cmd: x, nice: high}\n");
	run_pmo(project, &run, "-f", "sub/other.yml", "config", NULL);
	assert_run(&run, 2, "", "pmo: sub/other.yml:1:21: %LINE\n%LINE\n");
	run_release(&run);
	run_pmo_with(project, &run, &(struct run_options){ .environment = environment }, "config",
		     NULL);
	assert_run(&run, 2, "", "pmo: sub/other.yml:1:21: %LINE\n%LINE\n");
	run_release(&run);
	run_pmo(project, &run, "-C", "sub", "-f", "other.yml", "config", NULL);
	assert_run(&run, 2, "", "pmo: other.yml:1:21: %LINE\n%LINE\n");
	run_release(&run);
}

static void test_missing_and_unreadable_files(void **state)
{
	struct test_project *project = *state;
	struct run run;

	run_pmo(project, &run, "ls", NULL);
	assert_run(&run, 2, "",
		   "pmo: no pmo.yml here or in a parent directory (run 'pmo init' to "
		   "make one)\n");
	run_release(&run);
	run_pmo(project, &run, "-f", "gone.yml", "start", "all", NULL);
	assert_run(&run, 2, "", "pmo: cannot open 'gone.yml': No such file or directory\n");
	run_release(&run);
	run_pmo(project, &run, "-f", "gone/pmo.yml", "start", "all", NULL);
	assert_run(&run, 2, "", "pmo: cannot open 'gone/pmo.yml': No such file or directory\n");
	run_release(&run);
	run_pmo(project, &run, "-C", "gone", "ls", NULL);
	assert_run(&run, 2, "",
		   "pmo: cannot change to directory 'gone': No such file or directory\n");
	run_release(&run);
	mkdir(project_path(project, "pmo.yml"), 0755);
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 2, "", "pmo: 'pmo.yml' is a directory, not a file\n%LINE\n");
	run_release(&run);
	rmdir(project_path(project, "pmo.yml"));
	assert_int_equal(mkfifo(project_path(project, "pmo.yml"), 0644), 0);
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 2, "", "pmo: 'pmo.yml' is not a regular file\n%LINE\n");
	run_release(&run);
}

/* What start says when something that the definition names is not there. */
static void test_start_errors(void **state)
{
	static const struct {
		const char *keys;
		const char *error;
	} cases[] = {
		{ "cmd: [no-such-command]", "command 'no-such-command' not found" },
		{ "cmd: [/no/such]", "cannot execute '/no/such': No such file or directory" },
		{ "cmd: [./file]", "cannot execute '%LINE': Permission denied" },
		{ "cmd: [/]", "cannot execute '/': Permission denied" },
		{ "{cmd: 'true', cwd: gone}",
		  "cannot change to directory '%DIR/gone': No such file or directory" },
		{ "{cmd: 'true', cwd: file}",
		  "cannot change to directory '%DIR/file': Not a directory" },
		{ "{cmd: 'true', user: no-such-user}", "there is no user 'no-such-user'" },
		{ "{cmd: 'true', group: no-such-group}", "there is no group 'no-such-group'" },
		{ "{cmd: 'true', env_file: gone.env}",
		  "cannot %WORD '%LINEgone.env': No such file or directory" },
		{ "{cmd: 'true', env_file: ./}", "%LINE" },
		{ "{cmd: 'true', out_file: gone/log}",
		  "cannot open log '%DIR/gone/log': create its directory '%DIR/gone' first" },
		{ "{cmd: 'true', out_file: ./}", "%LINE" },
		{ "{cmd: 'true', cwd: '${UNSET:?say where}'}", "%LINEsay where" },
	};
	struct test_project *project = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *expected = text_format("pmo: cannot start 'web': %s\n", cases[i].error);
		struct run run;

		project_write(project, "file", "x");
		project_write(project, "pmo.yml",
			      cases[i].keys[0] == '{' ? "web: %s\n" : "web:\n  %s\n",
			      cases[i].keys);
		run_pmo(project, &run, "start", "web", NULL);
		assert_run(&run, 1, NULL, expected);
		assert_false(project_exists(project, ".pmo/pids/web.pid"));
		run_release(&run);
		free(expected);
	}
}

/* One that cannot be started does not keep the others from it. */
static void test_the_others_are_started(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      "a:\n  cmd: [%s, wait]\nb:\n  cmd: [gone]\nc:\n  cmd: [%s, wait]\n", ACTOR,
		      ACTOR);
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 1, NULL, "pmo: cannot start 'b': command 'gone' not found\n");
	run_release(&run);
	assert_true(process_alive(read_pid(project, "a")));
	assert_true(process_alive(read_pid(project, "c")));
	pmo_ok(project, "stop", "all");
}

static void test_bad_dotenv(void **state)
{
	struct test_project *project = *state;
	char *big = text_format("%0*d", 300 * 1024, 0);
	struct run run;

	project_write(project, "pmo.yml", "web: exec %s env A\n", ACTOR);
	/* lines that are not understood are named and skipped */
	project_write(project, ".env", "A=1\nthis is no line\nB='open\n");
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, NULL, "pmo: warning: %LINE.env:2%LINE\n%ANY");
	run_release(&run);
	/* a value of 100 kB passes, one that execve(2) would refuse is named */
	memset(big, 'x', 100 * 1024);
	big[100 * 1024] = '\0';
	project_write(project, ".env", "A=%s\n", big);
	pmo_ok(project, "start", "web");
	memset(big, 'x', 200 * 1024);
	big[200 * 1024] = '\0';
	project_write(project, ".env", "A=1\nBIG=%s\n", big);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 1, NULL, "pmo: cannot start 'web': %LINE'BIG'%LINE\n");
	run_release(&run);
	project_write_bytes(project, ".env", "A=1\nB=x\0y\n", 10);
	run_pmo(project, &run, "start", "web", NULL);
	assert_true(run.status != 0 || strstr(run.err, ".env:2") != NULL);
	run_release(&run);
	unlink(project_path(project, ".env"));
	mkdir(project_path(project, ".env"), 0755);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 2, "", "pmo: %LINE.env%LINE\n");
	run_release(&run);
	free(big);
}

static void test_huge_and_deep_configs(void **state)
{
	struct test_project *project = *state;
	size_t size = 10 << 20;
	char *big = malloc(size + 1);
	struct run run;

	memset(big, '#', size);
	big[size] = '\0';
	project_write_bytes(project, "pmo.yml", big, size);
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 2, "", "pmo: 'pmo.yml' is larger than 4 MiB\n%LINE\n");
	run_release(&run);
	memset(big, '[', 100000);
	memcpy(big, "web: ", 5);
	project_write_bytes(project, "pmo.yml", big, 100000);
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 2, "",
		   "pmo: pmo.yml:1:%NUMBER: nested more than %NUMBER levels deep\n%ANY");
	run_release(&run);
	free(big);
	project_write(project, "pmo.yml", "%s",
		      "x-a: &a [1,1,1,1,1,1,1,1,1]\nx-b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
		      "x-c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nx-d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
		      "x-e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nx-f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
		      "x-g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nx-h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n"
		      "x-i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h]\nweb: x\n");
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(
	    &run, 2, "",
	    "pmo: pmo.yml:%NUMBER:%NUMBER: aliases stand for more than %NUMBER values\n%ANY");
	assert_true(run.seconds < 10);
	run_release(&run);
}

static void test_usage_errors(void **state)
{
	static const struct {
		const char *arguments[5];
		const char *error;
	} cases[] = {
		{ { "strat" }, "pmo: no command 'strat' (did you mean 'start'?)\n" },
		{ { "zzzzzz" }, "pmo: no command 'zzzzzz' ('pmo help' lists them)\n" },
		{ { "start", "--frce", "web" },
		  "pmo: unknown option '--frce' for 'start' (did you mean '--force'?)\n" },
		{ { "start", "-x", "web" }, "pmo: unknown option '-x' for 'start'\n" },
		{ { "start", "--wait", "web" },
		  "pmo: '--wait' is not supported by this version of pmo yet\n" },
		{ { "start", "web", "--wait-timeout=5s" },
		  "pmo: '--wait-timeout' is not supported by this version of pmo yet\n" },
		{ { "restart", "--wait-timeout", "5s", "web" },
		  "pmo: '--wait-timeout' is not supported by this version of pmo yet\n" },
		{ { "start", "--no-deps", "web" },
		  "pmo: '--no-deps' is not supported by this version of pmo yet\n" },
		{ { "restart", "--port", "80", "web" },
		  "pmo: '--port' is not supported by this version of pmo yet\n" },
		{ { "stop", "--wait", "web" }, "pmo: unknown option '--wait' for 'stop'\n" },
		{ { "--colour", "ls" }, "pmo: unknown option '--colour' for 'pmo'\n" },
		{ { "stop", "web", "-t" },
		  "pmo: option '--timeout' of 'stop' needs a value: --timeout TIME\n" },
		{ { "ls", "--json=1" }, "pmo: option '--json' of 'ls' takes no value\n" },
		{ { "-f" }, "pmo: option '--file' of 'pmo' needs a value: --file FILE\n" },
		{ { NULL }, "pmo: say what to do: 'pmo help' lists the commands\n" },
		{ { "version", "x" }, "pmo: unexpected argument 'x': 'version' takes none\n" },
		{ { "ls", "--sample", "x" },
		  "pmo: invalid value 'x' for --sample: expected a "
		  "duration such as 500ms, 5s or 2m\n" },
	};
	struct test_project *project = *state;
	size_t i;

	project_write(project, "pmo.yml", "web: sleep 1\n");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct running running;
		struct run run;

		run_pmo_start_argv(project, &running, NULL, cases[i].arguments);
		run_pmo_finish(&running, &run);
		assert_run(&run, 2, "", cases[i].error);
		run_release(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_bad_configs),
		PROJECT_TEST(test_all_problems_in_one_run),
		PROJECT_TEST(test_place_with_another_file),
		PROJECT_TEST(test_missing_and_unreadable_files),
		PROJECT_TEST(test_start_errors),
		PROJECT_TEST(test_the_others_are_started),
		PROJECT_TEST(test_bad_dotenv),
		PROJECT_TEST(test_huge_and_deep_configs),
		PROJECT_TEST(test_usage_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
