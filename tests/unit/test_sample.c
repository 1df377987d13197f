/*
 * How busy processes are: real ones that burn, sleep, wait for others and end.
 */
#include "support/support.h"

#include "base/clock.h"
#include "model/membership.h"
#include "os/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How much CPU time this process has used. */
static int64_t cpu_used_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec * NSEC_PER_SEC + used.tv_nsec;
}

static void burn(int64_t nanoseconds)
{
	int64_t end = cpu_used_ns() + nanoseconds;
	while (cpu_used_ns() < end)
		continue;
}

static void burn_for_ever(void)
{
	for (;;)
		burn(NSEC_PER_SEC);
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

/* A shell loop of short commands: nothing that it runs lives as long as a sample takes. */
static void run_short_commands(void)
{
	for (;;) {
		pid_t child = fork();
		if (child == 0) {
			burn(3 * NSEC_PER_MSEC);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}

static pid_t start(void (*role)(void))
{
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(120);
		role();
		_exit(0);
	}
	assert_true(child > 0);
	return child;
}

static void stop(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

struct sampling {
	struct process_table table;
	int *owners;
	struct cpu_sample *sample;
	double *percent;
};

/* Look at these processes (ends with 0) and at nobody else. */
static void sampling_begin(struct sampling *this, const pid_t *pids)
{
	struct error err = ERROR_INIT;
	*this = (struct sampling){ .table = PROCESS_TABLE_INIT };
	assert_int_equal(process_table_read(&this->table, &err), 0);
	this->owners = malloc(this->table.count * sizeof(int));
	for (size_t i = 0; i < this->table.count; i++) {
		this->owners[i] = NOBODY;
		for (const pid_t *pid = pids; *pid; pid++) {
			if (*pid == this->table.items[i].pid)
				this->owners[i] = 0;
		}
	}
	this->sample = cpu_sample_begin(&this->table, this->owners);
}

static void sampling_finish(struct sampling *this)
{
	this->percent = cpu_sample_finish(this->sample);
}

static double percent_of(const struct sampling *this, pid_t pid)
{
	const struct process *process = process_table_find(&this->table, pid);
	assert_non_null(process);
	return this->percent[process - this->table.items];
}

static void sampling_release(struct sampling *this)
{
	free(this->percent);
	free(this->owners);
	process_table_release(&this->table);
}

/* Other work may take most of the machine from a busy process, so that only the order is certain.
 */
static void test_busy_and_idle(void **state)
{
	struct sampling sampling;
	(void)state;
	pid_t busy = start(burn_for_ever);
	pid_t idle = start(sleep_for_ever);
	pid_t stranger = start(burn_for_ever);
	WAIT_FOR(process_state(idle) == 'S');
	sampling_begin(&sampling, (const pid_t[]){ busy, idle, 0 });
	wait_microseconds(50000);
	sampling_finish(&sampling);
	assert_true(percent_of(&sampling, busy) > 1.0);
	assert_true(percent_of(&sampling, busy) < 130.0);
	assert_true(percent_of(&sampling, idle) == 0.0);
	assert_true(percent_of(&sampling, stranger) == 0.0);
	sampling_release(&sampling);
	stop(busy);
	stop(idle);
	stop(stranger);
}

/* The average over a life says nothing about now: half a second of work, then none. */
static void burn_then_sleep(void)
{
	burn(500 * NSEC_PER_MSEC);
	sleep_for_ever();
}

static void test_no_lifetime_average(void **state)
{
	struct sampling sampling;
	struct process process = { .cpu_ticks = 0 };
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)state;
	pid_t child = start(burn_then_sleep);
	WAIT_FOR(process_read(proc_fd, child, &process) == 0 && process.cpu_ticks >= 40 &&
		 process.state == 'S');
	sampling_begin(&sampling, (const pid_t[]){ child, 0 });
	wait_microseconds(20000);
	sampling_finish(&sampling);
	assert_true(percent_of(&sampling, child) == 0.0);
	sampling_release(&sampling);
	stop(child);
	close(proc_fd);
}

static void test_short_commands(void **state)
{
	struct sampling sampling;
	(void)state;
	pid_t shell = start(run_short_commands);
	sampling_begin(&sampling, (const pid_t[]){ shell, 0 });
	/* long enough for more than the ten milliseconds that such times are counted in */
	wait_microseconds(500000);
	sampling_finish(&sampling);
	assert_true(percent_of(&sampling, shell) > 2.0);
	assert_true(percent_of(&sampling, shell) < 150.0);
	sampling_release(&sampling);
	stop(shell);
}

/* A child that has burnt for a second ends in the window: what it used before is not of the window.
 */
static void start_veteran_and_wait(void)
{
	sigset_t wanted;
	int signal;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	pid_t veteran = fork();
	if (veteran == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		burn(NSEC_PER_SEC);
		sleep_for_ever();
	}
	sigwait(&wanted, &signal);
	kill(veteran, SIGKILL);
	waitpid(veteran, NULL, 0);
	sleep_for_ever();
}

static pid_t find_child(const struct process_table *table, pid_t parent)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->items[i].parent == parent)
			return table->items[i].pid;
	}
	return 0;
}

