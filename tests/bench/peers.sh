# The peers: each gets COUNT services that sleep, in a directory of its own, all down at first;
# then starts, lists and stops them as its user would. Sourced by run.sh, whose sweep() ends what
# a peer leaves behind.

peers_found=
peers_missing=

# peer_have NAME PROGRAM...: is the peer there? Takes note for the table.
peer_have() {
	local name=$1 program
	shift
	for program in "$@"; do
		if ! command -v "$program" >/dev/null; then
			case " $peers_missing " in
			*" $name "*) ;;
			*) peers_missing="$peers_missing $name" ;;
			esac
			return 1
		fi
	done
	case " $peers_found " in
	*" $name "*) ;;
	*) peers_found="$peers_found $name" ;;
	esac
}

peers_absent() {
	[ -z "$peers_missing" ] || printf 'not installed, so not measured:%s\n' "$peers_missing"
}

# peer_await COMMAND...: waits until the command succeeds, at most 60 s.
peer_await() {
	local deadline=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# peer_script FILE: makes an executable script of standard input.
peer_script() {
	{
		echo '#!/bin/sh'
		cat
	} >"$1"
	chmod 755 "$1"
}

# peer_measure NAME COUNT START LIST STOP: the three commands in turn. Between start and stop is a
# rest, since daemontools and runit leave a service alone in its first second.
peer_measure() {
	local name=$1 count=$2 rounds=5 options='-t 120' verb
	[ "$quick" = 1 ] && rounds=2
	[ "$count" -ge 1000 ] && rounds=2 options='-c -t 120'
	say "$count services with $name"
	measure "$rounds" "$options" "$name.$count" <<-END
		start $3
		list*3 $4
		-rest sleep 1.2
		stop $5
	END
	for verb in start list stop; do
		[ -e "$work/results/$name.$count.$verb" ] &&
			mv "$work/results/$name.$count.$verb" "$work/results/peer.$verb.$count.$name"
	done
}

# peer_leave: stops the peer that is up and forgets its directory.
peer_leave() {
	$peer_stop >/dev/null 2>&1
	peer_stop=:
	sweep
	rm -rf "$place/peer"
}

supervisord_stop() {
	timeout 30 supervisorctl -c "$place/peer/supervisord.conf" shutdown
	sleep 0.5
}

supervisord_measure() {
	local dir=$place/peer control
	control="supervisorctl -c $dir/supervisord.conf"
	mkdir "$dir"
	awk -v count="$1" -v dir="$dir" -v sleep="$SLEEP" 'BEGIN {
		printf "[supervisord]\nlogfile=%s/log\npidfile=%s/pid\nchildlogdir=%s\nminfds=8192\n", dir, dir, dir
		print "[unix_http_server]\nfile=" dir "/socket"
		print "[rpcinterface:supervisor]"
		print "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface"
		print "[supervisorctl]\nserverurl=unix://" dir "/socket"
		for (i = 1; i <= count; i++)
			printf "[program:s%05d]\ncommand=%s 100000\nautostart=false\nstartsecs=0\n", i, sleep
	}' >"$dir/supervisord.conf"
	peer_stop=supervisord_stop
	supervisord -c "$dir/supervisord.conf" >/dev/null 2>&1
	# Its status command exits 3 while something is stopped.
	peer_await test -S "$dir/socket"
	peer_measure supervisord "$1" "$control start all" "$control status" "$control stop all"
	peer_leave
}

# peer_directories COUNT: service directories with a run file, marked as down.
peer_directories() {
	local i name
	mkdir "$place/peer" "$place/peer/scan"
	for ((i = 1; i <= $1; i++)); do
		printf -v name '%s/peer/scan/s%05d' "$place" "$i"
		mkdir "$name"
		printf '#!/bin/sh\nexec %s 100000\n' "$SLEEP" >"$name/run"
		chmod 755 "$name/run"
		: >"$name/down"
	done
	directories=$(printf '%s ' "$place"/peer/scan/s*)
}

