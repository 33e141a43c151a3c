/*
 * http_files.h - a small tree of files, and what a server of it has to answer, by RFC 9110 as it is written: for http_files.c, which asks the
 * library, http_files_request.c, which makes requests, and http_files_naive.c, which reads requests and values of fields by its own simple means.
 */
#ifndef FUZZ_HTTP_FILES_H
#define FUZZ_HTTP_FILES_H

#include "fuzz/subject.h"
#include "mrg_rt.h"
#include "protocols/http/request.h"

enum { FILES_ETAG_MAX = 80, FILES_RANGES_MAX = 16, FILES_NAME_MAX = 2048, FILES_NO_TIME = -1 };

struct files_entry {
	const char *host, *path;
	enum mrg_rt_found found; /* MRG_RT_FILE, or why not */
	size_t len;
	int64_t modified_s;
	const uint8_t *octets;
	char etag[FILES_ETAG_MAX]; /* with its quotes; as the library said it first */
};

extern struct files_entry files_tree[];
extern const size_t files_tree_n;
extern const int64_t files_now_s;

/* A file of that host at that path, or NULL. */
struct files_entry *files_entry_at(const char *host, const char *path);

struct files_range {
	uint64_t first, last;
};

struct files_wanted {
	unsigned status, or_status;      /* the other is as right; 0: none */
	const struct files_entry *entry; /* what the answer is of; NULL: none */
	const char *coding;              /* "" or "gzip" or "br" */
	bool varies, whole;              /* whole: all of its octets are the body */
	size_t range_n;                  /* else these */
	struct files_range ranges[FILES_RANGES_MAX];
	char location[2 * FILES_NAME_MAX];
	bool unsure_coding; /* a coding is named more than once */
};

/* What the answer to `r` must be. */
void files_expect(const struct mrg_http_request *r, struct files_wanted *w);

/* A date as a server writes it: 29 octets. */
void files_date(int64_t unix_s, char out[40]);

/* Heads of requests for these files, with conditions, ranges and codings. */
size_t files_requests_make(struct mrg_rng *rng, uint8_t *out, size_t cap);
size_t files_requests_change(struct mrg_rng *rng, const uint8_t *in, size_t len, uint8_t *out, size_t cap);

extern const struct mrg_fuzz_subject http_server_files;

#endif
