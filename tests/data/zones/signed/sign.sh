#!/bin/sh
# Signs the zones of this folder again, with the keys beside them (new ones where there are none).
# Signatures last until 2070: RFC 4034 3.1.5 compares times modulo 2^32, so later would be earlier.
set -eu
cd "$(dirname "$0")"
DATES="-s 20240101000000 -e 20700101000000"

key() { # origin, flags...
	o=$1; shift
	dnssec-keygen -q -K keys -a ECDSAP256SHA256 "$@" "$o" >/dev/null 2>&1
}
have() { ls keys/K"$1".+013+* >/dev/null 2>&1; }
sign() { # origin, options...
	o=$1; shift
	dnssec-signzone -S -K keys -o "$o" $DATES -O full -f "$o.signed" "$@" "$o.zone" >/dev/null
	cp "dsset-$o." keys/ && rm -f "dsset-$o."
	{
		echo "trust-anchors {"
		awk '{ d = ""; for (i = 7; i <= NF; i++) d = d $i; printf "\t%s static-ds %s %s %s \"%s\";\n", $1, $4, $5, $6, d }' "keys/dsset-$o."
		echo "};"
	} >"$o.anchor"
}

for o in nsec.example nsec3.example child.nsec.example; do
	have "$o" || { key "$o"; key "$o" -f KSK; }
done
have optout.example || key optout.example -f KSK

sign child.nsec.example -3 -
cp keys/dsset-child.nsec.example. .
sign nsec.example -g
rm -f dsset-child.nsec.example.
sign nsec3.example -3 aabbccdd -H 5
sign optout.example -z -3 - -A
