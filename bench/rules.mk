# Programs that measure, and what they are compared with.  They are built by `make bench` only and never installed.
#   make bench BENCH_ARGS='--quick --only parse'      see bench/run.py

BENCH_BIN   := $B/bench/bin
BENCH_PEERS := $O/peers
BENCH_GEN   := $O/bench/gen
BENCH_ARGS  ?=
# Users first; spelled out, since other folders' lists aren't read yet.
BENCH_LIBS  := $(patsubst %,$B/lib/lib%.a,mrg-dns mrg-http mrg-tcpip mrg-rt-tap mrg-rt-unix mrg)

BENCH_SPECS := $(wildcard bench/specs/*.mrg)
BENCH_GEN_C := $(BENCH_SPECS:bench/specs/%.mrg=$(BENCH_GEN)/%.c)

BENCH_PROGRAMS := udpload httpload httpwork floor first parse answer change tcpip_check tcpip_ours tcpip_idle tcpload tcphold taploop
BENCH_SRC_udpload  := bench/udpload.c
BENCH_SRC_httpload := bench/httpload.c
BENCH_SRC_httpwork := bench/httpwork.c
BENCH_SRC_floor    := bench/floor.c
BENCH_SRC_first    := bench/first.c
BENCH_SRC_parse    := bench/parse.c bench/ours.c bench/ours_net.c bench/samples.c $(wildcard bench/hand/*.c)
BENCH_SRC_answer   := bench/answer.c
BENCH_SRC_change   := bench/change.c
BENCH_SRC_tcpload  := bench/tcpload.c
BENCH_SRC_tcphold  := bench/tcphold.c
BENCH_SRC_taploop  := bench/taploop.c
BENCH_SRC_tcpip_idle := bench/tcpip_idle.c bench/hosts.c
BENCH_SRC_tcpip_ours := bench/tcpip_ours.c bench/hosts.c
BENCH_SRC_tcpip_check := bench/tcpip_check.c bench/hand/tcpip.c

# The generated code of the yardsticks' specs is compiled like the generated code of the library.
$(BENCH_GEN)/made: $(BENCH_SPECS) $(GEN_PY) gen/support/mrg.h
	$(call say,MRG,bench/specs/ -> $(BENCH_GEN)/)
	$Qrm -rf $(BENCH_GEN) && mkdir -p $(BENCH_GEN)
	$QPYTHONDONTWRITEBYTECODE=1 $(PYTHON) bin/mrg c -I bench/specs -o $(BENCH_GEN) $(BENCH_SPECS) && touch $@
$(BENCH_GEN_C): $(BENCH_GEN)/made ;
$B/bench/gen/%.o: $(BENCH_GEN)/%.c $B/flags
	$(call say,CC,$<)
	$Qmkdir -p $(@D) && $(CC) $(BASE) $(CFLAGS) $(SANFLAGS) -I gen/support -I $(BENCH_GEN) -c -o $@ $<
$B/obj/bench/ours_net.o: INC_bench += -I $(BENCH_GEN) # not CFLAGS, which may be given on the command line
$B/obj/bench/ours_net.o: | $(BENCH_GEN)/made

define BENCH_RULE
$(BENCH_BIN)/$1: $(BENCH_SRC_$1:%.c=$B/obj/%.o) $$(BENCH_OBJ_$1) $B/obj/bench/util.o $(BENCH_LIBS)
endef
BENCH_OBJ_answer := $(addprefix $B/obj/appliances/,dns/load.o dns/read.o dns/version.o dns/settings.o dns/settings_use.o dns/system.o dns/zone_option.o common/say.o common/say_text.o)
BENCH_OBJ_parse := $(BENCH_GEN_C:$(BENCH_GEN)/%.c=$B/bench/gen/%.o)
$(foreach p,$(BENCH_PROGRAMS),$(eval $(call BENCH_RULE,$p)))
$(BENCH_PROGRAMS:%=$(BENCH_BIN)/%):
	$(call say,LD,$@)
	$Qmkdir -p $(@D) && $(CC) $(CFLAGS) $(SANFLAGS) $(LINK) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BENCH_LIBS) $(PKG_LIBS)

# The peers' libraries are only unpacked, so their headers and perhaps their shared objects are below $(BENCH_PEERS).
BENCH_LIB_knot := -l:libknot.so.13
BENCH_LIB_ldns := -l:libldns.so.3
$(BENCH_BIN)/knot $(BENCH_BIN)/ldns: $(BENCH_BIN)/%: bench/libs/%.c bench/util.c bench/util.h $(BENCH_PEERS)/made $B/flags
	$(call say,LD,$@)
	$Qmkdir -p $(@D) && $(CC) -std=c11 -O2 -g $(WARN) $(DEF_bench) -I . -isystem $(BENCH_PEERS)/root/usr/include \
		-o $@ $(filter %.c,$^) -L$(BENCH_PEERS)/root/usr/lib/x86_64-linux-gnu $(BENCH_LIB_$*)

BENCH_LWIP := $(BENCH_BIN)/lwip_memory $(BENCH_BIN)/lwip_tap
$(BENCH_LWIP): $(BENCH_BIN)/%: bench/libs/%.c bench/util.c bench/util.h bench/libs/lwip.h $(BENCH_PEERS)/made $B/flags
	$(call say,LD,$@)
	$Qmkdir -p $(@D) && $(CC) -std=c11 -O2 -g $(WARN) $(DEF_bench) -I . -isystem $(BENCH_PEERS)/root/usr/include/lwip \
		-o $@ $(filter %.c,$^) -L$(BENCH_PEERS)/root/usr/lib/x86_64-linux-gnu -l:liblwip.so.0

# The library as it is built, which chooses, and with what a compiler may be told of the processor.
BENCH_HTTP := $(BENCH_BIN)/http-built $(BENCH_BIN)/http-ssse3 $(BENCH_BIN)/http-avx2
BENCH_HTTP_C := bench/libs/http.c bench/util.c
BENCH_HTTP_LIBS := $B/lib/libmrg-http.a $B/lib/libmrg.a
$(BENCH_HTTP): $(BENCH_BIN)/http-%: $(BENCH_HTTP_C) bench/util.h $(wildcard gen/support/*.h) $G/http/message_read.c $(BENCH_HTTP_LIBS) $(BENCH_PEERS)/made $B/flags
	$(call say,LD,$@)
	$Qmkdir -p $(@D) && $(CC) -std=c11 -O2 -g $(WARN) $(DEF_bench) $(if $(filter-out built,$*),-m$* $G/http/message_read.c) -I . -I gen/support -I $G \
		-isystem $(BENCH_PEERS)/root/usr/include -o $@ $(BENCH_HTTP_C) $(BENCH_HTTP_LIBS) \
		-L$(BENCH_PEERS)/root/usr/lib/x86_64-linux-gnu -l:libhttp_parser.so.2.9

$(BENCH_PEERS)/made: bench/deps.sh
	$Qbench/deps.sh $(BENCH_PEERS) && touch $@
bench-deps: $(BENCH_PEERS)/made

# Those that need no peer are built with the tests: what measures must not fall behind what it measures.
test-programs: $(if $(SAN),,$(BENCH_PROGRAMS:%=$(BENCH_BIN)/%))
bench-programs: $(BENCH_PROGRAMS:%=$(BENCH_BIN)/%) $(BENCH_BIN)/knot $(BENCH_BIN)/ldns $(BENCH_HTTP) $(BENCH_LWIP)
bench-run: bench-programs programs vm-images
	$QPYTHONDONTWRITEBYTECODE=1 $(PYTHON) bench/run.py --build $B --out $O $(BENCH_ARGS)

.PHONY: bench-programs bench-run

# What fuzzing costs; AFL++ beside it where that is installed.
BENCH_FUZZ := dns.message.Message http.message.Request net.tcp.Tcp
BENCH_FUZZ_AFL = $(shell command -v afl-fuzz >/dev/null && command -v $(AFL_CC))
bench-fuzz: $O/fuzz/canary ## cases a second of the fuzzers (BENCH_ARGS=--quick: only that it works)
	$Qmk/deps.sh $(BUILD_DEPS)
	$Qbin/mrg fuzz $(addprefix specs/,dns/message.mrg http/message.mrg net/tcp.mrg) -o $O/bench/fuzz
	+$Q$(MAKE) -s -C $O/bench/fuzz -j$(JOBS) CFLAGS='-O3 -g' fuzz $(if $(BENCH_FUZZ_AFL),afl)
	+$Q$(if $(BENCH_FUZZ_AFL),$(MAKE) $O/fuzz/canary-afl $O/fuzz/canary-mutator.so $O/bench/empty-afl)
	+$Q$(BUILD) $O/fuzz/servers
	$QPYTHONDONTWRITEBYTECODE=1 $(PYTHON) bench/fuzz.py --folder $O/bench/fuzz --canaries $O/fuzz --empty $O/bench/empty-afl \
		--servers $O/fuzz/servers --prove $(SPECS) $(BENCH_ARGS) --subjects $(BENCH_FUZZ)
$O/bench/empty-afl: bench/fuzz_empty.c
	$(call say,FUZZ,$@)
	$Qmkdir -p $(@D) && AFL_QUIET=1 $(AFL_CC) -O2 -o $@ $<
.PHONY: bench-fuzz
