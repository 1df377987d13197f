#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/config.h"
#include "model/keys.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void join_messages(const struct message_list *messages, struct buffer *buffer)
{
	for (size_t i = 0; i < messages->count; i++) {
		assert_int_equal(messages->items[i].level, MESSAGE_ERROR);
		buffer_printf(buffer, "%s\n", messages->items[i].text);
	}
}

static int parse(const char *text, struct config *config, struct buffer *told)
{
	struct message_list messages = MESSAGE_LIST_INIT;
	int result = config_parse(text, strlen(text), "f", config, &messages);
	join_messages(&messages, told);
	assert_int_equal(result, messages.count > 0 ? -1 : 0);
	message_list_release(&messages);
	return result;
}

/* MESSAGES end with a newline each. */
static void check_problems(const char *text, const char *messages)
{
	struct config config;
	struct buffer told CLEANUP_BUFFER = BUFFER_INIT;
	parse(text, &config, &told);
	assert_string_equal(buffer_string(&told), messages);
	if (*messages) {
		assert_int_equal(config.service_count, 0);
		assert_null(config.services);
	}
	config_release(&config);
}

static void append_all(const struct config *config, struct buffer *buffer)
{
	for (size_t i = 0; i < config->service_count; i++)
		config_append_yaml(&config->services[i], CONFIG_ENVIRONMENT_VALUES, buffer);
}

/* What TEXT resolves to, written as YAML. */
static void check_resolved(const char *text, const char *resolved)
{
	struct config config;
	struct buffer told CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer found CLEANUP_BUFFER = BUFFER_INIT;
	parse(text, &config, &told);
	assert_string_equal(buffer_string(&told), "");
	append_all(&config, &found);
	assert_string_equal(buffer_string(&found), resolved);
	config_release(&config);
}

static void read_fixture(const char *name, struct buffer *text)
{
	char *path CLEANUP_FREE = memory_printf("%s/config/%s", PMO_FIXTURES, name);
	int result = file_read(AT_FDCWD, path, 0, text);
	if (result < 0)
		fail_msg("%s: %s", path, strerror(-result));
}

static void check_fixture(const char *name, const char *expected_name)
{
	struct config config;
	struct message_list messages = MESSAGE_LIST_INIT;
	struct buffer expected CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer found CLEANUP_BUFFER = BUFFER_INIT;
	char *path CLEANUP_FREE = memory_printf("%s/config/%s", PMO_FIXTURES, name);
	read_fixture(expected_name, &expected);
	config_load(path, "pmo.yml", &config, &messages);
	join_messages(&messages, &found);
	append_all(&config, &found);
	assert_string_equal(buffer_string(&found), buffer_string(&expected));
	message_list_release(&messages);
	config_release(&config);
}

static void test_fixtures(void **state)
{
	(void)state;
	check_fixture("full.yml", "full.resolved");
	check_fixture("broken.yml", "broken.expected");
	check_fixture("project.json", "project.resolved");
}

static void check_default_supervision(const struct definition *web)
{
	assert_int_equal(web->restart, RESTART_NO);
	assert_int_equal(web->max_restarts, 16);
	assert_int_equal(web->min_uptime_ns, NSEC_PER_SEC);
	assert_int_equal(web->restart_delay_ns, 100 * NSEC_PER_MSEC);
	assert_int_equal(web->restart_delay_max_ns, DEFINITION_RESTART_DELAY_MAX_NS);
	assert_int_equal(web->on_exit, ON_EXIT_NONE);
	assert_int_equal(web->max_memory_bytes, 0);
	assert_int_equal(web->log_max_size_bytes, 0);
	for (int kind = 0; kind < HOOK_COUNT; kind++)
		assert_null(web->hooks.commands[kind]);
	assert_int_equal(web->hooks.timeout_ns, DEFINITION_HOOK_TIMEOUT_NS);
	assert_int_equal(web->watch.count, 0);
	assert_int_equal(web->ignore_watch.count, 0);
	assert_false(definition_needs_supervisor(web));
}

static void test_defaults(void **state)
{
	(void)state;
	struct config config;
	struct buffer told CLEANUP_BUFFER = BUFFER_INIT;
	assert_int_equal(parse("web: sleep 1\n", &config, &told), 0);
	assert_int_equal(config.service_count, 1);
	assert_false(config.per_host);
	const struct definition *web = &config.services[0];
	assert_string_equal(web->name, "web");
	assert_string_equal(web->shell_command, "sleep 1");
	assert_int_equal(web->command.count, 0);
	assert_string_equal(web->namespace_name, "default");
	assert_null(web->cwd);
	assert_int_equal(web->env_count, 0);
	assert_int_equal(web->env_files.count, 0);
	assert_null(web->user);
	assert_null(web->group);
	assert_int_equal(web->umask, -1);
	assert_false(web->has_nice);
	assert_int_equal(web->limit_count, 0);
	assert_true(web->autostart);
	assert_false(web->merge_logs);
	assert_null(web->out_file);
	assert_null(web->error_file);
	assert_int_equal(web->log_keep, 30);
	assert_int_equal(web->log_on_stop, LOG_ON_STOP_KEEP);
	assert_int_equal(web->stop_signal, SIGTERM);
	assert_int_equal(web->stop_timeout_ns, 5 * NSEC_PER_SEC);
	assert_int_equal(web->start_watch_ns, 200 * NSEC_PER_MSEC);
	check_default_supervision(web);
	config_release(&config);
}

