/*
 * A definition made executable: environment, directory, command, logs, accounts, spec.
 */
#include "support/support.h"

#include "base/memory.h"
#include "service/launch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY_ID = 65534 };

/* A project that is open, ready to resolve its services. */
struct scene {
	struct project project;
	struct launcher launcher;
	struct message_list messages;
};

static void scene_open(struct scene *scene, struct test_project *project, const char *config)
{
	struct error err = ERROR_INIT;
	memset(scene, 0, sizeof(*scene));
	project_write(project, "pmo.yml", "%s", config);
	if (project_open(&scene->project, project_path(project, "pmo.yml"), PROJECT_NEEDS_CONFIG,
			 &scene->messages, &err) < 0)
		fail_msg("%s: %s", err.message,
			 scene->messages.count ? scene->messages.items[0].text : "");
	if (launcher_open(&scene->launcher, &scene->project, &scene->messages, &err) < 0)
		fail_msg("%s", err.message);
}

static void scene_close(struct scene *scene)
{
	launcher_close(&scene->launcher);
	project_close(&scene->project);
	message_list_release(&scene->messages);
}

static void prepare(struct scene *scene, const char *name, struct launch *launch)
{
	struct error err = ERROR_INIT;
	const struct definition *definition = config_find(&scene->project.config, name);
	assert_non_null(definition);
	if (launch_prepare(launch, &scene->launcher, definition, &err) < 0)
		fail_msg("'%s': %s", name, err.message);
}

static void check_value(const struct environment *environment, const char *name,
			const char *expected)
{
	const char *value = environment_get(environment, name);
	if ((value == NULL) != (expected == NULL) || (value && strcmp(value, expected) != 0))
		fail_msg("%s is '%s', not '%s'", name, value ? value : "unset",
			 expected ? expected : "unset");
}

