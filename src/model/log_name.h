/*
 * Names of log files: when two of them mean one file.
 */
#ifndef PMO_MODEL_LOG_NAME_H
#define PMO_MODEL_LOG_NAME_H

#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>

/* PATH without its "." steps and repeated slashes: `./l` is `l`. The result is in ARENA. */
const char *log_name_plain(struct arena *arena, const char *path);

/* The directory of PATH as realpath(3) has it, or its plain form where there is none. */
const char *log_name_directory(struct arena *arena, const char *path);

/* Just behind the last slash of PATH. */
const char *log_name_base(const char *path);

/* The length of PATH without the ".N" that rotation adds, or 0 if it does not end in one. */
size_t log_name_unrotated(const char *path);

/* True if FILE, which need not exist, is the file LOG or one that rotating LOG moves or replaces.
 */
bool log_name_reaches(const char *log, const char *file);

#endif
