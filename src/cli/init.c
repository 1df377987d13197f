#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "model/dotenv.h"
#include "model/name.h"
#include "view/style.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* What foreman gives its first process as PORT, and how far the next one's is from it. */
enum { FOREMAN_PORT = 5000, FOREMAN_PORT_STEP = 100 };

/* Nobody types more than this. */
enum { PROCFILE_LIMIT = 1 << 20 };

static const char header[] =
    "# The services of this project. pmo.yml(5) explains every key;\n"
    "# `pmo config` shows what pmo made of this file, `pmo dry-run` what it would run.\n"
    "\n";

static const char example[] =
    "# The short form is `name: command`; the command is run by /bin/sh.\n"
    "hello: while true; do date; sleep 5; done\n"
    "\n"
    "# The long form. Take the `#` away and fill in your own.\n"
    "#web:\n"
    "#  cmd: python3 -m http.server $PORT\n"
    "#  cwd: public                 # from the directory of this file\n"
    "#  env:                        # comes after .env, which is read by itself\n"
    "#    PORT: 8000\n"
    "#  namespace: front            # `pmo restart @front`\n"
    "#  stop_signal: INT            # default TERM\n"
    "#  stop_timeout: 10s           # then KILL; default 5s\n";

static const char footer[] = "\n"
			     "# Settings for every service, unless it says otherwise:\n"
			     "#pmo:\n"
			     "#  defaults:\n"
			     "#    stop_timeout: 10s\n";

struct procfile {
	struct buffer yaml;
	const char *names[256]; /* in the arena */
	size_t count;
	int64_t base_port;
	struct arena arena;
};

/* What .env says for PORT, where foreman begins to count. */
static int64_t read_base_port(void)
{
	struct environment added = ENVIRONMENT_INIT;
	int64_t port = FOREMAN_PORT;
	if (dotenv_load(".env", ".env", NULL, &added, NULL, NULL) == 0) {
		const char *text = environment_get(&added, "PORT");
		if (text && !units_parse_integer(text, 1, UINT16_MAX, &port))
			port = FOREMAN_PORT;
	}
	environment_release(&added);
	return port;
}

/* A YAML scalar in single quotes takes every printable character as it is. */
static void append_quoted(struct buffer *yaml, const char *text)
{
	buffer_append_char(yaml, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buffer_append_char(yaml, '\'');
		buffer_append_char(yaml, *text);
	}
	buffer_append_char(yaml, '\'');
}

/* Why a Procfile's entry cannot become a service, or NULL. */
static const char *entry_problem(const struct procfile *procfile, const char *name,
				 const char *command)
{
	if (!*command)
		return "it has no command";
	if (!text_is_utf8(command, strlen(command)))
		return "its command is not UTF-8";
	for (const char *at = command; *at; at++)
		if (iscntrl((unsigned char)*at) && *at != '\t')
			return "its command has control characters";
	for (size_t i = 0; i < procfile->count; i++)
		if (strcmp(procfile->names[i], name) == 0)
			return "there is one of this name already";
	if (procfile->count == ARRAY_LENGTH(procfile->names))
		return "there are too many";
	return name_problem(name, strlen(name));
}

static void add_entry(struct procfile *procfile, const char *name, const char *command)
{
	int64_t port = procfile->base_port + (int64_t)procfile->count * FOREMAN_PORT_STEP;
	procfile->names[procfile->count++] = name;
	buffer_printf(&procfile->yaml, "%s:\n  cmd: ", name);
	append_quoted(&procfile->yaml, command);
	buffer_printf(&procfile->yaml, "\n  env:\n    PORT: %" PRId64 "\n\n", port);
}

/* Blank lines, and what everybody takes for a comment. */
static bool says_nothing(const char *line, size_t length)
{
	while (length > 0 && isspace((unsigned char)*line)) {
		line++;
		length--;
	}
	return length == 0 || *line == '#';
}

