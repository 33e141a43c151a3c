/*
 * update.h - dynamic update: an UPDATE message, and what it makes of a zone.
 *
 * References: RFC 2136 (sections 2 and 3), RFC 1982 (serial numbers), RFC 6672 5.2 (DNAME), RFC 3007 4.
 *
 * What it does not do: it says nobody who he is (TSIG and addresses are the caller's, RFC 2136 3.3, before mrg_dns_update_apply);
 * forwards nothing (section 6); signs nothing, and so refuses to change a signed zone; keeps nothing on disk (3.5): the step of history
 * is what is to be kept before the reply is sent.
 *
 * Use:
 *	struct mrg_dns_update u;
 *	unsigned rcode = mrg_dns_update_read(message, &u);
 *	if (rcode == MRG_DNS_RCODE_NOERROR && no zone of ours is u.zone) rcode = MRG_DNS_RCODE_NOTAUTH;
 *	if (rcode == MRG_DNS_RCODE_NOERROR) rcode = mrg_dns_update_apply(&u, zone, &rules, &memory, newest, &result);
 *	if (result.made != NULL) ... publish and keep it
 *	mrg_dns_update_reply(&w, message, rcode);
 */
#ifndef MRG_DNS_UPDATE_H
#define MRG_DNS_UPDATE_H

#include "dns/message.h"
#include "protocols/dns/history.h"
#include "protocols/dns/zone.h"

/* A message that was read. */
struct mrg_dns_update {
	struct mrg_dns_message message;
	struct mrg_dns_name_flat zone; /* that it is about */
	uint16_t zone_class;
};

/*
 * mrg_dns_update_read - read a message with opcode UPDATE.
 *   message   as it came, a TSIG record perhaps included; stays as long as *out
 *   out       written on NOERROR
 * Returns an RCODE: FORMERR when it is no such message, or has not one zone (RFC 2136 3.1.1).   Cost: O(message).
 */
MRG_MUST_USE unsigned mrg_dns_update_read(struct mrg_span message, struct mrg_dns_update *out);

/* Who may change what. */
struct mrg_dns_update_rules {
	void *ctx;
	/*
	 * May records of this type come or go at this name, flat?  Type ANY: all that the name has.  Asked for each record of the update
	 * before anything is done; one false refuses all of it (RFC 2136 3.3).  NULL: yes.
	 */
	bool (*allowed)(void *ctx, struct mrg_span owner, uint16_t type);
};

/* Where a new version goes: as for mrg_dns_zone_change_begin and mrg_dns_history_step.  Four arenas. */
struct mrg_dns_update_memory {
	struct mrg_arena *nodes, *tables, *scratch, *history;
};

struct mrg_dns_update_result {
	const struct mrg_dns_zone *made; /* NULL: nothing has changed */
	const struct mrg_dns_step *step; /* from the version before to that one */
	const char *reason;              /* of an RCODE that is not NOERROR, for a log; a string that stays */
	struct mrg_dns_zone_error why;   /* which record; why.owner.count 0: none in particular */
};

/*
 * mrg_dns_update_apply - see whether what must be is (RFC 2136 3.2), and do what is to be done (3.4), all of it or nothing.
 *   zone     the version that is served, of the name u->zone
 *   before   the newest step of its history, or NULL
 *   out      written in any case
 * The serial number is incremented unless the update does (3.6).  An update that changes nothing makes no version.
 * Returns an RCODE: NOERROR; NXDOMAIN, NXRRSET, YXDOMAIN or YXRRSET; NOTZONE; FORMERR; REFUSED by the rules, for a signed zone, or when
 *           no zone would come of it; SERVFAIL when memory is short.  The arenas are as they were then.
 * Cost:     O(records of the message, and of the names in it), and that of mrg_dns_zone_change_finish.
 */
MRG_MUST_USE unsigned mrg_dns_update_apply(const struct mrg_dns_update *u, const struct mrg_dns_zone *zone,
	const struct mrg_dns_update_rules *rules, const struct mrg_dns_update_memory *memory,
	const struct mrg_dns_step *before, struct mrg_dns_update_result *out);

/*
 * mrg_dns_update_reply - write the reply: a header (RFC 2136 3.8), to which a TSIG record may be added.
 *   message   that it is the reply to; at least a header of 12 octets, else nothing is written
 */
void mrg_dns_update_reply(struct mrg_w *w, struct mrg_span message, unsigned rcode);

#endif
