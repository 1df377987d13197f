/*
 * floor-start DIRECTORY COUNT COMMAND [ARGUMENT...]: the least that starting COUNT detached
 * processes takes: fork, setsid, two log files each, exec, a pid file each. Returns when every
 * one runs its command, which the end of a close-on-exec pipe tells.
 */
#include "pidfiles.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int open_log(int directory, int index, const char *stream)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "s%05d-%s.log", index, stream);
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		err(1, "cannot open '%s'", name);
	return fd;
}

static void write_pid(int directory, int index, pid_t pid)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "s%05d.pid", index);
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || dprintf(fd, "%d\n", (int)pid) < 0 || close(fd) != 0)
		err(1, "cannot write '%s'", name);
}

static void start_one(int directory, int null, int index, char **command)
{
	int out = open_log(directory, index, "out");
	int error = open_log(directory, index, "error");
	pid_t pid = fork();

	if (pid < 0)
		err(1, "cannot fork");
	if (pid == 0) {
		setsid();
		dup2(null, 0);
		dup2(out, 1);
		dup2(error, 2);
		execv(command[0], command);
		_exit(127);
	}
	close(out);
	close(error);
	write_pid(directory, index, pid);
}

int main(int argc, char **argv)
{
	int directory, null, count, running[2];
	char byte;

	if (argc < 4)
		errx(2, "usage: floor-start DIRECTORY COUNT COMMAND [ARGUMENT...]");
	directory = pidfiles_open(argv[1]);
	count = (int)strtol(argv[2], NULL, 10);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || pipe2(running, O_CLOEXEC) != 0)
		err(1, "cannot prepare");
	for (int i = 1; i <= count; i++)
		start_one(directory, null, i, argv + 3);
	close(running[1]);
	return read(running[0], &byte, 1) == 0 ? 0 : 1;
}
