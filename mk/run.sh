#!/bin/sh
# run.sh BIN DNS_LISTEN ZONE DNS_METRICS HTTP_LISTEN ROOT HTTP_METRICS [SCALE IMAGES HELLO] : both appliances in the foreground, until Ctrl-C or
# until one ends.
# SCALE: process, on the kernel's sockets; tap, on our own TCP/IP behind a TAP device each, which needs root; vm, as virtual machines under
# QEMU, of the images in the folder IMAGES, whose ports 53 and 80 are seen at DNS_LISTEN and HTTP_LISTEN; the image HELLO tells whether KVM does.
bin=$1 dns=$2 zone=$3 dns_metrics=$4 http=$5 root=$6 http_metrics=$7 scale=${8:-process} images=${9-} hello=${10-}

# On TAP devices: names, and the networks of which our side is .1 and theirs .2.
dns_tap=mrgdns0 dns_net=10.99.53 http_tap=mrghttp0 http_net=10.99.80

fail()
{
	echo "make run: $*" >&2
	exit 1
}

# ---- process ----

# The status page asks both servers.
tell_page()
{
	[ -e "$root/made" ] || return 0
	echo '[{"name": "mrg-http", "kind": "http", "port": '"${http_metrics##*:}"'}, {"name": "mrg-dns", "kind": "dns", "port": '"${dns_metrics##*:}"'}]' \
		>"$root/sources.json.new" && mv "$root/sources.json.new" "$root/sources.json"
}

start_process()
{
	"$bin/mrg-dns" --listen "$dns" --zone "$zone" --metrics "$dns_metrics" &
	dns_pid=$!
	"$bin/mrg-http" --listen "$http" --root "$root" --metrics "$http_metrics" &
	http_pid=$!
}

# ---- tap ----

add_tap()
{
	ip tuntap add dev "$1" mode tap vnet_hdr && ip addr add "$2.1/30" dev "$1" && ip link set "$1" up || fail "no TAP device $1"
}

remove_taps()
{
	for device in $dns_tap $http_tap; do
		ip link del "$device" 2>/dev/null
	done
}

start_tap()
{
	[ "$(id -u)" -eq 0 ] || fail "SCALE=tap makes network devices: it needs root"
	[ ! -e /sys/class/net/$dns_tap ] && [ ! -e /sys/class/net/$http_tap ] || fail "$dns_tap or $http_tap is there already"
	at_end=remove_taps
	add_tap $dns_tap $dns_net
	add_tap $http_tap $http_net
	"$bin/mrg-dns" --net "tap:$dns_tap,addr=$dns_net.2/30" --zone "$zone" &
	dns_pid=$!
	"$bin/mrg-http" --net "tap:$http_tap,addr=$http_net.2/30" --root "$root" &
	http_pid=$!
}

# ---- vm ----

# machine ACCELERATOR CPU MIB IMAGE OPTION... : the machine's end is the shell's, after $within seconds at the latest.
within=
machine()
{
	accelerator=$1 cpu=$2 memory=$3 image=$4
	shift 4
	exec ${within:+timeout $within} qemu-system-x86_64 -M "microvm,accel=$accelerator,rtc=off,acpi=off" -cpu "$cpu" -m "$memory" -nodefaults -no-user-config -nographic \
		-no-reboot -serial stdio -global virtio-mmio.force-legacy=off -kernel "$image" "$@" </dev/null
}

# KVM may be there and not do (nested, without the processor's help): an image that says hello and ends must do so, in two seconds.
choose_accelerator()
{
	accelerator=tcg cpu=max
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 0
	if (within=2 && machine kvm max,-arch-capabilities 32 "$hello") 2>/dev/null | grep -q 'event=hello'; then
		accelerator=kvm cpu=max,-arch-capabilities
	fi
}

# mebibytes FILE TIMES : memory for a machine that has this file in it.
mebibytes()
{
	echo $((32 + $(wc -c <"$1") * $2 / 1048576))
}

start_vm()
{
	case "$dns $http" in
	*'['*) fail "SCALE=vm: QEMU passes IPv4 ports on only" ;;
	esac
	choose_accelerator
	user="user,id=n,ipv6=off"
	words="ip=10.0.2.15/24 gw=10.0.2.2"
	machine $accelerator $cpu "$(mebibytes "${zone#*=}" 8)" "$images/mrg-dns-x86_64.elf" -append "$words" -device virtio-net-device,netdev=n \
		-netdev "$user,hostfwd=udp:$dns-:53,hostfwd=tcp:$dns-:53" &
	dns_pid=$!
	machine $accelerator $cpu "$(mebibytes "$images/mrg-http-x86_64.elf" 1)" "$images/mrg-http-x86_64.elf" -append "$words" \
		-device virtio-net-device,netdev=n -netdev "$user,hostfwd=tcp:$http-:80" &
	http_pid=$!
	echo "Two virtual machines under QEMU, accelerator $accelerator: $images/mrg-dns-x86_64.elf and mrg-http-x86_64.elf"
}

# ---- all ----

say_what()
{
	case $scale in
	tap) at_dns=$dns_net.2 port= at_http=$http_net.2 ;;
	*) at_dns=${dns%:*} port=" -p ${dns##*:}" at_http=$http ;;
	esac
	at_dns=${at_dns#[}
	at_dns=${at_dns%]}
	name=${zone%%=*}
	name=${name%.}
	[ "$name" = example.org ] && name=www.example.org
	echo
	echo "Serving $zone.  Try:   dig @$at_dns$port $name"
	echo "Serving $root.  Try:   curl http://$at_http/   or a browser"
	[ "$scale" = process ] && [ -e "$root/made" ] && echo "What both are doing:   http://$http/status.html"
	echo "Ctrl-C ends them."
	echo
}

at_end=:
trap '$at_end' EXIT
case $scale in
process | tap | vm) ;;
*) fail "SCALE= is one of: process tap vm" ;;
esac
[ "$scale" != process ] || tell_page
say_what

# Each server ends by itself on a signal, when it has answered what it was asked; when one ends before, so does the other.
start_$scale
stopped=
trap 'stopped=yes; kill $dns_pid $http_pid 2>/dev/null' INT TERM HUP
while kill -0 $dns_pid 2>/dev/null && kill -0 $http_pid 2>/dev/null; do
	sleep 1 &
	wait $!
done
kill $dns_pid $http_pid 2>/dev/null
wait $dns_pid
dns_status=$?
wait $http_pid
http_status=$?
# A machine's status does not tell whether it ended by itself.
[ "$scale" != vm ] || [ -n "$stopped" ] || exit 1
[ $dns_status -eq 0 ] && exit $http_status
exit $dns_status