/* Each source sets a variable of its own, and one more than the source before. */
static void test_environment_order(void **state)
{
	struct test_project *project = *state;
	struct scene scene;
	struct launch launch;
	static const char *const ours[] = { "PMO_RUN", "PMO_SERVICE", "PMO_INSTANCE", "PMO_DIR",
					    "PWD" };
	for (size_t i = 0; i < ARRAY_LENGTH(ours); i++)
		setenv(ours[i], "the caller's", 1);
	static const char *const levels[] = { "L1", "L2", "L3", "L4", "L5" };
	for (size_t i = 0; i < ARRAY_LENGTH(levels); i++)
		setenv(levels[i], "caller", 1);
	project_write(project, ".env", "L2=dotenv\nL3=dotenv\nL4=dotenv\nL5=dotenv\nSEEN=$L1\n");
	project_write(project, "first.env", "L3=first\nL4=first\nL5=first\n");
	project_write(project, "second.env", "L4=second\nL5=second\nPMO_DIR=/faked\n");
	scene_open(&scene, project,
		   "web:\n  cmd: x\n  cwd: sub\n  env_file: [first.env, second.env]\n"
		   "  env: {L5: env, ALL: \"$L1 $L2 $L3 $L4 $L5\", PMO_SERVICE: faked, PWD: /x}\n");
	prepare(&scene, "web", &launch);
	const struct environment *environment = &launch.environment;
	check_value(environment, "L1", "caller");
	check_value(environment, "L2", "dotenv");
	check_value(environment, "L3", "first");
	check_value(environment, "L4", "second");
	check_value(environment, "L5", "env");
	check_value(environment, "ALL", "caller dotenv first second env");
	check_value(environment, "PATH", getenv("PATH"));
	/* what pmo sets, nobody else does; the mark comes with each start */
	check_value(environment, "PWD", project_path(project, "sub"));
	check_value(environment, "PMO_SERVICE", "web");
	check_value(environment, "PMO_DIR", project->directory);
	check_value(environment, "PMO_RUN", NULL);
	check_value(environment, "PMO_INSTANCE", NULL);
	check_value(environment, "PYTHONUNBUFFERED", NULL);
	/* the sources by themselves, for dry-run */
	assert_int_equal(scene.launcher.dotenv.count, 5);
	check_value(&scene.launcher.dotenv, "L5", "dotenv");
	assert_int_equal(launch.file_added.count, 4);
	check_value(&launch.file_added, "L3", "first");
	check_value(&launch.file_added, "L5", "second");
	assert_int_equal(launch.config_added.count, 4);
	check_value(&launch.config_added, "L5", "env");
	launch_release(&launch);
	scene_close(&scene);
	for (size_t i = 0; i < ARRAY_LENGTH(ours); i++)
		unsetenv(ours[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(levels); i++)
		unsetenv(levels[i]);
}

static void test_python(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *command; /* as pmo.yml has it */
		bool python;
	} rows[] = {
		{ "python app.py", true },
		{ "python3 -m http.server", true },
		{ "python3.11 x", true },
		{ "/usr/bin/python3 x", true },
		{ "/opt/py/bin/python3.12 x.py", true },
		{ "venv/bin/python -m app", true },
		{ "A=1 python3 x", true },
		{ "cd app && exec python3 x", true },
		{ "(python3 x)", true },
		{ "sleep 1;python3 x", true },
		{ "app.py", true },
		{ "./manage.py runserver", true },
		{ "gui.pyw", true },
		{ "[python3, x]", true },
		{ "[/opt/my apps/bin/python3, x]", true },
		{ "[./app.py]", true },
		{ "[/usr/bin/env, python3, x]", true },
		{ "[$INTERPRETER, x]", true },
		{ "pythonista", false },
		{ "python-config", false },
		{ "mypython x", false },
		{ "/opt/python/bin/tool", false },
		{ "node app.js", false },
		{ "cat app.py", false },
		{ ".py", false },
		{ "apply", false },
		{ "[node, app.js]", false },
		{ "[cat, app.py]", false },
		{ "[/opt/my python/bin/tool]", false },
		{ "[.py]", false },
	};
	setenv("INTERPRETER", "/usr/bin/python3", 1);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct scene scene;
		struct launch launch;
		char *config CLEANUP_FREE = text_format("web: {cmd: %s}\n", rows[i].command);
		scene_open(&scene, project, config);
		prepare(&scene, "web", &launch);
		const char *value = environment_get(&launch.environment, "PYTHONUNBUFFERED");
		if ((value != NULL) != rows[i].python)
			fail_msg("'%s': %s", rows[i].command, value ? value : "unset");
		if (value)
			assert_string_equal(value, "1");
		launch_release(&launch);
		scene_close(&scene);
	}
	unsetenv("INTERPRETER");
}

/* Whoever sets it, even to nothing, is left alone. */
static void test_python_of_user(void **state)
{
	struct test_project *project = *state;
	struct scene scene;
	struct launch launch;
	scene_open(&scene, project, "web: {cmd: python3 x, env: {PYTHONUNBUFFERED: ''}}\n");
	prepare(&scene, "web", &launch);
	check_value(&launch.environment, "PYTHONUNBUFFERED", "");
	launch_release(&launch);
	scene_close(&scene);
	project_write(project, ".env", "PYTHONUNBUFFERED=no\n");
	scene_open(&scene, project, "web: python3 x\n");
	prepare(&scene, "web", &launch);
	check_value(&launch.environment, "PYTHONUNBUFFERED", "no");
	launch_release(&launch);
	scene_close(&scene);
}

/* %D in an expected text is the project's directory. */
static void check_path(const struct test_project *project, const char *found, const char *expected)
{
	char *path CLEANUP_FREE = strncmp(expected, "%D", 2) == 0
				      ? text_format("%s%s", project->directory, expected + 2)
				      : memory_strdup(expected);
	assert_string_equal(found, path);
}

