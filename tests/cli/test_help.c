/*
 * help, version, init and completion: what a newcomer meets first.
 */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool log_has(struct test_project *project, const char *name, const char *text)
{
	char *path = text_format(".pmo/logs/%s", name);
	char *log = project_read(project, path);
	bool found = log && strstr(log, text);
	free(log);
	free(path);
	return found;
}

static void test_version(void **state)
{
	struct run run;
	const char *const forms[] = { "version", "--version", "-V" };
	for (size_t i = 0; i < 3; i++) {
		run_pmo(*state, &run, forms[i], NULL);
		assert_run(&run, 0, "pmo %NUMBER.%NUMBER\n", "");
		run_release(&run);
	}
	run_pmo(*state, &run, "version", "now", NULL);
	assert_run(&run, 2, "", "pmo: unexpected argument 'now': 'version' takes none\n");
	run_release(&run);
}

static void test_overview_names_every_command(void **state)
{
	static const char *const commands[] = {
		"start", "stop",    "restart", "kill",       "delete", "ls",
		"logs",  "status",  "flush",   "dry-run",    "config", "env",
		"exec",  "version", "init",    "completion", "help",
	};
	struct run run, other;
	run_pmo(*state, &run, "help", NULL);
	assert_run(&run, 0, NULL, "");
	assert_out_has(&run, "usage: pmo [-f FILE] [-C DIR] [--no-color] COMMAND ");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		char *line = text_format("\n  %s ", commands[i]);
		assert_out_has(&run, line);
		free(line);
	}
	assert_out_lacks(&run, "--names");
	run_pmo(*state, &other, "--help", NULL);
	assert_run(&other, 0, NULL, "");
	assert_string_equal(other.out, run.out);
	run_release(&other);
	run_release(&run);
}

static void test_help_of_a_command(void **state)
{
	struct run run, other;
	run_pmo(*state, &run, "help", "stop", NULL);
	assert_run(&run, 0,
		   "usage: pmo stop [-t TIME] [-s SIGNAL] [--force] SERVICE...\n"
		   "\n%LINE\n"
		   "\n%ANY\n"
		   "options:\n"
		   "  -t, --timeout TIME%LINE\n"
		   "  -s, --signal SIGNAL%LINE\n"
		   "      --force%LINE\n"
		   "  -h, --help%LINE\n",
		   "");
	run_pmo(*state, &other, "stop", "--help", NULL);
	assert_run(&other, 0, run.out, "");
	run_release(&other);
	run_release(&run);
	run_pmo(*state, &run, "help", "list", NULL);
	assert_out_has(&run, "usage: pmo ls ");
	assert_out_has(&run, "\nalso called: list\n");
	run_release(&run);
}

/* Hidden options work and are not shown. */
static void test_help_lines_fit_a_terminal(void **state)
{
	static const char *const commands[] = { "",        "start",     "stop",    "restart",
						"kill",    "delete",    "ls",      "logs",
						"status",  "flush",     "dry-run", "env",
						"exec",    "config",    "init",    "help",
						"version", "completion" };
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct run run;
		run_pmo(*state, &run, "help", *commands[i] ? commands[i] : NULL, NULL);
		assert_run(&run, 0, NULL, "");
		assert_out_lacks(&run, "--names");
		for (const char *line = run.out; *line;) {
			size_t length = strcspn(line, "\n");
			if (length > 85)
				fail_msg("too long for %s: %.*s", commands[i], (int)length, line);
			line += length + 1;
		}
		run_release(&run);
	}
}

