/*
 * nvidia-smi: its answers as text, and the program itself, played by tests/helpers/nvidia-smi.
 */
#include "support/support.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "os/gpu.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWERS PMO_FIXTURES "/nvidia-smi/"
#define BOARD   "GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f"

enum { MIB = 1048576, USES_MAXIMUM = 8 };

struct expected_use {
	pid_t pid;
	int index;
	const char *uuid; /* how it begins */
	int64_t memory_bytes;
};

struct parse_case {
	const char *name;
	const char *devices; /* files below ANSWERS */
	const char *apps;
	struct expected_use uses[USES_MAXIMUM]; /* ends with pid 0 */
};

static const struct parse_case parse_cases[] = {
	{ "one", "devices-one.csv", "apps-one.csv", { { 4242, 0, BOARD, INT64_C(1290) * MIB } } },
	{ "several devices and processes",
	  "devices-four.csv",
	  "apps-many.csv",
	  { { 901, 3, "GPU-101b", 0 },
	    { 26617, 0, "GPU-96ab", INT64_C(15859) * MIB },
	    { 78799, 0, "GPU-96ab", INT64_C(412) * MIB },
	    { 78799, 2, "GPU-0200", INT64_C(16000) * MIB } } },
	{ "figures that the driver keeps",
	  "devices-one.csv",
	  "apps-not-available.csv",
	  { { 4242, 0, BOARD, -1 },
	    { 4243, 0, BOARD, -1 },
	    { 4244, 0, BOARD, -1 },
	    { 4245, 0, BOARD, -1 },
	    { 4246, -1, "", INT64_C(64) * MIB } } },
	{ "MIG on the only board",
	  "devices-one.csv",
	  "apps-mig.csv",
	  { { 5001, 0, "MIG-c6d4", INT64_C(4864) * MIB },
	    { 5002, 0, "MIG-GPU-5c89", INT64_C(9728) * MIB },
	    { 5003, 0, BOARD, INT64_C(78) * MIB } } },
	{ "MIG beside boards that do not tell whose it is",
	  "devices-four.csv",
	  "apps-mig.csv",
	  { { 5001, -1, "MIG-c6d4", INT64_C(4864) * MIB },
	    { 5002, -1, "MIG-GPU-5c89", INT64_C(9728) * MIB },
	    { 5003, -1, BOARD, INT64_C(78) * MIB } } },
	{ "infoROM warning",
	  "devices-inforom.csv",
	  "apps-inforom.csv",
	  { { 4242, 0, BOARD, INT64_C(1290) * MIB } } },
	{ "no running processes", "devices-one.csv", "apps-none.txt", { { 0, 0, NULL, 0 } } },
	{ "no devices", "no-devices.txt", "no-devices.txt", { { 0, 0, NULL, 0 } } },
};

static char *answer_read(const char *name)
{
	char *path = text_format("%s%s", ANSWERS, name);
	char *text = read_file(path, NULL);
	assert_non_null(text);
	free(path);
	return text;
}

static void check_uses(const char *name, const struct gpu_report *report,
		       const struct expected_use *expected)
{
	size_t count = 0;
	while (count < USES_MAXIMUM && expected[count].pid)
		count++;
	if (report->count != count)
		fail_msg("%s: %zu uses instead of %zu", name, report->count, count);
	for (size_t i = 0; i < count; i++) {
		const struct gpu_use *use = &report->uses[i];
		if (use->pid != expected[i].pid || use->index != expected[i].index ||
		    use->memory_bytes != expected[i].memory_bytes ||
		    strncmp(use->uuid, expected[i].uuid, strlen(expected[i].uuid)) != 0 ||
		    (*use->uuid == '\0') != (*expected[i].uuid == '\0'))
			fail_msg("%s: use %zu is %d, %d, %s, %lld", name, i, use->pid, use->index,
				 use->uuid, (long long)use->memory_bytes);
	}
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(parse_cases); i++) {
		const struct parse_case *this = &parse_cases[i];
		struct gpu_report report;
		char *devices = answer_read(this->devices);
		char *apps = answer_read(this->apps);
		if (!gpu_report_parse(&report, devices, apps))
			fail_msg("%s: not accepted", this->name);
		assert_true(report.known);
		assert_null(report.problem);
		check_uses(this->name, &report, this->uses);
		gpu_report_release(&report);
		free(devices);
		free(apps);
	}
}

