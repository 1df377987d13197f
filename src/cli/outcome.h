/*
 * What became of a service, in words: results on standard output, failures on standard error.
 */
#ifndef PMO_CLI_OUTCOME_H
#define PMO_CLI_OUTCOME_H

#include "base/buffer.h"
#include "cli/command.h"
#include "service/start.h"
#include "service/stop.h"

/* Append "VERB web (pid 12)" or the like to TEXT, or print why it failed, with the last lines the
 * service wrote. Returns 0 or 1, for the exit status. */
int outcome_append_start(const struct context *context, const struct start_result *result,
			 const char *verb, struct buffer *text);

/* The same for a stop; VERB is "stopped" or "deleted". */
int outcome_append_stop(const struct stop_result *result, const char *verb, struct buffer *text);

/* stop_options.progress: names on a terminal who is still waited for. CONTEXT is unused. */
void outcome_progress(void *context, const struct stop_result *const *waiting, size_t count);

/* Take the progress line away again. */
void outcome_progress_end(void);

#endif