static void test_mistakes_get_a_suggestion(void **state)
{
	static const struct {
		const char *arguments[3];
		const char *error;
	} cases[] = {
		{ { "strat" }, "pmo: no command 'strat' (did you mean 'start'?)\n" },
		{ { "frobnicate" }, "pmo: no command 'frobnicate' ('pmo help' lists them)\n" },
		{ { "help", "statsu" }, "pmo: no command 'statsu' (did you mean 'status'?)\n" },
		{ { "help", "x\033[31m" },
		  "pmo: no command 'x\\x1b[31m' ('pmo help' lists them)\n" },
		{ { "help", "start", "stop" }, "pmo: 'help' takes one command\n" },
		{ { NULL }, "pmo: say what to do: 'pmo help' lists the commands\n" },
		{ { "completion" }, "pmo: 'completion' needs one shell: bash, zsh or fish\n" },
		{ { "completion", "tcsh" },
		  "pmo: no completion for 'tcsh' (there is bash, zsh and fish)\n" },
		{ { "init", "here" }, "pmo: unexpected argument 'here': 'init' takes none\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const *arguments = cases[i].arguments;
		struct run run;
		run_pmo(*state, &run, arguments[0], arguments[1], arguments[2], NULL);
		assert_run(&run, 2, "", cases[i].error);
		run_release(&run);
	}
}

static void test_full_disk_is_an_error(void **state)
{
	static const char *const commands[][2] = { { "version", NULL },
						   { "help", NULL },
						   { "completion", "bash" } };
	const struct run_options options = { .output_path = "/dev/full" };
	for (size_t i = 0; i < 3; i++) {
		struct run run;
		run_pmo_with(*state, &run, &options, commands[i][0], commands[i][1], NULL);
		assert_run(&run, 1, NULL,
			   "pmo: cannot write to standard output: No space left on device\n");
		run_release(&run);
	}
}

static void test_init_writes_what_runs(void **state)
{
	struct test_project *project = *state;
	struct run run;
	run_pmo(project, &run, "init", NULL);
	assert_run(&run, 0, "wrote pmo.yml\n\nnext:\n%ANY", "");
	assert_out_lacks(&run, ".gitignore");
	run_release(&run);
	pmo_ok(project, "start", "all");
	assert_true(read_pid(project, "hello") > 1);
	pmo_ok(project, "stop", "all");
}

static void test_init_overwrites_nothing(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", "mine: true\n");
	run_pmo(project, &run, "init", NULL);
	assert_run(&run, 1, "", "pmo: 'pmo.yml' exists already (edit it, or remove it first)\n");
	run_release(&run);
	char *text = project_read(project, "pmo.yml");
	assert_string_equal(text, "mine: true\n");
	free(text);
	/* a link that points nowhere is somebody's, too */
	assert_int_equal(symlink("nowhere", project_path(project, "other.yml")), 0);
	run_pmo(project, &run, "-f", "other.yml", "init", NULL);
	assert_run(&run, 1, "", "pmo: 'other.yml' exists already (edit it, or remove it first)\n");
	run_release(&run);
	assert_false(project_exists(project, "nowhere"));
}

static void test_init_without_a_place_to_write(void **state)
{
	struct test_project *project = *state;
	struct run run;
	run_pmo(project, &run, "-f", "missing/pmo.yml", "init", NULL);
	assert_run(&run, 1, "", "pmo: cannot write 'missing/pmo.yml': No such file or directory\n");
	run_release(&run);
}

static void test_init_on_a_full_disk_leaves_nothing(void **state)
{
	struct test_project *project = *state;
	const struct run_options options = { .program = "/usr/bin/env" };
	struct run run;
	char *script = text_format("mkdir disk && mount -t tmpfs -o size=4k none disk || exit 77\n"
				   "cd disk && head -c 4096 /dev/zero >full\n"
				   "%s init; echo $?; ls",
				   pmo_binary());
	run_pmo_with(project, &run, &options, "unshare", "-m", "sh", "-c", script, NULL);
	free(script);
	bool possible = run.status == 0;
	if (possible)
		assert_run(&run, 0, "1\nfull\n",
			   "pmo: cannot write 'pmo.yml': No space left on device\n");
	run_release(&run);
	if (!possible)
		SKIP("no file system can be mounted here");
}

static void test_init_mentions_version_control(void **state)
{
	struct test_project *project = *state;
	struct run run;
	assert_int_equal(mkdir(project_path(project, ".git"), 0755), 0);
	run_pmo(project, &run, "init", NULL);
	assert_run(&run, 0,
		   "wrote pmo.yml\n%ANY\n"
		   ".pmo/ holds state and logs: it belongs into .gitignore.\n",
		   "");
	run_release(&run);
}

static void test_init_converts_a_procfile(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, ".env", "PORT=3000\n");
	project_write(project, "Procfile",
		      "# comment: not a process\n"
		      "web: echo \"it's $PORT\" && exec sleep 100\r\n"
		      "\n"
		      "worker_2:exec sleep 100 # {a: b}\n"
		      "all: true\n"
		      "web: again\n"
		      "12: true\n"
		      "empty:   \n"
		      "tab:\techo \xff\n"
		      "my app: true\n"
		      "  # indented\n"
		      " \t\n"
		      "no colon\n"
		      "last: exec sleep 100");
	run_pmo(project, &run, "init", NULL);
	assert_run(&run, 0, "wrote pmo.yml with 3 services from Procfile\n\nnext:\n%ANY",
		   "pmo: warning: Procfile:5: 'all' is left out: is a reserved word\n"
		   "pmo: warning: Procfile:6: 'web' is left out: there is one of this name "
		   "already\n"
		   "pmo: warning: Procfile:7: '12' is left out: is a number, which would be "
		   "taken for an id\n"
		   "pmo: warning: Procfile:8: 'empty' is left out: it has no command\n"
		   "pmo: warning: Procfile:9: 'tab' is left out: its command is not UTF-8\n"
		   "pmo: warning: Procfile:10: the line is left out: it is not 'NAME: COMMAND', "
		   "NAME of letters, digits, '_' and '-'\n"
		   "pmo: warning: Procfile:13: the line is left out: it is not 'NAME: COMMAND', "
		   "NAME of letters, digits, '_' and '-'\n");
	run_release(&run);
	run_pmo(project, &run, "config", NULL);
	assert_run(&run, 0,
		   "web:\n%ANYit's $PORT%ANY3000\n"
		   "worker_2:\n%ANYexec sleep 100 # {a: b}%ANY3100\n"
		   "last:\n%ANYexec sleep 100%ANY3200\n",
		   "");
	run_release(&run);
	pmo_ok(project, "start", "all");
	WAIT_FOR(log_has(project, "web-out.log", "it's 3000"));
	pmo_ok(project, "stop", "all");
}

