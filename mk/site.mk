# The pages that `make run` serves: the protocol reference, and the live status of both servers, which run.sh tells their ports.
# Each page is there compressed as well, so that clients get it so. One at a time makes them: two of `make run` may find at once that they are not there.

SITE_PAGES := $(wildcard appliances/http/pages/*)

site: $(SITE)/made ## make the pages that `make run` serves
.PHONY: site

ifneq ($(SITE),generated/site)
$(SITE)/made: $O/gen.names $(SPECS) $(GEN_PY) $(SITE_PAGES) mk/site.mk
	$(call say,SITE,$(SITE)/)
	$Qmkdir -p $(dir $(SITE)) && flock $(SITE).lock sh -euc '\
		rm -rf $(SITE).new; \
		PYTHONDONTWRITEBYTECODE=1 $(PYTHON) bin/mrg docs -I specs -o $(SITE).new --link "Live status=status.html" $(SPECS); \
		cp $(SITE_PAGES) $(SITE).new/; \
		find $(SITE).new -type f -exec gzip -9kn {} +; \
		touch $(SITE).new/made; rm -rf $(SITE); mv $(SITE).new $(SITE)'
endif
