#!/usr/bin/env bash
# Runs PostgreSQL, Redis, nginx, a Python server, a Node server and a shell loop under pmo, as one
# project with one pmo.yml, and checks what a user would see.
#
#	PMO=build/pmo tests/real/run.sh
#
# Installs the servers where they are missing. Works in a directory of its own on free ports, and
# leaves no process and no file behind. KEEP=1 keeps the directory.

set -u
export LC_ALL=C.UTF-8

source_dir=$(cd "$(dirname "$0")" && pwd) || exit 2
PMO=$(realpath -e "${PMO:-build/pmo}") || exit 2
ALL='postgres redis nginx python node worker'
passed=0
failed=0

"$source_dir/../../contrib/deps.sh" real || exit 2
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

# Postgres and Redis run as users of their own: the folder must be open to them.
project=$(mktemp -d "${TMPDIR:-/tmp}/pmo-real.XXXXXX") || exit 2
chmod 755 "$project"
mark=${project##*/}
unset PMO_FILE PMO_RUN PMO_SERVICE PMO_DIR NODE_OPTIONS

pmo() {
	PMO_REAL_MARK=$mark timeout -k 5 120 "$PMO" -C "$project" "$@"
}

# The processes of this run: by the mark in their environment or, as servers that change their
# title overwrite it, by their working directory.
survivors() {
	{
		find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' \
			\( -lname "$project" -o -lname "$project/*" \) 2>/dev/null
		grep -lzsFx -- "PMO_REAL_MARK=$mark" /proc/[0-9]*/environ
	} | cut -d / -f 3 | sort -un
}

finish() {
	local pid
	trap '' INT TERM HUP
	pmo stop all >/dev/null 2>&1
	for pid in $(survivors) $(survivors); do
		kill -KILL "$pid" 2>/dev/null
	done
	if [ "${KEEP:-0}" = 1 ]; then
		echo "kept: $project"
	else
		rm -rf "$project"
	fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# check TEXT COMMAND...: one line; on failure also what the command printed.
check() {
	local text=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok - $text"
		passed=$((passed + 1))
	else
		echo "not ok - $text (status $?)"
		printf '%s\n' "$output" | tail -n 15 | sed 's/^/    /'
		failed=$((failed + 1))
		return 1
	fi
}

# within COMMAND...: tries for 30 s.
within() {
	local deadline=$((SECONDS + 30)) output=
	until output=$("$@" 2>&1); do
		if [ "$SECONDS" -ge "$deadline" ]; then
			printf 'not within 30 s: %s\n' "$output"
			return 1
		fi
		sleep 0.1
	done
}

# ends_with STATUS COMMAND...: is this the command's exit status?
ends_with() {
	local wanted=$1 status
	shift
	"$@"
	status=$?
	[ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted" && return 1; }
}

# holds TEXT COMMAND...: does the command succeed and print the text?
holds() {
	local text=$1 output
	shift
	output=$("$@" 2>&1) || { printf '%s\n' "$output" && return 1; }
	case $output in
	*"$text"*) ;;
	*) printf "no '%s' in:\n%s\n" "$text" "$output" && return 1 ;;
	esac
}

# listed EXPRESSION: is the Python expression true of `pmo ls --json`? There `all` is the array and
# `by` maps names to its objects.
listed() {
	pmo ls --json >"$project/list.json" && python3 - "$project/list.json" "$1" <<-'END'
		import json, sys
		rows = json.load(open(sys.argv[1]))
		by = {row["name"]: row for row in rows}
		if not eval(sys.argv[2]):
		    print("false:", sys.argv[2])
		    for row in rows:
		        print({key: row[key] for key in ("name", "status", "pid", "restarts", "processes",
		                                         "memory_bytes", "exit_code", "exit_signal")})
		    sys.exit(1)
	END
}

field() {
	pmo ls --json | python3 -c '
import json, sys
print(next(row[sys.argv[2]] for row in json.load(sys.stdin) if row["name"] == sys.argv[1]))' "$1" "$2"
}

fetch() {
	curl -sS --noproxy '*' --max-time 5 --fail "http://127.0.0.1:$1"
}

answers() {
	case $1 in
	postgres) holds 1 "$PG_BIN/psql" -X -h 127.0.0.1 -p "$PG_PORT" -U postgres -d postgres -Atc 'select 1' ;;
	redis) holds PONG redis-cli -p "$REDIS_PORT" ping ;;
	nginx) holds 'a real server' fetch "$NGINX_PORT/" ;;
	python) holds 'a real server' fetch "$PYTHON_PORT/" ;;
	node) holds '"service":"node"' fetch "$NODE_PORT/" ;;
	worker) holds 'of count # not a comment: ' pmo logs -n -l 3 worker ;;
	esac
}

