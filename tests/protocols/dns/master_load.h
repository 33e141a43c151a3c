/*
 * master_load.h - read master files and keep what they give, for the tests of protocols/dns/master.
 * Texts lie against a page that can't be read: reading past the NUL behind one is a crash.
 */
#ifndef TESTS_MASTER_LOAD_H
#define TESTS_MASTER_LOAD_H

#include "protocols/dns/master.h"

struct master_record {
	uint8_t *owner, *rdata;
	size_t owner_len, rdata_len;
	uint16_t type, class;
	uint32_t ttl;
	unsigned line, col;
};

struct master_complaint {
	char file[128], field[96], what[192];
	unsigned line, col;
};

/* A file for $INCLUDE that is no file. */
struct master_made_file {
	const char *name, *text;
};

struct master_load {
	struct master_record *records;
	struct master_complaint *errors;
	size_t record_count, error_count, reported; /* reported: what the reader says */
	size_t stop_after;                          /* records; 0: all */
	size_t breaks_at; /* octets of a text behind which it can't be read; 0: it can */
	const struct master_made_file
		*made; /* up to one without name; NULL: files are files, beside the includer */
	uint32_t default_ttl;
	enum mrg_status status;
	struct mrg_dns_master_source texts[256];
	size_t text_sizes[256], text_count;
};

/* Both start with an empty `l` but for what its fields ask; len may be SIZE_MAX: up to the NUL. */
void master_load_text(struct master_load *l, const char *text, size_t len, const char *origin);
bool master_load_file(struct master_load *l, const char *path, const char *origin);
void master_load_free(struct master_load *l);

/* "www.example. 3600 IN A 192.0.2.1" of record i; static. */
const char *master_load_show(const struct master_load *l, size_t i);
/* "6:25 MX preference: not a number" of error i; static. */
const char *master_load_error(const struct master_load *l, size_t i);

#endif