static void test_directory(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *cwd;
		const char *directory;
	} rows[] = {
		{ "sub", "%D/sub" },
		{ "sub/deeper", "%D/sub/deeper" },
		{ "./sub", "%D/sub" },
		{ "././sub", "%D/sub" },
		{ ".", "%D" },
		{ "./", "%D" },
		{ "..", "%D/.." },
		{ "/srv/data", "/srv/data" },
		{ "$PLACE", "/srv/place" },
		{ "$PLACE/in", "/srv/place/in" },
		{ "${NAME}/in", "%D/folder/in" },
		{ "${UNSET_HERE:-/tmp}", "/tmp" },
		{ "${UNSET_HERE-}", "%D" },
		{ "two words", "%D/two words" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct scene scene;
		struct launch launch;
		char *config CLEANUP_FREE =
		    text_format("web:\n  cmd: x\n  cwd: \"%s\"\n"
				"  env: {PLACE: /srv/place, NAME: folder}\n",
				rows[i].cwd);
		scene_open(&scene, project, config);
		prepare(&scene, "web", &launch);
		check_path(project, launch.directory, rows[i].directory);
		check_value(&launch.environment, "PWD", launch.directory);
		launch_release(&launch);
		scene_close(&scene);
	}
}

static void test_logs(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *keys;
		const char *out;
		const char *error; /* NULL: the same pointer as out */
	} rows[] = {
		{ "umask: 022", "%D/.pmo/logs/web-out.log", "%D/.pmo/logs/web-error.log" },
		{ "merge_logs: yes", "%D/.pmo/logs/web.log", NULL },
		{ "out_file: o.log", "%D/o.log", "%D/.pmo/logs/web-error.log" },
		{ "error_file: log/e.log", "%D/.pmo/logs/web-out.log", "%D/log/e.log" },
		{ "out_file: /var/o, error_file: /var/e", "/var/o", "/var/e" },
		{ "out_file: same, error_file: ./same", "%D/same", NULL },
		{ "merge_logs: yes, out_file: o.log", "%D/o.log", NULL },
		{ "out_file: $PLACE/$NAME.log", "/srv/place/folder.log",
		  "%D/.pmo/logs/web-error.log" },
		/* from pmo.yml's directory, wherever the service works */
		{ "cwd: /usr, out_file: o.log", "%D/o.log", "%D/.pmo/logs/web-error.log" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct scene scene;
		struct launch launch;
		char *config CLEANUP_FREE =
		    text_format("web: {cmd: x, %s, env: {PLACE: /srv/place, NAME: folder}}\n",
				rows[i].keys);
		scene_open(&scene, project, config);
		prepare(&scene, "web", &launch);
		check_path(project, launch.log_out, rows[i].out);
		if (rows[i].error)
			check_path(project, launch.log_error, rows[i].error);
		else
			assert_ptr_equal(launch.log_error, launch.log_out);
		launch_release(&launch);
		scene_close(&scene);
	}
}

static void test_shell_command(void **state)
{
	struct test_project *project = *state;
	struct scene scene;
	struct launch launch;
	scene_open(&scene, project, "web: \"echo $HOME ${X:-y} $$ $(date) $1\"\n");
	prepare(&scene, "web", &launch);
	assert_string_equal(launch.program, "/bin/sh");
	assert_string_equal(launch.arguments[0], "/bin/sh");
	assert_string_equal(launch.arguments[1], "-c");
	assert_string_equal(launch.arguments[2], "echo $HOME ${X:-y} $$ $(date) $1");
	assert_null(launch.arguments[3]);
	assert_int_equal(scene.messages.count, 0);
	launch_release(&launch);
	scene_close(&scene);
}

