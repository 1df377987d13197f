/*
 * Processes as /proc shows them: proc(5). Reading only; nothing here signals or waits.
 */
#ifndef PMO_MODEL_PROCESS_H
#define PMO_MODEL_PROCESS_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	pid_t parent;
	pid_t group;
	pid_t session;
	char state;    /* R S D T t Z X ... */
	char name[64]; /* as it named itself: make it visible (base/text.h) before showing it */
	bool kernel;   /* a kernel thread */
	int threads;
	uint64_t ticks;           /* start time in clock ticks since boot */
	uint64_t cpu_ticks;       /* user + system time of the process, clock ticks */
	uint64_t child_cpu_ticks; /* of its children that were waited for */
	int64_t read_at_ns;       /* CLOCK_MONOTONIC when it was read, 0 if parsed from text */
	int64_t resident_bytes;   /* also where the main thread has ended before the others */
	uint64_t inode;           /* of its directory in /proc, 0 if not read from a listing */
};

/* All processes at one moment, ascending by pid. Takes one descriptor (the /proc directory). */
struct process_table {
	int proc_fd;
	struct process *items;
	size_t count;
	size_t capacity;
};

#define PROCESS_TABLE_INIT                                                                         \
	{                                                                                          \
		-1, 0, 0, 0                                                                        \
	}

/* Read /proc/PID/stat. Returns 0, -ESRCH when there is no such process, or another -errno.
 * PROC_FD is a descriptor of /proc (a fixture directory in tests). */
int process_read(int proc_fd, pid_t pid, struct process *process);

/* Parse the content of a stat file. False when it is not one. */
bool process_parse_stat(const char *text, struct process *process);

/* One pass over /proc, children of kthreadd left out; opens it if table->proc_fd is -1, and may be
 * called again to refresh. Leaves out what is hidden from us (proc(5), hidepid). */
int process_table_read(struct process_table *table, struct error *err);

/* The same once more, but processes that started before OLDEST_TICKS and are still there keep what
 * the last reading said of them. A pid that was used again is told by the inode of its directory.
 */
int process_table_reread(struct process_table *table, uint64_t oldest_ticks, struct error *err);
void process_table_release(struct process_table *table);

/* The process with this pid, or NULL. */
const struct process *process_table_find(const struct process_table *table, pid_t pid);

/* False for zombies and the dead, except a zombie leader whose other threads still run. */
bool process_is_alive(const struct process *process);

/* True if the process whose pid and ticks are given is alive. Uses the table only. */
bool process_table_is_alive(const struct process_table *table, pid_t pid, uint64_t ticks);

/* A thread other than the main one that still runs, or -1. Memory and environment of a process hang
 * on such a thread once the main one has ended. */
pid_t process_find_live_thread(int proc_fd, pid_t pid);

/* The value of PMO_RUN in /proc/PID/environ: the first one, as getenv(3) finds it, of at most
 * MARK_LENGTH bytes. False when it has none, or when it cannot be read. */
bool process_read_mark(int proc_fd, pid_t pid, char mark[MARK_LENGTH + 1]);

/* Append /proc/PID/environ: entries that end with NUL. 0, or a negative errno value. */
int process_append_environment(int proc_fd, pid_t pid, struct buffer *buffer);

/* Append the command line, arguments separated by spaces, controls made visible (base/text.h);
 * "[name]" when there is none; cut after 64 KiB. */
void process_append_command(int proc_fd, const struct process *process, struct buffer *buffer);

/* The owner (effective uid). False if it is gone. */
bool process_read_owner(int proc_fd, pid_t pid, uid_t *owner);

/* Clock ticks per second, sysconf(_SC_CLK_TCK). */
int64_t process_ticks_per_second(void);

#endif
