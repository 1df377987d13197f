/*
 * The figures of a service as people read them: one short text each. "-" is what does not apply or
 * was not measured, "?" what should be known and is not.
 */
#ifndef PMO_VIEW_FIGURE_H
#define PMO_VIEW_FIGURE_H

#include "base/buffer.h"
#include "service/snapshot.h"
#include "view/style.h"

/* The style of a state: STYLE_GOOD for running, and so on. */
enum style figure_state_style(enum service_state state);

/* True if the service ended by itself and not well: errored, or gone with nobody there to see how.
 */
bool figure_has_failed(const struct service_status *service);

/* True if any process of the service lives here, so that there is something to measure. */
bool figure_has_processes(const struct service_status *service);

enum { FIGURE_SIZE = 32 };

/* "12.3%", "-" for NAN. TEXT holds FIGURE_SIZE bytes, as for all of these. */
void figure_format_cpu(double percent, char *text);

/* "12.3mb", "-" for -1. */
void figure_format_memory(int64_t bytes, char *text);

/* "1d 2h", "-" for -1. */
void figure_format_uptime(int64_t nanoseconds, char *text);

/* "0.25s" below a minute, then "3m 4s"; "-" for NAN. */
void figure_format_cpu_time(double seconds, char *text);

/* The memory that the service holds on all devices, "?" where the driver does not say. */
void figure_format_gpu_memory(const struct service_status *service, char *text);

/* The devices: append "0,2". */
void figure_append_gpu_indexes(const struct service_status *service, struct buffer *buffer);

/* How it ended: append "exit status 3" or "signal KILL"; "exit status unknown" otherwise. */
void figure_append_exit(const struct exit_record *exit, struct buffer *buffer);

/* The same with its reason and time, where they are known: append "gave up after 16 restarts in a
 * row (exit status 3), 2026-01-31 12:00:00". */
void figure_append_end(const struct exit_record *exit, struct buffer *buffer);

/* When a service that is restarting is started again: append "next try in 3.2s", "next try now", or
 * for -1 "next try soon". */
void figure_append_next_try(int64_t nanoseconds, struct buffer *buffer);

#endif
