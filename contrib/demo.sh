#!/bin/sh
# `make demo`: the services of pmo.yml.sample in a directory of their own.
#
#   contrib/demo.sh PMO DIRECTORY          start them and show their table
#   contrib/demo.sh --stop PMO DIRECTORY   stop them, if they were ever started
set -eu

stop_only=no
if [ "$1" = --stop ]; then
	stop_only=yes
	shift
fi
pmo=$1 directory=$2

# An earlier demo may still run: its records must not be removed before its processes are gone.
if [ -d "$directory/.pmo" ]; then
	"$pmo" -C "$directory" stop all
fi
[ "$stop_only" = no ] || exit 0

rm -rf "$directory"
mkdir -p "$directory"
cp pmo.yml.sample "$directory/pmo.yml"
run() {
	echo "\$ $pmo -C $directory $*"
	"$pmo" -C "$directory" "$@"
	echo
}
run start all
run ls
cat <<END
They run without pmo now. Go on with:

  $pmo -C $directory logs clock        what a service prints (Ctrl-C to leave)
  $pmo -C $directory status worker     everything about a service
  $pmo -C $directory stop all          stop them
END
