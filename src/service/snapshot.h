/*
 * The truth about all services of a project at one moment: what `ls` and `status` show.
 */
#ifndef PMO_SERVICE_SNAPSHOT_H
#define PMO_SERVICE_SNAPSHOT_H

#include "base/message.h"
#include "model/catalog.h"
#include "model/identity.h"
#include "model/process.h"
#include "os/gpu.h"
#include "service/project.h"

enum service_state {
	SERVICE_STOPPED,  /* on purpose, or never started */
	SERVICE_STARTING, /* alive, not ready yet */
	SERVICE_RUNNING,
	SERVICE_RESTARTING, /* gone, and its supervisor is about to start it again */
	SERVICE_STOPPING,
	SERVICE_EXITED,    /* ended by itself: status 0 or unknown */
	SERVICE_ERRORED,   /* ended by itself with an error, or given up */
	SERVICE_ELSEWHERE, /* recorded by another host or pid namespace */
	SERVICE_UNKNOWN,   /* there is a record, but it cannot be read */
	SERVICE_STATE_COUNT
};

/* Whether a service has a supervisor. */
enum supervision {
	SUPERVISION_NONE, /* it needs none, has ended, or its record is from elsewhere */
	SUPERVISION_ALIVE,
	SUPERVISION_MISSING, /* it is meant to be up and to have one, which is gone */
};

/* "running" and so on. */
const char *service_state_name(enum service_state state);

/* One process of a service. */
struct member {
	const struct process *process;
	int depth;          /* in the process tree: 0 for the leader and for detached ones */
	double cpu_percent; /* NAN where unknown */
	const char *command;
};

struct gpu_total {
	int index; /* -1 where unknown */
	const char *uuid;
	int64_t memory_bytes; /* -1 where unknown */
};

struct service_status {
	const struct catalog_entry *entry; /* id, name, configured, definition (may be NULL) */
	enum service_state state;
	struct record record;
	pid_t pid; /* 0 unless the leader lives */
	enum supervision supervision;
	pid_t supervisor_pid;   /* 0 unless it lives */
	int64_t next_try_in_ns; /* while SERVICE_RESTARTING: 0 when it is due; -1 where unknown */
	int64_t uptime_ns;      /* -1 where unknown or not running */
	double cpu_percent;     /* of the whole tree; NAN where unknown */
	int64_t memory_bytes;   /* of the whole tree, resident; -1 where unknown */
	int64_t memory_peak_bytes; /* the sum of what each living process had resident at its most;
				    * -1 where unknown, as with SNAPSHOT_LIST */
	double cpu_seconds;        /* that the living processes and those that they waited for have
				    * used; NAN where unknown, as with SNAPSHOT_LIST */
	struct member *members;    /* in tree order, with SNAPSHOT_STATUS; else NULL */
	size_t member_count;       /* always */
	struct gpu_total *gpus;    /* by index */
	size_t gpu_count;
	bool gpu_known;      /* false: nvidia-smi failed, show '?' */
	const char *user;    /* owner of the leader; NULL where unknown */
	const char *command; /* as definition_append_command, of what runs; NULL where unknown */
	const char *cwd;     /* absolute; NULL where unknown */
	const char *log_out; /* absolute; the same text twice for merged logs; NULL where unknown */
	const char *log_error;
	bool changed; /* runs with another definition than pmo.yml has now */
};

struct snapshot {
	struct service_status *services; /* in the order of the selection */
	size_t count;
	int64_t taken_at_ns; /* realtime */
	struct process_table processes;
	struct gpu_report gpus;
	struct arena arena;
};

#define SNAPSHOT_INIT                                                                              \
	{                                                                                          \
		.processes = PROCESS_TABLE_INIT                                                    \
	}

enum snapshot_detail {
	SNAPSHOT_LIST,   /* what a row of `ls` needs: no command, cwd, logs, members */
	SNAPSHOT_RECORD, /* also command, cwd and logs, which NAME.spec tells, and what was used
			  * since the start: `ls --json` */
	SNAPSHOT_STATUS, /* also every member */
};

/* Look at the selected services. WINDOW_NS is the time CPU use is measured over, for all services
 * together; 0 does not measure it. GPU warnings go to MESSAGES. */
int snapshot_take(struct snapshot *snapshot, const struct project *project,
		  const struct selection *selection, enum snapshot_detail detail, int64_t window_ns,
		  struct message_list *messages, struct error *err);
void snapshot_release(struct snapshot *snapshot);

#endif
