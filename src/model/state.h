/*
 * The files under .pmo: the only source of truth, and this module their only owner.
 *
 * Every file is replaced by rename, so readers need no lock. The order of a start is .spec, .time,
 * .pid: the rename of .pid is the commit. The order of a removal is .pid first. Garbage in a file
 * reads as if the file said nothing; it never fails a command and never leads to a signal.
 */
#ifndef PMO_MODEL_STATE_H
#define PMO_MODEL_STATE_H

#include "base/error.h"
#include "base/memory.h"
#include "model/definition.h"
#include "model/identity.h"

struct state {
	char *directory;      /* ".../.pmo" or ".../.pmo/HOST", owned */
	char *logs_directory; /* owned */
	int pids_fd;          /* -1: there is no pids directory yet */
};

#define STATE_INIT                                                                                 \
	{                                                                                          \
		0, 0, -1                                                                           \
	}

enum state_access { STATE_READ, STATE_CREATE };

enum exit_kind { EXIT_UNKNOWN, EXIT_CODE, EXIT_SIGNAL };

enum { REASON_SIZE = 160 };

/* How the last run ended: pids/NAME.exit. All of it 0 where there is no such record; EXIT_UNKNOWN
 * with a time is an end that nobody could see. */
struct exit_record {
	enum exit_kind kind;
	int value;              /* exit status or signal */
	int64_t at_realtime_ns; /* 0 where unknown */
	int64_t next_try_ns;    /* realtime: when its supervisor starts it again; 0: it does not */
	char reason[REASON_SIZE]; /* why it was ended or is not started again: visible text of one
				   * line, "" where the end says it all */
};

/* The files of one service. */
enum state_file {
	STATE_FILE_PID,
	STATE_FILE_TIME,
	STATE_FILE_SPEC,
	STATE_FILE_RESTARTS,
	STATE_FILE_EXIT,
	STATE_FILE_STOP,
	STATE_FILE_SUPERVISOR,
	STATE_FILE_LOCK,
	STATE_FILE_COUNT
};

struct record {
	bool intent;    /* .pid exists: the service is meant to be up */
	bool valid;     /* .pid and .time name the same pid, by a well-formed identity */
	bool damaged;   /* neither valid nor a mere intent: somebody wrote into the files */
	int unreadable; /* errno value: a file is there that cannot be read, and so nothing is
			 * known (intent is true, valid and damaged are not); else 0 */
	enum state_file unreadable_file; /* which, if unreadable */
	bool stopping;                   /* .stop exists */
	struct identity identity;        /* meaningful if valid */
	int64_t started_at_ns;           /* realtime; 0 where unknown */
	int64_t restarts;                /* 0 where unknown */
	struct exit_record exit;
	bool supervised;            /* .supervisor exists */
	bool supervisor_valid;      /* and names a process by a well-formed identity */
	struct identity supervisor; /* meaningful if supervisor_valid; its mark means nothing */
};

/* Names of everything that has a .pid, an .exit or a .supervisor, sorted by strcmp, valid until the
 * release. */
struct state_names {
	char **items;
	size_t count;
	unsigned *files; /* of state_list: per name, a bit (1 << STATE_FILE_...) for each of .pid,
			  * .exit, .restarts, .stop and .supervisor that was there */
	struct arena arena;
};

/* Open .pmo beside DIRECTORY; HOST names the sub-directory of `per_host`, or is NULL. STATE_CREATE
 * makes what is missing (0700). STATE_READ succeeds, with pids_fd -1, when nothing is there. */
int state_open(struct state *state, const char *directory, const char *host,
	       enum state_access access, struct error *err);
void state_close(struct state *state);

/* Close the directory for a while, and open it again: a process that lives long keeps no directory
 * busy. -1 with errno if it cannot be opened (any more). */
void state_suspend(struct state *state);
int state_resume(struct state *state);

/* True if DIRECTORY holds .pmo/pids or .pmo/HOST/pids. */
bool state_exists(const char *directory, const char *host);

/* The hosts that have a directory under DIRECTORY/.pmo, sorted. */
int state_list_hosts(const char *directory, struct state_names *hosts, struct error *err);

/* Names of everything recorded; the caller releases *names, which is empty after a failure. */
int state_list(const struct state *state, struct state_names *names, struct error *err);
void state_names_release(struct state_names *names);

/* Read the record of NAME; a .pid and .time that do not fit are read once more. */
void state_read(const struct state *state, const char *name, struct record *record);

/* The same, for a service of which state_list has just seen these FILES: the others are not looked
 * for. */
void state_read_listed(const struct state *state, const char *name, unsigned files,
		       struct record *record);

/* The same for what .pid and .time tell alone: from `intent` to `damaged`, and when it started. The
 * rest is as if there were no such files. */
void state_read_identity(const struct state *state, const char *name, struct record *record);

/* Add to RECORD what .supervisor tells. One that cannot be read makes the whole record unreadable.
 */
void state_read_supervisor(const struct state *state, const char *name, struct record *record);

/* 0, or -1 with an error that names the file if RECORD is unreadable. */
int state_require_readable(const struct state *state, const char *name, const struct record *record,
			   struct error *err);

/* When a file was last written (nanoseconds since the epoch), 0 where there is none. */
int64_t state_file_time(const struct state *state, const char *name, enum state_file file);

/* Read NAME.spec. *definition lives in ARENA. -1 if there is none, or not a whole one. */
int state_read_spec(const struct state *state, const char *name, struct arena *arena,
		    struct definition *definition, struct error *err);

/* Append the text of NAME.spec. -1 if it cannot be read. */
int state_read_spec_text(const struct state *state, const char *name, struct buffer *buffer);

/* Writers. Each replaces one file; on failure nothing has changed. What root makes in the directory
 * of another user (also locks and directories) belongs to that user, who could not read it else. */
int state_write_spec(const struct state *state, const char *name, const char *text, size_t length,
		     struct error *err);
int state_write_identity(const struct state *state, const char *name,
			 const struct identity *identity, int64_t started_at_ns, struct error *err);
int state_write_pid(const struct state *state, const char *name, pid_t pid, struct error *err);
/* An empty .pid: meant to be up, but not running. */
int state_write_intent(const struct state *state, const char *name, struct error *err);
int state_write_exit(const struct state *state, const char *name, const struct exit_record *exit,
		     struct error *err);
int state_write_restarts(const struct state *state, const char *name, int64_t restarts,
			 struct error *err);
/* IDENTITY is that of the supervisor, not of the service. */
int state_write_supervisor(const struct state *state, const char *name,
			   const struct identity *identity, struct error *err);
int state_write_stop(const struct state *state, const char *name, struct error *err);

/* Remove one file; that it is not there is success. */
int state_remove(const struct state *state, const char *name, enum state_file file,
		 struct error *err);

/* Remove what writers of NAME that were killed have left unfinished. The caller holds the lock, and
 * nobody else writes. */
void state_remove_unfinished(const struct state *state, const char *name);

/* Open (and with STATE_CREATE make) NAME.lock for flock(2); close-on-exec. Returns the descriptor,
 * -1 with an error. On a read-only file system it is opened for reading. */
int state_open_lock(const struct state *state, const char *name, struct error *err);

/* The log files that a service has when pmo.yml names none: NAME-out.log, NAME-error.log, or
 * NAME.log with merge_logs. */
enum state_log { STATE_LOG_OUT, STATE_LOG_ERROR, STATE_LOG_MERGED };
char *state_log_path(const struct state *state, const char *name, enum state_log log);

#endif
