#!/bin/bash -eu
# Run by OSS-Fuzz with CC, CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE, SRC, WORK and OUT set. Each packet and text of the specifications
# becomes $OUT/NAME_fuzzer, with its seeds and its dictionary. MRG_SPECS: other specifications; MRG_SEEDS: inputs for each (100).
cd "$SRC/morgana"
# shellcheck disable=SC2206  # names of files, without blanks
specs=(${MRG_SPECS:-specs/dns/message.mrg specs/dns/master.mrg specs/http/*.mrg specs/net/*.mrg})
made=$WORK/morgana

bin/mrg fuzz "${specs[@]}" -o "$made"
make -s -C "$made" -j"$(nproc)" engine.a CC="$CC" CFLAGS="$CFLAGS"
# The program that makes seeds is run here and now, so it has neither sanitizer nor coverage.
cp -r "$made" "$made-seeds"
rm -rf "$made-seeds/obj"
make -s -C "$made-seeds" -j"$(nproc)" fuzz CC="$CC" CFLAGS=-O0 LDFLAGS=

cd "$made"
for subject in $("$made-seeds/fuzz" --list); do
	name=${subject//./_}_fuzzer
	# shellcheck disable=SC2086  # flags are words
	"$CC" $CFLAGS -std=c11 -D_GNU_SOURCE -I. -Isupport -DMRG_FUZZ_SUBJECT="\"$subject\"" -c support/mrg_fuzz_again.c -o "$name.o"
	# shellcheck disable=SC2086
	"$CXX" $CXXFLAGS -o "$OUT/$name" "$name.o" -Wl,--whole-archive engine.a -Wl,--no-whole-archive $LIB_FUZZING_ENGINE
	rm -rf "$made-seeds/corpus"
	"$made-seeds/fuzz" -s "$subject" --make "${MRG_SEEDS:-100}" "$made-seeds/corpus"
	python3 -m zipfile -c "$OUT/${name}_seed_corpus.zip" "$made-seeds/corpus"/*
	if [ -s "dict/$subject.dict" ]; then # one without a word is none
		cp "dict/$subject.dict" "$OUT/$name.dict"
	fi
done
rm -rf "$made-seeds"
