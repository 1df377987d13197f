/*
 * Full disk, read-only directory, no descriptors, no memory, no processes: a clear error, and
 * nothing half done.
 */
#include "support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLE "web:\n  cmd: [" ACTOR ", wait]\n"

/* A small file system of the test's own at "disk"; it goes with the test's mount namespace. */
static void mount_disk(struct test_project *project)
{
	const char *path = project_path(project, "disk");

	mkdir(path, 0755);
	assert_int_equal(mount("none", path, "tmpfs", 0, "size=64k,nr_inodes=64"), 0);
}

static void unmount_disk(struct test_project *project)
{
	umount2(project_path(project, "disk"), MNT_DETACH);
}

static int teardown_with_disk(void **state)
{
	struct test_project *project = *state;

	project_kill_all(project);
	unmount_disk(project);
	return project_teardown(state);
}

/* A mount namespace of this program's own, so that nothing can be left mounted. */
static bool can_mount(void)
{
	static bool tried;
	static bool able;

	if (!tried)
		able = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	tried = true;
	return able;
}

static void fill_disk(struct test_project *project)
{
	int fd = open(project_path(project, "disk/filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char block[512];

	assert_true(fd >= 0);
	memset(block, 'x', sizeof(block));
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void test_full_disk(void **state)
{
	struct test_project *project = *state;
	struct run run;

	if (!can_mount())
		SKIP("cannot mount");
	mount_disk(project);
	project_write(project, "disk/pmo.yml", "%s", SAMPLE);
	fill_disk(project);
	run_pmo(project, &run, "-C", "disk", "start", "web", NULL);
	assert_run(&run, 1, "", "pmo: %LINENo space left on device\n");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, "disk/.pmo/pids", "*.pid"), 0);
	assert_int_equal(project_count(project, "disk/.pmo/pids", "*.time"), 0);
	assert_int_equal(project_count(project, "disk/.pmo/pids", "*~"), 0);
	/* with room it works, and what runs can be stopped when the room is gone again */
	unlink(project_path(project, "disk/filler"));
	pmo_ok(project, "-C", "disk", "start", "web");
	fill_disk(project);
	assert_int_equal(project_processes(project, NULL, 0), 1);
	pmo_ok(project, "-C", "disk", "ls");
	pmo_ok(project, "-C", "disk", "status", "web");
	pmo_ok(project, "-C", "disk", "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_false(project_exists(project, "disk/.pmo/pids/web.pid"));
}

/* The disk fills up while records are written: each step of a start can be the one that fails. */
static void test_disk_that_fills_up(void **state)
{
	struct test_project *project = *state;
	int inodes;

	if (!can_mount())
		SKIP("cannot mount");
	for (inodes = 3; inodes < 14; inodes++) {
		char *options = text_format("size=64k,nr_inodes=%d", inodes);
		const char *path = project_path(project, "disk");
		struct run run;

		mkdir(path, 0755);
		assert_int_equal(mount("none", path, "tmpfs", 0, options), 0);
		project_write(project, "disk/pmo.yml", "%s", SAMPLE);
		run_pmo(project, &run, "-C", "disk", "start", "web", NULL);
		if (run.status != 0) {
			assert_run(&run, 1, "", "pmo: %LINENo space left on device\n");
			assert_int_equal(project_processes(project, NULL, 0), 0);
			assert_int_equal(project_count(project, "disk/.pmo/pids", "*.pid"), 0);
			assert_int_equal(project_count(project, "disk/.pmo/pids", "*~"), 0);
		} else {
			assert_int_equal(project_processes(project, NULL, 0), 1);
			pmo_ok(project, "-C", "disk", "stop", "web");
		}
		run_release(&run);
		unmount_disk(project);
		free(options);
	}
}

static void test_read_only_project(void **state)
{
	struct test_project *project = *state;
	const char *path = project_path(project, "disk");
	struct run run;

	if (!can_mount())
		SKIP("cannot mount");
	mount_disk(project);
	project_write(project, "disk/pmo.yml", "%s", SAMPLE);
	assert_int_equal(mount("none", path, "tmpfs", MS_REMOUNT | MS_RDONLY, ""), 0);
	run_pmo(project, &run, "-C", "disk", "start", "web", NULL);
	assert_run(&run, 1, "", "pmo: %LINERead-only file system\n");
	run_release(&run);
	run_pmo(project, &run, "-C", "disk", "ls", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	assert_json(run.out, "0/status", "stopped");
	run_release(&run);
	pmo_ok(project, "-C", "disk", "stop", "all");
	pmo_ok(project, "-C", "disk", "config");
	/* it became read-only while the service runs */
	assert_int_equal(mount("none", path, "tmpfs", MS_REMOUNT, ""), 0);
	pmo_ok(project, "-C", "disk", "start", "web");
	assert_int_equal(mount("none", path, "tmpfs", MS_REMOUNT, ""), 0);
	pmo_ok(project, "-C", "disk", "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_directory_without_permission(void **state)
{
	const struct run_options nobody = { .user = 65534, .group = 65534 };
	struct test_project *project = *state;
	struct run run;

	SKIP_UNLESS_ROOT();
	project_write(project, "pmo.yml", "%s", SAMPLE);
	run_pmo_with(project, &run, &nobody, "version", NULL);
	if (run.status == 123)
		SKIP("another user cannot run the binary");
	run_release(&run);
	run_pmo_with(project, &run, &nobody, "start", "web", NULL);
	assert_run(&run, 1, "", "pmo: %LINEPermission denied\n");
	run_release(&run);
	/* somebody else's .pmo */
	pmo_ok(project, "start", "web");
	run_pmo_with(project, &run, &nobody, "stop", "web", NULL);
	assert_run(&run, 1, "", "pmo: %LINEPermission denied\n");
	run_release(&run);
	assert_true(process_alive(read_pid(project, "web")));
	run_pmo_with(project, &run, &nobody, "ls", NULL);
	assert_run(&run, 1, "", "pmo: %LINEPermission denied\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
	/* a pmo.yml that may not be read */
	chmod(project_path(project, "pmo.yml"), 0600);
	run_pmo_with(project, &run, &nobody, "config", NULL);
	assert_run(&run, 2, "", "pmo: cannot read 'pmo.yml': Permission denied\n%LINE\n");
	run_release(&run);
}

/* From none to enough: it works or says why, and leaves nothing. */
static void test_few_descriptors(void **state)
{
	struct test_project *project = *state;
	bool worked = false;
	rlim_t limit;

	project_write(project, "pmo.yml", "a: &a {cmd: [%s, wait], start_watch: 0}\nb: *a\nc: *a\n",
		      ACTOR);
	for (limit = 3; limit <= 24; limit++) {
		const struct run_options few = { .limits = { { RLIMIT_NOFILE, limit } } };
		struct run run;

		run_pmo_with(project, &run, &few, "start", "all", NULL);
		assert_int_equal(run.signal, 0);
		if (run.status == 127 || run.status == 123) {
			run_release(&run); /* not even the dynamic loader has enough */
			continue;
		}
		if (run.status == 0)
			assert_int_equal(project_processes(project, NULL, 0), 3);
		else
			assert_run(&run, 1, NULL, "pmo: %ANY");
		worked = run.status == 0;
		run_release(&run);
		assert_int_equal(project_processes(project, NULL, 0),
				 project_count(project, ".pmo/pids", "*.pid"));
		assert_int_equal(project_count(project, ".pmo/pids", "*~"), 0);
		pmo_ok(project, "stop", "all");
	}
	assert_true(worked);
}

static void test_little_memory(void **state)
{
	struct test_project *project = *state;
	rlim_t size;

#ifdef __SANITIZE_ADDRESS__
	SKIP("the sanitizer needs the memory");
#endif
	project_write(project, "pmo.yml", "a: &a {cmd: [%s, wait], start_watch: 0}\nb: *a\n",
		      ACTOR);
	for (size = 1 << 20; size <= 64 << 20; size += 512 << 10) {
		const struct run_options little = { .limits = { { RLIMIT_AS, size } } };
		struct run run;

		run_pmo_with(project, &run, &little, "start", "all", NULL);
		/* below some size the kernel or the loader ends it before main */
		if (run.signal == 0 && run.status != 127 && run.status != 123 && run.status != 0)
			assert_run(&run, 1, NULL, "%ANYpmo: %ANY");
		run_release(&run);
		assert_int_equal(project_processes(project, NULL, 0),
				 project_count(project, ".pmo/pids", "*.pid"));
		if (project_exists(project, ".pmo"))
			pmo_ok(project, "stop", "all");
		if (size == 16 << 20)
			size = 48 << 20;
	}
}

/* fork(2) that fails. */
static void test_no_more_processes(void **state)
{
	/* the leak check of a sanitizer forks too */
	const char *const environment[] = { "ASAN_OPTIONS=detect_leaks=0", NULL };
	const struct run_options none = { .environment = environment,
					  .user = 65533,
					  .group = 65533,
					  .limits = { { RLIMIT_NPROC, 1 } } };
	struct test_project *project = *state;
	struct run run;

	SKIP_UNLESS_ROOT();
	project_write(project, "pmo.yml", "%s", SAMPLE);
	assert_int_equal(chown(project->directory, 65533, 65533), 0);
	run_pmo_with(project, &run, &none, "start", "web", NULL);
	if (run.status == 123)
		SKIP("another user cannot run the binary");
	assert_run(&run, 1, "",
		   "pmo: cannot start 'web': cannot start a process: Resource temporarily "
		   "unavailable\n");
	run_release(&run);
	assert_int_equal(project_count(project, ".pmo/pids", "*.pid"), 0);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_log_on_a_full_device(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      "web:\n  cmd: [%s, print, out, lost, wait]\n  out_file: /dev/full\n", ACTOR);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, "started web (pid %NUMBER)\n", "");
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

#define DISK_TEST(function)                                                                        \
	cmocka_unit_test_setup_teardown(function, project_setup, teardown_with_disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISK_TEST(test_full_disk),
		DISK_TEST(test_disk_that_fills_up),
		DISK_TEST(test_read_only_project),
		PROJECT_TEST(test_directory_without_permission),
		PROJECT_TEST(test_few_descriptors),
		PROJECT_TEST(test_little_memory),
		PROJECT_TEST(test_no_more_processes),
		PROJECT_TEST(test_log_on_a_full_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
