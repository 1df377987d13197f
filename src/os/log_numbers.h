/*
 * The names of rotated logs: PATH.1 is the newest. PATH.0 exists only while a log is rotated under
 * a running service (os/log_rotate.h): it is the newest then, and its original may not be cut yet.
 */
#ifndef PMO_OS_LOG_NUMBERS_H
#define PMO_OS_LOG_NUMBERS_H

#include "base/error.h"
#include "os/logfile_open.h"

/* "PATH.NUMBER", to be freed. */
char *log_numbered_path(const char *path, int number);

/* Make PLACE's PATH.1 free, or ready to be replaced when KEEP is 1: files move up, from the oldest
 * to the newest, into the first free number; the last is replaced when all up to KEEP are taken.
 * Returns 0; 1 when the directory allows no renaming; -1 with an error. */
int log_numbers_shift(const struct log_place *place, int keep, struct error *err);

/* Remove PATH.KEEP+1 and so on up to the first number that is missing: a lower `log_keep` than last
 * time leaves files there. */
void log_numbers_trim(const struct log_place *place, int keep);

#endif
