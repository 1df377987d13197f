/* view/launch_view: lines that sh runs, and values that it hides. */
#include "support/support.h"

#include "base/memory.h"
#include "view/launch_view.h"

#include <stdlib.h>
#include <string.h>

static const struct output pipe_output = { .utf8 = true };
static const struct output terminal = { .terminal = true, .utf8 = true, .columns = 20 };

/* A launch by hand: the sources of its environment, each "NAME=value". */
struct scene {
	struct definition definition;
	struct launcher launcher;
	struct launch launch;
};

static void set_all(struct environment *environment, const char *const *entries)
{
	for (; entries && *entries; entries++) {
		char *name CLEANUP_FREE = memory_strdup(*entries);
		char *equals = strchr(name, '=');
		*equals = '\0';
		environment_set(environment, name, equals + 1);
	}
}

static void scene_open(struct scene *scene, const char *const *arguments, const char *const *dotenv,
		       const char *const *file, const char *const *config)
{
	*scene = (struct scene){
		.definition = { .name = "web", .umask = -1, .shell_command = "run" },
	};
	scene->launch.definition = &scene->definition;
	scene->launch.arguments = (char **)arguments; /* only read */
	scene->launch.directory = "/srv/my web";
	set_all(&scene->launcher.dotenv, dotenv);
	set_all(&scene->launch.file_added, file);
	set_all(&scene->launch.config_added, config);
	set_all(&scene->launch.environment, dotenv);
	set_all(&scene->launch.environment, file);
	set_all(&scene->launch.environment, config);
}

static void scene_close(struct scene *scene)
{
	environment_release(&scene->launcher.dotenv);
	environment_release(&scene->launch.file_added);
	environment_release(&scene->launch.config_added);
	environment_release(&scene->launch.environment);
}

static void assert_view(struct scene *scene, enum launch_secrets secrets,
			const struct output *output, size_t hidden, const char *expected)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	size_t count = launch_view_append(&scene->launch, &scene->launcher, secrets, output, &text);
	assert_string_equal(buffer_string(&text), expected);
	assert_int_equal(count, hidden);
}

static const char *const shell_arguments[] = { "/bin/sh", "-c", "echo \"it's $PORT\"", NULL };

static void test_no_variables(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, shell_arguments, NULL, NULL, NULL);
	assert_view(&scene, LAUNCH_SECRETS_HIDDEN, &pipe_output, 0,
		    "# web\ncd '/srv/my web' && /bin/sh -c 'echo \"it'\\''s $PORT\"'\n");
	scene_close(&scene);
}

static void test_secrets(void **state)
{
	static const char *const dotenv[] = { "TOKEN=t0ps3cret", "PORT=1", "EMPTY=", NULL };
	static const char *const file[] = { "TOKEN=other", "PASSWORD=hunter2", NULL };
	static const char *const config[] = { "PORT=8000", "URL=http://u:hunter2@h",
					      "PLAIN=hunter2", "HOME_OF=/home/x", NULL };
	static struct variable written[] = { { "PORT", "8000" },
					     { "URL", "http://u:$PASSWORD@h" },
					     { "PLAIN", "hunter2" },
					     { "HOME_OF", "$HOME" } };
	struct scene scene;
	(void)state;
	scene_open(&scene, shell_arguments, dotenv, file, config);
	scene.definition.env = written;
	scene.definition.env_count = ARRAY_LENGTH(written);
	assert_view(&scene, LAUNCH_SECRETS_HIDDEN, &pipe_output, 4,
		    "# web\n"
		    "cd '/srv/my web' && env TOKEN='****' PORT=8000 EMPTY='****' PASSWORD='****' "
		    "URL='****' PLAIN=hunter2 HOME_OF=/home/x /bin/sh -c 'echo \"it'\\''s "
		    "$PORT\"'\n");
	assert_view(&scene, LAUNCH_SECRETS_SHOWN, &pipe_output, 0,
		    "# web\n"
		    "cd '/srv/my web' && env TOKEN=other PORT=8000 EMPTY='' PASSWORD=hunter2 "
		    "URL=http://u:hunter2@h PLAIN=hunter2 HOME_OF=/home/x /bin/sh -c 'echo "
		    "\"it'\\''s $PORT\"'\n");
	scene_close(&scene);
}

static void test_secret_arguments(void **state)
{
	static const char *const dotenv[] = { "PASSWORD=hunter2", NULL };
	static const char *const arguments[] = { "server", "--key", "k:hunter2", "hunter2", NULL };
	static const char *written[] = { "server", "--key", "k:$PASSWORD", "hunter2" };
	struct scene scene;
	(void)state;
	scene_open(&scene, arguments, dotenv, NULL, NULL);
	scene.definition.shell_command = NULL;
	scene.definition.command = (struct string_list){ written, 4 };
	assert_view(&scene, LAUNCH_SECRETS_HIDDEN, &pipe_output, 2,
		    "# web\ncd '/srv/my web' && env PASSWORD='****' server --key '****' hunter2\n");
	scene_close(&scene);
}

static void test_properties(void **state)
{
	static struct limit limits[] = { { .name = "nofile" } };
	struct scene scene;
	(void)state;
	scene_open(&scene, shell_arguments, NULL, NULL, NULL);
	scene.launch.directory = "/srv";
	scene.definition.user = "www";
	scene.definition.group = "web";
	scene.definition.umask = 022;
	scene.definition.has_nice = true;
	scene.definition.nice = -5;
	scene.definition.limits = limits;
	scene.definition.limit_count = 1;
	assert_view(&scene, LAUNCH_SECRETS_HIDDEN, &pipe_output, 0,
		    "# web: user www, group web, umask 022, nice -5, limit nofile\n"
		    "cd /srv && /bin/sh -c 'echo \"it'\\''s $PORT\"'\n");
	scene_close(&scene);
}

static void test_terminal(void **state)
{
	static const char *const arguments[] = { "/bin/sh", "-c", "one\ntwo \033[2J", NULL };
	struct scene scene;
	(void)state;
	scene_open(&scene, arguments, NULL, NULL, NULL);
	scene.launch.directory = "/srv";
	assert_view(&scene, LAUNCH_SECRETS_HIDDEN, &terminal, 0,
		    "# web\ncd /srv && /bin/sh -c 'one\ntwo \\x1b[2J'\n");
	assert_view(&scene, LAUNCH_SECRETS_HIDDEN, &pipe_output, 0,
		    "# web\ncd /srv && /bin/sh -c 'one\ntwo \033[2J'\n");
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_variables),     cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_secret_arguments), cmocka_unit_test(test_properties),
		cmocka_unit_test(test_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
