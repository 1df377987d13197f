/*
 * The texts inside the files under .pmo (model/state.h). Reading takes what it understands and
 * leaves the rest as it was: nothing here fails.
 */
#ifndef PMO_MODEL_STATE_TEXT_H
#define PMO_MODEL_STATE_TEXT_H

#include "base/buffer.h"
#include "model/state.h"

/* Seconds since the epoch as a decimal fraction, in nanoseconds; 0 for anything else. */
int64_t state_text_parse_time(const char *text);
void state_text_append_time(struct buffer *buffer, int64_t time_ns);

/* NAME.exit: "code 1 TIME", "signal 9 TIME" or "unknown 0 TIME", then, each on a line of its own
 * and only where there is one, "next TIME" and "reason TEXT". TEXT is cut up. */
void state_text_parse_exit(char *text, struct exit_record *exit);
void state_text_append_exit(struct buffer *buffer, const struct exit_record *exit);

/* NAME.supervisor: its pid, then its identity. False unless both name the same process. TEXT is cut
 * up. */
bool state_text_parse_supervisor(char *text, struct identity *identity);
void state_text_append_supervisor(struct buffer *buffer, const struct identity *identity);

#endif
