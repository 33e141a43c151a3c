/*
 * version.h - versions of zones, and databases of them: what workers answer from.
 *
 * A version never changes. Databases and transfers in progress use versions; the last user frees one. Versions that were made of
 * one another by changes share the memory that their nodes are in.
 *
 * What it does not do: it reads no file (load.h).
 *
 * Use:
 *	struct version *v;
 *	if (version_begin(&v, reserve) != 0) ...
 *	v->zone = ...	(built in v->nodes->arena)
 *	if (database_new(&db, settings, zones, count) != MRG_OK) ...
 *	version_drop(v);	(the database uses it)
 *	database_free(db);
 */
#ifndef MRG_DNS_VERSION_H
#define MRG_DNS_VERSION_H

#include <stdatomic.h>

#include "appliances/dns/settings.h"
#include "protocols/dns/answer.h"
#include "protocols/dns/history.h"
#include "protocols/dns/zone_change.h"

/* What the nodes of a zone are in; lies there itself, first. */
struct nodes {
	atomic_uint users; /* versions */
	struct mrg_arena arena;
	bool small; /* the arena is of the heap */
};

struct version {
	atomic_uint users;
	struct nodes *nodes;
	struct mrg_arena tables; /* that this lies in; p NULL: it lies with the nodes */
	const struct mrg_dns_zone *zone;
	const struct mrg_dns_step *newest; /* that led to it; NULL: nothing is known of the past */
	atomic_uint_least64_t expires_s; /* of a secondary's: seconds since 1970, changed as its primary confirms it; 0: not known */
};

/*
 * Octets of address space of a zone whose size nobody knows yet, and of one that was too large for that: the first is enough for millions
 * of records, and a process has room for a hundred thousand of them.
 */
#define VERSION_ANY_SIZE ((size_t)1 << 30)
#define VERSION_GREAT_SIZE ((size_t)16 << 30)

/*
 * version_begin - memory for a zone to be built in, with nothing in it yet; it has one user.
 *   reserve   octets of address space
 * Fails:    ENOMEM.
 */
int version_begin(struct version **out, size_t reserve);

/*
 * version_absent - a version of a zone of which there are no data; it has one user.
 * Fails:    ENOMEM.
 */
int version_absent(struct version **out, struct mrg_span origin);

/*
 * version_change - memory for a version that is made of `held` by a change: v->nodes is held's, v->tables is for the rest.
 * Fails:    ENOMEM.
 */
int version_change(struct version **out, const struct version *held);

/*
 * version_follow - remember what changed from one version to another that was built apart from it, with what was remembered before; for
 * IXFR.  Nothing is remembered where that can't be said: then secondaries get all of it.
 *   made   not served yet
 */
void version_follow(struct version *made, const struct version *before);

/*
 * version_remember - the newest steps that led to it, as many as are worth it, in its tables, which take nothing more then.
 *   newest   stays until then
 */
void version_remember(struct version *v, const struct mrg_dns_step *newest);

/*
 * version_rebuild - the same version, compact, in memory of its own that has room for changes, with what is remembered; it has one user.
 *   old      may be one that lies in memory which can't grow
 * Fails:    ENOMEM.
 */
int version_rebuild(struct version **out, const struct version *old);

/*
 * version_compact - put a compact one in place of a version that has become slow or large by changes; where there is no memory for it, it
 * stays.
 *   v        not served yet, with one user
 */
void version_compact(struct version **v);

/*
 * version_settle - a version has come whole: what it does not need is given back, and it is compact.  Where memory is in blocks (system.h) a
 * small one is moved to a block of its size, so that many of them leave room for large ones.
 *   v        as for version_compact
 */
void version_settle(struct version **v);

/* version_history - octets of changes that are worth remembering for a zone: a client that lacks more gets the zone. */
size_t version_history(const struct version *v);

/*
 * version_expire - whether it is a secondary's, and in how many seconds it expires.
 *   now_s   since 1970
 */
bool version_expire(const struct version *v, uint64_t now_s, uint32_t *seconds);

/*
 * version_keep, version_drop - one user more, one less. From any thread.
 */
void version_keep(struct version *v);
void version_drop(struct version *v);

/* A zone at some time: what it is, and what is said of it. */
struct served {
	struct version *version;
	const struct zone_option *option;
};

/* Everything that is served at some time; lies in its own arena. */
struct database {
	struct mrg_arena arena;
	struct mrg_dns_server server;
	struct mrg_dns_db index;  /* of what is answered from */
	struct mrg_dns_db hidden; /* of what is only transferred and told of: catalogs */
	struct mrg_dns_states states;
	struct settings *settings; /* that all options are of */
	struct served *zones;
	size_t count;
	uint64_t record_count;
};

/*
 * database_new - a database of these zones; settings, versions and options get one user more each.
 * Fails:    MRG_E_SPACE; MRG_E_VALUE when two zones have one origin.
 */
enum mrg_status database_new(
	struct database **out, struct settings *settings, const struct served *zones, size_t count);

void database_free(struct database *db);

/* database_named - the zone with just this name, or NULL. */
const struct served *database_named(const struct database *db, const struct mrg_dns_name_flat *name);

#endif
