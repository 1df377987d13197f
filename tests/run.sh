#!/bin/bash
# Runs cmocka programs, as many at a time as there are processors (TEST_JOBS), and adds up what
# they report.
#
#   tests/run.sh BUILD-FOLDER NAME...     e.g. tests/run.sh build/tests unit/test_text
#
# The last line is "N passed, N failed". Exit status 0 only if something passed and nothing failed.
# A program that dies, runs out of time ($TEST_TIMEOUT seconds, 300) or reports no test at all counts
# as a failure of its own. The output of each is kept beside it as NAME.log.
set -u

folder=$1
shift

export CMOCKA_MESSAGE_OUTPUT=stdout
export ASAN_OPTIONS="${ASAN_OPTIONS:-abort_on_error=1:detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"

passed=0 failed=0 skipped=0
failures=()

# The number before "test(s)" on cmocka's summary lines of one kind. What neither passed nor was
# skipped failed: the line FAILED does not count tests whose set-up or clean-up went wrong.
count() {
	sed -n "s/^\[ *$1 *\] \([0-9][0-9]*\) test(s)$3.*/\1/p" "$2" |
		awk '{ sum += $1 } END { print sum + 0 }'
}

# Runs one; NAME.end tells how that went: its exit status and tenths of a second.
run() {
	local log=$folder/$1.log begin
	begin=$(date +%s%N)
	timeout -k 10 "${TEST_TIMEOUT:-300}" "$folder/helpers/reaper" "$folder/$1" </dev/null >"$log" 2>&1
	echo "$? $((($(date +%s%N) - begin) / 100000000))" >"$folder/$1.end"
}

jobs=${TEST_JOBS:-$(nproc)}
running=0
for name in "$@"; do
	rm -f "$folder/$name.end"
	[ "$running" -lt "$jobs" ] || { wait -n; running=$((running - 1)); }
	run "$name" &
	running=$((running + 1))
done

# In their order, each as soon as it has ended.
for name in "$@"; do
	log=$folder/$name.log
	while [ ! -s "$folder/$name.end" ] && [ -n "$(jobs -r)" ]; do
		wait -n
	done
	read -r status tenths <"$folder/$name.end"
	ok=$(count PASSED "$log" '') skip=$(count SKIPPED "$log" '')
	bad=$(($(count '=*' "$log" ' run') - ok - skip))
	reason=''
	if [ $status = 124 ] || [ $status = 137 ]; then
		reason=' (out of time)'
	elif [ $status != 0 ] && [ "$bad" = 0 ]; then
		reason=" (ended with status $status)"
	elif [ $((ok + bad + skip)) = 0 ]; then
		reason=' (ran no test)'
	fi
	[ -z "$reason" ] || bad=$((bad + 1))
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	printf '%-32s %4d passed %3d failed %6s s%s\n' "$name" "$ok" "$bad" \
		"$((tenths / 10)).$((tenths % 10))" "$reason"
	if [ "$bad" != 0 ]; then
		failures+=("$name")
		sed 's/^/    /' "$log"
	elif [ "$skip" != 0 ]; then
		sed -n 's/^\[  SKIPPED \] \([^0-9].*\)/    skipped: \1/p' "$log" | sort -u
	fi
done

[ ${#failures[@]} = 0 ] || printf 'failures in: %s\n' "${failures[*]}"
[ $skipped = 0 ] || printf '%d skipped\n' $skipped
printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ] && [ $passed != 0 ]
