/*
 * figures.h - what is counted, as a page of metrics shows it.
 */
#ifndef MRG_DNS_FIGURES_H
#define MRG_DNS_FIGURES_H

#include "appliances/common/metrics.h"

struct worker;
struct database;

/* Publish the worker's figures. Between two events, from its own thread. */
void figures_publish(struct worker *w);

/* The sum of the figures of so many workers, then what is served. */
void figures_put(struct worker *const *workers, size_t count, const struct database *db, struct mrg_w *w);

#endif
