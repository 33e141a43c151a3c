/*
 * figures.h - what is counted, as a page of metrics shows it.
 */
#ifndef MRG_DNS_FIGURES_H
#define MRG_DNS_FIGURES_H

#include "appliances/common/metrics.h"

struct control;
struct database;
struct worker;

/* Publish the worker's figures. Between two events, from its own thread. */
void figures_publish(struct worker *w);

/* The sum of the figures of all workers, then what is served. From any thread that has the database. */
void figures_put(const struct control *control, const struct database *db, struct mrg_w *w);

#endif