static void test_child_that_ends(void **state)
{
	struct sampling sampling;
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	struct process process = { .cpu_ticks = 0 };
	pid_t veteran = 0;
	(void)state;
	pid_t parent = start(start_veteran_and_wait);
	WAIT_FOR(process_table_read(&table, &err) == 0 && (veteran = find_child(&table, parent)));
	WAIT_FOR(process_read(table.proc_fd, veteran, &process) == 0 && process.cpu_ticks >= 95 &&
		 process.state == 'S');
	sampling_begin(&sampling, (const pid_t[]){ parent, veteran, 0 });
	kill(parent, SIGUSR1);
	WAIT_FOR(process_read(table.proc_fd, parent, &process) == 0 &&
		 process.child_cpu_ticks >= 95);
	wait_microseconds(50000);
	sampling_finish(&sampling);
	assert_true(percent_of(&sampling, parent) >= 0.0);
	assert_true(percent_of(&sampling, parent) < 100.0);
	assert_true(percent_of(&sampling, veteran) == 0.0);
	sampling_release(&sampling);
	process_table_release(&table);
	stop(parent);
}

/* Nobody is charged for a child of a parent that ignores SIGCHLD; its own work still shows. */
static void ignore_children_and_burn(void)
{
	signal(SIGCHLD, SIG_IGN);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		burn(500 * NSEC_PER_MSEC);
		sleep_for_ever();
	}
	burn_for_ever();
}

static void test_child_that_nobody_waits_for(void **state)
{
	struct sampling sampling;
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	struct process process = { .cpu_ticks = 0 };
	pid_t child = 0;
	(void)state;
	pid_t parent = start(ignore_children_and_burn);
	WAIT_FOR(process_table_read(&table, &err) == 0 && (child = find_child(&table, parent)));
	WAIT_FOR(process_read(table.proc_fd, child, &process) == 0 && process.cpu_ticks >= 45 &&
		 process.state == 'S');
	sampling_begin(&sampling, (const pid_t[]){ parent, child, 0 });
	kill(child, SIGKILL);
	WAIT_FOR(process_read(table.proc_fd, child, &process) == -ESRCH);
	wait_microseconds(50000);
	sampling_finish(&sampling);
	assert_true(percent_of(&sampling, parent) > 1.0);
	assert_true(percent_of(&sampling, child) == 0.0);
	sampling_release(&sampling);
	process_table_release(&table);
	stop(parent);
}

/* The pid may be another process's by the time of either look. */
static void test_another_process(void **state)
{
	struct sampling sampling;
	struct error err = ERROR_INIT;
	(void)state;
	pid_t busy = start(burn_for_ever);
	sampling = (struct sampling){ .table = PROCESS_TABLE_INIT };
	assert_int_equal(process_table_read(&sampling.table, &err), 0);
	sampling.owners = malloc(sampling.table.count * sizeof(int));
	for (size_t i = 0; i < sampling.table.count; i++) {
		bool is_it = sampling.table.items[i].pid == busy;
		sampling.owners[i] = is_it ? 3 : NOBODY;
		if (is_it)
			sampling.table.items[i].ticks -= 1;
	}
	sampling.sample = cpu_sample_begin(&sampling.table, sampling.owners);
	wait_microseconds(20000);
	sampling_finish(&sampling);
	assert_true(percent_of(&sampling, busy) == 0.0);
	sampling_release(&sampling);
	stop(busy);
}

static void test_gone(void **state)
{
	struct sampling sampling;
	(void)state;
	pid_t child = start(burn_for_ever);
	sampling_begin(&sampling, (const pid_t[]){ child, 0 });
	stop(child);
	sampling_finish(&sampling);
	assert_true(percent_of(&sampling, child) == 0.0);
	sampling_release(&sampling);
}

static void test_nobody(void **state)
{
	struct process_table empty = PROCESS_TABLE_INIT;
	(void)state;
	free(cpu_sample_finish(cpu_sample_begin(&empty, NULL)));
	struct sampling sampling;
	sampling_begin(&sampling, (const pid_t[]){ 0 });
	sampling_finish(&sampling);
	assert_true(percent_of(&sampling, getpid()) == 0.0);
	sampling_release(&sampling);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busy_and_idle),
		cmocka_unit_test(test_no_lifetime_average),
		cmocka_unit_test(test_short_commands),
		cmocka_unit_test(test_child_that_ends),
		cmocka_unit_test(test_child_that_nobody_waits_for),
		cmocka_unit_test(test_another_process),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
