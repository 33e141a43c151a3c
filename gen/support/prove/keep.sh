#!/bin/sh
# What WP takes for a solver (gen/mrg/prove_wp.py): it keeps each goal in a folder, under a number, and proves nothing.
set -eu
n=$(($(cat "$MRG_GOALS/count") + 1))
cp "$1" "$MRG_GOALS/$n.smt2"
echo "$n" >"$MRG_GOALS/count"
echo unknown