static void test_list_command(void **state)
{
	struct test_project *project = *state;
	struct scene scene;
	struct launch launch;
	project_write(project, "bin/server", "#!/bin/sh\n");
	assert_int_equal(chmod(project_path(project, "bin/server"), 0755), 0);
	scene_open(&scene, project,
		   "web:\n  cmd: [server, \"$A b\", \"$$x\", \"$UNSET_HERE\", \"\"]\n"
		   "  env: {A: \"one two\", PATH: \"/no/such:bin\"}\n"
		   "gone: {cmd: [no-such-program, x]}\n"
		   "slash: {cmd: [./bin/server], cwd: /usr}\n");
	prepare(&scene, "web", &launch);
	/* looked for in the service's own PATH, from the service's own directory */
	assert_string_equal(launch.program, project_path(project, "bin/server"));
	static const char *const expected[] = { "server", "one two b", "$x", "", "" };
	for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
		assert_string_equal(launch.arguments[i], expected[i]);
	assert_null(launch.arguments[ARRAY_LENGTH(expected)]);
	assert_int_equal(scene.messages.count, 1);
	assert_int_equal(scene.messages.items[0].level, MESSAGE_WARNING);
	check_text(scene.messages.items[0].text, "'cmd' of 'web'", false, __FILE__, __LINE__);
	check_text(scene.messages.items[0].text, "UNSET_HERE", false, __FILE__, __LINE__);
	launch_release(&launch);
	prepare(&scene, "gone", &launch);
	assert_null(launch.program);
	assert_string_equal(launch.arguments[0], "no-such-program");
	launch_release(&launch);
	prepare(&scene, "slash", &launch);
	assert_string_equal(launch.program, "./bin/server");
	assert_string_equal(launch.directory, "/usr");
	launch_release(&launch);
	scene_close(&scene);
}

static void test_errors(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *keys;
		const char *message; /* a part of it */
	} rows[] = {
		{ "user: no-such-user", "there is no user 'no-such-user'" },
		{ "user: '4000000000'",
		  "user '4000000000' has no passwd entry: its 'group' has to be given too" },
		{ "user: '4294967295', group: '1'", "there is no user '4294967295'" },
		{ "group: no-such-group", "there is no group 'no-such-group'" },
		{ "env_file: missing.env", "missing.env" },
		{ "env_file: $EMPTY_HERE", "'env_file' of 'web' is empty: name a file" },
		{ "cwd: '${NEEDED:?set it}'", "set it" },
		{ "out_file: '${NEEDED:?set it}'", "set it" },
		{ "error_file: '${NEEDED:?set it}'", "set it" },
		{ "env: {A: '${NEEDED:?set it}'}", "set it" },
		{ "cwd: '${NEEDED'", "'cwd' of 'web'" },
		{ "out_file: pmo.yml", "/pmo.yml' cannot be a log: pmo needs it itself" },
		{ "error_file: .pmo/pids/web.pid",
		  "/.pmo/pids/web.pid' cannot be a log: pmo needs it itself" },
	};
	setenv("EMPTY_HERE", "", 1);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct scene scene;
		struct launch launch;
		struct error err = ERROR_INIT;
		char *config CLEANUP_FREE = text_format("web: {cmd: [x], %s}\n", rows[i].keys);
		scene_open(&scene, project, config);
		assert_int_equal(launch_prepare(&launch, &scene.launcher,
						&scene.project.config.services[0], &err),
				 -1);
		check_text(err.message, rows[i].message, false, __FILE__, __LINE__);
		error_clear(&err);
		/* nobody who asks need hear why */
		assert_int_equal(launch_prepare(&launch, &scene.launcher,
						&scene.project.config.services[0], NULL),
				 -1);
		scene_close(&scene);
	}
	unsetenv("EMPTY_HERE");
}

static void test_check(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *keys;
		const char *message; /* a part of it; NULL: nothing is wrong */
	} rows[] = {
		{ "cmd: [sh]", NULL },
		{ "cmd: anything that sh may find", NULL },
		{ "cmd: [no-such-program]", "command 'no-such-program' not found" },
		{ "cmd: x, cwd: missing", "/missing': No such file or directory" },
		{ "cmd: x, cwd: file", "/file': Not a directory" },
		{ "cmd: x, out_file: missing/o.log", "missing" },
		{ "cmd: x, error_file: file/e.log", "/file" },
	};
	project_write(project, "file", "x");
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct scene scene;
		struct launch launch;
		struct error err = ERROR_INIT;
		char *config CLEANUP_FREE = text_format("web: {%s}\n", rows[i].keys);
		scene_open(&scene, project, config);
		assert_int_equal(project_prepare_state(&scene.project, &err), 0);
		prepare(&scene, "web", &launch);
		assert_int_equal(launch_check(&launch, &scene.launcher, &err),
				 rows[i].message ? -1 : 0);
		if (rows[i].message)
			check_text(err.message, rows[i].message, false, __FILE__, __LINE__);
		error_clear(&err);
		launch_release(&launch);
		scene_close(&scene);
	}
}

