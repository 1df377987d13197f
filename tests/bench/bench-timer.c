/*
 * bench-timer [-c] [-n ROUNDS] [-t SECONDS] [-e FILE] PLAN: runs the commands of PLAN one after
 * the other, all of them ROUNDS times, so that what is compared ran under the same load.
 *
 * A line of PLAN is a label and a command, split at blanks, run without a shell; what it prints
 * goes to /dev/null, its messages to FILE. LABEL*3 runs it three times in each round. A label that
 * begins with '-' is reported only when it fails. One round more runs first and is not counted,
 * unless cold starts are wanted (-c). The result is a line per label:
 *
 *	LABEL WALL_MEDIAN WALL_MIN CPU_MEDIAN FAILURES
 *
 * in milliseconds; cpu is user and system time of the command and of what it waited for. A
 * command that takes longer than SECONDS is killed with its process group and is a failure.
 *
 * Orphans of the commands become children of this program, which reaps them between two steps as
 * a good process 1 would: process 1 of some machines takes seconds for that.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_STEPS = 64 };

struct step {
	char *label;
	char **words;
	size_t repeat;
	size_t samples;
	double *wall; /* milliseconds, one per run */
	double *cpu;
	int failures;
};

struct bench {
	struct step steps[MAX_STEPS];
	size_t count;
	size_t rounds;
	int cold;
	int limit_ms;
	int interrupt; /* signalfd for SIGINT, SIGTERM, SIGHUP */
	int output;
	int messages;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double usage_ms(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

static pid_t launch(struct bench *bench, char **words)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid;
	int code;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, bench->output, 1);
	posix_spawn_file_actions_adddup2(&actions, bench->messages, 2);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	code = posix_spawnp(&pid, words[0], &actions, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (code != 0)
		errx(1, "cannot run '%s': %s", words[0], strerror(code));
	return pid;
}

/* Waits for the end of `pid`; 0, or -1 when it took too long and was killed. */
static int await(struct bench *bench, pid_t pid)
{
	struct pollfd events[2] = {
		{ .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN },
		{ .fd = bench->interrupt, .events = POLLIN },
	};
	int ready = poll(events, 2, bench->limit_ms);

	close(events[0].fd);
	if (ready > 0 && events[1].revents == 0)
		return 0;
	kill(-pid, SIGKILL);
	if (ready <= 0)
		return -1;
	waitpid(pid, NULL, 0);
	exit(130);
}

static void run_step(struct bench *bench, struct step *step)
{
	struct rusage usage;
	double begin;
	pid_t pid;
	int late, status;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	begin = now_ms();
	pid = launch(bench, step->words);
	late = await(bench, pid);
	if (wait4(pid, &status, 0, &usage) != pid)
		err(1, "cannot wait for '%s'", step->words[0]);
	step->wall[step->samples] = now_ms() - begin;
	step->cpu[step->samples++] = usage_ms(&usage);
	if (late != 0 || status != 0) {
		step->failures++;
		dprintf(bench->messages, "bench-timer: %s: %s, status %#x\n", step->label,
			late != 0 ? "ran past the limit" : "failed", (unsigned int)status);
	}
}

static void run_round(struct bench *bench)
{
	for (size_t i = 0; i < bench->count; i++)
		for (size_t run = 0; run < bench->steps[i].repeat; run++)
			run_step(bench, &bench->steps[i]);
}

static void warm_up(struct bench *bench)
{
	run_round(bench);
	for (size_t i = 0; i < bench->count; i++) {
		bench->steps[i].samples = 0;
		bench->steps[i].failures = 0;
	}
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void report(struct bench *bench)
{
	for (size_t i = 0; i < bench->count; i++) {
		struct step *step = &bench->steps[i];
		double wall = median(step->wall, step->samples);

		if (step->label[0] == '-' && step->failures == 0)
			continue;
		printf("%s %.3f %.3f %.3f %d\n", step->label, wall, step->wall[0],
		       median(step->cpu, step->samples), step->failures);
	}
}

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL)
		err(1, "no memory");
	return memory;
}

static size_t repeat_read(char *label)
{
	char *star = strchr(label, '*');

	if (star == NULL)
		return 1;
	*star = '\0';
	return strtoul(star + 1, NULL, 10);
}

static void read_step(struct bench *bench, const char *line)
{
	struct step *step = &bench->steps[bench->count];
	char *copy = strdup(line), *rest = NULL, *word;
	size_t words = 0, most = strlen(line) / 2 + 2;

	if (bench->count == MAX_STEPS || copy == NULL)
		errx(1, "too many steps");
	step->label = strtok_r(copy, " \t\n", &rest);
	if (step->label == NULL)
		return;
	step->repeat = repeat_read(step->label);
	step->words = zeroed(most, sizeof(*step->words));
	while ((word = strtok_r(NULL, " \t\n", &rest)) != NULL)
		step->words[words++] = word;
	if (words == 0)
		errx(1, "%s: no command", step->label);
	step->wall = zeroed((bench->rounds + 1) * step->repeat, sizeof(*step->wall));
	step->cpu = zeroed((bench->rounds + 1) * step->repeat, sizeof(*step->cpu));
	bench->count++;
}

static void read_plan(struct bench *bench, const char *path)
{
	FILE *plan = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (plan == NULL)
		err(1, "cannot read '%s'", path);
	while (getline(&line, &size, plan) > 0)
		read_step(bench, line);
	free(line);
	fclose(plan);
}

static void prepare(struct bench *bench, const char *messages)
{
	sigset_t interrupts;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&interrupts);
	sigaddset(&interrupts, SIGINT);
	sigaddset(&interrupts, SIGTERM);
	sigaddset(&interrupts, SIGHUP);
	sigprocmask(SIG_BLOCK, &interrupts, NULL);
	bench->interrupt = signalfd(-1, &interrupts, SFD_CLOEXEC);
	bench->output = open("/dev/null", O_WRONLY | O_CLOEXEC);
	bench->messages = open(messages, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (bench->interrupt < 0 || bench->output < 0 || bench->messages < 0)
		err(1, "cannot prepare");
}

int main(int argc, char **argv)
{
	static struct bench bench = { .rounds = 5, .limit_ms = 120000 };
	const char *messages = "/dev/null";
	int option;

	while ((option = getopt(argc, argv, "cn:t:e:")) != -1) {
		if (option == 'n')
			bench.rounds = strtoul(optarg, NULL, 10);
		else if (option == 'c')
			bench.cold = 1;
		else if (option == 't')
			bench.limit_ms = (int)strtol(optarg, NULL, 10) * 1000;
		else if (option == 'e')
			messages = optarg;
		else
			return 2;
	}
	if (optind != argc - 1 || bench.rounds == 0 || bench.limit_ms <= 0)
		errx(2, "usage: bench-timer -n ROUNDS [-c] [-t SECONDS] [-e FILE] PLAN");
	read_plan(&bench, argv[optind]);
	prepare(&bench, messages);
	if (!bench.cold)
		warm_up(&bench);
	for (size_t round = 0; round < bench.rounds; round++)
		run_round(&bench);
	report(&bench);
	return 0;
}
