/*
 * The recipes of pmo.yml(5) for `on_fail`, word for word as the manual has them: a web hook, to a
 * server that listens, and a mail, to a program in the place of sendmail.
 */
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a manual shows as TEXT, without the escapes of mdoc(7). To be freed. */
static char *unescape(const char *text, size_t length)
{
	char *plain = malloc(length + 1);
	size_t used = 0;
	assert_non_null(plain);
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\\') {
			plain[used++] = text[i];
			continue;
		}
		i++;
		assert_true(i < length && strchr("e&-", text[i]));
		if (text[i] != '&')
			plain[used++] = text[i] == 'e' ? '\\' : '-';
	}
	plain[used] = '\0';
	return plain;
}

/* The example of pmo.yml(5) behind the words INTRODUCTION, to be freed. */
static char *read_example(const char *introduction)
{
	static const char begin[] = ".Bd -literal -offset indent\n";
	char *manual = read_file(PMO_MANUALS "/pmo.yml.5", NULL);
	assert_non_null(manual);
	char *place = strstr(manual, introduction);
	assert_non_null(place);
	place = strstr(place, begin);
	assert_non_null(place);
	place += strlen(begin);
	char *end = strstr(place, ".Ed\n");
	assert_non_null(end);
	char *example = unescape(place, (size_t)(end - place));
	free(manual);
	return example;
}

/* TEXT, which is freed, with NEW in the place of OLD, which it must have. */
static char *replace(char *text, const char *old, const char *new)
{
	char *place = strstr(text, old);
	assert_non_null(place);
	char *result = text_format("%.*s%s%s", (int)(place - text), text, new, place + strlen(old));
	free(text);
	return result;
}

/* A pmo.yml with the example for a service NAME (as YAML) that does ACTIONS. */
static void write_project(struct test_project *project, const char *introduction, const char *name,
			  const char *actions, const char *sendmail)
{
	char *key = text_format("%s:", name);
	char *command = text_format("%s %s", ACTOR, actions);
	char *text = read_example(introduction);
	assert_int_equal(strncmp(text, "api:", 4), 0);
	text = replace(text, "api:", key);
	text = replace(text, "./api", command);
	text = replace(text, "restart: on-failure", "restart: no");
	if (sendmail)
		text = replace(text, "/usr/sbin/sendmail", sendmail);
	project_write(project, "pmo.yml", "%s", text);
	free(text);
	free(command);
	free(key);
}

/* Answers one POST, whose body and type it leaves in the directory. */
static const char server[] = "import http.server, os\n"
			     "class Handler(http.server.BaseHTTPRequestHandler):\n"
			     "    def do_POST(self):\n"
			     "        body = self.rfile.read(int(self.headers['Content-Length']))\n"
			     "        open('type', 'w').write(self.headers['Content-Type'])\n"
			     "        open('body.new', 'wb').write(body)\n"
			     "        os.rename('body.new', 'body')\n"
			     "        self.send_response(204)\n"
			     "        self.end_headers()\n"
			     "    def log_message(self, *arguments):\n"
			     "        pass\n"
			     "server = http.server.HTTPServer(('127.0.0.1', 0), Handler)\n"
			     "open('port.new', 'w').write(str(server.server_port))\n"
			     "os.rename('port.new', 'port')\n"
			     "server.serve_forever()\n";

static bool has_program(struct test_project *project, const char *name)
{
	struct run run;
	char *command = text_format("command -v %s", name);
	const struct run_options shell = { .program = "/bin/sh" };
	run_pmo_with(project, &run, &shell, "-c", command, NULL);
	bool found = run.status == 0;
	run_release(&run);
	free(command);
	return found;
}

static pid_t start_server(struct test_project *project)
{
	project_write(project, "server.py", "%s", server);
	char *command = text_format("cd '%s' && exec python3 server.py", project->directory);
	pid_t pid = child_start("/bin/sh", "-c", command, NULL);
	free(command);
	WAIT_FOR(project_exists(project, "port"));
	char *port = project_read(project, "port");
	project_write(project, ".env", "ALERT_URL=http://127.0.0.1:%s/alert\n", port);
	free(port);
	return pid;
}

/* The body of the next POST, to be freed. */
static char *receive(struct test_project *project)
{
	WAIT_FOR(project_exists(project, "body"));
	char *body = project_read(project, "body");
	assert_int_equal(unlink(project_path(project, "body")), 0);
	return body;
}

static void test_web_hook(void **state)
{
	static const char introduction[] = "\nPost to a web hook";
	struct test_project *project = *state;
	char *text;

	if (!has_program(project, "python3") || !has_program(project, "curl"))
		SKIP("needs python3 and curl");
	pid_t pid = start_server(project);
	write_project(project, introduction, "api", "exit 7", NULL);
	pmo_status(project, 1, "start", "api");
	text = receive(project);
	assert_text(text, "{\"service\": \"api\", \"exit_code\": 7, \"exit_signal\": \"\"}");
	free(text);
	text = project_read(project, "type");
	assert_text(text, "application/json");
	free(text);

	/* a name that would break out of its quotes, and a signal */
	write_project(project, introduction, "'a \"b\" \\ c\xc3\xa9 $(id)'", "die KILL", NULL);
	pmo_status(project, 1, "start", "all");
	text = receive(project);
	assert_json(text, "service", "a \"b\" \\ c\xc3\xa9 $(id)");
	assert_json(text, "exit_code", "null");
	assert_json(text, "exit_signal", "KILL");
	free(text);
	child_stop(pid);
	WAIT_FOR(project_processes(project, NULL, 0) == 0);
}

static void test_mail(void **state)
{
	struct test_project *project = *state;
	const char *path = project_path(project, "bin");
	char *sendmail = text_format("'%s/sendmail'", path);
	/* the recipe finds pmo in PATH */
	char *variable = text_format("PATH=%s:%s", path, getenv("PATH"));
	const char *const environment[] = { variable, NULL };
	const struct run_options options = { .environment = environment };
	struct run run;
	char *text;

	project_write(project, "bin/sendmail",
		      "#!/bin/sh\necho \"$@\" >mail.new\n"
		      "cat >>mail.new\nmv mail.new mail\n");
	assert_int_equal(chmod(project_path(project, "bin/sendmail"), 0755), 0);
	assert_int_equal(symlink(pmo_binary(), project_path(project, "bin/pmo")), 0);
	write_project(project, "\nSend a mail", "api", "print err woe exit 7", sendmail);
	run_pmo_with(project, &run, &options, "start", "api", NULL);
	assert_int_equal(run.status, 1);
	run_release(&run);
	WAIT_FOR(project_exists(project, "mail"));
	text = project_read(project, "mail");
	assert_text(text, "-t\n"
			  "To: ops@example.org\n"
			  "Subject: api is down\n"
			  "Content-Type: text/plain; charset=UTF-8\n"
			  "\n"
			  "exit status: 7\n"
			  "signal: none\n"
			  "\n"
			  "%ANYapi ! woe\n%ANY");
	free(text);
	free(variable);
	free(sendmail);
	WAIT_FOR(project_processes(project, NULL, 0) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_web_hook),
		PROJECT_TEST(test_mail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
