# make test, bench, lint, format, dist.

# test: build everything twice (plain, and with sanitizers), and images for aarch64, then run every suite that the wildcards of tests/rules.mk found.
# What did not build is a failure of its own ($O/broken); the rest is run all the same.
TEST_SAN := address,undefined
test: ## run everything: unit tests (plain and with sanitizers), specs, black box, style, install, docs
	$Qmk/deps.sh $(BUILD_DEPS) test arm fuzz
	@rm -f $O/broken
	+$Q$(BUILD) -k programs test-programs || echo 'the plain build failed' >>$O/broken
	+$Q$(BUILD) -k ARCH=aarch64 vm-images || echo 'the build of images for aarch64 failed' >>$O/broken
	+$Q$(BUILD) -k SAN=$(TEST_SAN) programs test-programs || echo 'the build with sanitizers failed' >>$O/broken
	+$Q$(MAKE) test-run

TEST_SAN_B := $(call build_folder,$(TEST_SAN))
test-run:
	$Qenv O='$O' CC='$(CC)' MAKE='$(MAKE)' $(PYTHON) tests/run.py --jobs $(JOBS) --times $O/test-times --broken $O/broken --only '$(TESTS)' \
		--with $B $(TEST_PROGRAMS) $(TEST_SCRIPTS) \
		--with $(TEST_SAN_B) $(TEST_PROGRAMS:$B/%=$(TEST_SAN_B)/%) $(TEST_BLACK_BOX) \
		--with $B:vm $(TEST_OF_IMAGES)

# Images have no sanitizers, so they are there once.
test-programs: $(TEST_PROGRAMS) $(if $(SAN),,$(VM_FILES))

bench: ## measure against the peers, side by side
	$Qmk/deps.sh $(BUILD_DEPS) bench
	+$Q$(BUILD) programs
	+$Q$(MAKE) bench-run

T ?= 600
soak: ## load the DNS image at full rate for T= seconds (600): fails when something grows
	+$Q$(MAKE) bench BENCH_ARGS='--only vm-soak --soak $T --strict'

# prove: the C itself, as it is emitted, of the headers of TCP/IP, the DNS and HTTP; what was proved before is kept in $O/prove.
PROVE_SPECS := $(addprefix specs/,net/udp.mrg net/tcp.mrg net/ip4.mrg net/ip6.mrg net/icmp4.mrg net/icmp6.mrg net/link.mrg \
	dns/name.mrg dns/rr.mrg dns/message.mrg http/message.mrg)
prove: ## prove by Frama-C's WP and two solvers that the C of SPEC=own.mrg (or of our headers) is safe and ends
	$Qmk/deps.sh gen prove
	$Q$(PYTHON) bin/mrg prove --c $(if $(SPEC),$(SPEC),--support $(PROVE_SPECS)) -o $O/prove --jobs $(JOBS)

# coverage: what tests that are enumerated from the specifications take of the branches of generated C (tests/coverage/README.md).
COVERAGE_FLOOR := 100
coverage: $G/files.mk ## count the branches of generated C that tests without fuzzing take, and show the others (SPEC=own.mrg, ONLY=net,dns.name)
	$Qenv O='$O' PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/coverage/coverage.py --missing $(if $(SPEC),--spec $(SPEC)) \
		$(if $(ONLY),--only $(ONLY)) $(if $(SPEC)$(ONLY),,--floor $(COVERAGE_FLOOR))

HAND_C := $(sort $(shell find gen protocols runtime appliances tests bench fuzz -name '*.[ch]' 2>/dev/null))
format: ## lay out the C by .clang-format and the specs by `mrg fmt`
	clang-format -i $(HAND_C)
	$(PYTHON) bin/mrg fmt -w $(SPECS)

lint: ## look for faults without running: clang-tidy on the C, mypy on the compiler, layout and proofs of specs, manual pages
	$Qmk/deps.sh $(BUILD_DEPS) test arm
	+$Q$(BUILD) lint-c lint-python lint-specs lint-man

# One mark a file, so that only what changed is looked at again.
TIDY_C := $(filter-out tests/% bench/% fuzz/%,$(filter %.c,$(HAND_C)))
# The analyser sees one file at a time: it can't know that a view's bytes were checked in another, so where views are read its
# path-sensitive checks cry wolf (tests against a guard page and under sanitizers look there instead). Straight-line generated
# code may end with a store that nobody reads.
TIDY_VIEWS := -clang-analyzer-core.NonNullParamChecker,-clang-analyzer-core.NullDereference,-clang-analyzer-core.UndefinedBinaryOperatorResult,-clang-analyzer-core.uninitialized.*,-clang-analyzer-core.CallAndMessage
TIDY_gen       := --checks=$(TIDY_VIEWS)
TIDY_protocols := --checks=$(TIDY_VIEWS)
TIDY_appliances/impair := --checks=$(TIDY_VIEWS)
TIDY_runtime/vm/aarch64 := --checks=$(TIDY_VIEWS)
TIDY_runtime/vm/monitor := --checks=$(TIDY_VIEWS)
TIDY_generated := --checks=$(TIDY_VIEWS),-clang-analyzer-deadcode.DeadStores
# What is of another processor is read as its compiler does.
TIDY_FOR_runtime/vm/aarch64 := --target=aarch64-linux-gnu
lint-c: $(TIDY_C:%=$B/tidy/%.ok) $(GEN_C:$G/%=$B/tidy/generated/%.ok)
$B/tidy/%.ok: % .clang-tidy $(HAND_C) $(GEN_H) | $O/inc/made
	$(call say,TIDY,$<)
	$Qmkdir -p $(@D) && clang-tidy --quiet --config-file=.clang-tidy $(TIDY_$(call layer,$<)) $(TIDY_$(call folder,$<)) $< -- -std=c11 $(TIDY_FOR_$(call folder,$<)) $(DEF_$(call layer,$<)) $(INC_$(call layer,$<)) $(INC_$(call folder,$<)) >$@.log 2>&1 || { cat $@.log; exit 1; }
	$Qtouch $@
$B/tidy/generated/%.ok: $G/% .clang-tidy gen/support/mrg.h $(GEN_H)
	$(call say,TIDY,$<)
	$Qmkdir -p $(@D) && clang-tidy --quiet --config-file=.clang-tidy $(TIDY_generated) $< -- -std=c11 $(INC_generated) >$@.log 2>&1 || { cat $@.log; exit 1; }
	$Qtouch $@

lint-python:
	$(call say,MYPY,gen/mrg)
	$Qcd gen && mypy --strict --no-error-summary --cache-dir '$(abspath $O)/mypy' -p mrg

lint-specs:
	$(call say,FMT,specs)
	$Q$(PYTHON) bin/mrg fmt --check $(SPECS)
	$(call say,PROVE,specs)
	$Q$(PYTHON) bin/mrg prove $(SPECS) >/dev/null

lint-man:
	$(call say,MAN,docs/man)
	$Qmandoc -T lint -W warning docs/man/*.[1-9]

.PHONY: test test-run test-programs bench soak prove coverage format lint lint-c lint-python lint-specs lint-man
