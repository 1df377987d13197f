/*
 * Command lines, by getopt_long(3), from the tables of option_spec.
 */
#ifndef PMO_CLI_PARSE_H
#define PMO_CLI_PARSE_H

#include "cli/command.h"

enum parse_order {
	PARSE_ANYWHERE,      /* options may stand between operands, up to "--" */
	PARSE_UP_TO_OPERAND, /* options end at the first operand; a "--" behind it is an operand */
};

/* Parse ARGV (argv[0] is the command's name) by SPECS (may be NULL). Words stay where they are, but
 * argv may be reordered. Unknown, ambiguous and incomplete options are errors that name SUBJECT and
 * suggest what was probably meant. "-h" and "--help" are always understood: they come as the option
 * "help". The caller releases *arguments. */
int parse_arguments(const char *subject, const struct option_spec *specs, enum parse_order order,
		    int argc, char **argv, struct arguments *arguments, struct error *err);
void arguments_release(struct arguments *arguments);

#endif