/* foreman's own rule for a line: letters, digits, '_' and '-', a colon, blanks, the command. */
static void read_line(struct procfile *procfile, const char *line, size_t length, size_t number)
{
	size_t name_length = 0;
	while (name_length < length && (isalnum((unsigned char)line[name_length]) ||
					line[name_length] == '_' || line[name_length] == '-'))
		name_length++;
	if (says_nothing(line, length))
		return;
	if (name_length == 0 || name_length == length || line[name_length] != ':') {
		report_line("warning: Procfile:%zu: the line is left out: it is not "
			    "'NAME: COMMAND', NAME of letters, digits, '_' and '-'",
			    number);
		return;
	}
	size_t begin = name_length + 1;
	while (begin < length && isspace((unsigned char)line[begin]))
		begin++;
	while (length > begin && isspace((unsigned char)line[length - 1]))
		length--;
	const char *name = arena_strndup(&procfile->arena, line, name_length);
	const char *command = arena_strndup(&procfile->arena, line + begin, length - begin);
	const char *problem = entry_problem(procfile, name, command);
	if (problem)
		report_line("warning: Procfile:%zu: '%s' is left out: %s", number, name, problem);
	else
		add_entry(procfile, name, command);
}

/* Read Procfile, if there is one, into YAML. */
static int procfile_read(struct procfile *procfile, struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int result = file_read(AT_FDCWD, "Procfile", PROCFILE_LIMIT, &text);
	if (result == -ENOENT)
		return 0;
	if (result < 0)
		return error_set_errno(err, ERROR_FAILED, -result, "cannot read 'Procfile'");
	procfile->base_port = read_base_port();
	const char *at = buffer_string(&text);
	const char *end = at + text.length;
	for (size_t number = 1; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		read_line(procfile, at, (size_t)(stop - at), number);
		at = stop + 1;
	}
	return 0;
}

/* O_EXCL: what somebody else made in this moment is not overwritten either. */
static int write_new(const char *path, const struct buffer *text, struct error *err)
{
	int fd CLEANUP_CLOSE = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, ERROR_FAILED,
				 "'%s' exists already (edit it, or remove it first)", path);
	if (fd < 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot write '%s'", path);
	int result = file_write_all(fd, text->data, text->length);
	if (result == 0)
		return 0;
	(void)unlink(path);
	return error_set_errno(err, ERROR_FAILED, -result, "cannot write '%s'", path);
}

static int tell_next_steps(const char *path, size_t converted, struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	buffer_append_string(&text, "wrote ");
	text_append_visible(&text, path, strlen(path));
	if (converted)
		buffer_printf(&text, " with %zu service%s from Procfile", converted,
			      converted == 1 ? "" : "s");
	buffer_append_string(&text, "\n\n"
				    "next:\n"
				    "  pmo dry-run      look at what would run\n"
				    "  pmo start all    start it\n"
				    "  pmo ls           see it run\n"
				    "  pmo logs         read what it prints\n");
	if (access(".git", F_OK) == 0)
		buffer_append_string(&text,
				     "\n.pmo/ holds state and logs: it belongs into .gitignore.\n");
	return output_write(&text, err);
}

static int run_init(struct context *context, const struct arguments *arguments)
{
	(void)arguments;
	const char *path = context->file ? context->file : "pmo.yml";
	struct error err = ERROR_INIT;
	struct procfile procfile = { .base_port = FOREMAN_PORT };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int result = procfile_read(&procfile, &err);
	if (result == 0) {
		buffer_append_string(&text, header);
		buffer_append_string(&text,
				     procfile.count ? buffer_string(&procfile.yaml) : example);
		buffer_append_string(&text, procfile.count ? footer + 1 : footer);
		result = write_new(path, &text, &err);
	}
	if (result == 0)
		result = tell_next_steps(path, procfile.count, &err);
	buffer_release(&procfile.yaml);
	arena_release(&procfile.arena);
	return result < 0 ? report_error(&err) : 0;
}

const struct command command_init = {
	.name = "init",
	.operands = "",
	.summary = "write a first pmo.yml, from a Procfile if there is one",
	.details = "It is written into the current directory and never over a file that exists.\n"
		   "Services that come from a Procfile get the PORT that foreman would give them.",
	.need = COMMAND_NEEDS_NOTHING,
	.operand_kind = OPERANDS_NONE,
	.run = run_init,
};
