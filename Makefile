# Morgana: the whole build, in one non-recursive GNU Make.
#
# Reading order: mk/config.mk (the variables you may set), */rules.mk (each folder appends its sources to lists),
# mk/generate.mk (specs to C), mk/site.mk (the pages of `make run`), mk/compile.mk (C to libraries, programs and tests), mk/vm.mk (to images), mk/install.mk.
# Goals with a "##" comment are what `make help` prints.

include mk/config.mk

# These goals run before anything is generated; those that need the generated lists call make again (BUILD).
OUTER_GOALS := help run image container docs site test lint format deps bench-deps bench soak clean dist \
	prove repro fuzz fuzz-dns fuzz-http fuzz-tcpip fuzz-zone fuzz-smoke fuzz-servers fuzz-peers fuzz-planted mutants fuzz-exhaust fuzz-report
ifneq ($(filter-out $(OUTER_GOALS),$(or $(MAKECMDGOALS),all)),)
WANT_GENERATED := yes
endif

all: programs ## build the libraries and the appliances (the default)

include mk/generate.mk
include mk/site.mk
include $(sort $(wildcard */rules.mk */*/rules.mk))
include mk/compile.mk
include mk/vm.mk
include mk/install.mk
include mk/check.mk

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(filter-out %.d,$(MAKEFILE_LIST))
	@echo
	@awk '/^##  / { print substr($$0, 3) }' mk/config.mk

deps: ## install what building and testing need (Debian; quiet when nothing is missing)
	$Qmk/deps.sh $(BUILD_DEPS) test

bench-deps: ## install, or unpack under the build folder, what only the measurements need
	$Qmk/deps.sh $(BUILD_DEPS) bench

run: ## build, then serve a zone and the protocol reference in the foreground until Ctrl-C
	$Qmk/deps.sh $(BUILD_DEPS) $(filter tap vm,$(SCALE))
	+$Q$(BUILD) programs $(if $(filter $(SITE),$(ROOT)),site)
	$(if $(filter vm,$(SCALE)),+$Q$(MAKE) image APP=dns && $(MAKE) image APP=http && $(BUILD) $B/vm/x86_64/hello.elf)
	$Qexec mk/run.sh $B/bin '$(DNS_LISTEN)' '$(ZONE)' '$(DNS_METRICS)' '$(HTTP_LISTEN)' '$(ROOT)' '$(HTTP_METRICS)' '$(SCALE)' '$B/vm' $B/vm/x86_64/hello.elf

IMAGE_APPS := $(patsubst appliances/%/vm/main.c,%,$(wildcard appliances/*/vm/main.c))
image: ## build an image of a virtual machine with what it serves: APP=dns ZONE=ORIGIN=FILE, or APP=http ROOT=FOLDER
	$Qmk/deps.sh $(BUILD_DEPS)
	$(if $(filter $(IMAGE_APPS),$(APP)),,$(error make image: APP= is one of: $(IMAGE_APPS)))
	+$Q$(BUILD) programs
	+$Q$(BUILD) vm-image IMAGE=mrg-$(APP)

container: ## make a container image without a container engine: mrg-dns with ZONE=ORIGIN=FILE
	$Qmk/deps.sh $(BUILD_DEPS)
	+$Q$(BUILD) programs
	$Qmkdir -p $B/container
	$Q$(PYTHON) mk/container.py -o $B/container/mrg-dns.tar --name mrg-dns:latest --program $B/bin/mrg-dns --port 53/udp --port 53/tcp \
		--file '/zones/zone=$(lastword $(subst =, ,$(ZONE)))' -- --listen 0.0.0.0:53 --listen '[::]:53' \
		--zone '$(firstword $(subst =, ,$(ZONE)))=/zones/zone'

clean: ## remove everything that was built
	$Qrm -rf $O

.PHONY: all help deps bench-deps run image container clean
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
