/*
 * What a command is. One file per command, each with one `const struct command`; cli/commands.c
 * holds the table of them. Help, usage errors and completions all come from here.
 */
#ifndef PMO_CLI_COMMAND_H
#define PMO_CLI_COMMAND_H

#include "base/error.h"
#include "base/message.h"
#include "service/project.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

/* One option of a command. A table of them ends with an element without long_name. */
struct option_spec {
	char short_name;       /* 0: none */
	const char *long_name; /* "lines" */
	const char *argument;  /* "N"; NULL for a flag */
	const char *help;      /* one line, lower case; NULL: not shown to people */
};

struct option_value {
	const struct option_spec *spec;
	const char *value; /* "" for a flag */
};

/* The parsed command line of one command. */
struct arguments {
	struct option_value *options; /* in the order given */
	size_t option_count;
	char **operands; /* what is no option; NULL-terminated */
	size_t operand_count;
	size_t operands_before_dashes; /* how many came before "--"; operand_count without one */
};

/* What is set up before run is called. */
enum command_need {
	COMMAND_NEEDS_NOTHING,
	COMMAND_NEEDS_CONFIG, /* project with a pmo.yml without errors */
	COMMAND_NEEDS_STATE,  /* project; works on from the state files when pmo.yml is broken */
};

/* What stands behind the options, for completion. */
enum command_operands { OPERANDS_NONE, OPERANDS_SERVICES, OPERANDS_COMMANDS, OPERANDS_OTHER };

struct context {
	struct project project;   /* unset with COMMAND_NEEDS_NOTHING */
	const char *file;         /* -f or PMO_FILE, NULL */
	bool color_allowed;       /* false with --no-color */
	mode_t umask;             /* as pmo was called with: services get it back */
	struct rlimit file_limit; /* RLIMIT_NOFILE as pmo was called with: services get it back */
	struct message_list messages; /* shown, and emptied, by report_messages */
};

struct command {
	const char *name;
	const char *aliases[3];
	const char *operands; /* "[-l N] SERVICE..." without the options: "SERVICE..." */
	const char *summary;  /* one line for `pmo help` */
	const char *details;  /* paragraph(s) for `pmo help COMMAND`; may be NULL */
	const struct option_spec *options; /* NULL: none */
	enum command_need need;
	enum command_operands operand_kind;
	bool operands_required;  /* without one: say what it needs, list the services, exit 2 */
	bool options_first;      /* options end at the first operand: `pmo exec web ls -l` */
	bool leaves_supervisors; /* supervisor_make_room_for_mark comes first */
	bool hidden;
	/* Returns the exit status. */
	int (*run)(struct context *context, const struct arguments *arguments);
};

/* The table: NULL-terminated, in the order of `pmo help`. */
extern const struct command *const command_table[];

/* By name or alias; NULL. */
const struct command *command_find(const char *name);

/* The last value given for a long option, "" for a flag, NULL when it was not given. */
const char *arguments_value(const struct arguments *arguments, const char *long_name);
bool arguments_has(const struct arguments *arguments, const char *long_name);

/* Values with a unit. Return 0, or -1 with ERROR_USAGE: "invalid value 'x' for --lines: ...". When
 * the option was not given *value is left alone. */
int arguments_integer(const struct arguments *arguments, const char *long_name, int64_t minimum,
		      int64_t maximum, int64_t *value, struct error *err);
int arguments_duration(const struct arguments *arguments, const char *long_name, int64_t *value,
		       struct error *err);
int arguments_signal(const struct arguments *arguments, const char *long_name, int *value,
		     struct error *err);

#endif
