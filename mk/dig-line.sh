#!/bin/sh
# dig-line.sh ADDRESS:PORT ORIGIN=FILE : print the line with which to try the server that is about to start.
address=${1%:*}
address=${address#[}
address=${address%]}
origin=${2%%=*}
name=${origin%.}
[ "$name" = example.org ] && name=www.example.org
echo
echo "Serving $2. Try:   dig @$address -p ${1##*:} $name"
echo "Ctrl-C ends it."
echo