static void check_full_supervision(const struct definition *web)
{
	assert_int_equal(web->restart, RESTART_ON_FAILURE);
	assert_int_equal(web->max_restarts, 5);
	assert_int_equal(web->min_uptime_ns, 10 * NSEC_PER_SEC);
	assert_int_equal(web->restart_delay_ns, 0);
	assert_int_equal(web->restart_delay_max_ns, 60 * NSEC_PER_SEC);
	assert_int_equal(web->on_exit, ON_EXIT_STOP_ALL);
	assert_int_equal(web->max_memory_bytes, INT64_C(1610612736));
	assert_int_equal(web->log_max_size_bytes, 10 << 20);
	assert_string_equal(web->hooks.commands[HOOK_PRE_START], "./migrate");
	assert_string_equal(web->hooks.commands[HOOK_ON_FAIL], "mail -s \"$PMO_SERVICE\" root");
	assert_null(web->hooks.commands[HOOK_POST_STOP]);
	assert_int_equal(web->hooks.timeout_ns, 90 * NSEC_PER_SEC);
	assert_int_equal(web->watch.count, 2);
	assert_string_equal(web->watch.items[1], "/etc/web");
	assert_string_equal(web->ignore_watch.items[0], "*.pyc");
	assert_true(definition_needs_supervisor(web));
}

