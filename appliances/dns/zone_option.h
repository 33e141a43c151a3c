/*
 * zone_option.h - what is said of a zone and of keys, on the command line (--zone) or in the blocks of a configuration file:
 *
 *	key transfers.example.org {
 *		algorithm hmac-sha256
 *		secret    "bWFrZSBvbmUgYnkgb3BlbnNzbCByYW5kIC1iYXNlNjQgMzI="
 *	}
 *	zone example.org {
 *		file           example.org.zone
 *		allow-transfer 192.0.2.0/24 transfers.example.org
 *		notify         192.0.2.2    transfers.example.org
 *		allow-update   acme.example.org _acme-challenge.www.example.org TXT
 *	}
 *	zone example.net {
 *		primary        192.0.2.1    transfers.example.org
 *		allow-notify   192.0.2.1
 *		file           example.net.zone		(where it is written to)
 *	}
 *	template large {
 *		primary        192.0.2.1    transfers.example.org
 *		file           kept/%s.zone		(where each of its members is written to: kept.h)
 *		size-limit     10000
 *	}
 *	zone catalog.example.org {
 *		primary        192.0.2.1    transfers.example.org
 *		catalog					(its members are zones of its own primaries)
 *		group          big large		(but those of this group are as the template says)
 *	}
 *
 * References: RFC 8945 (keys), RFC 5936 5 (who may transfer), RFC 1996, RFC 2136 3.3, RFC 9432 (catalogs).
 *
 * What it does not do: it opens no file but those that a key's secret is in.
 */
#ifndef MRG_DNS_ZONE_OPTION_H
#define MRG_DNS_ZONE_OPTION_H

#include "appliances/common/conf.h"
#include "mrg_rt.h"
#include "protocols/dns/tsig.h"

struct key_option {
	const char *text; /* its name as it was written */
	uint8_t name[MRG_DNS_MAX_NAME];
	struct mrg_dns_tsig_key tsig; /* secret empty: not said yet */
	struct key_option *next;
};

/* Somebody that is asked or told something; or who may do something: who has one of these addresses, and the key. */
struct remote {
	struct mrg_rt_addr addr; /* of who may do something: family 0: any address */
	unsigned bits;           /* likewise: of it that are looked at */
	const struct key_option *key; /* what is said is signed with it; NULL: it is not, or none is needed */
	struct remote *next;
};

enum { UPDATE_TYPES = CONF_WORDS };

/* What may be updated: by who has the key, at this name (`*.` before it: at all below it), of these types. */
struct update_allowed {
	const struct key_option *key;
	uint8_t name[MRG_DNS_MAX_NAME];
	size_t name_len;
	bool below; /* the name is what is before all that is meant */
	uint16_t types[UPDATE_TYPES];
	size_t type_count; /* 0: all */
	struct update_allowed *next;
};

struct zone_option;

/* What members of a group have, the value of that property (RFC 9432 4.3.2). */
struct zone_group {
	const char *name;
	const struct zone_option *as; /* of a template */
	struct zone_group *next;
};

/* Lies in the settings that say it; a catalog's member in memory of its own. */
struct zone_option {
	/* its records; of a zone with a primary: where they are kept; NULL: nowhere. Of a template: the names of its members' */
	const char *file;
	const char *text;    /* the origin as it was written */
	uint8_t origin[MRG_DNS_MAX_NAME]; /* flat wire form */
	size_t origin_len;
	struct remote *primaries; /* NULL: its file is what it is */
	struct remote *notify;
	struct remote *transfer, *notify_from; /* who may */
	struct update_allowed *update;
	unsigned size_limit_mib; /* octets of a transfer that is received; 0: ZONE_SIZE_LIMIT_MIB */
	bool catalog;            /* it lists zones */
	bool asked;              /* a catalog: questions about it are answered all the same */
	const struct zone_option *as; /* a catalog: the template of its members; a member: its own. NULL: none, it is as its catalog */
	struct zone_group *groups;
	const char *listed_in;   /* of a member: the catalog, as its name was written; else NULL */
};

/* Is nobody told anything of it but who may have it transferred, or tells of changes?  RFC 9432 6 */
static inline bool zone_option_hidden(const struct zone_option *z) { return z->catalog && !z->asked; }

/* zone_option_as - the template of a member of this group of a catalog, or NULL: there is none. */
const struct zone_option *zone_option_as(const struct zone_option *catalog, struct mrg_span group);

/*
 * zone_option_member - what is said of a member of a catalog; it has one user.
 *   as      its template, or NULL.   origin   flat
 * It borrows from the settings of the catalog's option.   Returns NULL where there is no memory.
 */
const struct zone_option *zone_option_member(
	const struct zone_option *catalog, const struct zone_option *as, struct mrg_span origin);

/* zone_option_keep, zone_option_drop - one user more, one less, of a member; others stay as long as their settings. From any thread. */
void zone_option_keep(const struct zone_option *z);
void zone_option_drop(const struct zone_option *z);

/* What members of a catalog may be as. */
struct zone_template {
	const char *name;
	struct zone_option zone;
	struct zone_template *next;
};

/*
 * zone_option_same_primaries - are the same asked, signed with the same keys?
 */
bool zone_option_same_primaries(const struct zone_option *a, const struct zone_option *b);

/* All of them, in an arena. */
struct zone_options {
	struct mrg_arena *arena;
	struct zone_option *list; /* moves when there are more */
	size_t count, cap;
	struct key_option *keys; /* newest first */
	struct zone_template *templates; /* likewise */
	struct mrg_dns_tsig_keys table; /* of zone_options_end */
};

/*
 * zone_option_put - a zone of this name and file.   file   borrowed
 * Fails:    why not, put into `room`.
 */
const char *zone_option_put(struct zone_options *all, struct mrg_span origin, const char *file, char *room, size_t cap);

/*
 * zone_option_add - a zone, `ORIGIN=FILE` as on the command line.   false: it has said what is wrong.
 */
bool zone_option_add(struct zone_options *all, const char *value);

enum { ZONE_OPTION_BLOCKS = 3, ZONE_SIZE_LIMIT_MIB = 4096 };

/* The blocks of a configuration file; their ctx is a struct zone_options. */
extern const struct conf_block zone_option_blocks[ZONE_OPTION_BLOCKS];

/*
 * zone_options_end - all are read: fill the table of keys.   false: it has said what is wrong.
 */
bool zone_options_end(struct zone_options *all);

/*
 * allowed_find - does one of the rules let this address with this key do it?
 *   key    that the message is signed with, which was verified; NULL: it is not signed
 */
bool allowed_find(const struct remote *rules, const struct mrg_rt_addr *who, const struct mrg_dns_tsig_key *key);

/*
 * update_allowed_find - may who has this key change records of this name and type?   name   flat wire form
 */
bool update_allowed_find(const struct update_allowed *rules, const struct mrg_dns_tsig_key *key, struct mrg_span name, uint16_t type);

#endif
