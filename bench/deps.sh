#!/bin/sh
# Unpack the peers that bench/ measures against below DIR: Debian packages and
# whatever they need that this machine lacks.  Nothing is installed and no
# service is started: only `apt-get download` and `dpkg -x`.
#   usage: bench/deps.sh DIR
set -eu

dir=${1:?usage: bench/deps.sh DIR}
peers="nsd knot bind9 gdnsd ldnsutils knot-dnssecutils bind9-utils bind9-dnsutils libldns-dev libknot-dev libhttp-parser-dev node-llhttp nginx lighttpd h2o liblwip-dev liblwip0 ethtool wrk"
have_perf=$(command -v perf || true)
[ -n "$have_perf" ] || peers="$peers linux-perf"

mkdir -p "$dir/debs"
dir=$(cd "$dir" && pwd)
stamp="$dir/done"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$peers" ]; then
	echo "bench-deps: peers are in $dir"
	exit 0
fi

# What apt would install beside the peers is what their binaries need here.
# Already installed peers aren't in that list, so each is added by name.
plan() {
	LC_ALL=C apt-get -s install --no-install-recommends $peers 2>/dev/null |
		sed -n 's/^Inst \([^ ]*\) .*/\1/p'
	for p in $peers; do echo "$p"; done
}
want=$(plan | sort -u)
if [ "$(plan | wc -l)" -le "$(echo $peers | wc -w)" ]; then
	apt-get update -qq || true
	want=$(plan | sort -u)
fi

cd "$dir/debs"
for p in $want; do
	set -- "$p"_*.deb
	[ -e "$1" ] || echo "$p"
done | xargs -r apt-get download -q
mkdir -p "$dir/root"
for deb in *.deb; do
	dpkg -x "$deb" "$dir/root"
done
printf '%s' "$peers" >"$stamp"
echo "bench-deps: $(ls | wc -l) packages unpacked below $dir/root"
