/*
 * get.h - what the files of mrg-get share.
 *
 * Functions that give bool have said on standard error what is wrong when it is false.
 */
#ifndef MRG_GET_H
#define MRG_GET_H

#include "protocols/http/client.h"
#include "unix/mrg_unix.h"

#define GET_VERSION "0.1.0" /* as in mk/config.mk */

/* How the program ends; see its help text. */
enum { DONE, STATUS, USAGE, CONNECTION, TIME, ANSWER, SYSTEM };

enum { FIELDS_MAX = 64 };

struct options {
	char *const *urls;
	size_t url_count;
	const char *output; /* NULL: standard output */
	const char *method; /* NULL: what fits the other options */
	struct mrg_http_field_line fields[FIELDS_MAX];
	size_t field_count;
	struct mrg_span host; /* p is NULL: that of the URL */
	struct mrg_unix_text data;
	bool has_data, only_head, with_head, old, help, version;
	uint64_t max_ns;       /* 0: no limit of its own */
	struct mrg_rt_addr at; /* family 0: where the URL says */
};

bool options_read(struct options *o, int argc, char *argv[]);

/* Fetch all URLs; returns the exit code. */
int fetch_all(const struct options *o);

/* Where the octets go. */
struct output {
	const char *name; /* NULL: standard output */
	int fd;           /* -1: not open yet */
};

bool output_head(struct output *out, const struct mrg_http_response *r);
bool output_octets(struct output *out, struct mrg_span octets);
bool output_close(struct output *out); /* when all is written */

/* `mrg-get: a: b: strerror(err)` on standard error; b may be empty, err 0. */
void complain(const char *a, const char *b, int err);

#endif
