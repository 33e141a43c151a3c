# Targets for fuzzers: `make fuzz-vm` builds and runs those of virtual machines for T seconds each. They are built by that only; what their
# entries do is run by tests as well, bounded (tests/runtime/vm/test_fuzz.c).

FUZZ_CC     ?= clang
FUZZ_FLAGS  := -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_TARGETS_vm := vm_hostile vm_boot
FUZZ_SRC_vm_hostile := fuzz/vm_hostile.c fuzz/failed.c tests/runtime/vm/hostile.c tests/runtime/vm/fake_host.c tests/protocols/http/guard.c \
	runtime/vm/net.c runtime/vm/virtq.c
FUZZ_GEN_vm_hostile := virtio.c
FUZZ_SRC_vm_boot := fuzz/vm_boot.c fuzz/failed.c
FUZZ_GEN_vm_boot := pci.c
T ?= 60

define FUZZ_RULE
$O/fuzz/$1: $(FUZZ_SRC_$1) $(FUZZ_GEN_$1:%=$G/%) $(wildcard runtime/vm/*.[ch] runtime/vm/monitor/*.[ch] tests/runtime/vm/*.h fuzz/*.h)
endef
$(foreach t,$(FUZZ_TARGETS_vm),$(eval $(call FUZZ_RULE,$t)))
$O/fuzz/%:
	$(call say,FUZZ,$@)
	$Qmkdir -p $(@D) && $(FUZZ_CC) -std=c11 $(FUZZ_FLAGS) $(DEF_tests) $(INC_tests) -o $@ $(filter %.c,$(FUZZ_SRC_$*) $(FUZZ_GEN_$*:%=$G/%))

# What was found to lead to new places is kept, and gone on with the next time.
fuzz-vm: $(FUZZ_TARGETS_vm:%=$O/fuzz/%) ## run the fuzzers of virtual machines, T seconds each (60)
	$Qfor t in $(FUZZ_TARGETS_vm); do \
		mkdir -p $O/fuzz/$$t.corpus && \
		$O/fuzz/$$t -max_total_time=$(T) -max_len=6000 -timeout=10 -print_final_stats=1 -artifact_prefix=$O/fuzz/ $O/fuzz/$$t.corpus || exit 1; \
	done
.PHONY: fuzz-vm

# What drives subjects (gen/support/fuzz/mrg_fuzz.h): NAME is the in-process runner, NAME-san the same under sanitizers, NAME-libfuzzer,
# NAME-afl and NAME-mutator.so what they say. FUZZ_SUBJECT_NAME are its sources, which define mrg_fuzz_subjects, FUZZ_SUBJECT_GEN_NAME
# those that are generated.
AFL_CC ?= afl-clang-fast
FUZZ_S := gen/support/fuzz
FUZZ_S_COMMON := $(FUZZ_S)/mrg_fuzz_again.c $(FUZZ_S)/mrg_fuzz_guard.c
FUZZ_S_RUNNER := $(addprefix $(FUZZ_S)/mrg_fuzz_,run.c main.c loop.c find.c catch.c havoc.c exhaust.c files.c) $(FUZZ_S_COMMON)
FUZZ_S_FLAGS = -std=c11 -g $(WARN) $(DEF_tests) -I $(FUZZ_S) $(INC_tests)
FUZZ_SUBJECTS := canary
FUZZ_SUBJECT_canary := fuzz/canary.c

define FUZZ_LINK
$(call say,FUZZ,$@)
$Qmkdir -p $(@D) && $1 -o $@ $(filter %.c,$^)
endef

# A macro of AFL++'s own converts without saying so, hence -Wno-conversion.
define FUZZ_SUBJECT_RULES
$O/fuzz/$1 $O/fuzz/$1-san: $(FUZZ_S_RUNNER)
$O/fuzz/$1-libfuzzer: $(FUZZ_S)/mrg_fuzz_libfuzzer.c $(FUZZ_S)/mrg_fuzz_havoc.c $(FUZZ_S_COMMON)
$O/fuzz/$1-afl: $(FUZZ_S)/mrg_fuzz_afl.c $(FUZZ_S_COMMON)
$O/fuzz/$1-mutator.so: $(FUZZ_S)/mrg_fuzz_aflmut.c $(FUZZ_S)/mrg_fuzz_havoc.c $(FUZZ_S_COMMON)
$O/fuzz/$1:
	$$(call FUZZ_LINK,$$(CC) -O3 $$(FUZZ_S_FLAGS))
$O/fuzz/$1-san:
	$$(call FUZZ_LINK,$$(FUZZ_CC) -O1 -fsanitize=address$$(comma)undefined -fno-sanitize-recover=all $$(FUZZ_S_FLAGS))
$O/fuzz/$1-libfuzzer:
	$$(call FUZZ_LINK,$$(FUZZ_CC) $$(FUZZ_FLAGS) $$(FUZZ_S_FLAGS))
$O/fuzz/$1-afl:
	$$(call FUZZ_LINK,AFL_QUIET=1 $$(AFL_CC) -O2 $$(FUZZ_S_FLAGS) -Wno-conversion)
$O/fuzz/$1-mutator.so:
	$$(call FUZZ_LINK,$$(CC) -O2 -shared -fPIC $$(FUZZ_S_FLAGS))
$(addprefix $O/fuzz/$1,-san -libfuzzer -afl -mutator.so) $O/fuzz/$1: $(FUZZ_SUBJECT_$1) $(FUZZ_SUBJECT_GEN_$1:%=$G/%) $(wildcard $(FUZZ_S)/*.h)
endef
$(foreach s,$(FUZZ_SUBJECTS),$(eval $(call FUZZ_SUBJECT_RULES,$s)))

# ---- servers, the stack, machines: subjects by hand, over the libraries as they are ----
# What makes and checks single messages is a folder of `mrg fuzz`; FUZZ_SPEC= names one that is there already and has these specifications.
FUZZ_SERVERS_C := $(addprefix fuzz/,servers.c tcpip_packet.c tcpip_stack.c tcpip_user.c http_request.c http_server.c http_files.c http_files_naive.c http_files_request.c dns_zones.c dns_query.c dns_server.c dns_stream.c dns_transfer.c dns_catalog.c frames.c lines.c pipe.c words.c ops.c)
FUZZ_SERVERS_SPECS := $(addprefix specs/,dns/message.mrg http/message.mrg $(addprefix net/,link.mrg ip4.mrg ip6.mrg icmp4.mrg icmp6.mrg udp.mrg tcp.mrg))
FUZZ_SERVERS_SRC := $(FUZZ_SERVERS_C) tests/protocols/dns/oracle.c $G/config.c
FUZZ_SERVERS_O := $(patsubst %.c,$B/obj/%.o,$(patsubst $G/%,generated/%,$(FUZZ_SERVERS_SRC)))
FUZZ_SERVERS_LIBS := $(addprefix $B/lib/libmrg,-dns.a -http.a -tcpip.a -rt-unix.a .a)
FUZZ_SPEC := $B/fuzz/spec
INC_fuzz := -I $(FUZZ_S) -I gen/support -I $G -I runtime -I . -I tests
DEF_fuzz := -D_GNU_SOURCE
# What matters for speed is the libraries and the makers of messages.
$B/obj/fuzz/%.o: private CFLAGS += -O1
FUZZ_SERVERS_LINK = $(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $1 $(FUZZ_SERVERS_O) \
	$(FUZZ_SPEC)/spec.a -Wl,--start-group $(FUZZ_SERVERS_LIBS) -Wl,--end-group $(PKG_LIBS)

ifeq ($(origin FUZZ_SPEC),file)
$(FUZZ_SPEC).list: FORCE
	@mkdir -p $(@D); echo '$(FUZZ_SERVERS_SPECS)' | cmp -s - $@ || echo '$(FUZZ_SERVERS_SPECS)' >$@
$(FUZZ_SPEC)/fuzz: $(FUZZ_SPEC).list $(FUZZ_SERVERS_SPECS) $(GEN_PY) $(wildcard $(FUZZ_S)/*)
	$(call say,FUZZ,$(@D))
	$Qrm -rf $(@D) && bin/mrg fuzz $(FUZZ_SERVERS_SPECS) -o $(@D)
	+$Q$(MAKE) -s -C $(@D) CC='$(CC)' CFLAGS='-O2 -g $(SANFLAGS)' CODE=
endif
# Of the folder all but its own list of subjects, of which each program takes what it needs.
$(FUZZ_SPEC)/spec.a: $(FUZZ_SPEC)/fuzz
	$Qrm -f $@ && cd $(@D)/obj && $(AR) crs ../spec.a support/*.o $$(ls subjects_*.o texts_*.o 2>/dev/null)
$B/fuzz/servers: $(FUZZ_SERVERS_O) $(FUZZ_SPEC)/spec.a $(FUZZ_SERVERS_LIBS)
	$(call say,FUZZ,$@)
	$Q$(call FUZZ_SERVERS_LINK,)
# The same with a file of C that has been spoilt instead of the one that is in the libraries: for tests of what subjects see.
$B/fuzz/spoilt/%: $B/fuzz/spoilt/%.c $B/fuzz/servers
	$Q$(CC) $(filter-out -MMD -MP,$(BASE)) -O0 -g $(SANFLAGS) $(if $(OPS),$(FUZZ_OPS)) $(DEF_fuzz) $(INC_fuzz) $(INC_protocols) -c -o $@.o $<
	$Q$(call FUZZ_SERVERS_LINK,-Wl$(comma)-S$(comma)--allow-multiple-definition $@.o)

# The same with libraries that count what is run of them, so that subjects see what is not linear; $B/fuzz/spoilt counts with OPS=yes.
FUZZ_OPS := -fsanitize-coverage=trace-pc
FUZZ_OPS_O := $(patsubst %.c,$B/obj/ops/%.o,$(wildcard $(addsuffix /*.c,$(addprefix protocols/,dns http tcpip))))
$B/obj/ops/%.o: %.c $B/flags | $O/inc/made
	$(call say,CC,$< (counting))
	$Qmkdir -p $(@D) && $(CC) $(BASE) $(CFLAGS) $(SANFLAGS) $(FUZZ_OPS) $(INC_protocols) -c -o $@ $<
$B/fuzz/servers-ops: $(FUZZ_OPS_O) $B/fuzz/servers
	$(call say,FUZZ,$@)
	$Q$(call FUZZ_SERVERS_LINK,$(FUZZ_OPS_O))

# The other builds, of the same sources, compiled by who marks what is under test, or for a library. What makes messages is not under test.
FUZZ_BY_afl        = AFL_QUIET=1 $(AFL_CC) -O2
FUZZ_BY_libfuzzer  = $(FUZZ_CC) $(FUZZ_FLAGS)
FUZZ_BY_mutator.so = $(CC) -O2 -fPIC
FUZZ_DRIVER_afl        := $(FUZZ_S)/mrg_fuzz_afl.c
FUZZ_DRIVER_libfuzzer  := $(addprefix $(FUZZ_S)/mrg_fuzz_,libfuzzer.c havoc.c)
FUZZ_DRIVER_mutator.so := $(addprefix $(FUZZ_S)/mrg_fuzz_,aflmut.c havoc.c)
FUZZ_LIBS_SRC = $(foreach l,-dns -http -tcpip -rt-unix,$(LIB_SRC_mrg$l)) $(LIB_SRC_mrg)
.SECONDEXPANSION: # which they are is known later
# $1: what drives them; $2: what makes messages
define FUZZ_SERVERS_RULES
$B/obj/servers-$1/%.o: %.c $B/flags | $O/inc/made
	$$(call say,CC,$$< ($1))
	$$Qmkdir -p $$(@D) && $$(FUZZ_BY_$1) -MMD -MP -std=c11 -g -w $$(DEF_fuzz) $$(INC_fuzz) $$(INC_protocols) -c -o $$@ $$<
$B/fuzz/servers-$1.a: $$$$(patsubst %.c,$B/obj/servers-$1/%.o,$$$$(FUZZ_LIBS_SRC))
	$$Qmkdir -p $$(@D) && rm -f $$@ && $$(AR) crs $$@ $$^
$B/fuzz/servers-$1: $$(patsubst %.c,$B/obj/servers-$1/%.o,$$(FUZZ_DRIVER_$1) $$(FUZZ_S_COMMON) $$(FUZZ_SERVERS_SRC)) $(FUZZ_SPEC)/$2 $B/fuzz/servers-$1.a
	$$(call say,FUZZ,$$@)
	$$Q$$(FUZZ_BY_$1) $(if $(filter %.so,$1),-shared -Wl$(comma)-z$(comma)defs) -o $$@ $$^ $$(PKG_LIBS)
endef
$(eval $(call FUZZ_SERVERS_RULES,afl,spec.a))
$(eval $(call FUZZ_SERVERS_RULES,libfuzzer,spec.a))
$(eval $(call FUZZ_SERVERS_RULES,mutator.so,spec-so.a))
$(FUZZ_SPEC)/spec-so.a: $(FUZZ_SPEC)/fuzz
	+$Q$(MAKE) -s -C $(@D) CC='$(CC)' CFLAGS='-O2 -g' CODE= mutator.so
	$Qrm -f $@ && cd $(@D)/obj-so && $(AR) crs ../spec-so.a support/*.o $$(ls subjects_*.o texts_*.o 2>/dev/null)

# ---- campaigns: `mrg fuzz` writes a folder, which is built and run ----
#   make fuzz SPEC='own.mrg ...'   every packet and text of it in turn, T seconds each
#   make fuzz-dns fuzz-http fuzz-tcpip fuzz-zone   what matters most of our own
# Variables: T= seconds of each subject (60), E= cases instead, SEED=, SAN=address,undefined, ONLY='subject ...', JOBS= at once (1).
FUZZ_SPECS_dns   := $(addprefix specs/dns/,message.mrg stream.mrg)
FUZZ_ONLY_dns    := dns.message.Message dns.message.TcpMessage dns.stream.StreamClient dns.stream.StreamServer
FUZZ_SPECS_tcpip := $(addprefix specs/net/,link.mrg ip4.mrg ip6.mrg icmp4.mrg icmp6.mrg udp.mrg tcp.mrg dhcp4.mrg igmp.mrg connection.mrg neighbor.mrg dhcp4_client.mrg)
FUZZ_ONLY_tcpip  := net.link.Ethernet net.ip4.Ip4 net.ip4.Ip4Options net.ip6.Ip6 net.ip6.Ip6Options net.icmp4.Icmp4 net.icmp6.Icmp6 \
	net.udp.Udp net.tcp.Tcp net.tcp.TcpOptions net.dhcp4.DhcpOptions net.igmp.Igmp net.connection.Connection net.neighbor.Neighbor net.dhcp4_client.Dhcp4Client
FUZZ_SPECS_http  := $(addprefix specs/http/,message.mrg target.mrg field.mrg connection.mrg)
FUZZ_SPECS_zone  := specs/dns/master.mrg
FUZZ_OWN         := dns http tcpip zone
FUZZ_LENGTH = $(if $(E),-E $(E),-T $(T))
FUZZ_BOUND = $(FUZZ_LENGTH) --points-out reached.jsonl

# JOBS is that of builds. Said on the command line, it is that of runs, too: so many at once of each subject, AFL++'s if that is installed.
FUZZ_JOBS = $(if $(filter command,$(origin JOBS)),$(JOBS),1)
FUZZ_AFL = $(if $(SAN),,$(shell command -v afl-fuzz >/dev/null && command -v $(AFL_CC) 2>/dev/null))

# Sanitizers have a folder of their own, as everywhere.
FUZZ_FOLDER = $O/fuzz/$1$(if $(SAN),-$(subst $(comma),+,$(SAN)))

# Subjects of $B/fuzz/servers.
FUZZ_SERVERS_dns := $(addprefix dns.server.,message answer stream transfer)
FUZZ_SERVERS_zone := dns.server.catalog
FUZZ_SERVERS_http := $(addprefix http.server.,requests files)
FUZZ_SERVERS_tcpip := tcpip.stack
FUZZ_SERVERS_all := $(FUZZ_SERVERS_dns) $(FUZZ_SERVERS_zone) $(FUZZ_SERVERS_http) $(FUZZ_SERVERS_tcpip) appliance.words
# Of ONLY=, those that are none of them.
FUZZ_ONLY = $(filter-out $(FUZZ_SERVERS_all),$(ONLY))

# $1: subjects of those that are wanted
define FUZZ_SERVERS_RUN
	$Qmk/deps.sh $(BUILD_DEPS)
	+$Q$(BUILD) $B/fuzz/servers
	$Qfor s in $(filter $(or $(ONLY),%),$1); do \
		$B/fuzz/servers -s "$$s" $(FUZZ_LENGTH) -S $(or $(SEED),1) -o $B/fuzz/servers-finds || failed=1; \
	done; test -z "$$failed"
endef

# $1: the name of its folder; $2: specifications; $3: subjects, all when empty
define FUZZ_CAMPAIGN
	$Qmk/deps.sh $(BUILD_DEPS)
	$Qbin/mrg fuzz $2 -o $(FUZZ_FOLDER)
	+$Q$(MAKE) -s -C $(FUZZ_FOLDER) -j$(JOBS) $(if $(SAN),CC=$(FUZZ_CC) CFLAGS='-O1 -g -fsanitize=$(SAN) -fno-sanitize-recover=all')
	$Qcd $(FUZZ_FOLDER) && if ! [ counted -nt points.json ]; then rm -f reached*.jsonl; touch counted; fi
	$(if $(filter-out 1,$(FUZZ_JOBS)),$(FUZZ_SIDE_BY_SIDE),$(FUZZ_ALONE))
endef
define FUZZ_ALONE
$Qcd $(FUZZ_FOLDER) && for s in $(or $(FUZZ_ONLY),$3,$$(./fuzz --list)); do \
		./fuzz -s "$$s" $(FUZZ_BOUND) -S $(or $(SEED),1) -o finds || failed=1; \
	done; test -z "$$failed"
endef
define FUZZ_SIDE_BY_SIDE
+$Q$(if $(FUZZ_AFL),$(MAKE) -s -C $(FUZZ_FOLDER) afl)
	$Q$(PYTHON) fuzz/campaign.py --jobs $(FUZZ_JOBS) $(if $(E),--cases $(E),--seconds $(T)) --seed $(or $(SEED),1) $(if $(FUZZ_AFL),--afl) \
		$(FUZZ_FOLDER) $(or $(FUZZ_ONLY),$3,$$($(FUZZ_FOLDER)/fuzz --list))
endef

fuzz: ## fuzz each packet and text of SPEC=own.mrg, T seconds each (60)
	$(if $(SPEC),,$(error make fuzz: say SPEC=own.mrg, or make fuzz-dns, fuzz-http, fuzz-tcpip, fuzz-zone, fuzz-vm))
	$(call FUZZ_CAMPAIGN,$(subst .,-,$(notdir $(firstword $(SPEC)))),$(SPEC),)
$(FUZZ_OWN:%=fuzz-%): fuzz-%: ## the same of our own specifications
	$(if $(or $(FUZZ_ONLY),$(if $(ONLY),,all)),$(call FUZZ_CAMPAIGN,$*,$(FUZZ_SPECS_$*),$(FUZZ_ONLY_$*)))
	$(if $(filter $(or $(ONLY),%),$(FUZZ_SERVERS_$*)),$(call FUZZ_SERVERS_RUN,$(FUZZ_SERVERS_$*)))
fuzz-servers: ## fuzz the servers, connections and machines, T seconds each (60)
	$(call FUZZ_SERVERS_RUN,$(FUZZ_SERVERS_all))

# What is generated against other libraries, where both must say the same of an input or differ in a known way (fuzz/peers.h).
PEERS_FOLDER ?= $O/fuzz/peers
PEERS_SPECS  := specs/dns/message.mrg specs/http/message.mrg $(filter specs/net/%,$(FUZZ_SERVERS_SPECS))
PEERS_LIBS   := $(addprefix $B/lib/libmrg,-http.a -dns.a -tcpip.a -rt-unix.a .a)
# PEERS_MORE: C instead of that of the libraries, for tests of what is seen.
PEERS_C      := $(addprefix fuzz/peers,.c _dns.c _http.c _stack.c _all.c) $(addprefix fuzz/,tcpip_packet.c tcpip_user.c frames.c ops.c)
PEERS_O      := $(addsuffix [-.]*o,subjects_dns_message texts_http_message $(patsubst specs/net/%.mrg,subjects_net_%,$(filter specs/net/%,$(FUZZ_SERVERS_SPECS))))
fuzz-peers: ## hold what is generated against ldns, libknot and http_parser, and the stack against lwIP, T= or E= as above
	$Qmk/deps.sh $(BUILD_DEPS) peers
	+$Q$(BUILD) $(PEERS_LIBS)
	$(if $(filter file,$(origin PEERS_FOLDER)),$Qbin/mrg fuzz $(PEERS_SPECS) -o $(PEERS_FOLDER))
	$(if $(filter file,$(origin PEERS_FOLDER)),+$Q$(MAKE) -s -C $(PEERS_FOLDER) -j$(JOBS))
	$(call say,LINK,$(PEERS_FOLDER)/peers)
	$Q$(CC) -std=gnu11 -g -O1 -fPIC -shared -Wl,-soname,peers_lwip.so $(WARN) $(INC_tests) $$(pkg-config --cflags lwip) -o $(PEERS_FOLDER)/peers_lwip.so fuzz/peers_lwip.c -llwip
	$Q$(CC) -std=c11 -g -O1 -no-pie -fvisibility=hidden $(WARN) $(DEF_tests) $(PEERS_FLAGS) -I $(PEERS_FOLDER)/support $(INC_tests) -o $(PEERS_FOLDER)/peers \
		$(INC_protocols) $(PEERS_MORE) $(PEERS_C) $(addprefix $(PEERS_FOLDER)/obj/,$(PEERS_O) support/*.o) \
		-Wl,--start-group $(PEERS_LIBS) -Wl,--end-group -Wl,--exclude-libs,ALL -lldns -lknot -lhttp_parser $(PEERS_FOLDER)/peers_lwip.so \
		-Wl,-rpath,'$$ORIGIN' $(PKG_LIBS)
	$Qcd $(PEERS_FOLDER) && ./peers $(addprefix -s ,$(ONLY)) $(FUZZ_LENGTH) -S $(or $(SEED),1) -o peers-finds
.PHONY: fuzz-peers
fuzz-smoke: ## a bounded run of everything that is fuzzed, the same each time; a part of make test
	+$Q$(MAKE) test TESTS=tests/fuzz/
.PHONY: fuzz-servers fuzz $(FUZZ_OWN:%=fuzz-%) fuzz-smoke

# All inputs of a small scope, instead of some by chance (gen/support/fuzz/mrg_fuzz_exhaust.h).
fuzz-exhaust: $(if $(SPEC),fuzz-exhaust-spec,$(FUZZ_OWN:%=fuzz-exhaust-%)) ## every input of 3 octets, then E longer ones (100000000), of SPEC= or our own
fuzz-exhaust-spec $(FUZZ_OWN:%=fuzz-exhaust-%): FUZZ_BOUND = --exhaust 3 --exhaust-cases $(or $(E),100000000)
fuzz-exhaust-spec $(FUZZ_OWN:%=fuzz-exhaust-%): FUZZ_JOBS = 1
fuzz-exhaust-spec:
	$(call FUZZ_CAMPAIGN,$(subst .,-,$(notdir $(firstword $(SPEC)))),$(SPEC),)
$(FUZZ_OWN:%=fuzz-exhaust-%): fuzz-exhaust-%:
	$(call FUZZ_CAMPAIGN,$*,$(FUZZ_SPECS_$*),$(FUZZ_ONLY_$*))
.PHONY: fuzz-exhaust fuzz-exhaust-spec $(FUZZ_OWN:%=fuzz-exhaust-%)

repro: ## say which finds are still there, by programs built anew: F=a find, or a folder of them (all of campaigns)
	$Q$(PYTHON) fuzz/repro.py $(or $(F),$(wildcard $(addsuffix finds,$(dir $(wildcard $O/fuzz/*/counted)))))
