/*
 * below.h - a folder of a tree as a tree of its own, so that one archive has the files of several hosts.
 *
 * What it does not do: it copies nothing; it needs no system.
 */
#ifndef MRG_HTTP_BELOW_H
#define MRG_HTTP_BELOW_H

#include "mrg_rt.h"

struct below {
	struct mrg_rt_tree tree;
	struct mrg_rt_tree *of;
	struct mrg_span folder; /* names joined by `/` */
};

/*
 * below_open - all that is given stays in place as long as the tree.   Fails: false when there is no such folder.
 */
bool below_open(struct below *b, struct mrg_rt_tree *of, struct mrg_span folder);

#endif