all_answer() {
	local name
	for name in $ALL; do
		check "$name answers$1" within answers "$name"
	done
}

refuses() {
	! python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)' \
		"$1" 2>/dev/null
}

nothing_left() {
	local left port
	left=$(survivors)
	if [ -n "$left" ]; then
		# shellcheck disable=SC2086
		ps -o pid,ppid,sid,stat,args -p $left
		return 1
	fi
	for port in $PG_PORT $REDIS_PORT $NGINX_PORT $PYTHON_PORT $NODE_PORT; do
		refuses "$port" || { echo "port $port still answers" && return 1; }
	done
}

# workers_of PID: its children called "worker process", in one line.
nginx_workers() {
	ps -o pid=,args= --ppid "$1" | awk '/worker process$/ { printf "%s ", $1 }'
}

# nginx_reloaded MASTER WORKERS: other workers than these, under the same master.
nginx_reloaded() {
	local now
	now=$(nginx_workers "$1")
	# shellcheck disable=SC2086
	set -- "$2" $now
	[ $# -eq 3 ] || return 1
	case $1 in *"$2 "* | *"$3 "*) return 1 ;; esac
}

copy_project() {
	local name ports
	cp -R "$source_dir/." "$project/" || return 1
	rm -f "$project/run.sh"
	ports=$(python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*[one.getsockname()[1] for one in held])') || return 1
	read -r PG_PORT REDIS_PORT NGINX_PORT PYTHON_PORT NODE_PORT <<<"$ports"
	PG_BIN=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	[ -x "$PG_BIN/postgres" ] || PG_BIN=$(dirname "$(realpath "$(command -v postgres)")") || return 1
	for name in PG_BIN PG_PORT REDIS_PORT NGINX_PORT PYTHON_PORT NODE_PORT; do
		sed -i "s|^$name=.*|$name=${!name}|" "$project/.env" || return 1
	done
	mkdir -p "$project/data/postgres" "$project/data/redis"
	if [ "$(id -u)" = 0 ]; then
		chown postgres "$project/data/postgres" && chown redis "$project/data/redis"
	else
		sed -i '/^  user:/d' "$project/pmo.yml"
	fi
	chmod 700 "$project/data/postgres"
}

first_start() {
	local name
	check 'initdb makes a cluster, run as a service to its end' pmo start initdb
	check 'initdb has ended with status 0' \
		listed 'by["initdb"]["exit_code"] == 0 and by["initdb"]["pid"] is None'
	check 'dry-run shows the expanded command' \
		holds "$PG_BIN/postgres -D data/postgres -p $PG_PORT" pmo dry-run --show-env postgres
	check 'start all' pmo start all
	all_answer ''
	check 'nginx reaches node' within holds 'Grüße aus Node' fetch "$NGINX_PORT/node/"
	check 'ls shows all as running' \
		listed "all(by[name]['status'] == 'running' and by[name]['pid'] > 1 for name in '$ALL'.split())"
	check 'ls shows memory of each' \
		listed "all(by[name]['memory_bytes'] > 100000 for name in '$ALL'.split())"
	check 'ls counts the processes of postgres' listed 'by["postgres"]["processes"] >= 5'
	check 'ls counts the master and the workers of nginx' listed 'by["nginx"]["processes"] == 3'
	check 'ls has no template' listed '"server" not in by and len(rows) == 7'
	check 'namespaces' \
		listed 'by["node"]["namespace"] == "web" and by["redis"]["namespace"] == "data"'
	if [ "$(id -u)" = 0 ]; then
		check 'the databases run as their own users' \
			listed 'by["postgres"]["user"] == "postgres" and by["redis"]["user"] == "redis"'
	fi
	for name in $ALL; do
		check "the table has $name" holds "$name" pmo ls
		check "status of $name" ends_with 0 pmo status "$name"
	done
	check 'status shows the process tree of nginx' holds 'worker process' pmo status nginx
}

