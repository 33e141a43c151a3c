/*
 * secondary.h - when to ask whom, so that a copy of a zone stays that of its primaries.
 *
 * References: RFC 1034 4.3.5, RFC 1035 3.3.13, RFC 1996 4.3 and 4.4, RFC 7314 4 (EXPIRE), RFC 1982 (serial numbers).
 *
 * What it does not do: it sends and receives nothing, holds no zone, and does not know who is who: primaries are numbers from 0 on.
 *
 * Use:
 *	mrg_dns_secondary_init(&s, &timers, &limits, &user, primary_count);
 *	mrg_dns_secondary_start(&s, &soa, confirmed_ns_ago, now_ns)	(or with NULL: nothing is held)
 *	... the user is told what to do; what comes of it is said by _answered, _refused, _adopted, _current, _failed
 */
#ifndef MRG_DNS_SECONDARY_H
#define MRG_DNS_SECONDARY_H

#include "dns/secondary.h"
#include "mrg.h"
#include "mrg_rt.h"
#include "protocols/dns/zone.h"

/* Seconds, but for answer_ns. What SOA records say is kept within these. */
struct mrg_dns_secondary_limits {
	uint32_t refresh_min_s, refresh_max_s;
	uint32_t retry_min_s, retry_max_s; /* while nothing was ever held: from one to the other, twice as long each time */
	uint32_t expire_min_s, expire_max_s;
	uint64_t answer_ns; /* how long an answer to a query is waited for */
};

/* What an SOA record says about keeping copies. */
struct mrg_dns_secondary_soa {
	uint32_t serial, refresh_s, retry_s, expire_s;
};

/* That of a zone. */
void mrg_dns_secondary_soa_of(const struct mrg_dns_zone *zone, struct mrg_dns_secondary_soa *out);

/* Who does it. None of these calls the secondary again: what is known at once is said behind the call. */
struct mrg_dns_secondary_user {
	void *ctx;
	/* Send a query for the SOA record to this primary, under a new identifier: no other answer is of use from here on. */
	void (*query)(void *ctx, unsigned primary);
	/* Begin a transfer. false: it can't be begun. */
	bool (*transfer)(void *ctx, unsigned primary, bool incremental);
	/* Stop it. */
	void (*abandon)(void *ctx);
	/* What is held is too old to be used (false), or may be used again; a version that was adopted may be used. */
	void (*valid)(void *ctx, bool valid);
};

/* What a primary told with EXPIRE. */
struct mrg_dns_secondary_expire {
	bool told;
	uint32_t seconds;
};

struct mrg_dns_secondary {
	/* to be read */
	unsigned primary; /* that was asked last */
	bool held;        /* there is a version: */
	struct mrg_dns_secondary_soa soa;
	uint64_t expires_ns, next_ns; /* when it is too old; when it is asked for next. MRG_RT_NEVER: not now */
	/* private */
	struct mrg_dns_secondary_zone m; /* where it stands: specs/dns/secondary.mrg */
	struct mrg_dns_secondary_limits limits;
	struct mrg_dns_secondary_user user;
	struct mrg_rt_timers *timers;
	struct mrg_rt_timer due, answer, expire;
	unsigned primary_count, first, asked; /* the first of the next round; how many were in this one */
	unsigned rounds;                      /* that failed while nothing was held */
	bool incremental, unbegun;            /* the transfer is; it could not be begun */
	bool usable;                          /* what `valid` was told last */
	bool confirming;                      /* what is held, not a new version */
	uint64_t now_ns, ago_ns;
	struct mrg_dns_secondary_expire told;
};

/* mrg_dns_secondary_init - not kept yet.   s   stays in place: timers point to it */
void mrg_dns_secondary_init(struct mrg_dns_secondary *s, struct mrg_rt_timers *timers,
	const struct mrg_dns_secondary_limits *limits, const struct mrg_dns_secondary_user *user,
	unsigned primary_count);

/*
 * mrg_dns_secondary_start - keep it, and ask at once.
 *   held     the version that is there; NULL: none.   ago_ns   when it was last known to be right: it may be too old
 */
void mrg_dns_secondary_start(struct mrg_dns_secondary *s, const struct mrg_dns_secondary_soa *held,
	uint64_t ago_ns, uint64_t now_ns);

/* Keep it no longer: what is under way is abandoned, and no timer runs. */
void mrg_dns_secondary_stop(struct mrg_dns_secondary *s);

/* Ask now. */
void mrg_dns_secondary_check(struct mrg_dns_secondary *s, uint64_t now_ns);

/*
 * mrg_dns_secondary_notified - a primary tells of a change, and is asked first.
 *   serial   what it tells; NULL: nothing
 */
void mrg_dns_secondary_notified(
	struct mrg_dns_secondary *s, unsigned primary, const uint32_t *serial, uint64_t now_ns);

/* The primary that was asked has this version. told   its time of expiry, or NULL */
void mrg_dns_secondary_answered(
	struct mrg_dns_secondary *s, uint32_t serial, const uint32_t *told_s, uint64_t now_ns);

/* It does not have the zone, or can't be asked. */
void mrg_dns_secondary_refused(struct mrg_dns_secondary *s, uint64_t now_ns);

/* A new version has come, and is in use. */
void mrg_dns_secondary_adopted(struct mrg_dns_secondary *s, const struct mrg_dns_secondary_soa *soa,
	const uint32_t *told_s, uint64_t now_ns);

/* The transfer said that there is nothing newer. */
void mrg_dns_secondary_current(struct mrg_dns_secondary *s, const uint32_t *told_s, uint64_t now_ns);

/*
 * mrg_dns_secondary_failed - the transfer has come to nothing.
 *   whole   the primary was reached, but what it said about differences is of no use: the whole zone may be. Once for each.
 */
void mrg_dns_secondary_failed(struct mrg_dns_secondary *s, bool whole, uint64_t now_ns);

/* May what is held be used? */
static inline bool mrg_dns_secondary_valid(const struct mrg_dns_secondary *s) { return s->m.valid != 0; }

#endif
