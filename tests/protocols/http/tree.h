/*
 * tree.h - for tests of protocols/http: files that are made up.
 *
 * Each open gives a file of its own, with octets of its own, and a close takes them away, so that who looks at a closed file is seen to.
 */
#ifndef TESTS_HTTP_TREE_H
#define TESTS_HTTP_TREE_H

#include "mrg_rt.h"

enum { TREE_MAX = 64 };

struct tree_entry {
	const char *path;
	struct mrg_span octets; /* stay where they are */
	int64_t modified_s;
	uint64_t version;
	bool hidden;             /* not in memory: p is NULL */
	enum mrg_rt_found found; /* what an open says: MRG_RT_FILE, or why not */
	size_t left;             /* octets that are still there when it is sent; SIZE_MAX: all */
};

struct tree {
	struct mrg_rt_tree tree;
	struct tree_entry entries[TREE_MAX];
	size_t count;
	unsigned opened, closed, looked; /* files opened, files closed, opens in all */
};

void tree_init(struct tree *t);

/* A file with these octets, changed in 2001; the result may be changed, and stays in place. */
struct tree_entry *tree_add(struct tree *t, const char *path, struct mrg_span octets);

/* At most `most` octets of a file that is not in memory; none behind its end. */
struct mrg_span hidden_octets(const struct mrg_rt_file *f, uint64_t offset, uint64_t most);

/* Octets of which no two places look the same, 1 MiB. */
enum { PATTERN_MAX = 1 << 20 };
struct mrg_span pattern(size_t len);

#endif
