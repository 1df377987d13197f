#include "model/process.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The flag of kernel threads among the kernel's flags, field 9 of stat. */
enum { FLAG_KERNEL_THREAD = 0x00200000 };

/* Fields 3 to 24 of stat(5), counted from the one after the name. */
enum stat_field {
	FIELD_STATE,
	FIELD_PARENT,
	FIELD_GROUP,
	FIELD_SESSION,
	FIELD_FLAGS = 6,
	FIELD_USER_TICKS = 11,
	FIELD_SYSTEM_TICKS,
	FIELD_CHILD_USER_TICKS,
	FIELD_CHILD_SYSTEM_TICKS,
	FIELD_THREADS = 17,
	FIELD_START = 19,
	FIELD_RESIDENT = 21,
	FIELD_COUNT,
};

/* A stat line up to field 24 at least: a name of 64 bytes, escaped, and numbers of 20 digits. */
enum { STAT_SIZE = 1024 };

/* Paths below /proc: "PID/task/TID/stat". */
enum { PATH_SIZE = 64 };

int64_t process_ticks_per_second(void)
{
	long ticks = sysconf(_SC_CLK_TCK);
	return ticks > 0 ? ticks : 100;
}

/* Numbers FIELD_PARENT to FIELD_RESIDENT; negative ones (of tpgid, priority, nice) keep their
 * magnitude, nobody reads them. */
static bool parse_numbers(const char *cursor, uint64_t numbers[FIELD_COUNT])
{
	for (int field = FIELD_PARENT; field < FIELD_COUNT; field++) {
		if (*cursor++ != ' ')
			return false;
		if (*cursor == '-')
			cursor++;
		if (*cursor < '0' || *cursor > '9')
			return false;
		uint64_t value = 0;
		for (; *cursor >= '0' && *cursor <= '9'; cursor++)
			value = value * 10 + (uint64_t)(*cursor - '0');
		numbers[field] = value;
	}
	return *cursor == ' ' || *cursor == '\n' || *cursor == '\0';
}

static pid_t parse_pid(const char **cursor)
{
	int64_t value = 0;
	const char *start = *cursor;
	for (; **cursor >= '0' && **cursor <= '9' && value <= INT32_MAX; (*cursor)++)
		value = value * 10 + (**cursor - '0');
	return *cursor == start || value > INT32_MAX ? -1 : (pid_t)value;
}

static void copy_name(struct process *process, const char *name, size_t length)
{
	if (length >= sizeof(process->name))
		length = sizeof(process->name) - 1;
	memcpy(process->name, name, length);
	process->name[length] = '\0';
}

static int64_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* END is where the text ends; the name may hold anything, also ") ", but nothing after it can. */
static bool parse_stat(const char *text, const char *end, struct process *process)
{
	uint64_t numbers[FIELD_COUNT];
	const char *cursor = text;
	process->pid = parse_pid(&cursor);
	const char *close = memrchr(text, ')', (size_t)(end - text));
	if (process->pid < 0 || cursor[0] != ' ' || cursor[1] != '(' || !close ||
	    close < cursor + 2 || close[1] != ' ' || close[2] == '\0')
		return false;
	if (!parse_numbers(close + 3, numbers))
		return false;
	copy_name(process, cursor + 2, (size_t)(close - cursor - 2));
	process->state = close[2];
	process->parent = (pid_t)numbers[FIELD_PARENT];
	process->group = (pid_t)numbers[FIELD_GROUP];
	process->session = (pid_t)numbers[FIELD_SESSION];
	process->kernel = (numbers[FIELD_FLAGS] & FLAG_KERNEL_THREAD) != 0;
	process->cpu_ticks = numbers[FIELD_USER_TICKS] + numbers[FIELD_SYSTEM_TICKS];
	process->child_cpu_ticks =
	    numbers[FIELD_CHILD_USER_TICKS] + numbers[FIELD_CHILD_SYSTEM_TICKS];
	process->threads = (int)numbers[FIELD_THREADS];
	process->ticks = numbers[FIELD_START];
	process->resident_bytes = (int64_t)numbers[FIELD_RESIDENT] * page_size();
	return true;
}

bool process_parse_stat(const char *text, struct process *process)
{
	process->read_at_ns = 0;
	process->inode = 0;
	return parse_stat(text, text + strlen(text), process);
}

