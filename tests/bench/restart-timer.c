/*
 * restart-timer ROUNDS REST_MS SOCKET: how long it takes from the end of a service until it runs
 * again. The service is a beacon that sends to SOCKET; it is killed ROUNDS times, each after it has
 * run for REST_MS, since some supervisors leave what is younger alone for a while. Prints
 *
 *	MEDIAN MIN MAX
 *
 * in milliseconds, and ends with status 1 when a service has not come within 20 seconds.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 20000 };

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int channel = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "'%s' is too long for a socket", path);
	strcpy(address.sun_path, path);
	if (bind(channel, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "cannot listen at '%s'", path);
	return channel;
}

static pid_t hear(int channel)
{
	struct pollfd event = { .fd = channel, .events = POLLIN };
	pid_t pid;

	if (poll(&event, 1, LIMIT_MS) != 1 || recv(channel, &pid, sizeof(pid), 0) != sizeof(pid))
		errx(1, "the service did not come");
	return pid;
}

/* What has died by itself meanwhile is not what is to be measured. */
static void end_process(int handle)
{
	if (syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0) < 0)
		err(1, "cannot kill the service");
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
	size_t rounds = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
	double *times = calloc(rounds + 1, sizeof(*times));
	int rest_ms, channel;
	pid_t pid;

	if (rounds == 0 || times == NULL)
		errx(2, "usage: restart-timer ROUNDS REST_MS SOCKET");
	rest_ms = (int)strtol(argv[2], NULL, 10);
	channel = listen_at(argv[3]);
	pid = hear(channel);
	for (size_t round = 0; round < rounds; round++) {
		int handle = (int)syscall(SYS_pidfd_open, pid, 0);
		double begin;

		if (handle < 0)
			err(1, "cannot watch the service");
		poll(NULL, 0, rest_ms);
		begin = now_ms();
		end_process(handle);
		pid = hear(channel);
		times[round] = now_ms() - begin;
		close(handle);
	}
	qsort(times, rounds, sizeof(*times), compare);
	printf("%.3f %.3f %.3f\n", (times[(rounds - 1) / 2] + times[rounds / 2]) / 2, times[0],
	       times[rounds - 1]);
	return 0;
}
