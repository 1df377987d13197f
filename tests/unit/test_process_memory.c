/* model/process_memory: what a process had resident at its most. */
#include "support/support.h"

#include "model/process.h"
#include "model/process_memory.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELD = 64 << 20 };

static int open_proc(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* It stays when the memory has been given back. */
static void test_peak(void **state)
{
	int proc_fd = open_proc("/proc");
	struct process process;
	(void)state;
	char *memory = mmap(NULL, HELD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	memset(memory, 1, HELD);
	assert_int_equal(munmap(memory, HELD), 0);
	assert_int_equal(process_read(proc_fd, getpid(), &process), 0);
	int64_t peak = process_read_peak_memory(proc_fd, getpid());
	assert_true(peak >= HELD);
	assert_true(peak - process.resident_bytes >= HELD / 2);
	close(proc_fd);
}

static void test_unknown(void **state)
{
	int proc_fd = open_proc("/proc");
	(void)state;
	pid_t zombie = fork();
	assert_true(zombie >= 0);
	if (zombie == 0)
		_exit(0);
	WAIT_FOR(process_state(zombie) == 'Z');
	assert_int_equal(process_read_peak_memory(proc_fd, zombie), -1);
	assert_int_equal(waitpid(zombie, NULL, 0), zombie);
	assert_int_equal(process_read_peak_memory(proc_fd, zombie), -1);
	assert_int_equal(process_read_peak_memory(-1, getpid()), -1);
	close(proc_fd);
}

static void test_texts(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *text;
		int64_t peak;
	} rows[] = {
		{ "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t     12 kB\nVmRSS:\t 8 kB\n", 12288 },
		{ "Name:\t\\nVmHWM:\t 7 kB\nVmHWM:\t 12 kB\n", 12288 },
		{ "Name:\tx\n", -1 },
		{ "VmHWM", -1 },
		{ "", -1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		project_write(project, "7/status", "%s", rows[i].text);
		int fd = open_proc(project->directory);
		assert_int_equal(process_read_peak_memory(fd, 7), rows[i].peak);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peak),
		cmocka_unit_test(test_unknown),
		PROJECT_TEST(test_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
