#!/usr/bin/env bash
# Measures pmo beside bare C programs that do the minimum, and beside its peers where they are
# installed. Prints one table; leaves no file and no process behind.
#
#	PMO=build/pmo tests/bench/run.sh
#
# BENCH_QUICK=1  few rounds, at most 100 services, logs of 64 MiB
# BENCH_LARGE=1  also 10,000 services, as cost per service against 100
# BENCH_PEERS=0  without the peers
# BENCH_ONLY=supervision  that alone
#
# The projects lie in memory (/dev/shm) where that is possible, so that what is compared is the
# programs; "on disk" rows tell what the file system of $TMPDIR adds.

set -u
export LC_ALL=C

source_dir=$(cd "$(dirname "$0")" && pwd) || exit 2
PMO=$(realpath -e "${PMO:-build/pmo}") || exit 2
SLEEP=$(realpath -e "$(command -v sleep)") || exit 2
quick=${BENCH_QUICK:-0}
large=${BENCH_LARGE:-0}
peers_wanted=${BENCH_PEERS:-1}

work=$(mktemp -d "${TMPDIR:-/tmp}/pmo-bench.XXXXXX") || exit 2
place=$work
mark=${work##*/}
export PMO_BENCH=$mark
unset PMO_FILE PMO_RUN
timer=
peer_stop=:
failed=0

. "$source_dir/peers.sh"
. "$source_dir/supervision.sh"

# Ends the processes of this run, and only these: they carry its mark in their environment.
sweep() {
	local file pid
	grep -lzsFx -- "PMO_BENCH=$mark" /proc/[0-9]*/environ | while read -r file; do
		pid=${file#/proc/}
		kill -KILL "${pid%/environ}" 2>/dev/null
	done
}

finish() {
	trap '' INT TERM HUP
	[ -z "$timer" ] || kill -TERM "$timer" 2>/dev/null
	$peer_stop >/dev/null 2>&1
	sweep
	sweep
	rm -rf "$work" "$place"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() {
	printf '%s\n' "bench: $*" >&2
}

# Puts the projects into memory, if that holds enough and allows programs.
choose_place() {
	local memory free
	[ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ] || return
	free=$(df -Pm /dev/shm | awk 'NR == 2 { print $4 }')
	[ "$free" -ge 512 ] && memory=$(mktemp -d "/dev/shm/$mark.XXXXXX") || return
	printf '#!/bin/sh\n' >"$memory/probe"
	chmod 755 "$memory/probe"
	if "$memory/probe" 2>/dev/null; then
		rm "$memory/probe"
		place=$memory
	else
		rm -rf "$memory"
	fi
}

compile() {
	local output=$1
	shift
	if ! ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O2 -o "$work/bin/$output" "$@"; then
		say "cannot compile $output"
		exit 2
	fi
}

compile_all() {
	local config ncurses
	config=$(${PKG_CONFIG:-pkg-config} --libs yaml-0.1 inih) || exit 2
	ncurses=$(${PKG_CONFIG:-pkg-config} --libs ncursesw) || exit 2
	mkdir "$work/bin" "$work/results"
	cd "$source_dir" || exit 2
	compile bench-timer bench-timer.c
	compile floor-libc floor-version.c
	# shellcheck disable=SC2086
	compile floor-config floor-version.c -Wl,--no-as-needed $config
	# shellcheck disable=SC2086
	compile floor-version floor-version.c -Wl,--no-as-needed $config $ncurses
	compile floor-list floor-list.c pidfiles.c
	compile floor-start floor-start.c pidfiles.c
	compile floor-stop floor-stop.c pidfiles.c
	compile beacon beacon.c
	compile restart-timer restart-timer.c
}

# measure ROUNDS OPTIONS PREFIX: runs the plan on standard input. Every label's figures end up in
# results/PREFIX.LABEL. In the background, since only `wait` can be interrupted by a signal.
measure() {
	local rounds=$1 options=$2 prefix=$3 label figures
	cat >"$work/plan"
	: >"$work/messages"
	# shellcheck disable=SC2086
	"$work/bin/bench-timer" $options -n "$rounds" -e "$work/messages" "$work/plan" \
		>"$work/figures" &
	timer=$!
	wait "$timer" || say "$prefix: the measurement broke off"
	timer=
	while read -r label figures; do
		printf '%s\n' "$figures" >"$work/results/$prefix.$label"
	done <"$work/figures"
	if [ -s "$work/messages" ] && grep -q '^bench-timer:' "$work/messages"; then
		say "$prefix: something failed; its last messages:"
		tail -n 5 "$work/messages" | cut -c 1-300 >&2
		failed=1
	fi
}

# project DIRECTORY COUNT: a project of COUNT services that sleep.
project() {
	mkdir -p "$1/floor"
	awk -v count="$2" -v sleep="$SLEEP" 'BEGIN {
		print "pmo:\n  defaults:\n    start_watch: 0"
		for (i = 1; i <= count; i++)
			printf "s%05d:\n  cmd: [%s, \"100000\"]\n", i, sleep
	}' >"$1/pmo.yml"
}

rounds_for() {
	case $quick-$1 in
	1-*) echo 3 ;;
	*-1000) echo 7 ;;
	*-10000) echo 3 ;;
	*) echo 11 ;;
	esac
}

