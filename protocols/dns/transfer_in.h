/*
 * transfer_in.h - a zone, or what has changed in it, out of a sequence of messages: AXFR and IXFR, the side that gets it.
 *
 * References: RFC 5936 2.2 and 3, RFC 1995 4, RFC 1982, RFC 7314 (EXPIRE).
 *
 * What it does not do: it opens no connection (client.h), makes no zone and changes none, checks no signature, and keeps no record: whoever
 * gets them throws away what came when the transfer fails, however far it had come.
 *
 * Use:
 *	mrg_dns_transfer_in_begin(t, &wanted, &sink);
 *	mrg_dns_transfer_in_query(t, out, cap, &len)	(send it)
 *	for each message that comes: switch (mrg_dns_transfer_in_feed(t, message, false)) ...
 *	(the connection ends before that: mrg_dns_transfer_in_lost(t))
 */
#ifndef MRG_DNS_TRANSFER_IN_H
#define MRG_DNS_TRANSFER_IN_H

#include "dns/rr.h"
#include "dns/transfer.h"
#include "mrg.h"

/* What records are part of. */
enum mrg_dns_transfer_part {
	MRG_DNS_TRANSFER_ZONE,    /* all of the version with that serial number: it begins anew */
	MRG_DNS_TRANSFER_DELETED, /* of what that version has, to get the next one; the first is its SOA */
	MRG_DNS_TRANSFER_ADDED    /* to get that version; the first is its SOA */
};

/* Who gets the records. false: it can't be taken, and the transfer fails with MRG_DNS_TRANSFER_FAULT_REFUSED. */
struct mrg_dns_transfer_sink {
	void *ctx;
	/* What follows is this part. Of DELETED and ADDED there are pairs, one for each step, in order. */
	bool (*begin)(void *ctx, enum mrg_dns_transfer_part part, uint32_t serial);
	/* A record of it in flat form, nothing compressed, its TTL as it came; valid during the call. */
	bool (*record)(void *ctx, const struct mrg_dns_flat_rr_args *rr);
};

/* Who checks signatures; both may be NULL. */
struct mrg_dns_transfer_verifier {
	void *ctx;
	/* A message has come. Anything but MRG_OK ends the transfer. */
	enum mrg_status (*verify)(void *ctx, struct mrg_span message);
	/* All messages have come. false: the last ones are not signed (RFC 8945 5.3.1). */
	bool (*complete)(void *ctx);
};

/* What is asked for. */
struct mrg_dns_transfer_wanted {
	struct mrg_span zone; /* its flat name; copied */
	bool incremental;     /* IXFR: */
	uint32_t serial;      /* of the version that is held */
	uint16_t id;          /* nobody else can guess it */
	uint16_t udp_size;    /* for our OPT record, which asks for the time of expiry; 0: no EDNS */
	size_t record_max;    /* records at most, */
	uint64_t octet_max;   /* and octets of messages: what never ends ends here */
	struct mrg_dns_transfer_verifier verifier;
};

enum mrg_dns_transfer_result {
	MRG_DNS_TRANSFER_GOES_ON, /* more has to come */
	MRG_DNS_TRANSFER_COMPLETE,
	MRG_DNS_TRANSFER_UP_TO_DATE, /* the version that is held is the newest */
	MRG_DNS_TRANSFER_OVERFLOW,   /* the datagram had no room: ask over TCP */
	MRG_DNS_TRANSFER_FAILED      /* `fault` says why */
};

/* A transfer under way; the caller's. It has some 66 KiB, for the longest RDATA. */
struct mrg_dns_transfer_in {
	enum mrg_dns_transfer_fault fault; /* 0: none */
	unsigned rcode;                    /* of the last message, with the bits in OPT */
	uint32_t serial;                   /* of the version that comes, once `messages` is not 0 */
	bool has_expire;                   /* RFC 7314: */
	uint32_t expire_s;                 /* the time for which the other side holds it */
	size_t records, messages;          /* so far */
	uint64_t octets;
	/* private */
	struct mrg_dns_transfer_order m; /* where it stands: specs/dns/transfer.mrg */
	enum mrg_dns_transfer_result result;
	struct mrg_dns_transfer_wanted wanted;
	struct mrg_dns_transfer_sink sink;
	struct mrg_dns_name_flat name, owner;
	struct mrg_dns_flat_rr_args rr; /* that is being dealt with; borrows the message, or what follows */
	uint32_t soa_serial, step_to;   /* of the SOA before it; that the last differences led to */
	uint32_t first_ttl;
	size_t first_len;
	uint8_t first[MRG_DNS_SOA_SIZE_MAX]; /* RDATA of the first SOA */
	uint8_t rdata[UINT16_MAX];
};

void mrg_dns_transfer_in_begin(struct mrg_dns_transfer_in *t, const struct mrg_dns_transfer_wanted *wanted,
	const struct mrg_dns_transfer_sink *sink);

/*
 * mrg_dns_transfer_in_query - the query that asks for it.
 * Fails:    MRG_E_SPACE.
 */
MRG_MUST_USE enum mrg_status mrg_dns_transfer_in_query(
	const struct mrg_dns_transfer_in *t, uint8_t *out, size_t cap, size_t *len);

/*
 * mrg_dns_transfer_in_feed - a message has come.
 *   all   it is a datagram: nothing comes behind it
 * Returns what is known then; from the first that is not MRG_DNS_TRANSFER_GOES_ON the transfer is over, and stays so.
 * Cost:     O(octets), and a call of the sink for each record.
 */
enum mrg_dns_transfer_result mrg_dns_transfer_in_feed(
	struct mrg_dns_transfer_in *t, struct mrg_span message, bool all);

/* mrg_dns_transfer_in_lost - nothing more comes: MRG_DNS_TRANSFER_FAILED, if the transfer was not over. */
enum mrg_dns_transfer_result mrg_dns_transfer_in_lost(struct mrg_dns_transfer_in *t);

/* What went wrong, in words: "a record that is not in the zone". */
const char *mrg_dns_transfer_fault_why(enum mrg_dns_transfer_fault fault);

#endif
