/*
 * floor-list DIRECTORY [all]: the least that a list with cpu time and memory takes. Reads the pid
 * files, then /proc/PID/stat and statm of each, and prints a line per file. With "all" it reads
 * these two of every process of the machine instead, as anything must that adds up whole trees.
 */
#include "pidfiles.h"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct usage {
	unsigned long long ticks;
	unsigned long pages;
};

static int usage_read(int proc, const char *pid, struct usage *usage)
{
	unsigned long long user_ticks, system_ticks;
	char path[64], text[1024];
	char *fields;

	snprintf(path, sizeof(path), "%s/stat", pid);
	if (pidfiles_read_small(proc, path, text, sizeof(text)) <= 0)
		return -1;
	fields = strrchr(text, ')');
	if (fields == NULL ||
	    sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
		   &user_ticks, &system_ticks) != 2)
		return -1;
	snprintf(path, sizeof(path), "%s/statm", pid);
	if (pidfiles_read_small(proc, path, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%*u %lu", &usage->pages) != 1)
		return -1;
	usage->ticks = user_ticks + system_ticks;
	return 0;
}

static void list_named(int proc, const struct pidfiles *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct usage usage = { 0, 0 };
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", (int)list->items[i].pid);
		if (usage_read(proc, pid, &usage) != 0)
			errx(1, "process %s of '%s' is gone", pid, list->items[i].name);
		printf("%s %s %llu %lu\n", list->items[i].name, pid, usage.ticks, usage.pages);
	}
}

static void list_all(void)
{
	DIR *stream = opendir("/proc");
	struct dirent *entry;

	if (stream == NULL)
		err(1, "cannot open '/proc'");
	while ((entry = readdir(stream)) != NULL) {
		struct usage usage;

		if (isdigit((unsigned char)entry->d_name[0]) &&
		    usage_read(dirfd(stream), entry->d_name, &usage) == 0)
			printf("%s %llu %lu\n", entry->d_name, usage.ticks, usage.pages);
	}
	closedir(stream);
}

int main(int argc, char **argv)
{
	struct pidfiles list;

	if (argc != 2 && !(argc == 3 && strcmp(argv[2], "all") == 0))
		errx(2, "usage: floor-list DIRECTORY [all]");
	list = pidfiles_read(pidfiles_open(argv[1]));
	if (argc == 3)
		list_all();
	else
		list_named(pidfiles_open("/proc"), &list);
	return fflush(stdout) == 0 ? 0 : 1;
}
