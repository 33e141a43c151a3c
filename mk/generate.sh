#!/bin/sh
# generate.sh OUT SPEC... : compile the specs into OUT, touching only files whose bytes changed and removing those that
# no spec makes any more; last, write OUT/files.mk with the names of all of them.
set -eu
out=$1
shift
new=$out.new
rm -rf "$new"
mkdir -p "$new" "$out"
trap 'rm -rf "$new"' EXIT
${PYTHON:-python3} bin/mrg c -I specs -o "$new" "$@"

(cd "$new" && find . -type f | sed 's,^\./,,' | LC_ALL=C sort) | while read -r f; do
	cmp -s "$new/$f" "$out/$f" && continue
	mkdir -p "$(dirname "$out/$f")"
	mv "$new/$f" "$out/$f"
	echo "$f" >>"$new.moved"
done
(cd "$out" && find . -type f ! -name files.mk | sed 's,^\./,,') | while read -r f; do
	[ -e "$new/$f" ] || grep -qxF "$f" "$new.moved" 2>/dev/null || rm -f "$out/$f"
done
rm -f "$new.moved"

{
	for kind in c h; do
		printf 'GEN_%s :=' "$(echo $kind | tr ch CH)"
		(cd "$out" && find . -name "*.$kind" | sed 's,^\./,,' | LC_ALL=C sort) | while read -r f; do
			printf ' \\\n\t$G/%s' "$f"
		done
		printf '\n'
	done
} >"$out/files.mk.new"
mv "$out/files.mk.new" "$out/files.mk"