logs_and_signals() {
	local master workers
	check 'log of postgres' holds 'ready to accept connections' pmo logs -n -l 50 postgres
	check 'log of redis' holds 'Ready to accept connections' pmo logs -n -l 100 redis
	check 'log of nginx' holds '"GET / HTTP' pmo logs -n -l 50 nginx
	check 'log of python, both streams' holds 'Serving HTTP' pmo logs -n -l 50 --out python
	check 'log of python, errors' holds '"GET / HTTP/1.1" 200' pmo logs -n -l 50 --err python
	check 'log of node, first stream' holds "listening on $NODE_PORT" pmo logs -n -l 50 node
	check 'log of node, second stream' holds 'answered /' pmo logs -n -l 50 node
	check 'log of worker' within holds 'turn 3 of count # not a comment: ' pmo logs -n -l 100 worker
	check 'logs of all' holds 'turn ' pmo logs -n -l 3 all

	master=$(field nginx pid)
	workers=$(nginx_workers "$master")
	check 'kill -s HUP lets nginx load its configuration' pmo kill -s HUP nginx
	check 'nginx has new workers' within nginx_reloaded "$master" "$workers"
	check 'nginx has the same master' listed "by['nginx']['pid'] == $master"
}

restarts() {
	local before pids
	check 'redis takes a value' holds OK redis-cli -p "$REDIS_PORT" set kept 'through a restart'
	before=$(field redis pid)
	check 'restart redis' pmo restart redis
	check 'redis has another process' \
		listed "by['redis']['pid'] not in (None, $before) and by['redis']['restarts'] == 1"
	check 'redis answers again' within answers redis
	check 'redis has kept its value' holds 'through a restart' redis-cli -p "$REDIS_PORT" get kept

	pids=$(pmo ls --json | python3 -c 'import json, sys; print([row["pid"] for row in json.load(sys.stdin)])')
	check 'start all again changes nothing' pmo start all
	check 'the same processes run' listed "[row['pid'] for row in rows] == $pids"
	pids=${pids//None/0}
	check 'restart all' pmo restart all
	check 'every process is another one' \
		listed "all(by[name]['pid'] and by[name]['pid'] not in $pids for name in '$ALL'.split())"
	all_answer ' after restart all'
}

# A supervised server is killed the hard way, with its children: it comes back by itself.
crash() {
	local name=$1 signal=${2:-9} before
	before=$(field "$name" pid)
	check "$name is killed" kill -KILL "$before"
	check "$name has another process" within listed \
		"by['$name']['pid'] not in (None, $before) and by['$name']['status'] == 'running'"
	check "$name answers again by itself" within answers "$name"
	check "ls tells how $name ended" listed "by['$name']['exit_signal'] == $signal"
}

crashes() {
	local pid supervisor
	crash postgres
	crash redis
	crash nginx
	pid=$(field redis pid)
	supervisor=$(field redis supervisor_pid)
	check 'the supervisor of redis is killed' kill -KILL "$supervisor"
	check 'redis answers without it' answers redis
	check 'ls tells that it is missing' within listed "by['redis']['supervisor'] == 'missing'"
	check 'resurrect' holds 'redis has a new supervisor' pmo resurrect
	check 'redis is the same process' \
		listed "by['redis']['pid'] == $pid and by['redis']['supervisor'] == 'alive'"
	check 'resurrect has nothing more to do' ends_with 0 pmo resurrect
	# a supervisor that has taken over cannot see how it ended
	crash redis None
}

stops() {
	local name
	check 'stop @web' pmo stop @web
	check 'stop @web stopped the web servers, and only them' listed \
		'{row["name"] for row in rows if row["pid"]} == {"postgres", "redis", "worker"}'
	check 'start @web' pmo start @web
	check 'nginx answers after start @web' within answers nginx

	check 'stop all' ends_with 0 pmo stop all
	check 'no process and no port is left' nothing_left
	check 'postgres has shut down cleanly' \
		holds 'database system is shut down' pmo logs -n -l 30 postgres
	check 'node has closed' holds 'closed' pmo logs -n -l 30 node
	for name in $ALL; do
		check "status of $name is that of a stopped one" ends_with 3 pmo status "$name"
	done
	check 'stop all again has nothing to do' ends_with 0 pmo stop all

	check 'start all a second time' pmo start all
	all_answer ' the second time'
	check 'postgres needed no recovery' \
		ends_with 1 grep -q 'automatic recovery' "$project/.pmo/logs/postgres.log"
	check 'the first log was rotated' test -s "$project/.pmo/logs/postgres.log.1"
	check 'stop all a second time' ends_with 0 pmo stop all
	check 'no process and no port is left the second time' nothing_left
}

copy_project || { echo "cannot set up the project" >&2 && exit 2; }
first_start
logs_and_signals
restarts
crashes
stops
check 'delete removes the records' pmo delete --force all
check 'no log is left' ends_with 2 ls "$project"/.pmo/logs/*.log
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