static void test_init_with_an_unreadable_procfile(void **state)
{
	struct test_project *project = *state;
	struct run run;
	assert_int_equal(mkdir(project_path(project, "Procfile"), 0755), 0);
	run_pmo(project, &run, "init", NULL);
	assert_run(&run, 1, "", "pmo: cannot read 'Procfile': Is a directory\n");
	run_release(&run);
	assert_false(project_exists(project, "pmo.yml"));
}

static void test_completion_names(void **state)
{
	struct test_project *project = *state;
	struct run run;
	run_pmo(project, &run, "completion", "--names", NULL);
	assert_run(&run, 0, "", "");
	run_release(&run);
	project_write(project, "pmo.yml",
		      "web: sleep 1\n"
		      "my app: {cmd: sleep 1, namespace: jobs}\n"
		      "other: {cmd: sleep 1, namespace: jobs}\n");
	run_pmo(project, &run, "completion", "--names", NULL);
	assert_run(&run, 0, "web\nmy app\nother\n@default\n@jobs\nall\n", "");
	run_release(&run);
	project_write(project, "pmo.yml", "web: [\n");
	run_pmo(project, &run, "completion", "--names", NULL);
	assert_run(&run, 0, "", "");
	run_release(&run);
}

static bool have_shell(const char *shell)
{
	char *command = text_format("command -v %s >/dev/null", shell);
	int status = system(command);
	free(command);
	return status == 0;
}

/* Let the shell itself read the script. */
static void check_syntax(struct test_project *project, const char *shell)
{
	struct run script, run;
	const struct run_options options = { .program = "/usr/bin/env" };
	run_pmo(project, &script, "completion", shell, NULL);
	assert_run(&script, 0, NULL, "");
	assert_true(script.out_length > 1000);
	project_write_bytes(project, "script", script.out, script.out_length);
	run_release(&script);
	run_pmo_with(project, &run, &options, shell, "-n", project_path(project, "script"), NULL);
	assert_run(&run, 0, "", "");
	run_release(&run);
}

