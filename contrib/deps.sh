#!/bin/sh
# Installs what pmo's build, tests and checks need and this machine lacks.
#
#   contrib/deps.sh GROUP...      groups: build test lint real
#
# With apt-get, as root or through sudo; elsewhere it names the packages and fails. Where nothing is
# missing it does nothing at all.
set -u

cc=${CC:-cc}

has_program() { command -v "$1" >/dev/null 2>&1; }
has_header() { printf '#include <stddef.h>\n#include <stdarg.h>\n#include <setjmp.h>\n#include <stdint.h>\n#include <%s>\n' "$1" |
	$cc -E -x c - >/dev/null 2>&1; }
# Debian keeps servers out of PATH.
has_server() { PATH=$PATH:/usr/sbin:/sbin has_program "$1"; }
has_postgres() { has_program postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; }

# need CHECK ARGUMENT DEBIAN FEDORA ALPINE ARCH SUSE: notes the packages when the check fails.
debian='' fedora='' alpine='' arch='' suse=''
need() {
	"$1" "$2" && return
	debian="$debian $3" fedora="$fedora $4" alpine="$alpine $5" arch="$arch $6" suse="$suse $7"
}

need_build() {
	has_program "${cc%% *}" || need has_program cc gcc gcc gcc gcc gcc
	need has_header stdio.h libc6-dev glibc-devel musl-dev glibc glibc-devel
	need has_header yaml.h libyaml-dev libyaml-devel yaml-dev libyaml libyaml-devel
	need has_header ini.h libinih-dev inih-devel inih-dev libinih inih-devel
	need has_program pkg-config pkg-config pkgconf-pkg-config pkgconf pkgconf pkg-config
}

need_test() {
	need has_header cmocka.h libcmocka-dev libcmocka-devel cmocka-dev cmocka libcmocka-devel
}

need_lint() {
	need has_program clang clang clang clang clang clang
	need has_program clang-format clang-format clang-tools-extra clang-extra-tools clang clang-tools
	need has_program cppcheck cppcheck cppcheck cppcheck cppcheck cppcheck
	need has_program mandoc mandoc mandoc mandoc mandoc mandoc
}

need_real() {
	need has_postgres - postgresql postgresql-server postgresql postgresql postgresql-server
	need has_server redis-server redis-server redis redis redis redis
	need has_server nginx nginx nginx nginx nginx nginx
	need has_program python3 python3 python3 python3 python python3
	need has_program node nodejs nodejs nodejs nodejs nodejs
	need has_program curl curl curl curl curl curl
}

# Servers are wanted as programs. Unless the administrator has a policy of his own, keep their
# packages from starting them while they are installed, and PostgreSQL from making a cluster.
apt_install() {
	policy=/usr/sbin/policy-rc.d
	guard=''
	case " $* " in *' postgresql '* | *' nginx '* | *' redis-server '*)
		[ -e $policy ] || guard="printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy &&"
		;;
	esac
	$sudo sh -c "export DEBIAN_FRONTEND=noninteractive
		${guard:+trap 'rm -f $policy' EXIT}
		apt-get update -q >&2
		$guard apt-get install -q -y --no-install-recommends $* >&2"
}

for group in "$@"; do
	case $group in
	build | test | lint | real) "need_$group" ;;
	*)
		echo "contrib/deps.sh: unknown group '$group' (build, test, lint or real)" >&2
		exit 2
		;;
	esac
done
[ -n "$debian" ] || exit 0

say() { echo "pmo needs these packages:$2. Install them with: $1$2" >&2; }

if has_program apt-get; then
	sudo=''
	if [ "$(id -u)" != 0 ]; then
		sudo=sudo
		has_program sudo || {
			say 'apt-get install' "$debian"
			exit 1
		}
	fi
	echo "installing:$debian" >&2
	# shellcheck disable=SC2086
	apt_install $debian || {
		say 'apt-get install' "$debian"
		exit 1
	}
	exit 0
fi
if has_program dnf; then
	say 'dnf install' "$fedora"
elif has_program apk; then
	say 'apk add' "$alpine"
elif has_program pacman; then
	say 'pacman -S' "$arch"
elif has_program zypper; then
	say 'zypper install' "$suse"
else
	echo "pmo needs what Debian calls:$debian" >&2
fi
exit 1
