/*
 * floor-stop DIRECTORY: the least that stopping takes: read the pid files, a pidfd each, SIGTERM
 * to all, wait until the last one is gone, remove the files.
 */
#include "pidfiles.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STOP_LIMIT_MS = 30000 };

static void terminate(const struct pidfile *item, int *pidfd)
{
	*pidfd = (int)syscall(SYS_pidfd_open, item->pid, 0);
	if (*pidfd < 0 && errno != ESRCH)
		err(1, "cannot watch process %d", (int)item->pid);
	if (*pidfd >= 0)
		syscall(SYS_pidfd_send_signal, *pidfd, SIGTERM, NULL, 0);
}

static void await(const struct pidfile *item, int pidfd)
{
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };

	if (pidfd >= 0 && poll(&gone, 1, STOP_LIMIT_MS) != 1)
		errx(1, "process %d does not end", (int)item->pid);
}

int main(int argc, char **argv)
{
	struct pidfiles list;
	int directory;
	int *pidfds;

	if (argc != 2)
		errx(2, "usage: floor-stop DIRECTORY");
	pidfiles_raise_limit();
	directory = pidfiles_open(argv[1]);
	list = pidfiles_read(directory);
	pidfds = calloc(list.count + 1, sizeof(*pidfds));
	if (pidfds == NULL)
		err(1, "no memory");
	for (size_t i = 0; i < list.count; i++)
		terminate(&list.items[i], &pidfds[i]);
	for (size_t i = 0; i < list.count; i++)
		await(&list.items[i], pidfds[i]);
	for (size_t i = 0; i < list.count; i++)
		unlinkat(directory, list.items[i].name, 0);
	free(pidfds);
	return 0;
}