# peer_scanned COUNT: does every service directory have its supervisor?
peer_scanned() {
	[ "$(find "$place/peer/scan" -path '*/supervise/status' | wc -l)" -ge "$1" ]
}

runit_stop() {
	kill -HUP "$(cat "$place/peer/pid")"
	sleep 0.5
}

runit_measure() {
	peer_directories "$1"
	peer_stop=runit_stop
	setsid runsvdir "$place/peer/scan" >/dev/null 2>&1 &
	echo $! >"$place/peer/pid"
	peer_await peer_scanned "$1"
	peer_measure runit "$1" "sv -w 60 start $directories" "sv status $directories" \
		"sv -w 60 stop $directories"
	peer_leave
}

daemontools_stop() {
	kill -TERM "$(cat "$place/peer/pid")"
	# shellcheck disable=SC2086
	svc -dx $directories
	sleep 0.5
}

# svc does not wait: the scripts ask svstat until it shows what was wanted.
daemontools_measure() {
	peer_directories "$1"
	peer_stop=daemontools_stop
	setsid svscan "$place/peer/scan" >/dev/null 2>&1 &
	echo $! >"$place/peer/pid"
	peer_await peer_scanned "$1"
	peer_script "$place/peer/start" <<-END
		svc -u $directories
		while svstat $directories | grep -q ': down'; do :; done
	END
	peer_script "$place/peer/stop" <<-END
		svc -d $directories
		while svstat $directories | grep -q ': up'; do :; done
	END
	peer_measure daemontools "$1" "$place/peer/start" "svstat $directories" "$place/peer/stop"
	peer_leave
}

s6_stop() {
	s6-svscanctl -t "$place/peer/scan"
	sleep 0.5
}

# s6-svc and s6-svstat take one directory each.
s6_measure() {
	peer_directories "$1"
	peer_stop=s6_stop
	setsid s6-svscan -c 2000 -t 0 "$place/peer/scan" >/dev/null 2>&1 &
	echo $! >"$place/peer/pid"
	peer_await peer_scanned "$1"
	peer_script "$place/peer/start" <<-END
		for one in $directories; do s6-svc -u "\$one"; done
		exec s6-svwait -u -t 60000 $directories
	END
	peer_script "$place/peer/list" <<-END
		for one in $directories; do s6-svstat "\$one"; done
	END
	peer_script "$place/peer/stop" <<-END
		for one in $directories; do s6-svc -d "\$one"; done
		exec s6-svwait -D -t 60000 $directories
	END
	peer_measure s6 "$1" "$place/peer/start" "$place/peer/list" "$place/peer/stop"
	peer_leave
}

pm2_stop() {
	timeout 60 pm2 kill
}

pm2_measure() {
	mkdir "$place/peer"
	export PM2_HOME=$place/peer/home
	awk -v count="$1" -v sleep="$SLEEP" 'BEGIN {
		print "{\"apps\":["
		for (i = 1; i <= count; i++)
			printf "%s{\"name\":\"s%05d\",\"script\":\"%s\",\"args\":\"100000\",\"interpreter\":\"none\"}\n", \
				(i > 1 ? "," : ""), i, sleep
		print "]}"
	}' >"$place/peer/fleet.json"
	peer_stop=pm2_stop
	pm2 ping >/dev/null 2>&1
	peer_measure pm2 "$1" "pm2 start $place/peer/fleet.json" "pm2 list" "pm2 stop all"
	peer_leave
}

# peers_measure COUNT: all that are installed. At 1000 only those that need seconds for it.
peers_measure() {
	peer_have supervisord supervisord supervisorctl && supervisord_measure "$1"
	peer_have runit runsvdir runsv sv && runit_measure "$1"
	peer_have daemontools svscan svc svstat && daemontools_measure "$1"
	peer_have s6 s6-svscan s6-svc s6-svstat s6-svwait && s6_measure "$1"
	peer_have pm2 pm2 && [ "$1" -lt 1000 ] && pm2_measure "$1"
	return 0
}