bench_version() {
	say "start-up of the program"
	measure 1 '' version <<-END
		libc*41 $work/bin/floor-libc
		config*41 $work/bin/floor-config
		floor*41 $work/bin/floor-version
		pmo*41 $PMO version
	END
}

# bench_fleet PREFIX COUNT PLACE: start, list and stop of one number of services: floor and pmo each
# with its own, never both up.
bench_fleet() {
	local prefix=$1 count=$2 dir=$3/fleet
	say "$count services below $3"
	project "$dir" "$count"
	measure "$(rounds_for "$count")" '' "$prefix.$count" <<-END
		floor-start $work/bin/floor-start $dir/floor $count $SLEEP 100000
		floor-list*5 $work/bin/floor-list $dir/floor
		floor-list-all*5 $work/bin/floor-list $dir/floor all
		floor-stop $work/bin/floor-stop $dir/floor
		pmo-start $PMO -C $dir start all
		pmo-list*5 $PMO -C $dir ls --sample 0
		pmo-stop $PMO -C $dir stop all
	END
	sweep
	rm -rf "$dir"
}

bench_logs() {
	local dir=$work/logs size=1024 name
	[ "$quick" = 1 ] && size=64
	if [ "$(df -Pm "$work" | awk 'NR == 2 { print $4 }')" -lt $((2 * size + 256)) ]; then
		say "not enough space below $work for the logs, skipped"
		return
	fi
	say "logs of $size MiB"
	project "$dir" 1
	"$PMO" -C "$dir" start all >/dev/null || return
	for name in out error; do
		yes "2026-01-01 12:00:00 worker[17]: request 4711 answered in 12 ms, 8192 bytes sent ($name)" |
			head -c "${size}M" >"$dir/.pmo/logs/s00001-$name.log"
	done
	measure 1 '' logs <<-END
		floor*21 tail -n 15 $dir/.pmo/logs/s00001-out.log $dir/.pmo/logs/s00001-error.log
		pmo*21 $PMO -C $dir logs -n -l 15 all
	END
	"$PMO" -C "$dir" stop all >/dev/null
	rm -rf "$dir"
}

filesystem() {
	df -PT "$1" | awk 'NR == 2 { print $2 }'
}

facts() {
	printf 'machine   %s cores, %s, %s MiB memory\n' "$(nproc)" \
		"$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" \
		"$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
	printf 'system    Linux %s, %s, load %s, %s processes\n' "$(uname -r)" \
		"$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)" \
		"$(cut -d ' ' -f 1-3 /proc/loadavg)" "$(set -- /proc/[0-9]* && echo $#)"
	printf 'place     %s (%s); on disk: %s (%s)\n' "${place%/*}" "$(filesystem "$place")" \
		"${work%/*}" "$(filesystem "$work")"
	printf 'program   %s, %s bytes\n' "$("$PMO" version | head -n 1)" \
		"$(stat -L -c %s "$PMO")"
	printf 'method    medians in ms, alternating with the floor; a service is %s 100000,\n' "$SLEEP"
	printf '          started with start_watch: 0; cpu is user and system time of the command\n'
}

choose_place
compile_all
facts
if [ "${BENCH_ONLY:-}" = supervision ]; then
	supervision_measure
	peers_absent
	exit "$failed"
fi
bench_version
if [ "$quick" = 1 ]; then
	counts="1 10 100"
else
	counts="1 10 100 1000"
fi
for count in $counts; do
	bench_fleet fleet "$count" "$place"
done
[ "$place" = "$work" ] || bench_fleet disk 100 "$work"
[ "$large" = 1 ] && bench_fleet fleet 10000 "$place"
bench_logs
if [ "$peers_wanted" != 0 ]; then
	for count in $counts; do
		peers_measure "$count"
	done
fi
awk -v results="$work/results" -v counts="$counts" -v large="$large" -v peers="${peers_found:-}" \
	-f "$source_dir/table.awk" || failed=1
supervision_measure
peers_absent
exit "$failed"
