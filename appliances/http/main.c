/*
 * mrg-http: a server of files by HTTP/1.1. This file is the way in.
 * Reading order: options.h, setup.h, site.h, serve.h, worker.h.
 */
#include "appliances/http/serve.h"
#include "appliances/http/site.h"
#include "unix/mrg_unix.h"

static enum outcome look_only(struct setup *setup)
{
	struct site *site;
	const enum outcome outcome = site_open(&site, setup);
	if (outcome == OUTCOME_OK)
		site_close(site);
	return outcome;
}

int main(int argc, char *argv[])
{
	enum outcome outcome = OUTCOME_OK;
	if (mrg_unix_files_begin() != 0)
		return OUTCOME_SYSTEM; /* with nowhere to say so */
	struct setup *const setup = setup_read(argc, argv, &outcome);
	if (setup == NULL)
		return (int)outcome;
	outcome = setup->options.check ? look_only(setup) : serve(setup, argc, argv);
	return (int)outcome;
}