static int read_stat(int proc_fd, const char *path, struct process *process)
{
	char text[STAT_SIZE];
	int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	ssize_t got;
	do {
		got = read(fd, text, sizeof(text) - 1);
	} while (got < 0 && errno == EINTR);
	int error = errno;
	process->read_at_ns = clock_monotonic_ns();
	close(fd);
	if (got < 0)
		return -error;
	text[got] = '\0';
	return parse_stat(text, text + got, process) ? 0 : -EINVAL;
}

/* "PID/FILE", without stdio: it is made for every process of the machine. */
static void make_path(char path[PATH_SIZE], pid_t pid, const char *file)
{
	char digits[16];
	char *first = digits + sizeof(digits);
	unsigned int rest = (unsigned int)pid;
	do {
		*--first = (char)('0' + rest % 10);
	} while (rest /= 10);
	size_t length = (size_t)(digits + sizeof(digits) - first);
	memcpy(path, first, length);
	path[length] = '/';
	memcpy(path + length + 1, file, strlen(file) + 1);
}

/* The number that a directory entry is, or -1. */
static pid_t parse_entry(const char *name)
{
	const char *cursor = name;
	pid_t pid = parse_pid(&cursor);
	return pid > 0 && *name != '0' && *cursor == '\0' ? pid : -1;
}