static void test_list_error(void **state)
{
	struct test_project *project = *state;
	struct scene scene;
	struct launch launch;
	struct error err = ERROR_INIT;
	scene_open(&scene, project, "web: {cmd: [\"${NEEDED:?set it}\"]}\n");
	assert_int_equal(launch_prepare(&launch, &scene.launcher, &scene.project.config.services[0],
					&err),
			 -1);
	check_text(err.message, "set it", false, __FILE__, __LINE__);
	error_clear(&err);
	scene_close(&scene);
}

/* execve(2) would say "Argument list too long" and no more. */
static void test_too_large(void **state)
{
	struct test_project *project = *state;
	struct scene scene;
	struct launch launch;
	struct error err = ERROR_INIT;
	char *large CLEANUP_FREE = memory_alloc(200001);
	memset(large, 'x', 200000);
	large[200000] = '\0';
	char *config CLEANUP_FREE = text_format("web: {cmd: x, env: {BIG: %s}}\n", large);
	scene_open(&scene, project, config);
	assert_int_equal(launch_prepare(&launch, &scene.launcher, &scene.project.config.services[0],
					&err),
			 -1);
	assert_string_equal(err.message,
			    "the variable 'BIG' is too long: NAME=value has 200004 bytes, and the "
			    "kernel takes at most 131071");
	error_clear(&err);
	scene_close(&scene);
}

static void test_dotenv_error(void **state)
{
	struct test_project *project = *state;
	struct project opened;
	struct launcher launcher;
	struct message_list messages = MESSAGE_LIST_INIT;
	struct error err = ERROR_INIT;
	project_write(project, "pmo.yml", "web: x\n");
	project_write(project, ".env/inside", "a directory\n");
	assert_int_equal(project_open(&opened, project_path(project, "pmo.yml"),
				      PROJECT_NEEDS_CONFIG, &messages, &err),
			 0);
	assert_int_equal(launcher_open(&launcher, &opened, &messages, &err), -1);
	check_text(err.message, ".env", false, __FILE__, __LINE__);
	error_clear(&err);
	project_close(&opened);
	message_list_release(&messages);
}

static void test_account(void **state)
{
	struct test_project *project = *state;
	struct scene scene;
	struct launch launch;
	SKIP_UNLESS_ROOT();
	setenv("HOME", "/the/callers", 1);
	project_write(project, ".env", "SHELL=/from/dotenv\n");
	scene_open(&scene, project,
		   "plain: x\n"
		   "name: {cmd: x, user: nobody}\n"
		   "number: {cmd: x, user: '65534', env: {LOGNAME: mine}}\n"
		   "group: {cmd: x, group: '4321'}\n"
		   "both: {cmd: x, user: nobody, group: daemon, cwd: $HOME}\n"
		   "unknown: {cmd: x, user: '4000000000', group: '4000000001'}\n");
	prepare(&scene, "plain", &launch);
	assert_false(launch.credentials.set);
	check_value(&launch.environment, "HOME", "/the/callers");
	launch_release(&launch);
	prepare(&scene, "name", &launch);
	assert_true(launch.credentials.set);
	assert_int_equal(launch.credentials.user, NOBODY_ID);
	assert_int_equal(launch.credentials.group, NOBODY_ID);
	assert_int_equal(launch.credentials.group_count, 1);
	assert_int_equal(launch.credentials.groups[0], NOBODY_ID);
	check_value(&launch.environment, "HOME", "/nonexistent");
	check_value(&launch.environment, "USER", "nobody");
	check_value(&launch.environment, "LOGNAME", "nobody");
	check_value(&launch.environment, "SHELL", "/from/dotenv");
	launch_release(&launch);
	prepare(&scene, "number", &launch);
	assert_int_equal(launch.credentials.user, NOBODY_ID);
	check_value(&launch.environment, "USER", "nobody");
	check_value(&launch.environment, "LOGNAME", "mine");
	launch_release(&launch);
	prepare(&scene, "group", &launch);
	assert_true(launch.credentials.set);
	assert_int_equal(launch.credentials.user, 0);
	assert_int_equal(launch.credentials.group, 4321);
	check_value(&launch.environment, "HOME", "/the/callers");
	launch_release(&launch);
	prepare(&scene, "both", &launch);
	assert_int_equal(launch.credentials.user, NOBODY_ID);
	assert_int_equal(launch.credentials.group, 1);
	assert_string_equal(launch.directory, "/nonexistent");
	launch_release(&launch);
	prepare(&scene, "unknown", &launch);
	assert_true(launch.credentials.set);
	assert_int_equal(launch.credentials.user, 4000000000U);
	assert_int_equal(launch.credentials.group, 4000000001U);
	assert_int_equal(launch.credentials.group_count, 1);
	assert_int_equal(launch.credentials.groups[0], 4000000001U);
	check_value(&launch.environment, "HOME", "/the/callers");
	launch_release(&launch);
	scene_close(&scene);
}

