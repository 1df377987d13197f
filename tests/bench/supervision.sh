# Supervision: what a hundred supervised services that do nothing cost, and how soon one that was
# killed runs again. Sourced by run.sh after peers.sh, whose directories and stops it uses.

SUPERVISED=100

# supervisors COMM...: the processes of this run with one of these names.
supervisors() {
	local file pid name
	grep -lzsFx -- "PMO_BENCH=$mark" /proc/[0-9]*/environ | while read -r file; do
		pid=${file#/proc/}
		pid=${pid%/environ}
		for name in "$@"; do
			[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$name" ] && echo "$pid"
		done
	done
}

# consumed PID...: ticks of cpu and voluntary switches, of all together.
consumed() {
	local pid
	for pid in "$@"; do
		cat "/proc/$pid/stat" "/proc/$pid/status" 2>/dev/null
	done | awk '
		/^[0-9]+ \(/ { sub(/.*\) /, ""); ticks += $12 + $13 }
		/^voluntary_ctxt_switches/ { switches += $2 }
		END { print ticks + 0, switches + 0 }'
}

# idle_measure NAME PID...: memory now, and work during five seconds, for each service.
idle_measure() {
	local name=$1 pid before after
	shift
	[ $# -gt 0 ] || return
	before=$(consumed "$@")
	sleep 5
	after=$(consumed "$@")
	for pid in "$@"; do
		cat "/proc/$pid/smaps_rollup" 2>/dev/null
	done | awk -v count="$SUPERVISED" -v before="$before" -v after="$after" \
		-v second="$(getconf CLK_TCK)" '
		/^Pss:/ { sum += $2 }
		END {
			split(before, a, " ")
			split(after, b, " ")
			printf "%.1f %.0f %.0f\n", sum / count, (b[1] - a[1]) * 1000 / second, b[2] - a[2]
		}' >"$work/results/idle.$name"
}

# latency_begin, latency_end NAME: the timer listens before the service is started.
latency_begin() {
	local rounds=21
	[ "$quick" = 1 ] && rounds=5
	rm -f "$place/beacon"
	"$work/bin/restart-timer" "$rounds" 1200 "$place/beacon" >"$work/latency" 2>"$work/messages" &
	timer=$!
	peer_await test -S "$place/beacon"
}

latency_end() {
	if wait "$timer"; then
		mv "$work/latency" "$work/results/latency.$1"
	else
		say "$1: $(cat "$work/messages")"
		[ "$1" != pmo ] || failed=1
	fi
	timer=
}

# pmo_services COUNT COMMAND: a project of supervised services.
pmo_services() {
	mkdir -p "$place/peer"
	awk -v count="$1" -v command="$2" 'BEGIN {
		print "pmo: {defaults: {start_watch: 0, restart: always, restart_delay: 0}}"
		for (i = 1; i <= count; i++)
			printf "s%05d: {cmd: [%s]}\n", i, command
	}' >"$place/peer/pmo.yml"
}

pmo_stop() {
	"$PMO" -C "$place/peer" stop all
}

pmo_supervised() {
	peer_stop=pmo_stop
	pmo_services "$SUPERVISED" "$SLEEP, '100000'"
	"$PMO" -C "$place/peer" start all >/dev/null || failed=1
	sleep 2
	# shellcheck disable=SC2046
	idle_measure pmo $(head -qn 1 "$place"/peer/.pmo/pids/*.supervisor)
	peer_leave
	peer_stop=pmo_stop
	pmo_services 1 "$work/bin/beacon, $place/beacon"
	latency_begin
	"$PMO" -C "$place/peer" start all >/dev/null
	latency_end pmo
	peer_leave
}

# directory_supervised NAME STOP PROCESSES SCANNER...: those that scan a directory of run files.
directory_supervised() {
	local name=$1 stop=$2 processes=$3
	shift 3
	peer_directories "$SUPERVISED"
	rm "$place"/peer/scan/*/down
	peer_stop=$stop
	setsid "$@" "$place/peer/scan" >/dev/null 2>&1 &
	echo $! >"$place/peer/pid"
	peer_await peer_scanned "$SUPERVISED"
	sleep 2
	# shellcheck disable=SC2046,SC2086
	idle_measure "$name" $(supervisors $processes)
	peer_leave
	peer_directories 1
	rm "$place"/peer/scan/*/down
	printf '#!/bin/sh\nexec %s %s\n' "$work/bin/beacon" "$place/beacon" \
		>"$place/peer/scan/s00001/run"
	peer_stop=$stop
	latency_begin
	setsid "$@" "$place/peer/scan" >/dev/null 2>&1 &
	echo $! >"$place/peer/pid"
	latency_end "$name"
	peer_leave
}

# supervisord_services COUNT COMMAND
supervisord_services() {
	mkdir "$place/peer"
	awk -v count="$1" -v dir="$place/peer" -v command="$2" 'BEGIN {
		printf "[supervisord]\nlogfile=%s/log\npidfile=%s/pid\nchildlogdir=%s\nminfds=8192\n", dir, dir, dir
		print "[unix_http_server]\nfile=" dir "/socket"
		print "[rpcinterface:supervisor]"
		print "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface"
		print "[supervisorctl]\nserverurl=unix://" dir "/socket"
		for (i = 1; i <= count; i++)
			printf "[program:s%05d]\ncommand=%s\nautorestart=true\nstartsecs=0\n", i, command
	}' >"$place/peer/supervisord.conf"
	peer_stop=supervisord_stop
	supervisord -c "$place/peer/supervisord.conf" >/dev/null 2>&1
}

supervisord_supervised() {
	supervisord_services "$SUPERVISED" "$SLEEP 100000"
	peer_await test -S "$place/peer/socket"
	sleep 3
	idle_measure supervisord "$(cat "$place/peer/pid")"
	peer_leave
	latency_begin
	supervisord_services 1 "$work/bin/beacon $place/beacon"
	latency_end supervisord
	peer_leave
}

supervision_row() {
	local name=$1 idle latency
	idle=$(cat "$work/results/idle.$name" 2>/dev/null) || idle='- - -'
	latency=$(cat "$work/results/latency.$name" 2>/dev/null) || latency='- - -'
	# shellcheck disable=SC2086
	printf '%-14s %10s %10s %10s | %9s %9s %9s\n' "$name" $idle $latency
}

supervision_measure() {
	local name
	say "supervision: $SUPERVISED services, and the restart of one"
	pmo_supervised
	if [ "$peers_wanted" != 0 ]; then
		peer_have s6 s6-svscan s6-supervise s6-svscanctl &&
			directory_supervised s6 s6_stop 's6-supervise s6-svscan' s6-svscan -c 2000 -t 0
		peer_have runit runsvdir runsv sv &&
			directory_supervised runit runit_stop 'runsv runsvdir' runsvdir
		peer_have daemontools svscan supervise svc &&
			directory_supervised daemontools daemontools_stop 'supervise svscan' svscan
		peer_have supervisord supervisord supervisorctl && supervisord_supervised
	fi
	printf '\n%-14s %10s %10s %10s | %9s %9s %9s\n' supervision 'PSS, kB' 'cpu, ms' switches \
		'restart' 'min' 'max'
	for name in pmo s6 runit daemontools supervisord; do
		[ ! -e "$work/results/idle.$name" ] || supervision_row "$name"
	done
	printf '%s\n' "PSS of the supervisors for each of $SUPERVISED idle services; cpu time and voluntary" \
		'switches of all of them in 5 s; ms from SIGKILL to the first instruction of the next run'
}
