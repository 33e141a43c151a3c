# make install, uninstall, dist.
#
# Installed, under PREFIX:
#   bin/mrg                   the compiler: a link to share/mrg/bin/mrg
#   share/mrg/{bin,gen,specs} the compiler as it stands in the tree, so that it finds its support files the same way
#   bin/mrg-dns, mrg-get ...  the appliances
#   include/mrg/              mrg.h, mrg_rt.h, generated headers, the protocols' headers
#   lib/lib*.a, lib/pkgconfig/*.pc, share/man/, share/doc/mrg/

TO      := $(DESTDIR)$(PREFIX)
INSTALL := install

MAN_PAGES := $(wildcard docs/man/*.[1-9])
# What is installed from the compiler: everything it needs to run from where it stands.
TOOL_FILES := $(sort $(shell find gen/mrg gen/support specs -type f ! -name '*.pyc' ! -name '.*' 2>/dev/null))
PLATFORM_H := $(wildcard runtime/*/mrg_*.h)

install: programs $O/pkgconfig/made ## install under PREFIX (DESTDIR= is put before it)
	$(call say,INST,$(TO))
	$Qmkdir -p '$(TO)/bin' '$(TO)/lib/pkgconfig' '$(TO)/share/mrg' '$(TO)/include/mrg'
	$Qfor f in $(TOOL_FILES); do $(INSTALL) -D -m 644 $$f "$(TO)/share/mrg/$$f" || exit 1; done
	$Q$(INSTALL) -D -m 755 bin/mrg '$(TO)/share/mrg/bin/mrg'
	$Qln -sf ../share/mrg/bin/mrg '$(TO)/bin/mrg'
	$Q$(INSTALL) -s -m 755 $(PROGRAMS:%=$B/bin/%) '$(TO)/bin'
	$Q$(INSTALL) -m 644 $(LIB_FILES) '$(TO)/lib'
	$Q$(INSTALL) -m 644 $(LIBS:%=$O/pkgconfig/%.pc) '$(TO)/lib/pkgconfig'
	$Q$(INSTALL) -m 644 $(filter-out %/mrg_vectors.h,$(wildcard gen/support/*.h)) runtime/mrg_rt.h '$(TO)/include/mrg'
	$Qfor f in $(GEN_H:$G/%=%); do $(INSTALL) -D -m 644 $G/$$f "$(TO)/include/mrg/$$f" || exit 1; done
	$Qfor f in $(PUBLIC_H); do $(INSTALL) -D -m 644 $$f "$(TO)/include/mrg/$$f" || exit 1; done
	$Qfor f in $(PLATFORM_H:runtime/%=%); do $(INSTALL) -D -m 644 runtime/$$f "$(TO)/include/mrg/$$f" || exit 1; done
	$Qfor f in $(MAN_PAGES); do $(INSTALL) -D -m 644 $$f "$(TO)/share/man/man$${f##*.}/$${f##*/}" || exit 1; done
	$Q$(INSTALL) -D -m 644 README.md LICENSE CHANGES.md specs/LANGUAGE.md docs/tutorial.md -t '$(TO)/share/doc/mrg'
	$Q$(INSTALL) -D -m 644 appliances/dns/example.org.zone -t '$(TO)/share/doc/mrg/examples'

uninstall: ## remove what `make install` put under PREFIX
	$(call say,RM,$(TO))
	$Qrm -rf '$(TO)/share/mrg' '$(TO)/include/mrg' '$(TO)/share/doc/mrg'
	$Qrm -f '$(TO)/bin/mrg' $(PROGRAMS:%='$(TO)/bin/%') $(LIBS:%='$(TO)/lib/lib%.a') $(LIBS:%='$(TO)/lib/pkgconfig/%.pc')
	$Qrm -f $(foreach m,$(MAN_PAGES),'$(TO)/share/man/man$(patsubst .%,%,$(suffix $m))/$(notdir $m)')

# The pkg-config files find everything relative to where they stand, so an installed copy may be moved as a whole.
# The names and needs of libraries stand in the rules.mk of the folders.
$O/pkgconfig/made: mk/install.mk mk/config.mk $(wildcard */rules.mk */*/rules.mk)
	$Qmkdir -p $(@D)
	$Q$(foreach l,$(LIBS),printf '%s\n' \
		'prefix=$${pcfiledir}/../..' \
		'' \
		'Name: $l' \
		'Description: Morgana: $(LIB_ABOUT_$l)' \
		'Version: $(VERSION)' \
		'Requires: $(LIB_NEEDS_$l)' \
		'Libs: -L$${prefix}/lib -l$l' \
		'Cflags: -I$${prefix}/include/mrg' >$(@D)/$l.pc && ) touch $@

# A source archive with the generated C in generated/: whoever builds it needs no Python, re2c or Ragel.
DIST := mrg-$(VERSION)
DIST_FILES = $(shell if [ -e .git ]; then git ls-files -co --exclude-standard; else find . -type f ! -path './$O/*' ! -path './generated/*' ! -name '*.pyc'; fi)
dist: ## a source archive with the generated C, so that building it needs no Python, re2c or Ragel
	+$Q$(BUILD) dist-archive

dist-archive: $G/files.mk $(SITE)/made
	$(call say,DIST,$O/$(DIST).tar.gz)
	$Qrm -rf $O/dist && mkdir -p $O/dist/$(DIST)/generated
	$Qtar -cf - $(DIST_FILES) | tar -C $O/dist/$(DIST) -xf -
	$Qcp -R $G/. $O/dist/$(DIST)/generated/
	$Qcp -R $(SITE) $O/dist/$(DIST)/generated/site
	$Qtar -C $O/dist --sort=name --mtime=@$${SOURCE_DATE_EPOCH:-0} --owner=0 --group=0 --numeric-owner -cf - $(DIST) | gzip -9n >$O/$(DIST).tar.gz
	$Qrm -rf $O/dist

.PHONY: install uninstall dist dist-archive