static void test_parse_forms(void **state)
{
	static const char *const forms[] = {
		"7, " BOARD ", 3",
		"7," BOARD ",3\n",
		"  7 ,\t" BOARD " , 3 \r\n\r\n",
		"\n\n7, " BOARD ", 3\n",
		"[Not Supported]\n7, " BOARD ", 3",
	};
	static const struct expected_use use[USES_MAXIMUM] = { { 7, 0, BOARD, 3 * MIB } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
		struct gpu_report report;
		assert_true(gpu_report_parse(&report, "0, " BOARD, forms[i]));
		check_uses(forms[i], &report, use);
		gpu_report_release(&report);
	}
}

static void test_parse_refuses(void **state)
{
	static const char *const foreign[] = {
		"hello",
		"NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
		"7",
		"7, " BOARD,
		"7, " BOARD ", 3, 4",
		"7, " BOARD ", 3 GiB",
		"7, " BOARD ", -3",
		"7, " BOARD ", 99999999999999999999",
		"7, " BOARD ",",
		"0, " BOARD ", 3",
		"-7, " BOARD ", 3",
		"1e3, " BOARD ", 3",
		"4294967298, " BOARD ", 3",
		"7, GPU-\033[2J, 3",
		"7, ../../etc/passwd, 3",
		"7, " BOARD ", 3\nand then\n",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(foreign); i++) {
		struct gpu_report report;
		if (gpu_report_parse(&report, "0, " BOARD, foreign[i]))
			fail_msg("accepted: %s", foreign[i]);
		assert_int_equal(report.count, 0);
		assert_false(report.known);
		gpu_report_release(&report);
	}
}