pid_t process_find_live_thread(int proc_fd, pid_t pid)
{
	char path[PATH_SIZE];
	_Alignas(struct dirent64) char entries[4096];
	make_path(path, pid, "task");
	int fd CLEANUP_CLOSE = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t got;
	while (fd >= 0 && (got = getdents64(fd, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *entry = (const void *)(entries + at);
			struct process thread;
			pid_t number = parse_entry(entry->d_name);
			at += entry->d_reclen;
			if (number < 0 || number == pid)
				continue;
			make_path(path, number, "stat");
			if (read_stat(fd, path, &thread) == 0 && thread.state != 'Z' &&
			    thread.state != 'X')
				return number;
		}
	}
	return -1;
}

static void read_thread_memory(int proc_fd, struct process *process)
{
	char path[PATH_SIZE];
	struct process thread;
	pid_t number = process_find_live_thread(proc_fd, process->pid);
	snprintf(path, sizeof(path), "%d/task/%d/stat", process->pid, number);
	if (number > 0 && read_stat(proc_fd, path, &thread) == 0)
		process->resident_bytes = thread.resident_bytes;
}

int process_read(int proc_fd, pid_t pid, struct process *process)
{
	char path[PATH_SIZE];
	make_path(path, pid, "stat");
	int result = read_stat(proc_fd, path, process);
	if (result == 0 && process->state == 'Z' && process->threads > 1)
		read_thread_memory(proc_fd, process);
	return result;
}

static int compare_pids(const void *left, const void *right)
{
	pid_t a = ((const struct process *)left)->pid;
	pid_t b = ((const struct process *)right)->pid;
	return (a > b) - (a < b);
}

/* The last reading of the same table: what is older than OLDEST_TICKS need not be read again. */
struct last_reading {
	struct process_table table;
	uint64_t oldest_ticks;
};

static const struct process *find_unchanged(const struct last_reading *last, pid_t pid,
					    uint64_t inode)
{
	const struct process *process = process_table_find(&last->table, pid);
	return process && process->inode == inode && process->ticks < last->oldest_ticks ? process
											 : NULL;
}

/* One more process, unless it is gone by now or hidden from us. */
static int add_process(struct process_table *table, const struct last_reading *last, pid_t pid,
		       uint64_t inode, struct error *err)
{
	if (table->capacity == 0) {
		table->capacity = 256;
		table->items = memory_alloc(table->capacity * sizeof(*table->items));
	}
	MEMORY_GROW(table->items, table->count, table->capacity);
	struct process *process = &table->items[table->count];
	const struct process *unchanged = find_unchanged(last, pid, inode);
	if (unchanged)
		*process = *unchanged;
	int result = unchanged ? 0 : process_read(table->proc_fd, pid, process);
	process->inode = inode;
	if (result == 0)
		table->count++;
	else if (result != -ESRCH && result != -EACCES && result != -EPERM)
		return error_set_errno(err, ERROR_FAILED, -result, "cannot read '/proc/%ld/stat'",
				       (long)pid);
	return 0;
}

/* The children of kthreadd, which no service can have started: on an idle machine most of /proc. */
struct kernel_threads {
	pid_t *pids; /* ascending */
	size_t count;
	size_t capacity;
};

static int compare_numbers(const void *left, const void *right)
{
	pid_t a = *(const pid_t *)left;
	pid_t b = *(const pid_t *)right;
	return (a > b) - (a < b);
}

/* Where the kernel does not offer the list (CONFIG_PROC_CHILDREN), there is none, and each is read.
 */
static void kernel_threads_read(struct kernel_threads *threads, int proc_fd)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int fd CLEANUP_CLOSE = openat(proc_fd, "2/task/2/children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || file_read_fd(fd, 0, &text) < 0)
		return;
	const char *cursor = buffer_string(&text);
	for (pid_t pid; (pid = parse_pid(&cursor)) > 0; cursor += *cursor == ' ') {
		MEMORY_GROW(threads->pids, threads->count, threads->capacity);
		threads->pids[threads->count++] = pid;
	}
	if (threads->count)
		qsort(threads->pids, threads->count, sizeof(pid_t), compare_numbers);
}

static bool kernel_threads_contain(const struct kernel_threads *threads, pid_t pid)
{
	return threads->count &&
	       bsearch(&pid, threads->pids, threads->count, sizeof(pid_t), compare_numbers) != NULL;
}

/* Whether the last process of TABLE is kthreadd; in a pid namespace of its own, 2 is anybody. */
static bool ends_with_kthreadd(const struct process_table *table)
{
	const struct process *last = table->count ? &table->items[table->count - 1] : NULL;
	return last && last->pid == 2 && last->kernel && last->parent == 0;
}

static int add_entries(struct process_table *table, const struct last_reading *last,
		       struct kernel_threads *threads, const char *entries, size_t length,
		       struct error *err)
{
	for (size_t at = 0; at < length;) {
		const struct dirent64 *entry = (const void *)(entries + at);
		pid_t pid = parse_entry(entry->d_name);
		at += entry->d_reclen;
		if (pid <= 0 || kernel_threads_contain(threads, pid))
			continue;
		if (add_process(table, last, pid, entry->d_ino, err) < 0)
			return -1;
		if (pid == 2 && ends_with_kthreadd(table))
			kernel_threads_read(threads, table->proc_fd);
	}
	return 0;
}

/* The kernel lists processes in this order already; another directory may not. */
static void sort_if_needed(struct process_table *table)
{
	for (size_t i = 1; i < table->count; i++) {
		if (table->items[i - 1].pid > table->items[i].pid) {
			qsort(table->items, table->count, sizeof(*table->items), compare_pids);
			return;
		}
	}
}

static int read_table(struct process_table *table, const struct last_reading *last,
		      struct error *err)
{
	_Alignas(struct dirent64) char entries[32768];
	table->count = 0;
	if (table->proc_fd < 0)
		table->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else if (lseek(table->proc_fd, 0, SEEK_SET) < 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot list '/proc'");
	if (table->proc_fd < 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot open '/proc'");
	struct kernel_threads threads = { 0 };
	int result = 0;
	ssize_t got;
	while (result == 0 && (got = getdents64(table->proc_fd, entries, sizeof(entries))) != 0)
		result = got < 0 ? error_set_errno(err, ERROR_FAILED, errno, "cannot list '/proc'")
				 : add_entries(table, last, &threads, entries, (size_t)got, err);
	free(threads.pids);
	sort_if_needed(table);
	return result;
}

int process_table_read(struct process_table *table, struct error *err)
{
	struct last_reading none = { .oldest_ticks = 0 };
	return read_table(table, &none, err);
}

int process_table_reread(struct process_table *table, uint64_t oldest_ticks, struct error *err)
{
	struct last_reading last = { *table, oldest_ticks };
	table->items = NULL;
	table->capacity = 0;
	int result = read_table(table, &last, err);
	free(last.table.items);
	return result;
}

void process_table_release(struct process_table *table)
{
	if (table->proc_fd >= 0)
		close(table->proc_fd);
	free(table->items);
	*table = (struct process_table)PROCESS_TABLE_INIT;
}

const struct process *process_table_find(const struct process_table *table, pid_t pid)
{
	struct process key = { .pid = pid };
	if (table->count == 0)
		return NULL;
	return bsearch(&key, table->items, table->count, sizeof(key), compare_pids);
}

bool process_is_alive(const struct process *process)
{
	if (process->state == 'Z')
		return process->threads > 1;
	return process->state != 'X' && process->state != 'x';
}

bool process_table_is_alive(const struct process_table *table, pid_t pid, uint64_t ticks)
{
	const struct process *process = process_table_find(table, pid);
	return process && process->ticks == ticks && process_is_alive(process);
}
