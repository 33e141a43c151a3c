/*
 * read.h - the text of a zone to a zone: the records of the master file reader go to the builder, what either refuses to a report.
 *
 * What it does not do: it opens no file, and needs no system.
 *
 * Use:
 *	const struct zone_source source = { .file = "example.org.zone", .origin = origin, .ctx = me, .open = open_text };
 *	struct zone_read r;
 *	const struct mrg_dns_zone *const zone = zone_read(&r, &source, &master, &arena, &report);
 *	if (zone == NULL) ...	(r.stopped, or it has been reported why)
 */
#ifndef MRG_DNS_READ_H
#define MRG_DNS_READ_H

#include "protocols/dns/master.h"
#include "protocols/dns/zone.h"

/* One thing wrong with a zone. */
struct fault {
	const char *file;
	unsigned line, col; /* from 1; 0: the whole file */
	const char *field;  /* "MX preference"; "" where no field is at fault */
	const char *what;
};

enum { ZONE_ERROR_TEXT = 1100 /* octets: a name as text, 255 octets, each at most four characters, and a type's name */ };

/* zone_error_record - the record of an error, `www.example.org. CNAME`, as far as it is known.   Returns: out */
const char *zone_error_record(const struct mrg_dns_zone_error *e, char out[ZONE_ERROR_TEXT]);

/* zone_error_what - what is wrong with it; a string that stays. */
const char *zone_error_what(const struct mrg_dns_zone_error *e);

/* Where faults go, in the order of the text. */
struct report {
	void *ctx;
	void (*fault)(void *ctx, const struct fault *f);
};

/* Where the text is. */
struct zone_source {
	const char *file;       /* for messages */
	struct mrg_span origin; /* wire form */
	void *ctx;
	/* The text from its beginning; `again`: nothing is added to the zone this time.  Returns NULL, or why it can't be had. */
	const char *(*open)(void *ctx, bool again, struct mrg_dns_master_source *out);
	/* As in mrg_dns_master_events; NULL: there are no other files. */
	bool (*include)(void *ctx, struct mrg_span name, const char *from_file, struct mrg_dns_master_source *out);
	bool (*stop)(void *ctx); /* asked now and then: is the zone not wanted any more?  May be NULL */
};

struct zone_read {
	size_t faults;
	bool stopped;
	/* private */
	const struct zone_source *source;
	const struct report *report;
	struct mrg_dns_master *master;
	struct mrg_dns_zone_builder builder;
	uint64_t records;
	/* looking for the line of a record: see look */
	const struct mrg_dns_zone_error *wanted;
	struct fault found;
};

/*
 * zone_origin_read - the origin of a zone, absolute or not, to its wire form.
 *   len   written when NULL is returned
 * Fails:    why not, put into `room`.
 */
const char *zone_origin_read(
	struct mrg_span text, uint8_t out[MRG_DNS_MAX_NAME], size_t *len, char *room, size_t cap);

/*
 * zone_read - read a zone.
 *   r       overwritten; says what there was
 *   master  overwritten: memory of the reader
 *   arena   for the zone, which stays as long as it
 * Fails:    NULL after one or more faults, or when `stop` said so.
 */
const struct mrg_dns_zone *zone_read(struct zone_read *r, const struct zone_source *source, struct mrg_dns_master *master,
	struct mrg_arena *arena, const struct report *report);

#endif
