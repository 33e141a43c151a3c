/*
 * files.h - resources that are files of a tree.
 *
 * References: RFC 9110 8.4 (content codings), 9.3 (methods), 12.5.3 (Accept-Encoding), 13 (conditions), 14 (ranges), 15; RFC 9111
 * 5.2 (Cache-Control).
 *
 * What it does not do: it lists no folders, compresses nothing (files with `.br` or `.gz` behind their names are found), and
 * changes no file. Nothing outside a tree can be named: names come from path.h, and a tree looks for them below its root.
 *
 * Use, as the `head` of a server's handler:
 *	mrg_http_files_answer(&files, x);
 *	return false;
 */
#ifndef MRG_HTTP_FILES_H
#define MRG_HTTP_FILES_H

#include "mrg.h"
#include "mrg_rt.h"
#include "protocols/http/server.h"

/* Whose files. Names are compared in any case, without a port (RFC 9110 4.2.3). */
struct mrg_http_host {
	struct mrg_span name;
	struct mrg_rt_tree *tree;
};

/* What caches may do with files whose path begins and ends so; the first rule that fits counts (RFC 9111 5.2). */
struct mrg_http_cache_rule {
	struct mrg_span begin, end; /* of the names joined by `/`; may be empty */
	struct mrg_span value;      /* of Cache-Control */
};

/* The file that says more about an answer with this status. */
struct mrg_http_error_page {
	unsigned status;
	struct mrg_span path; /* of the tree: names joined by `/` */
};

/* All that is pointed to stays as it is while answers are made. */
struct mrg_http_files {
	const struct mrg_http_host *hosts; /* the first is for requests that name none of them */
	size_t host_count;
	struct mrg_span index; /* the file that stands for its folder: index.html */
	const struct mrg_http_cache_rule *cache_rules;
	size_t cache_rule_count;
	const struct mrg_http_error_page *error_pages;
	size_t error_page_count;
};

/*
 * mrg_http_files_answer - fill in x->reply for x->request.
 * Cost:     linear in the head; opens at most four files.
 */
void mrg_http_files_answer(const struct mrg_http_files *f, const struct mrg_http_exchange *x);

#endif
