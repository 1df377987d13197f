/*
 * A supervisor: one small process that is the parent of one service and of nothing else.
 *
 * It is forked, not executed, by a command that holds the service's lock (`start`, `restart`,
 * `resurrect`), has a session of its own, is a child subreaper (prctl(2)), and lives in one poll
 * loop. What it knows of the world is what the command knew when it forked; what it does is in the
 * files of model/state.h. It can be killed at any instant: the service runs on, with its record.
 *
 * The descriptor of the lock is inherited: the lock ends when both the command and the supervisor
 * have closed theirs, which the supervisor does once the first run is on record.
 */
#ifndef PMO_SERVICE_SUPERVISOR_H
#define PMO_SERVICE_SUPERVISOR_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/state.h"
#include "os/spawn.h"
#include "service/launch.h"

#include <sys/types.h>

/* What a supervisor is made for. All of it lives as long as the command, and in the supervisor's
 * copy of memory for ever. */
struct supervisor_order {
	struct project *project;
	const struct catalog_entry *entry;
	struct launch *launch;
	struct spawn_plan plan; /* of each run, but for the logs, which it opens */
	int lock;               /* held; inherited */
	/* The run to take over; with pid 0 only the mark counts, and a run is spawned. All runs of
	 * one supervisor carry the same mark: what an earlier one has left behind is known by it.
	 */
	struct identity run;
	bool listens; /* the command stays for start_watch: a run that fails in it, or cannot begin,
		       * is not tried again. False: it brings back what was up */
};

enum supervisor_news_kind {
	SUPERVISOR_LOST,    /* it has gone without a word */
	SUPERVISOR_SPAWNED, /* the service runs: `pid`, `ticks` */
	SUPERVISOR_RETRIES, /* it could not be started, `text` says why, and is tried again */
	SUPERVISOR_FAILED,  /* it could not be started: `text` says why; the supervisor ends */
	SUPERVISOR_ENDED,   /* the service has ended for good during its watch: `end` */
};

/* What it tells the command while that listens: until the end of start_watch. */
struct supervisor_news {
	enum supervisor_news_kind kind;
	pid_t pid;
	uint64_t ticks;
	struct exit_record end;
	char text[1024];
};

/* Fork a supervisor, record it (NAME.supervisor) and let it begin. SUPERVISOR->channel becomes
 * readable when there are news; the caller closes it, and reaps the supervisor if that ends while
 * the caller still lives. -1: nothing of it is left. */
int supervisor_start(const struct supervisor_order *order, struct spawned *supervisor,
		     struct error *err);

/* A supervisor wears a mark of its own where the kernel shows its environment: in the room that
 * pmo's had from the beginning. False where that is too small, or empty. */
bool supervisor_has_room_for_mark(void);

/* Run this program anew with these arguments, and with room: for the very beginning, before
 * anything is changed. Returns only if that cannot be. */
void supervisor_make_room_for_mark(char **arguments);

/* Wait for the next news on CHANNEL and take them. */
void supervisor_receive(int channel, struct supervisor_news *news);

#endif
