/*
 * master.h - read master files (zone files) into records.
 *
 * References: RFC 1035 section 5, RFC 2308 section 4 ($TTL), RFC 3597 section 5, RFC 9460 section
 * 2.1, RFC 4034; $GENERATE as BIND has it.  Words and numbers are specs/dns/master.mrg, the RDATA
 * of each type its own specification: neither is known here.
 *
 * What it does not do: open files (the `include` event gives texts), keep records, see whether they
 * make a zone (zone.h).
 *
 * Use:
 *   static struct mrg_dns_master m;             // large: see below
 *   const struct mrg_dns_master_events ev = { .ctx = me, .record = keep, .error = tell };
 *   size_t errors;
 *   if (mrg_dns_master_read(&m, &text, origin, 0, &ev, &errors) != MRG_OK)
 *           refuse(errors);
 */
#ifndef MRG_DNS_MASTER_H
#define MRG_DNS_MASTER_H

#include "dns/name.h"
#include "mrg_text.h"

enum {
	MRG_DNS_MASTER_DEPTH = 16,             /* files open at once through $INCLUDE */
	MRG_DNS_MASTER_WORD_MAX = 1 << 18,     /* octets of a word: twice what any RDATA needs */
	MRG_DNS_MASTER_GENERATE_MAX = 1 << 24, /* records that the $GENERATEs of one read may make */
	MRG_DNS_MASTER_RESUME_MAX = 16         /* times that a parenthesis without end is passed over */
};

/*
 * A file's text: all of it, or what comes first and a way to more.  p[len] must be readable and 0; the reader does not
 * count it.  What is not the end of the whole text ends behind a line feed.
 */
struct mrg_dns_master_source {
	const uint8_t *p;
	size_t len;
	const char *name; /* for messages, and to see that a file includes itself */
	void *ctx;
	/*
	 * NULL: there is no more.  Else the reader asks when it has come to the end of what it has.
	 *   text   in: the end of what it has, from the first octet that it still needs; empty at first.
	 *          out: the same octets and what follows them; unchanged where the text ends.
	 *   stay   nothing that was given before may move or change
	 * Returns NULL, or why the text can't be read on: that becomes an error, and the text ends there.
	 */
	const char *(*more)(void *ctx, struct mrg_span *text, bool stay);
	/* The reader will not look at the text again.  May be NULL. */
	void (*done)(void *ctx);
};

/* One record.  All of it is good only during the event. */
struct mrg_dns_master_rr {
	struct mrg_span owner; /* wire form, no pointers */
	struct mrg_span rdata; /* the same; valid as its type says */
	uint16_t type, class;
	uint32_t ttl;
	const char *file;
	unsigned line, col; /* where the entry starts, from 1 */
};

/* One error; reading goes on with the next entry. */
struct mrg_dns_master_error {
	const char *file;
	unsigned line, col;
	const char *field; /* "MX preference", "TTL", "$INCLUDE"; "" where no field is at fault */
	const char *what;  /* "not a number: 'abc'" */
};

struct mrg_dns_master_events {
	void *ctx;
	/* false stops the reading: MRG_END */
	bool (*record)(void *ctx, const struct mrg_dns_master_rr *rr);
	/* may be NULL */
	void (*error)(void *ctx, const struct mrg_dns_master_error *e);
	/* The text of an included file; good until it is done with.  false: there is none.  NULL: $INCLUDE is an error. */
	bool (*include)(
		void *ctx, struct mrg_span name, const char *from_file, struct mrg_dns_master_source *out);
};

/* A file being read; private. */
struct mrg_dns_master_file {
	struct mrg_dns_master_source source;
	const uint8_t *at, *end, *line_start;
	const char *broken; /* why it can't be read on */
	unsigned line;
	uint8_t origin_len, owner_len;
	uint8_t origin[MRG_DNS_MAX_NAME], owner[MRG_DNS_MAX_NAME];
};

/* The reader's memory: about 110 KiB, the caller's; needs no initialisation.  Private. */
struct mrg_dns_master {
	struct mrg_text text;
	const struct mrg_dns_master_events *ev;
	struct mrg_dns_master_file *file; /* the current one */
	unsigned kind;                    /* enum mrg_dns_master_token of text.tok */
	unsigned parens;
	const uint8_t *open; /* the outermost parenthesis, and its line */
	const uint8_t *open_line_start;
	unsigned open_line;
	unsigned entry_line, entry_col;
	size_t errors;
	bool stopped, making; /* making: the entry is one of $GENERATE's */
	unsigned resumed;
	uint32_t generated;
	uint16_t class;
	bool class_known;
	bool ttl_known, default_ttl_known;
	uint32_t ttl, default_ttl; /* last stated, and of $TTL */
	uint32_t last_resort_ttl;
	uint8_t owner_len;
	uint8_t owner[320];
	uint8_t rdata[65535];
	/* what $GENERATE repeats: column in the file, owner's length, where a quote was left out; an entry that it makes */
	unsigned form_col;
	size_t form_len, form_owner_len, form_quote;
	uint64_t count;
	uint8_t form[4096], made[8192];
	struct mrg_dns_master_file files[MRG_DNS_MASTER_DEPTH];
};

/*
 * mrg_dns_master_read - read a master file and what it includes; every record and error is an event.
 *   m            overwritten
 *   src          see struct mrg_dns_master_source
 *   origin       wire form, no pointers; completes relative names until the first $ORIGIN
 *   default_ttl  for records that no rule gives one; 0: that is an error
 *   error_count  how many errors there were
 * A record's TTL: as stated; else $TTL; else the last one stated; else, from the SOA on, its minimum.
 * Its class: as stated, else that of the first record that states one, else IN; all must be the same.
 * Fails:    MRG_E_TEXT when there were errors; MRG_END when the record event stopped it.
 * Lifetime: borrows src and origin during the call.
 * Cost:     linear in the texts and in the records that $GENERATE makes, which are bounded.
 */
enum mrg_status mrg_dns_master_read(struct mrg_dns_master *m, const struct mrg_dns_master_source *src,
	struct mrg_span origin, uint32_t default_ttl, const struct mrg_dns_master_events *ev,
	size_t *error_count);

#endif
