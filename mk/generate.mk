# Specs to C. All specs go through one run of the compiler; which files come out is known only after that, so the run
# also writes $G/files.mk, which is included here: make remakes it when a spec or the compiler changed, then reads it again.
# Files whose bytes did not change keep their time, so a comment-only edit of a spec compiles nothing.
# (docs/decisions/2026-11-generate-in-one-run.md)

SPECS  := $(sort $(shell find specs -name '*.mrg' 2>/dev/null))
GEN_PY := $(sort $(shell find gen/mrg bin -type f ! -name '*.pyc' 2>/dev/null))

# A specification that is gone is nothing that could be newer; so the list of names is a file as well.
$O/gen.names: FORCE
	@mkdir -p $(@D); echo '$(SPECS) $(GEN_PY)' | cmp -s - $@ || echo '$(SPECS) $(GEN_PY)' >$@

ifneq ($G,generated)
$G/files.mk: $O/gen.names $(SPECS) $(GEN_PY) mk/generate.sh
	$(call say,MRG,specs/ -> $G/)
	$QPYTHON='$(PYTHON)' PYTHONDONTWRITEBYTECODE=1 mk/generate.sh $G $(SPECS)
endif

ifdef WANT_GENERATED
include $G/files.mk
endif

# The protocol reference: pages that say what the specifications say.  Those of a specification that is gone go with it.
docs: $O/docs/index.html ## write the protocol reference into docs/ of the build folder
$O/docs.flags: FORCE
	@mkdir -p $(@D); echo '$(DOCS_FLAGS)' | cmp -s - $@ || echo '$(DOCS_FLAGS)' >$@
$O/docs/index.html: $O/gen.names $O/docs.flags $(SPECS) $(GEN_PY)
	$(call say,DOCS,specs/ -> $O/docs/)
	$Qrm -rf $O/docs.new && PYTHONDONTWRITEBYTECODE=1 $(PYTHON) bin/mrg docs -I specs -o $O/docs.new $(DOCS_FLAGS) $(SPECS)
	$Qrm -rf $O/docs && mv $O/docs.new $O/docs

.PHONY: docs