static void test_spec(void **state)
{
	struct test_project *project = *state;
	struct scene scene;
	struct launch launch;
	struct definition again;
	struct arena arena = ARENA_INIT;
	struct error err = ERROR_INIT;
	struct buffer spec CLEANUP_BUFFER = BUFFER_INIT;
	setenv("PLACE", "/srv/place", 1);
	scene_open(&scene, project,
		   "web:\n  cmd: [run, \"$SECRET\"]\n  cwd: $PLACE\n  out_file: o.log\n"
		   "  error_file: $PLACE/e.log\n  stop_timeout: 1.5s\n  stop_signal: RTMIN+3\n"
		   "  env: {SECRET: hunter2, OTHER: \"\"}\n");
	prepare(&scene, "web", &launch);
	launch_append_spec(&launch, &spec);
	assert_null(strstr(buffer_string(&spec), "hunter2"));
	if (config_parse_spec(buffer_string(&spec), spec.length, "web", &arena, &again, &err) < 0)
		fail_msg("%s in\n%s", err.message, buffer_string(&spec));
	assert_string_equal(again.cwd, "/srv/place");
	assert_string_equal(again.out_file, project_path(project, "o.log"));
	assert_string_equal(again.error_file, "/srv/place/e.log");
	assert_string_equal(again.command.items[1], "$SECRET");
	assert_int_equal(again.env_count, 2);
	assert_string_equal(again.env[0].name, "SECRET");
	assert_string_equal(again.env[0].value, "");
	assert_int_equal(again.stop_timeout_ns, 1500000000);
	assert_int_equal(again.stop_signal, config_find(&scene.project.config, "web")->stop_signal);
	launch_release(&launch);
	scene_close(&scene);
	arena_release(&arena);
	unsetenv("PLACE");
}

/* Put the spec of `web` as CONFIG has it on record, as a start does. */
static void record_spec(struct test_project *project, const char *config)
{
	struct scene scene;
	struct launch launch;
	struct error err = ERROR_INIT;
	struct buffer spec CLEANUP_BUFFER = BUFFER_INIT;
	scene_open(&scene, project, config);
	assert_int_equal(project_prepare_state(&scene.project, &err), 0);
	prepare(&scene, "web", &launch);
	launch_append_spec(&launch, &spec);
	assert_int_equal(state_write_spec(&scene.project.state, "web", spec.data, spec.length,
					  &err),
			 0);
	assert_int_equal(state_write_pid(&scene.project.state, "web", 4242, &err), 0);
	launch_release(&launch);
	scene_close(&scene);
}