static void test_parse_long(void **state)
{
	struct gpu_report report;
	struct buffer apps = BUFFER_INIT;
	(void)state;
	for (int i = 10000; i > 0; i--)
		buffer_printf(&apps, "%d, %s, 1\n", i, BOARD);
	assert_true(gpu_report_parse(&report, "3, " BOARD, buffer_string(&apps)));
	assert_int_equal(report.count, 10000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(report.uses[i].pid, i + 1);
	gpu_report_release(&report);
	buffer_clear(&apps);
	for (int i = 0; i < 100000; i++)
		buffer_append_char(&apps, 'x');
	assert_false(gpu_report_parse(&report, "", buffer_string(&apps)));
	buffer_release(&apps);
}

/* The program itself. */

struct environment {
	const char *devices;
	const char *apps;
	const char *mode;
	const char *status;
};

static void set_or_unset(const char *name, const char *prefix, const char *value)
{
	char *text = text_format("%s%s", prefix, value ? value : "");
	if (value)
		setenv(name, text, 1);
	else
		unsetenv(name);
	free(text);
}

static void environment_set(struct test_project *project, const struct environment *with)
{
	const char *path = PMO_FIXTURES "/../helpers:/usr/local/bin:/usr/bin:/bin";
	setenv("PATH", path, 1);
	set_or_unset("FAKE_GPU_DEVICES", ANSWERS, with->devices);
	set_or_unset("FAKE_GPU_APPS", ANSWERS, with->apps);
	set_or_unset("FAKE_GPU_MODE", "", with->mode);
	set_or_unset("FAKE_GPU_STATUS", "", with->status);
	set_or_unset("FAKE_GPU_LOG", "", project_path(project, "log"));
}

/* True when every process that the log names is gone. */
static bool all_gone(struct test_project *project)
{
	char *log = project_read(project, "log");
	bool gone = true;
	for (char *line = log; line && *line; line = strchr(line, '\n') + 1)
		gone = gone && !process_alive(atoi(line));
	free(log);
	return gone;
}

static int log_count(struct test_project *project, const char *word)
{
	char *log = project_read(project, "log");
	int count = 0;
	for (char *at = log; at && (at = strstr(at, word)); at++)
		count++;
	free(log);
	return count;
}

static void check_nothing_left(struct test_project *project)
{
	WAIT_FOR(all_gone(project));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static size_t count_descriptors(void)
{
	size_t count = 0;
	for (int fd = 0; fd < 256; fd++)
		count += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
	return count;
}

struct run_case {
	const char *name;
	struct environment with;
	int64_t timeout_ns;  /* 0: the usual one */
	const char *problem; /* NULL: the figures are known */
	struct expected_use uses[USES_MAXIMUM];
};

static const struct run_case run_cases[] = {
	{ "good",
	  { "devices-one.csv", "apps-one.csv", NULL, NULL },
	  0,
	  NULL,
	  { { 4242, 0, BOARD, INT64_C(1290) * MIB } } },
	{ "slow, but in time",
	  { "devices-one.csv", "apps-one.csv", "late", NULL },
	  0,
	  NULL,
	  { { 4242, 0, BOARD, INT64_C(1290) * MIB } } },
	{ "ends and leaves a child",
	  { "devices-one.csv", "apps-one.csv", "orphan", NULL },
	  0,
	  NULL,
	  { { 4242, 0, BOARD, INT64_C(1290) * MIB } } },
	{ "infoROM",
	  { "devices-inforom.csv", "apps-inforom.csv", NULL, "14" },
	  0,
	  NULL,
	  { { 4242, 0, BOARD, INT64_C(1290) * MIB } } },
	{ "idle", { "devices-one.csv", NULL, NULL, NULL }, 0, NULL, { { 0, 0, NULL, 0 } } },
	{ "no devices",
	  { "no-devices.txt", "no-devices.txt", NULL, "6" },
	  0,
	  NULL,
	  { { 0, 0, NULL, 0 } } },
	{ "no driver",
	  { "no-driver.txt", "no-driver.txt", NULL, "9" },
	  0,
	  "'nvidia-smi' failed with status 9: NVIDIA-SMI has failed because it couldn't "
	  "communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is "
	  "installed and running",
	  { { 0, 0, NULL, 0 } } },
	{ "mismatch",
	  { "mismatch.txt", "mismatch.txt", NULL, "18" },
	  0,
	  "'nvidia-smi' failed with status 18: Failed to initialize NVML: Driver/library version "
	  "mismatch",
	  { { 0, 0, NULL, 0 } } },
	{ "lost",
	  { "lost.txt", "lost.txt", NULL, "15" },
	  0,
	  "'nvidia-smi' failed with status 15: Unable to determine the device handle for "
	  "GPU0000:02:00.0: Unknown Error",
	  { { 0, 0, NULL, 0 } } },
	{ "silent failure",
	  { NULL, NULL, NULL, "12" },
	  0,
	  "'nvidia-smi' failed with status 12",
	  { { 0, 0, NULL, 0 } } },
	{ "crash",
	  { "devices-one.csv", "apps-one.csv", "crash", NULL },
	  0,
	  "'nvidia-smi' was ended by signal SEGV",
	  { { 0, 0, NULL, 0 } } },
	{ "another program",
	  { "devices-one.csv", "mismatch.txt", NULL, NULL },
	  0,
	  "'nvidia-smi' gave an answer that is not understood: 'Failed to initialize NVML: "
	  "Driver/library version mismatch'",
	  { { 0, 0, NULL, 0 } } },
	{ "flood",
	  { NULL, NULL, "flood", NULL },
	  0,
	  "'nvidia-smi' wrote more than 1048576 bytes",
	  { { 0, 0, NULL, 0 } } },
	{ "hangs",
	  { NULL, NULL, "hang", NULL },
	  INT64_C(300) * NSEC_PER_MSEC,
	  "'nvidia-smi' gave no answer within 300ms",
	  { { 0, 0, NULL, 0 } } },
	{ "half of it hangs",
	  { "devices-one.csv", NULL, "hang-apps", NULL },
	  INT64_C(300) * NSEC_PER_MSEC,
	  "'nvidia-smi' gave no answer within 300ms",
	  { { 0, 0, NULL, 0 } } },
};

static void test_runs(void **state)
{
	struct test_project *project = *state;
	for (size_t i = 0; i < ARRAY_LENGTH(run_cases); i++) {
		const struct run_case *this = &run_cases[i];
		struct gpu_report report;
		unlink(project_path(project, "log"));
		environment_set(project, &this->with);
		size_t descriptors = count_descriptors();
		struct gpu_query *query = this->timeout_ns
					      ? gpu_query_start_limited(this->timeout_ns)
					      : gpu_query_start_limited(60 * NSEC_PER_SEC);
		assert_non_null(query);
		gpu_query_finish(query, &report);
		if ((this->problem == NULL) != report.known)
			fail_msg("%s: known %d, %s", this->name, report.known,
				 report.problem ? report.problem : "");
		if (this->problem)
			assert_string_equal(report.problem, this->problem);
		else
			assert_null(report.problem);
		check_uses(this->name, &report, this->uses);
		gpu_report_release(&report);
		assert_int_equal(count_descriptors(), descriptors);
		check_nothing_left(project);
	}
}

/* Both questions are asked at once, beside what the caller does. */
static void test_beside_other_work(void **state)
{
	struct test_project *project = *state;
	struct gpu_report report;
	environment_set(project,
			&(struct environment){ "devices-four.csv", "apps-many.csv", NULL, NULL });
	struct gpu_query *query = gpu_query_start();
	assert_non_null(query);
	WAIT_FOR(log_count(project, "--query-gpu=index,uuid --format=csv,noheader\n") == 1);
	WAIT_FOR(log_count(project, "--query-compute-apps=pid,gpu_uuid,used_memory "
				    "--format=csv,noheader,nounits\n") == 1);
	gpu_query_finish(query, &report);
	assert_true(report.known);
	assert_int_equal(report.count, 4);
	assert_int_equal(log_count(project, "\n"), 2);
	gpu_report_release(&report);
	check_nothing_left(project);
}

/* The limit counts from the start, is three seconds, and holds. */
static void test_time_limit(void **state)
{
	struct test_project *project = *state;
	struct gpu_report report;
	environment_set(project, &(struct environment){ NULL, NULL, "hang", NULL });
	int64_t start = clock_monotonic_ns();
	struct gpu_query *query = gpu_query_start();
	assert_non_null(query);
	WAIT_FOR(log_count(project, " child\n") == 2);
	gpu_query_finish(query, &report);
	int64_t elapsed = clock_monotonic_ns() - start;
	assert_true(elapsed >= GPU_TIMEOUT_NS);
	assert_true(elapsed < GPU_TIMEOUT_NS + 7 * NSEC_PER_SEC);
	assert_false(report.known);
	assert_string_equal(report.problem, "'nvidia-smi' gave no answer within 3s");
	gpu_report_release(&report);
	check_nothing_left(project);
	assert_int_equal(log_count(project, "\n"), 4);
}

static void test_not_executable(void **state)
{
	struct test_project *project = *state;
	struct gpu_report report;
	project_write(project, "bin/nvidia-smi", "#!/nonexistent/interpreter\n");
	chmod(project_path(project, "bin/nvidia-smi"), 0755);
	setenv("PATH", project_path(project, "bin"), 1);
	struct gpu_query *query = gpu_query_start();
	assert_non_null(query);
	gpu_query_finish(query, &report);
	assert_false(report.known);
	char *expected = text_format("cannot execute '%s': No such file or directory",
				     project_path(project, "bin/nvidia-smi"));
	assert_string_equal(report.problem, expected);
	free(expected);
	gpu_report_release(&report);
	check_nothing_left(project);
}

static void test_absent(void **state)
{
	struct test_project *project = *state;
	struct gpu_report report;
	setenv("PATH", project->directory, 1);
	struct gpu_query *query = gpu_query_start();
	assert_null(query);
	gpu_query_finish(query, &report);
	assert_true(report.known);
	assert_int_equal(report.count, 0);
	assert_null(report.problem);
	gpu_report_release(&report);
}

static void test_no_descriptors(void **state)
{
	struct test_project *project = *state;
	struct gpu_report report;
	environment_set(project, &(struct environment){ NULL, NULL, NULL, NULL });
	pid_t child = fork();
	if (child == 0) {
		struct rlimit none = { 3, 3 };
		if (setrlimit(RLIMIT_NOFILE, &none) < 0)
			_exit(2);
		gpu_query_finish(gpu_query_start(), &report);
		bool right = !report.known &&
			     strcmp(report.problem, "cannot make a pipe: Too many open files") == 0;
		gpu_report_release(&report);
		_exit(right ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_forms),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_long),
		PROJECT_TEST(test_runs),
		PROJECT_TEST(test_beside_other_work),
		PROJECT_TEST(test_time_limit),
		PROJECT_TEST(test_not_executable),
		PROJECT_TEST(test_absent),
		PROJECT_TEST(test_no_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