fuzz-report: ## a page: what `make fuzz...` reached of the specifications, painted; DIR=folders of `mrg fuzz` (all of O)
	$Qbin/mrg fuzz-report $(or $(DIR),$(sort $(patsubst %/,%,$(dir $(wildcard $O/fuzz/*/reached*.jsonl))))) -o $O/fuzz/report.html
	$(call say,PAGE,$O/fuzz/report.html)
.PHONY: repro fuzz-report

fuzz-points: ## what the runner comes to of SPEC= (all of specs/), a table: points reached, those that can be, cases needed (E=, SEEDS='1 2 7')
	$Qmk/deps.sh $(BUILD_DEPS)
	$Q$(PYTHON) fuzz/points.py --cases $(or $(E),10000) --seeds $(or $(SEEDS),1 2 7) -- $O/fuzz/points-$(if $(SPEC),of,all) $(or $(SPEC),$(SPECS))
.PHONY: fuzz-points

fuzz-planted: ## plant faults in generated C, one by one: which are found, after how many cases (ONLY=, E=, SEED=, AFL=1, PLAIN=)
	$Qmk/deps.sh $(BUILD_DEPS)
	$Q$(PYTHON) fuzz/planted.py --jobs $(JOBS) --execs $(or $(E),500000) --seed $(or $(SEED),1) $(if $(AFL),--afl $(or $(E),500000) --plain $(or $(PLAIN),$(E),500000)) --only '$(ONLY)' $O/fuzz/planted
.PHONY: fuzz-planted

# Files that `mrg fuzz` writes, with the specification that is fuzzed, and C written by hand whose tests fuzz/mutants.py knows.
MUTANT_FILES := net/udp:net/udp.c net/udp:net/udp.h net/link:net/link.h net/ip4:net/ip4.c net/ip4:net/ip4.h net/icmp4:net/icmp4.c \
	net/tcp:net/tcp.h dns/message:dns/name.h $(addprefix protocols/http/,range.c date.c url.c)
mutants: ## change C in small ways, N= each of FILES='net/udp:net/udp.h protocols/http/date.c': how many do its tests notice?
	$Qmk/deps.sh $(BUILD_DEPS) test
	$(if $(filter protocols/%,$(or $(FILES),$(MUTANT_FILES))),+$Q$(BUILD) test-programs)
	$Q$(PYTHON) fuzz/mutants.py --jobs $(JOBS) --count $(or $(N),100) --seed $(or $(SEED),1) --execs $(or $(E),20000) $(or $(FILES),$(MUTANT_FILES))
.PHONY: mutants
