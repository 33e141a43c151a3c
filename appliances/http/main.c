/*
 * mrg-http: a server of files by HTTP/1.1. This file is the way in.
 * Reading order: options.h, site.h, serve.h, worker.h.
 */
#include "appliances/common/start.h"
#include "appliances/http/options.h"
#include "appliances/http/serve.h"
#include "appliances/http/site.h"

static enum outcome look_only(const struct options *o)
{
	struct site *site;
	const char *bad;
	const int err = site_open(&site, o, &bad);
	if (err != 0) {
		(void)refused("mrg-http", bad != NULL ? bad : "memory", "", err);
		return bad != NULL ? OUTCOME_INPUT : OUTCOME_SYSTEM;
	}
	site_close(site);
	return OUTCOME_OK;
}

int main(int argc, char *argv[])
{
	static struct options o;
	enum outcome outcome;
	if (mrg_unix_files_begin() != 0)
		return OUTCOME_SYSTEM; /* with nowhere to say so */
	if (!options_read(&o, argc, argv, &outcome))
		return (int)outcome;
	outcome = o.check ? look_only(&o) : serve(&o);
	return (int)outcome;
}
