/*
 * What a process has used of memory: /proc/PID/status, proc(5). Dearer to read than stat, which
 * model/process.h reads.
 */
#ifndef PMO_MODEL_PROCESS_MEMORY_H
#define PMO_MODEL_PROCESS_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/* The most that has ever been resident of it (VmHWM), in bytes; -1 where the kernel does not say: a
 * kernel thread, a zombie, a process that has gone. PROC_FD is a descriptor of /proc. */
int64_t process_read_peak_memory(int proc_fd, pid_t pid);

#endif
