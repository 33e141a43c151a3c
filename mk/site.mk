# The pages that `make run` serves: the protocol reference, and the live status of both servers, which run.sh tells their ports.
# Each page is there compressed as well, so that clients get it so.

SITE_PAGES := $(wildcard appliances/http/pages/*)

site: $(SITE)/made ## make the pages that `make run` serves
.PHONY: site

ifneq ($(SITE),generated/site)
$(SITE)/made: $O/gen.names $(SPECS) $(GEN_PY) $(SITE_PAGES) mk/site.mk
	$(call say,SITE,$(SITE)/)
	$Qrm -rf $(SITE).new
	$QPYTHONDONTWRITEBYTECODE=1 $(PYTHON) bin/mrg docs -I specs -o $(SITE).new --link 'Live status=status.html' $(SPECS)
	$Qcp $(SITE_PAGES) $(SITE).new/
	$Qfind $(SITE).new -type f -exec gzip -9kn {} +
	$Qtouch $(SITE).new/made && rm -rf $(SITE) && mv $(SITE).new $(SITE)
endif
