/*
 * figures.h - what is counted, as a page of figures shows it.
 *
 * What it does not do: it adds nothing up; it needs no system.
 */
#ifndef MRG_HTTP_FIGURES_H
#define MRG_HTTP_FIGURES_H

#include "appliances/common/page.h"

enum { FIGURES = 19 };

/* Of folders; all 0 where there are none. */
struct file_figures {
	uint64_t hits, loaded, busy;
};

/* In the order of the page. */
void figures_of(const struct mrg_http_server *server, const struct file_figures *files, uint64_t out[FIGURES]);

void figures_put(const uint64_t figures[FIGURES], struct mrg_w *w);

#endif
