#!/bin/sh
# deps.sh GROUP... : install the Debian packages that mk/deps.list names for these groups and that are missing.
# Says nothing when nothing is missing; needs root, or sudo. PACKAGE:ARCHITECTURE is one of another architecture, which apt is told of.
set -eu
list=$(dirname "$0")/deps.list
packages=$(for group in "$@"; do awk -v g="$group" '$1 == g { print $2 }' "$list"; done)

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "make deps: this is not Debian; have these installed by your own means:" $packages >&2
	exit 0
fi

missing=
for package in $packages; do
	dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

become=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "make deps: missing:$missing" >&2
		echo "make deps: not root and no sudo here; as root, run: apt-get install --no-install-recommends$missing" >&2
		exit 1
	fi
	become=sudo
	[ -t 0 ] || become='sudo -n'
fi

install_missing()
{
	$become env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >"$log" 2>&1
}

echo "make deps: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for package in $missing; do
	case $package in
	*:*) # the lists of a new architecture are fetched when the first try fails
		dpkg --print-foreign-architectures | grep -qx "${package#*:}" || $become dpkg --add-architecture "${package#*:}" ;;
	esac
done
# The package lists may be absent or old; they are fetched only if the first try fails.
if ! install_missing; then
	$become apt-get update -q >/dev/null 2>&1 || true
	if ! install_missing; then
		cat "$log" >&2
		echo "make deps: could not install:$missing" >&2
		exit 1
	fi
fi
# Packages that start what they hold; tests start their own.
for service in nginx bind9:named nsd knot; do
	case "$missing " in
	*" ${service%:*} "* | *" ${service%:*}-light "*)
		! command -v systemctl >/dev/null 2>&1 || $become systemctl -q disable --now "${service#*:}.service" >/dev/null 2>&1 || true ;;
	esac
done
