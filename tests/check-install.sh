#!/bin/sh
# Installs into a scratch directory, looks at the result, uninstalls, and wants nothing left.
set -eu

make=${MAKE:-make}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() {
	echo "check-install: $*" >&2
	exit 1
}

# A space in the path shows where the Makefile forgets a quote.
destination="$root/a place"
$make --no-print-directory install PREFIX=/usr DESTDIR="$destination" >"$root/log" 2>&1 || {
	cat "$root/log"
	fail 'make install failed'
}
expected='usr/bin/pmo
usr/share/bash-completion/completions/pmo
usr/share/doc/pmo/COPYING
usr/share/doc/pmo/README
usr/share/doc/pmo/pmo-user@.service
usr/share/doc/pmo/pmo.crontab
usr/share/doc/pmo/pmo.yml.sample
usr/share/doc/pmo/pmo@.service
usr/share/fish/vendor_completions.d/pmo.fish
usr/share/man/man1/pmo.1
usr/share/man/man5/pmo.yml.5
usr/share/zsh/site-functions/_pmo'
found=$(cd "$destination" && find . -type f | sed 's,^\./,,' | LC_ALL=C sort)
[ "$found" = "$expected" ] || fail "installed files differ from what is expected:
$found"
(cd "$destination" && find . -type f -empty) | grep . && fail 'these files are empty'
[ -x "$destination/usr/bin/pmo" ] || fail 'usr/bin/pmo cannot be executed'
"$destination/usr/bin/pmo" version >/dev/null || fail 'the installed program does not run'
(cd "$destination" && find . -type f ! -path ./usr/bin/pmo -perm /111) | grep . &&
	fail 'these files are executable'

$make --no-print-directory uninstall PREFIX=/usr DESTDIR="$destination" >"$root/log" 2>&1 || {
	cat "$root/log"
	fail 'make uninstall failed'
}
left=$(find "$destination" ! -type d -o -type d -name '*pmo*')
[ -z "$left" ] || fail "left behind: $left"
echo 'install: ok'