static void test_differs(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *config;
		bool differs;
	} rows[] = {
		{ "web: {cmd: run, cwd: sub, env: {A: '1'}}\n", false },
		{ "web: {cwd: ./sub, cmd: run, env: {A: '2'}}\n", false },
		{ "other: x\nweb: {cmd: run, cwd: sub, env: {A: '1'}}\n", false },
		{ "web: {cmd: walk, cwd: sub, env: {A: '1'}}\n", true },
		{ "web: {cmd: run, cwd: sub2, env: {A: '1'}}\n", true },
		{ "web: {cmd: run, cwd: sub, env: {A: '1', B: '1'}}\n", true },
		{ "web: {cmd: run, cwd: sub, env: {A: '1'}, nice: 3}\n", true },
		/* what it would be cannot be told */
		{ "web: {cmd: run, cwd: '${GONE:?no}', env: {A: '1'}}\n", false },
	};
	record_spec(project, rows[0].config);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct scene scene;
		scene_open(&scene, project, rows[i].config);
		const struct catalog_entry *entry = catalog_find(&scene.project.catalog, "web");
		bool differs = launch_differs_from_record(&scene.launcher, entry);
		if (differs != rows[i].differs)
			fail_msg("'%s' %s", rows[i].config, differs ? "differs" : "does not");
		scene_close(&scene);
	}
	unlink(project_path(project, ".pmo/pids/web.spec"));
	struct scene scene;
	scene_open(&scene, project, rows[3].config);
	assert_false(launch_differs_from_record(&scene.launcher,
						catalog_find(&scene.project.catalog, "web")));
	scene_close(&scene);
}

static void check_log_paths(struct test_project *project, const char *config, const char *out,
			    const char *error)
{
	struct scene scene;
	struct log_paths paths;
	struct arena arena = ARENA_INIT;
	struct error err = ERROR_INIT;
	scene_open(&scene, project, config);
	const struct catalog_entry *entry = catalog_find(&scene.project.catalog, "web");
	if (service_log_paths(&scene.project, &scene.project.state, entry, &arena, &paths, &err) <
	    0)
		fail_msg("%s", err.message);
	check_path(project, paths.out, out);
	check_path(project, paths.error, error);
	assert_int_equal(paths.out == paths.error, strcmp(out, error) == 0);
	arena_release(&arena);
	scene_close(&scene);
}

/* Where it writes now counts, not where it would write after a restart. */
static void test_log_paths(void **state)
{
	struct test_project *project = *state;
	check_log_paths(project, "web: x\n", "%D/.pmo/logs/web-out.log",
			"%D/.pmo/logs/web-error.log");
	check_log_paths(project, "web: {cmd: x, merge_logs: yes}\n", "%D/.pmo/logs/web.log",
			"%D/.pmo/logs/web.log");
	check_log_paths(project, "web: {cmd: x, out_file: $HERE/o, env: {HERE: here}}\n",
			"%D/here/o", "%D/.pmo/logs/web-error.log");
	record_spec(project, "web: {cmd: x, out_file: $HERE/o, env: {HERE: here}}\n");
	check_log_paths(project, "web: {cmd: x, out_file: elsewhere}\n", "%D/here/o",
			"%D/.pmo/logs/web-error.log");
	check_log_paths(project, "other: x\n", "%D/here/o", "%D/.pmo/logs/web-error.log");
	project_write(project, ".pmo/pids/web.spec", "garbage: [\n");
	check_log_paths(project, "other: x\n", "%D/.pmo/logs/web-out.log",
			"%D/.pmo/logs/web-error.log");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_environment_order),
		PROJECT_TEST(test_python),
		PROJECT_TEST(test_python_of_user),
		PROJECT_TEST(test_directory),
		PROJECT_TEST(test_logs),
		PROJECT_TEST(test_shell_command),
		PROJECT_TEST(test_list_command),
		PROJECT_TEST(test_errors),
		PROJECT_TEST(test_check),
		PROJECT_TEST(test_list_error),
		PROJECT_TEST(test_too_large),
		PROJECT_TEST(test_dotenv_error),
		PROJECT_TEST(test_account),
		PROJECT_TEST(test_spec),
		PROJECT_TEST(test_differs),
		PROJECT_TEST(test_log_paths),
	};
	unsetenv("PYTHONUNBUFFERED");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
