/*
 * A service as JSON: what `pmo ls --json` prints for each, and `pmo status --json` begins with.
 *
 * All fields are always there, in this order; what is not known, or does not apply, is null.
 *
 *	id              number: position in `pmo ls`, from 1; null while pmo.yml cannot be read
 *	name            string
 *	namespace       string; null where neither pmo.yml nor the record tells
 *	status          "stopped" "starting" "running" "restarting" "stopping" "exited" "errored"
 *	                "elsewhere" "unknown"
 *	health          null: there are no health checks in this version
 *	pid             number: the leader, while it lives
 *	supervisor_pid  number: the supervisor, while it lives
 *	supervisor      string: "alive", "missing" where it has gone; null where none is wanted
 *	uptime_seconds  number, to the millisecond, while the leader lives
 *	started_at      string: RFC 3339, UTC, of the last start that is on record
 *	restarts        number
 *	cpu_percent     number: of all processes together, 100 is one CPU; null with --sample 0
 *	memory_bytes    number: resident, of all processes together
 *	memory_peak_bytes number: the sum of what each of them had resident at its most
 *	cpu_seconds     number: that they, and those they waited for, have used since their start
 *	processes       number: how many live; null with status "elsewhere", "unknown"
 *	ports           array of numbers: empty in this version
 *	gpus            array of {index, uuid, memory_bytes} by index, each member null where
 *	                nvidia-smi does not say; null where it gave no answer at all
 *	user            string: owner of the leader
 *	exit_code       number: status of the last end on record, null when a signal ended it
 *	exit_signal     number: the signal that did
 *	exited_at       string: RFC 3339, UTC, when that was
 *	exit_reason     string: why it was ended, or is not started again; null where the end says
 *	                it all
 *	next_try_at     string: RFC 3339, UTC, with status "restarting": when it is started again
 *	configured      boolean: pmo.yml names the service; null while pmo.yml cannot be read
 *	command         string: of what runs, else as pmo.yml has it
 *	cwd             string: absolute path
 *	log_out         string: absolute path
 *	log_error       string: absolute path, that of log_out for merged logs
 *	host            string: the host on record, where there is a record
 */
#ifndef PMO_VIEW_SERVICE_JSON_H
#define PMO_VIEW_SERVICE_JSON_H

#include "service/snapshot.h"
#include "view/json.h"

/* Append these fields to the object that is open. CATALOG is the one the service was selected
 * from. */
void service_json_append(struct json *json, const struct service_status *service,
			 const struct catalog *catalog);

/* Values that may be unknown: a negative number, a time of 0, a NAN are null. */
void service_json_count(struct json *json, const char *key, int64_t number);
void service_json_time(struct json *json, const char *key, int64_t realtime_ns);
void service_json_text(struct json *json, const char *key, const char *text);

#endif
