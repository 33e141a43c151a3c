#!/bin/sh
# run.sh BIN DNS_LISTEN ZONE DNS_METRICS HTTP_LISTEN ROOT HTTP_METRICS : both appliances in the foreground, until Ctrl-C or until one ends.
bin=$1 dns=$2 zone=$3 dns_metrics=$4 http=$5 root=$6 http_metrics=$7

# The status page asks both servers.
if [ -e "$root/made" ]; then
	echo '[{"name": "mrg-http", "kind": "http", "port": '"${http_metrics##*:}"'}, {"name": "mrg-dns", "kind": "dns", "port": '"${dns_metrics##*:}"'}]' \
		>"$root/sources.json.new" && mv "$root/sources.json.new" "$root/sources.json"
fi

address=${dns%:*}
address=${address#[}
address=${address%]}
name=${zone%%=*}
name=${name%.}
[ "$name" = example.org ] && name=www.example.org
echo
echo "Serving $zone.  Try:   dig @$address -p ${dns##*:} $name"
echo "Serving $root.  Try:   curl http://$http/   or a browser"
[ -e "$root/made" ] && echo "What both are doing:   http://$http/status.html"
echo "Ctrl-C ends them."
echo

# Each server ends by itself on a signal, when it has answered what it was asked; when one ends before, so does the other.
"$bin/mrg-dns" --listen "$dns" --zone "$zone" --metrics "$dns_metrics" &
dns_pid=$!
"$bin/mrg-http" --listen "$http" --root "$root" --metrics "$http_metrics" &
http_pid=$!
trap 'kill $dns_pid $http_pid 2>/dev/null' INT TERM HUP EXIT
while kill -0 $dns_pid 2>/dev/null && kill -0 $http_pid 2>/dev/null; do
	sleep 1 &
	wait $!
done
kill $dns_pid $http_pid 2>/dev/null
wait $dns_pid
dns_status=$?
wait $http_pid
http_status=$?
trap - EXIT
[ $dns_status -eq 0 ] && exit $http_status
exit $dns_status