static void test_completion_syntax(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	for (size_t i = 0; i < 3; i++) {
		if (have_shell(shells[i]))
			check_syntax(*state, shells[i]);
		else
			print_message("no %s here: its script is not read\n", shells[i]);
	}
}

/* Run the bash function as bash would, for the words of WORDS, and compare what it offers. */
static void check_offer(struct test_project *project, const char *words, const char *offer)
{
	struct run run;
	const struct run_options options = { .program = "/usr/bin/env" };
	char *script = text_format("eval \"$(%s completion bash)\"\n"
				   "COMP_WORDS=(%s)\n"
				   "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
				   "_pmo\n"
				   "echo ${COMPREPLY[*]@Q}\n",
				   pmo_binary(), words);
	run_pmo_with(project, &run, &options, "bash", "-c", script, NULL);
	char *expected = text_format("%s\n", offer);
	assert_run(&run, 0, expected, "");
	free(expected);
	free(script);
	run_release(&run);
}

static void test_bash_completion_offers(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *words; /* after the program */
		const char *offer;
	} cases[] = {
		{ "sta", "'start' 'status'" },
		{ "--no", "'--no-color'" },
		{ "stop w", "'web' 'worker'" },
		{ "stop 'my\\ '", "'my\\ app'" },
		{ "stop @", "'default' 'jobs'" },
		{ "stop @ j", "'jobs'" },
		{ "stop --ti", "'--timeout'" },
		{ "stop -s U", "'USR1' 'USR2'" },
		{ "delete --status e", "'exited' 'errored' 'elsewhere'" },
		{ "help vers", "'version'" },
		{ "completion ''", "'bash' 'zsh' 'fish'" },
		{ "-C 'sub\\ dir' start ''", "'inner' '@default' 'all'" },
		{ "-C '$(touch hacked)' start ''", "" },
	};
	if (!have_shell("bash"))
		SKIP("needs bash");
	project_write(project, "pmo.yml",
		      "web: sleep 1\n"
		      "my app: {cmd: sleep 1, namespace: jobs}\n"
		      "worker: sleep 1\n"
		      "st*r: sleep 1\n");
	project_write(project, "sub dir/pmo.yml", "inner: sleep 1\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *words = text_format("%s %s", pmo_binary(), cases[i].words);
		check_offer(project, words, cases[i].offer);
		free(words);
	}
	assert_false(project_exists(project, "hacked"));
}

static void test_sample_is_fine(void **state)
{
	struct test_project *project = *state;
	struct run run;
	size_t length;
	char *sample = read_file(PMO_SAMPLE, &length);
	assert_non_null(sample);
	project_write_bytes(project, "pmo.yml", sample, length);
	free(sample);
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 0,
		   "started clock (pid %NUMBER)\n"
		   "started worker (pid %NUMBER)\n"
		   "started worker-mail (pid %NUMBER)\n"
		   "started echo (pid %NUMBER)\n",
		   "");
	run_release(&run);
	WAIT_FOR(log_has(project, "worker-mail-out.log", "hello, job 1 of queue mail"));
	pmo_ok(project, "stop", "worker");
	WAIT_FOR(log_has(project, "worker-out.log", "hello, finishing"));
	pmo_ok(project, "start", "nap");
	pmo_ok(project, "stop", "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_version),
		PROJECT_TEST(test_overview_names_every_command),
		PROJECT_TEST(test_help_of_a_command),
		PROJECT_TEST(test_help_lines_fit_a_terminal),
		PROJECT_TEST(test_mistakes_get_a_suggestion),
		PROJECT_TEST(test_full_disk_is_an_error),
		PROJECT_TEST(test_init_writes_what_runs),
		PROJECT_TEST(test_init_overwrites_nothing),
		PROJECT_TEST(test_init_without_a_place_to_write),
		PROJECT_TEST(test_init_on_a_full_disk_leaves_nothing),
		PROJECT_TEST(test_init_mentions_version_control),
		PROJECT_TEST(test_init_converts_a_procfile),
		PROJECT_TEST(test_init_with_an_unreadable_procfile),
		PROJECT_TEST(test_completion_names),
		PROJECT_TEST(test_completion_syntax),
		PROJECT_TEST(test_bash_completion_offers),
		PROJECT_TEST(test_sample_is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