static void test_full_values(void **state)
{
	(void)state;
	struct config config;
	struct message_list messages = MESSAGE_LIST_INIT;
	assert_int_equal(config_load(PMO_FIXTURES "/config/full.yml", "f", &config, &messages), 0);
	assert_true(config.per_host);
	const struct definition *web = config_find(&config, "web");
	assert_ptr_equal(web, &config.services[1]);
	assert_null(web->shell_command);
	assert_int_equal(web->command.count, 4);
	assert_string_equal(web->command.items[3], "80 80");
	assert_int_equal(web->umask, 027);
	assert_true(web->has_nice);
	assert_int_equal(web->nice, -5);
	assert_int_equal(web->limits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(web->limits[0].soft, 1024);
	assert_int_equal(web->limits[0].hard, 4096);
	assert_true(web->limits[1].soft == RLIM_INFINITY && web->limits[1].hard == RLIM_INFINITY);
	assert_int_equal(web->limits[2].hard, INT64_C(1610612736));
	assert_int_equal(web->start_watch_ns, 0);
	assert_int_equal(web->stop_timeout_ns, 60 * NSEC_PER_SEC);
	assert_int_equal(web->log_on_stop, LOG_ON_STOP_DELETE);
	check_full_supervision(web);
	const struct definition *derived = config_find(&config, "web-2");
	assert_string_equal(derived->shell_command, "exec ./serve");
	assert_int_equal(derived->command.count, 0);
	assert_int_equal(config_find(&config, "worker")->stop_signal, SIGINT);
	assert_null(config_find(&config, "base"));
	assert_null(config_find(&config, "x-python"));
	assert_null(config_find(&config, "nothing"));
	config_release(&config);
}

static void test_empty_files(void **state)
{
	(void)state;
	check_resolved("", "");
	check_resolved("# nothing yet\n", "");
	check_resolved("pmo:\n", "");
	check_resolved("pmo: {defaults: }\n", "");
	check_resolved("x-a: [1, {b: c}]\n", "");
	struct config config = { 0 };
	assert_null(config_find(&config, "web"));
}

static void test_scalars_stay_text(void **state)
{
	(void)state;
	check_resolved(
	    "w:\n"
	    "  cmd: run\n"
	    "  env: {A: yes, B: 010, C: 22:22, D: ~, E: null, F: 1_000, G: , H: '', I: 1e3,"
	    " J: 2001-01-01, K: .inf, L: Off}\n",
	    "w:\n  cmd: run\n  env:\n    A: yes\n    B: 010\n    C: 22:22\n    D: ~\n"
	    "    E: null\n    F: 1_000\n    G: ''\n    H: ''\n    I: 1e3\n"
	    "    J: 2001-01-01\n    K: .inf\n    L: Off\n");
	check_resolved("yes: \"010\"\n", "yes:\n  cmd: 010\n");
}

static void test_extends(void **state)
{
	(void)state;
	check_resolved("a: {env: {P: 1, Q: 1}, cwd: /a}\n"
		       "b: {extends: a, env: {Q: 2, R: 2}, user: u}\n"
		       "c: {extends: b, env: {S: 3, P: 3}, cmd: run}\n",
		       "c:\n  cmd: run\n  cwd: /a\n  env:\n    P: 3\n    Q: 2\n    R: 2\n    S: 3\n"
		       "  user: u\n");
	/* a child may stand before its parent, and script replaces cmd */
	check_resolved("b: {extends: a, script: two}\na: {cmd: [one, 1]}\n",
		       "b:\n  cmd: two\na:\n  cmd: [one, 1]\n");
	check_resolved("b: {extends: a, cmd: [two]}\na: {script: one}\n",
		       "b:\n  cmd: [two]\na:\n  cmd: one\n");
	/* everything but env is replaced */
	check_resolved(
	    "a: {cmd: x, limits: {core: 0, cpu: 1}, env_file: [p, q], env: {A: 1}}\n"
	    "b: {extends: a, limits: {nofile: 9}, env_file: r, env: }\n",
	    "a:\n  cmd: x\n  env:\n    A: 1\n  env_file: [p, q]\n  limits:\n    core: 0\n"
	    "    cpu: 1\n"
	    "b:\n  cmd: x\n  env:\n    A: 1\n  env_file: r\n  limits:\n    nofile: 9\n");
	/* defaults stand below everything */
	check_resolved(
	    "pmo: {defaults: {env: {D: 1, P: 1, C: 1}, cwd: /d, user: d}}\n"
	    "a: {env: {P: 2, C: 2}, cwd: /p}\n"
	    "b: {extends: a, cmd: x, env: {C: 3}}\n",
	    "b:\n  cmd: x\n  cwd: /p\n  env:\n    D: 1\n    P: 2\n    C: 3\n  user: d\n");
	/* what is a default already may be given again over another default */
	check_resolved("pmo: {defaults: {autostart: no}}\na: {cmd: x, autostart: yes}\nb: y\n",
		       "a:\n  cmd: x\nb:\n  cmd: y\n  autostart: false\n");
}

static void test_merge_keys(void **state)
{
	(void)state;
	check_resolved("x-a: &a {cmd: one, env: {A: 1}, cwd: /a}\n"
		       "b: {<<: *a, script: two}\n"
		       "c: {<<: *a, env: {B: 2}}\n",
		       "b:\n  cmd: two\n  cwd: /a\n  env:\n    A: 1\n"
		       "c:\n  cmd: one\n  cwd: /a\n  env:\n    B: 2\n");
	check_resolved("x-e: &e {A: 1, B: 2}\nb: {cmd: x, env: {B: 3, <<: *e}}\n",
		       "b:\n  cmd: x\n  env:\n    A: 1\n    B: 3\n");
	check_resolved("x-all: &all\n  p: one\n  q: two\n<<: *all\nq: three\n",
		       "p:\n  cmd: one\nq:\n  cmd: three\n");
	/* one problem of a shared mapping is told once */
	check_problems("x-a: &a {cmd: one, nice: x}\nb: {<<: *a}\nc: {<<: *a}\n",
		       "f:1:26: 'nice' in 'b' must be a number from -20 to 19, not 'x'\n");
	check_problems("x-a: &a {cmd: one, script: two}\nb: {<<: *a}\n",
		       "f:1:20: 'b' has both 'cmd' and 'script', which mean the same\n");
}

static void test_problems(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *messages;
	} table[] = {
		{ "[a, b]\n",
		  "f:1:1: expected a mapping of service names to commands, not a list\n" },
		{ "web\n", "f:1:1: expected a mapping of service names to commands, not 'web'\n" },
		{ "''\n", "f:1:1: expected a mapping of service names to commands, not ''\n" },
		{ "a: ''\n", "f:1:4: 'cmd' in 'a' is empty\n" },
		{ "a: \" \\n\\t\"\n", "f:1:4: 'cmd' in 'a' is empty\n" },
		{ "a: {cmd: }\n", "f:1:10: 'cmd' in 'a' is empty\n" },
		{ "a: {cmd: []}\n", "f:1:10: 'cmd' in 'a' is empty\n" },
		{ "a: {cmd: ['', x]}\n", "f:1:11: 'cmd' in 'a' is empty\n" },
		{ "a: {cmd: {b: c}}\n",
		  "f:1:10: 'cmd' in 'a' must be a command or a list of words, not a mapping\n" },
		{ "a: {cmd: [x, [y]]}\n",
		  "f:1:14: 'cmd' in 'a' must be a list of texts, but one of them is a list\n" },
		{ "a: {script: {b: c}}\n",
		  "f:1:13: 'script' in 'a' must be a command or a list of words, not a mapping\n" },
		{ "a: {}\n",
		  "f:1:1: 'a' has no command (add 'cmd', or extend it from another service)\n" },
		{ "a: {cmdd: x}\n", "f:1:5: unknown key 'cmdd' in 'a' (did you mean 'cmd'?)\n" },
		{ "a: {scrpt: x}\n",
		  "f:1:5: unknown key 'scrpt' in 'a' (did you mean 'script'?)\n" },
		{ "a: {cmdd: x, cmd: y}\n",
		  "f:1:5: unknown key 'cmdd' in 'a' (did you mean 'cmd'?)\n" },
		{ "a: {zzz: x}\n",
		  "f:1:1: 'a' has no command (add 'cmd', or extend it from another service)\n"
		  "f:1:5: unknown key 'zzz' in 'a'\n" },
		{ "a: {cmd: x, cwd: ''}\n", "f:1:18: 'cwd' in 'a' is empty\n" },
		{ "a: {cmd: x, nice: }\n", "f:1:19: 'nice' in 'a' is empty\n" },
		{ "a: {cmd: x, env: y}\n",
		  "f:1:18: 'env' in 'a' must be a mapping like 'NAME: value', not 'y'\n" },
		{ "a: {cmd: x, env: {'': y}}\n",
		  "f:1:19: 'env' in 'a' has a variable without a name\n" },
		{ "a: {cmd: x, env: {B=C: y}}\n",
		  "f:1:19: variable 'B=C' of 'a' has '=' in its name\n" },
		{ "a: {cmd: x, env: {B: [y]}}\n",
		  "f:1:22: variable 'B' of 'a' must be a single value, not a list\n" },
		{ "a: {cmd: x, env_file: {b: c}}\n",
		  "f:1:23: 'env_file' in 'a' must be a file or a list of files, not a mapping\n" },
		{ "a: {cmd: x, env_file: [b, '']}\n", "f:1:27: 'env_file' in 'a' is empty\n" },
		{ "a: {cmd: x, extends: [b]}\n",
		  "f:1:22: 'extends' in 'a' must be the name of a service, not a list\n" },
		{ "a: {cmd: x, extends: ''}\n", "f:1:22: 'extends' in 'a' is empty\n" },
		{ "a: {cmd: x, user: [b], group: {b: c}, namespace: []}\n",
		  "f:1:19: 'user' in 'a' must be a user, not a list\n"
		  "f:1:31: 'group' in 'a' must be a group, not a mapping\n"
		  "f:1:50: 'namespace' in 'a' must be a name, not a list\n" },
		{ "a: {cmd: x, out_file: [b], error_file: {}}\n",
		  "f:1:23: 'out_file' in 'a' must be a file, not a list\n"
		  "f:1:40: 'error_file' in 'a' must be a file, not a mapping\n" },
		{ "a: {cmd: x, limits: 5}\n",
		  "f:1:21: 'limits' in 'a' must be a mapping like 'nofile: 1024', not '5'\n" },
		{ "a: {cmd: x, limits: {nproc: 4K}}\n",
		  "f:1:29: 'nproc' in 'a' must be a number, 'unlimited' or SOFT:HARD, not '4K'\n" },
		{ "a: {cmd: x, limits: {zzz: 4}}\n", "f:1:22: unknown limit 'zzz' in 'a'\n" },
		{ "a: {<<: x}\n",
		  "f:1:9: '<<' must name a mapping or a list of mappings, not 'x'\n" },
		{ "a: {[cmd]: x}\n", "f:1:5: a key must be a single value, not a list\n" },
		{ "a: {*b : x}\n", "f:1:5: there is no anchor '&b' before it\n" },
		{ "a: {cmd: x, zzz: 4}\n", "f:1:13: unknown key 'zzz' in 'a'\n" },
		{ "a: {cmd: x, retsart: no}\n",
		  "f:1:13: unknown key 'retsart' in 'a' (did you mean 'restart'?)\n" },
		{ "pmo: {zzz: 4}\n", "f:1:7: unknown setting 'zzz' in 'pmo'\n" },
		{ "pmo: {x-a: 4}\n", "f:1:7: unknown setting 'x-a' in 'pmo'\n" },
		{ "pmo: {per_host: perhaps}\n",
		  "f:1:17: 'per_host' in 'pmo' must be true or false, not 'perhaps'\n" },
		{ "pmo: {defaults: x}\n",
		  "f:1:17: 'defaults' must be a mapping of keys, not 'x'\n" },
		{ "pmo: {defaults: [x]}\n",
		  "f:1:17: 'defaults' must be a mapping of keys, not a list\n" },
		{ "pmo: {defaults: {script: x, extends: y}}\n",
		  "f:1:18: 'script' cannot have a default\n"
		  "f:1:29: 'extends' cannot have a default\n" },
		{ "Pmo: sleep 1\n", "f:1:6: 'Pmo' holds the settings of the project and must be a "
				    "mapping, not 'sleep "
				    "1'\n" },
		{ "pmo: {}\nPMO: {}\n",
		  "f:2:1: 'pmo' and 'PMO' both hold the settings of the project\n" },
		{ "a: {extends: a}\n", "f:1:14: 'a' extends itself: a -> a\n" },
		{ "z: {extends: a, cmd: x}\na: {extends: b}\nb: {extends: c}\nc: {extends: a}\n",
		  "f:2:14: 'a' extends itself: a -> b -> c -> a\n" },
		{ "a: {extends: x-b}\nx-b: {cmd: c}\n",
		  "f:1:14: 'a' extends 'x-b', but entries that start with 'x-' are ignored\n" },
		{ "a: {extends: zzz, cmd: c}\n",
		  "f:1:14: 'a' extends 'zzz', which does not exist\n" },
		{ "1: a\nALL: b\n-x: c\n",
		  "f:1:1: service name '1' is a number, which would be taken for an id\n"
		  "f:2:1: service name 'ALL' is a reserved word\n"
		  "f:3:1: service name '-x' starts with '-'\n" },
		{ "\"a\\e[2Jb\": {cwd: x}\n",
		  "f:1:1: service name 'a\\x1b[2Jb' contains a control character\n"
		  "f:1:1: 'a\\x1b[2Jb' has no command (add 'cmd', or extend it from another "
		  "service)\n" },
		{ "a: {cmd: x, nice: \"\\e]0;\\a\"}\n",
		  "f:1:19: 'nice' in 'a' must be a number from -20 to 19, not '\\x1b]0;\\x07'\n" },
		{ "a: {cmd: x, cwd: *b}\nc: {cmd: *d}\ne: *f\n",
		  "f:1:18: there is no anchor '&b' before it\n"
		  "f:2:10: there is no anchor '&d' before it\n"
		  "f:3:4: there is no anchor '&f' before it\n" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		check_problems(table[i].text, table[i].messages);
}

static void test_unsupported_keys(void **state)
{
	(void)state;
	size_t supported = 0;
	for (size_t i = 0; i < key_count(); i++) {
		const struct key *key = key_at(i);
		assert_ptr_equal(key_find(key->name), key);
		if (key->kind != KEY_UNSUPPORTED) {
			supported++;
			continue;
		}
		char *text CLEANUP_FREE = memory_printf("web:\n  cmd: x\n  %s: 1\n", key->name);
		char *told CLEANUP_FREE = memory_printf(
		    "f:3:3: '%s' in 'web' is not supported by this version of pmo yet\n",
		    key->name);
		check_problems(text, told);
	}
	assert_int_equal(supported, 32);
	assert_int_equal(key_count(), 44);
}

/* What other process managers call a key, and what is near to that. */
static void test_synonyms(void **state)
{
	static const struct {
		const char *name;
		const char *key; /* NULL: no suggestion */
	} rows[] = {
		{ "command", "cmd" },
		{ "Command", "cmd" },
		{ "comand", "cmd" },
		{ "exec", "cmd" },
		{ "environment", "env" },
		{ "enviroment", "env" },
		{ "envfile", "env_file" },
		{ "env-file", "env_file" },
		{ "directory", "cwd" },
		{ "working_dir", "cwd" },
		{ "workingdir", "cwd" },
		{ "workdir", "cwd" },
		{ "working_directory", "cwd" },
		{ "dir", "cwd" },
		{ "stdout_logfile", "out_file" },
		{ "out", "out_file" },
		{ "log_file", "out_file" },
		{ "stdout", "out_file" },
		{ "stderr_logfile", "error_file" },
		{ "err_file", "error_file" },
		{ "stderr", "error_file" },
		{ "stopsignal", "stop_signal" },
		{ "kill_signal", "stop_signal" },
		{ "stop_grace_period", "stop_timeout" },
		{ "stopwaitsecs", "stop_timeout" },
		{ "kill_timeout", "stop_timeout" },
		{ "autorestart", "restart" },
		{ "autostrat", "autostart" },
		{ "stdin", NULL },
		{ "group_name", NULL },
		{ "priority", NULL },
		{ "restart_policy", "restart" },
		{ "max_memory_restart", "max_memory" },
		{ "mem_limit", "max_memory" },
		{ "maxmemory", "max_memory" },
		{ "memory_max", "max_memory" },
		{ "exp_backoff_restart_delay", "restart_delay" },
		{ "RestartSec", "restart_delay" },
		{ "backoff_seconds", "restart_delay" },
		{ "startretries", "max_restarts" },
		{ "max_restart", "max_restarts" },
		{ "startsecs", "min_uptime" },
		{ "watch_ignore", "ignore_watch" },
		{ "ignore_watches", "ignore_watch" },
		{ "pre_start", "hooks" },
		{ "on_fail", "hooks" },
		{ "hook", "hooks" },
		{ "stdout_logfile_maxbytes", "log_max_size" },
		{ "max_log_size", "log_max_size" },
		{ "zzz", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const char *key = rows[i].key;
		char *text CLEANUP_FREE = memory_printf("a: {cmd: x, %s: 1}\n", rows[i].name);
		char *told CLEANUP_FREE =
		    memory_printf("f:1:13: unknown key '%s' in 'a'%s%s%s\n", rows[i].name,
				  key ? " (did you mean '" : "", key ? key : "", key ? "'?)" : "");
		check_problems(text, told);
	}
}

static void test_ranges(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		const char *value;
		bool good;
	} table[] = {
		{ "nice", "-20", true },
		{ "nice", "19", true },
		{ "nice", "-21", false },
		{ "nice", "1.5", false },
		{ "umask", "0", true },
		{ "umask", "0777", true },
		{ "umask", "00022", true },
		{ "umask", "1000", false },
		{ "umask", "08", false },
		{ "umask", "-1", false },
		{ "umask", "0o22", false },
		{ "log_keep", "0", true },
		{ "log_keep", "1000", true },
		{ "log_keep", "-1", false },
		{ "stop_timeout", "0", true },
		{ "stop_timeout", "0.5ms", true },
		{ "stop_timeout", "-1s", false },
		{ "stop_timeout", "5 s", false },
		{ "stop_signal", "SIGKILL", true },
		{ "stop_signal", "9", true },
		{ "stop_signal", "rtmin+1", true },
		{ "stop_signal", "0", false },
		{ "stop_signal", "65", false },
		{ "autostart", "ON", true },
		{ "autostart", "1", false },
		{ "log_on_stop", "KEEP", false },
		{ "restart", "no", true },
		{ "restart", "false", true },
		{ "restart", "off", true },
		{ "restart", "on-failure", true },
		{ "restart", "always", true },
		{ "restart", "yes", false },
		{ "restart", "on_failure", false },
		{ "restart", "on-failure:5", false },
		{ "restart", "unless-stopped", false },
		{ "max_restarts", "0", true },
		{ "max_restarts", "1000000", true },
		{ "max_restarts", "1000001", false },
		{ "max_restarts", "-1", false },
		{ "max_restarts", "unlimited", false },
		{ "min_uptime", "0", true },
		{ "min_uptime", "1.5h", true },
		{ "min_uptime", "-1s", false },
		{ "restart_delay", "0", true },
		{ "restart_delay", "99999999999h", false },
		{ "restart_delay_max", "100ms", true },
		{ "restart_delay_max", "99ms", false },
		{ "restart_delay", "16s", true },
		{ "on_exit", "none", true },
		{ "on_exit", "stop-all", true },
		{ "on_exit", "stop_all", false },
		{ "max_memory", "1M", true },
		{ "max_memory", "1048576", true },
		{ "max_memory", "0", true },
		{ "max_memory", "0G", true },
		{ "max_memory", "1.5GiB", true },
		{ "max_memory", "1048575", false },
		{ "max_memory", "-1M", false },
		{ "max_memory", "50%", false },
		{ "max_memory", "9999999T", false },
		{ "log_max_size", "4K", true },
		{ "log_max_size", "0", true },
		{ "log_max_size", "4095", false },
		{ "watch", "yes", true },
		{ "watch", "no", true },
		{ "watch", "src", true },
		{ "ignore_watch", "*.log", true },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		struct config config;
		struct buffer told CLEANUP_BUFFER = BUFFER_INIT;
		char *text CLEANUP_FREE =
		    memory_printf("w: {cmd: x, %s: \"%s\"}\n", table[i].key, table[i].value);
		if ((parse(text, &config, &told) == 0) != table[i].good)
			fail_msg("%s: %s", text, buffer_string(&told));
		config_release(&config);
	}
}

static void test_supervision_problems(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *messages;
	} table[] = {
		{ "a: {cmd: x, restart: sometimes}\n",
		  "f:1:22: 'restart' in 'a' must be no, on-failure or always, not 'sometimes'\n" },
		{ "a: {cmd: x, restart: [no]}\n",
		  "f:1:22: 'restart' in 'a' must be no, on-failure or always, not a list\n" },
		{ "a: {cmd: x, restart: }\n", "f:1:22: 'restart' in 'a' is empty\n" },
		{ "a: {cmd: x, restart: unless-stopped}\n",
		  "f:1:22: 'restart' in 'a' must be no, on-failure or always, not "
		  "'unless-stopped' (write 'always': pmo never starts again what was stopped)\n" },
		{ "a: {cmd: x, restart: exit_on_failure}\n",
		  "f:1:22: 'restart' in 'a' must be no, on-failure or always, not "
		  "'exit_on_failure' (write 'on_exit: stop-all')\n" },
		{ "a: {cmd: x, on_exit: leave}\n",
		  "f:1:22: 'on_exit' in 'a' must be none or stop-all, not 'leave'\n" },
		{ "a: {cmd: x, max_restarts: many}\n", "f:1:27: 'max_restarts' in 'a' must be a "
						       "number from 0 to 1000000, not 'many'\n" },
		{ "a: {cmd: x, min_uptime: 1 s}\n",
		  "f:1:25: 'min_uptime' in 'a' must be a duration like 500ms, 5s or 2m, not "
		  "'1 s'\n" },
		{ "a: {cmd: x, max_memory: 100}\n", "f:1:25: 'max_memory' in 'a' must be a size of "
						    "at least 1M, like 512M or 2G, or 0 "
						    "for none, not '100'\n" },
		{ "a: {cmd: x, log_max_size: 1K}\n",
		  "f:1:27: 'log_max_size' in 'a' must be a size of at least 4K, like 10M, or 0 for "
		  "none, not '1K'\n" },
		{ "a: {cmd: x, hooks: y}\n",
		  "f:1:20: 'hooks' in 'a' must be a mapping like 'on_fail: command', not 'y'\n" },
		{ "a: {cmd: x, hooks: {pre_strat: y, '': z}}\n",
		  "f:1:21: unknown hook 'pre_strat' in 'a' (did you mean 'pre_start'?)\n"
		  "f:1:35: unknown hook '' in 'a'\n" },
		{ "a: {cmd: x, hooks: {before: y, time_out: z}}\n",
		  "f:1:21: unknown hook 'before' in 'a'\n"
		  "f:1:32: unknown hook 'time_out' in 'a' (did you mean 'timeout'?)\n" },
		{ "a: {cmd: x, hooks: {on_fail: [y], post_stop: ' ', pre_stop: }}\n",
		  "f:1:30: 'on_fail' in 'a' must be a command of the shell, not a list\n"
		  "f:1:46: 'post_stop' in 'a' is empty\n"
		  "f:1:61: 'pre_stop' in 'a' is empty\n" },
		{ "a: {cmd: x, hooks: {timeout: 0}}\n",
		  "f:1:30: 'timeout' in 'a' must be a duration like 500ms, 30s or 2m, not below "
		  "1ms, not '0'\n" },
		{ "a: {cmd: x, watch: {b: c}}\n",
		  "f:1:20: 'watch' in 'a' must be true, a path or a list of paths, not a "
		  "mapping\n" },
		{ "a: {cmd: x, watch: [b, '']}\n", "f:1:24: 'watch' in 'a' is empty\n" },
		{ "a: {cmd: x, ignore_watch: {b: c}}\n",
		  "f:1:27: 'ignore_watch' in 'a' must be a pattern or a list of patterns, not a "
		  "mapping\n" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		check_problems(table[i].text, table[i].messages);
}

static void test_restart_delays(void **state)
{
	(void)state;
	check_problems(
	    "a: {cmd: x, restart_delay: 2s, restart_delay_max: 1500ms}\n",
	    "f:1:1: 'restart_delay' of 'a' is 2s, longer than its 'restart_delay_max' of "
	    "1500ms\n");
	/* also where the limit is written and happens to be the default */
	check_problems("a: {cmd: x, restart_delay: 20s, restart_delay_max: 15s}\n",
		       "f:1:1: 'restart_delay' of 'a' is 20s, longer than its 'restart_delay_max' "
		       "of 15s\n");
	/* told where they meet, once */
	check_problems("a: {restart_delay: 20s, cmd: x}\nb: {extends: a, restart_delay_max: 10s}\n"
		       "c: {extends: b}\n",
		       "f:2:1: 'restart_delay' of 'b' is 20s, longer than its 'restart_delay_max' "
		       "of 10s\n");
	check_problems("pmo: {defaults: {restart_delay: 2s, restart_delay_max: 1s}}\na: x\nb: y\n",
		       "f:1:7: 'restart_delay' of 'defaults' is 2s, longer than its "
		       "'restart_delay_max' of 1s\n");
	/* a default gives way, and does so anew for every heir */
	check_resolved("a: {cmd: x, restart_delay: 20s}\nb: {extends: a, restart_delay: 1m}\n"
		       "c: {extends: b, restart_delay: 1s}\n",
		       "a:\n  cmd: x\n  restart_delay: 20s\n  restart_delay_max: 20s\n"
		       "b:\n  cmd: x\n  restart_delay: 1m\n  restart_delay_max: 1m\n"
		       "c:\n  cmd: x\n  restart_delay: 1s\n");
}

static void test_supervision_is_replaced(void **state)
{
	(void)state;
	check_resolved(
	    "a: {cmd: x, hooks: {pre_start: p, on_fail: f, timeout: 5s}, max_memory: 1G,\n"
	    "    watch: [b, c], ignore_watch: [d, e], restart: always}\n"
	    "b: {extends: a, hooks: {on_fail: g}, max_memory: 0, watch: no, restart: no}\n"
	    "c: {extends: a, hooks: , watch: true, ignore_watch: f}\n",
	    "a:\n  cmd: x\n  restart: always\n  max_memory: 1G\n"
	    "  hooks:\n    pre_start: p\n    on_fail: f\n    timeout: 5s\n"
	    "  watch: [b, c]\n  ignore_watch: [d, e]\n"
	    "b:\n  cmd: x\n  hooks:\n    on_fail: g\n  ignore_watch: [d, e]\n"
	    "c:\n  cmd: x\n  restart: always\n  max_memory: 1G\n  watch: .\n"
	    "  ignore_watch: f\n");
	/* a list holds paths alone */
	check_resolved("a: {cmd: x, watch: [yes]}\nb: {cmd: x, watch: ./no}\n",
		       "a:\n  cmd: x\n  watch: [yes]\nb:\n  cmd: x\n  watch: ./no\n");
}

static void test_colliding_logs(void **state)
{
	(void)state;
	check_problems("web-error: {cmd: x, merge_logs: yes}\nweb: y\n",
		       "f:1:1: 'web' and 'web-error' would both write the log file "
		       "'web-error.log'\n");
	check_problems("a: {cmd: x, out_file: l}\nb: {cmd: x, error_file: l}\n",
		       "f:2:1: 'a' and 'b' would both write the log file 'l'\n");
	check_problems("a: {cmd: x, out_file: ./d//.///l}\nb: {cmd: x, error_file: d/l}\n",
		       "f:2:1: 'a' and 'b' would both write the log file 'd/l'\n");
	check_problems("a: {cmd: x, out_file: /nonexistent/./l}\n"
		       "b: {cmd: x, error_file: //nonexistent/l}\n",
		       "f:2:1: 'a' and 'b' would both write the log file '//nonexistent/l'\n");
	check_problems("a: {cmd: x, out_file: l.1}\nb: {cmd: x, error_file: ./l}\n",
		       "f:1:1: the log file 'l.1' of 'a' has the name of a rotated log of 'b'\n");
	check_problems("a: {cmd: x, out_file: l, error_file: l.30}\n",
		       "f:1:1: the log file 'l.30' of 'a' has the name of a rotated log of 'a'\n");
	static const char *const good[] = {
		"a: {cmd: x, out_file: l.1}\nb: {cmd: x, out_file: l.2}\n",
		"a: {cmd: x, out_file: /dev/stdout}\nb: {cmd: x, out_file: /dev/stdout}\n",
		"a: {cmd: x, out_file: l}\nb: {cmd: x, out_file: /l}\n",
		"a: {cmd: x, out_file: .l}\nb: {cmd: x, out_file: l}\n",
		"web: x\nweb-out: x\nweb-error: x\n",
		"web: {cmd: x, merge_logs: yes}\nweb-out: {cmd: x, merge_logs: yes}\n",
		"web: {cmd: x, out_file: o}\nweb-out: {cmd: x, merge_logs: yes}\n",
		"web: x\nweb-out: {cmd: x, merge_logs: yes, out_file: o, error_file: e}\n",
		"web: {cwd: x}\nweb-out: {cmd: x, merge_logs: yes, extends: web}\n",
		"a: {cmd: x, out_file: l, error_file: l}\n",
		"a: {cmd: x, out_file: /dev/null}\nb: {cmd: x, out_file: /dev/null}\n",
		"pmo: {defaults: {out_file: $PMO_SERVICE.log}}\na: x\nb: y\n",
	};
	for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
		check_problems(good[i], "");
}

static void test_bad_files(void **state)
{
	(void)state;
	char directory[] = "/tmp/pmo-test-XXXXXX";
	assert_non_null(mkdtemp(directory));
	char *path CLEANUP_FREE = memory_printf("%s/pmo.yml", directory);
	char *fifo CLEANUP_FREE = memory_printf("%s/fifo", directory);
	struct buffer big CLEANUP_BUFFER = BUFFER_INIT;
	memset(buffer_reserve(&big, 10 << 20), '#', 10 << 20);
	big.length = 10 << 20;
	assert_int_equal(file_replace(AT_FDCWD, path, big.data, big.length, 0600), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	const struct {
		const char *path;
		const char *message;
	} table[] = {
		{ path, "'f' is larger than 4 MiB\n" },
		{ directory, "'f' is a directory, not a file\n" },
		{ fifo, "'f' is not a regular file\n" },
		{ "/nonexistent/pmo.yml", "cannot read 'f': No such file or directory\n" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		struct config config;
		struct message_list messages = MESSAGE_LIST_INIT;
		struct buffer told CLEANUP_BUFFER = BUFFER_INIT;
		assert_int_equal(config_load(table[i].path, "f", &config, &messages), -1);
		join_messages(&messages, &told);
		assert_string_equal(buffer_string(&told), table[i].message);
		message_list_release(&messages);
	}
	unlink(path);
	unlink(fifo);
	assert_int_equal(rmdir(directory), 0);
}

/* A value of 100 kB comes through whole. */
static void test_long_values(void **state)
{
	(void)state;
	enum { LENGTH = 100000 };
	struct config config;
	struct buffer told CLEANUP_BUFFER = BUFFER_INIT;
	char *value CLEANUP_FREE = memory_zalloc(LENGTH + 1, 1);
	memset(value, 'v', LENGTH);
	char *text CLEANUP_FREE = memory_printf("w: {cmd: x, env: {V: %s}}\n", value);
	assert_int_equal(parse(text, &config, &told), 0);
	assert_string_equal(config.services[0].env[0].value, value);
	config_release(&config);
	char *bad CLEANUP_FREE = memory_printf("w: {cmd: x, nice: %s}\n", value);
	char *message CLEANUP_FREE =
	    memory_printf("f:1:19: 'nice' in 'w' must be a number from -20 to 19, not '%.77s...'\n",
			  value);
	check_problems(bad, message);
}

static void check_fast(struct buffer *text, size_t services)
{
	struct config config;
	struct buffer told CLEANUP_BUFFER = BUFFER_INIT;
	int64_t start = clock_monotonic_ns();
	parse(buffer_string(text), &config, &told);
	/* some hundredths of a second; quadratic work takes minutes */
	assert_true(clock_monotonic_ns() - start < 20 * NSEC_PER_SEC);
	assert_int_equal(config.service_count, services);
	config_release(&config);
	buffer_clear(text);
}

static void test_large_files(void **state)
{
	(void)state;
	enum { MANY = 10000 };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	for (int i = 0; i < MANY; i++)
		buffer_printf(&text, "svc-%05d: sleep 1000\n", i);
	check_fast(&text, MANY);
	for (int i = 0; i < MANY; i++)
		buffer_printf(&text, "s%d: {extends: s%d, cmd: x}\n", i, (i + 1) % MANY);
	check_fast(&text, 0);
	buffer_append_string(&text, "s0: x\n");
	for (int i = 1; i < MANY; i++)
		buffer_printf(&text, "s%d: {extends: s%d, cwd: d}\n", i, i - 1);
	check_fast(&text, MANY);
	for (int i = 0; i < MANY; i++)
		buffer_printf(&text, "s%d: {extends: nothing%d, cmmd: x}\n", i, i);
	check_fast(&text, 0);
	for (int i = 0; i < MANY; i++)
		buffer_printf(&text,
			      "s%d: {cmd: x, merge_logs: %s}\ns%d-out: {cmd: x, merge_logs: yes}\n",
			      i, i % 2 ? "yes" : "no", i);
	check_fast(&text, 0);
	buffer_append_string(&text, "x-v: &v\n");
	for (int i = 0; i < 1000; i++)
		buffer_printf(&text, "  V%d: 1\n", i);
	for (int i = 0; i < 100; i++)
		buffer_printf(&text, "s%d: {cmd: x, env: {<<: *v}}\n", i);
	check_fast(&text, 100);
}

/* Each of ten thousand services adds a variable to those of the one before: 50 million in all. */
static void test_too_many_variables(void **state)
{
	(void)state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	buffer_append_string(&text, "s0: {cmd: x, env: {V0: 1}}\n");
	for (int i = 1; i < 10000; i++)
		buffer_printf(&text, "s%d: {extends: s%d, env: {V%d: 1}}\n", i, i - 1, i);
	check_problems(buffer_string(&text),
		       "f:1414:1: 'env' of 's1413' and of the entries before it come to more than "
		       "1000000 variables\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixtures),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_full_values),
		cmocka_unit_test(test_empty_files),
		cmocka_unit_test(test_scalars_stay_text),
		cmocka_unit_test(test_extends),
		cmocka_unit_test(test_merge_keys),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_unsupported_keys),
		cmocka_unit_test(test_synonyms),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_supervision_problems),
		cmocka_unit_test(test_restart_delays),
		cmocka_unit_test(test_supervision_is_replaced),
		cmocka_unit_test(test_colliding_logs),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_large_files),
		cmocka_unit_test(test_too_many_variables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
