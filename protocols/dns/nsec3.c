/* Proofs by hashed names.  RFC 5155 sections 5 and 7.2 */
#include "mrg_rt.h"
#include "mrg_text.h"
#include "protocols/dns/denial.h"
#include "protocols/dns/zone_chain.h"

enum { HASH_SIZE = 20, HASH_TEXT_SIZE = 32 }; /* SHA-1, and in base32hex */

/* H(name), iterated with the zone's salt.  RFC 5155 section 5 */
static void hash_name(
	const struct mrg_dns_nsec3_params *p, const struct mrg_dns_name_flat *name, uint8_t *out)
{
	uint8_t buf[MRG_DNS_MAX_NAME + sizeof p->salt];
	struct mrg_dns_name_flat folded;
	mrg_dns_name_flat_fold(name, &folded);
	size_t len = folded.len;
	memcpy(buf, folded.b, len);
	memcpy(buf + len, p->salt, p->salt_len);
	mrg_rt_sha1(buf, len + p->salt_len, out);
	for (unsigned i = 0; i < p->iterations; i++) {
		len = HASH_SIZE;
		memcpy(buf, out, len);
		memcpy(buf + len, p->salt, p->salt_len);
		mrg_rt_sha1(buf, len + p->salt_len, out);
	}
}

/* The chain's owner at the hash of a name (*exact), or the one before it, which then covers the name. */
static const struct mrg_dns_node *find(
	const struct mrg_dns_walk *w, const struct mrg_dns_name_flat *name, bool *exact)
{
	uint8_t hash[HASH_SIZE], text[HASH_TEXT_SIZE], label[1 + HASH_TEXT_SIZE + 1] = { 0 };
	struct mrg_dns_name_flat head, owner;
	struct mrg_w tw, lw;
	*exact = false;
	hash_name(&w->zone->nsec3, name, hash);
	mrg_w_init(&tw, text, sizeof text);
	mrg_text_put_base32hex(&tw, (struct mrg_span){ hash, sizeof hash });
	mrg_w_init(&lw, label, sizeof label);
	mrg_dns_name_label_put(&lw, &(struct mrg_dns_name_label_args){ .octets = mrg_w_span(&tw, 0) });
	if (mrg_dns_name_flat_check((struct mrg_span){ label, sizeof label }, &head) != MRG_OK)
		return NULL;
	if (mrg_dns_name_flat_join(&head, 1, mrg_dns_zone_origin(w->zone), &owner) != MRG_OK)
		return NULL;
	return mrg_dns_chain_before(w->zone, &owner, exact);
}

/* The same for w->name without its first `at` items. */
static const struct mrg_dns_node *find_at(const struct mrg_dns_walk *w, unsigned at, bool *exact)
{
	struct mrg_dns_name_flat name;
	*exact = false;
	if (mrg_dns_name_flat_check(mrg_dns_name_flat_from(&w->name, at), &name) != MRG_OK)
		return NULL;
	return find(w, &name, exact);
}

static void cover_at(struct mrg_dns_walk *w, unsigned at)
{
	bool exact;
	mrg_dns_deny_with(w, find_at(w, at, &exact));
}

/*
 * The closest provable encloser, from item `at` on, and the cover of the name one item longer.  It may be further up
 * than the closest encloser: with opt-out, some names have no NSEC3 record.  RFC 5155 sections 6 and 7.2.1
 */
static unsigned prove_encloser(struct mrg_dns_walk *w, unsigned at)
{
	const unsigned apex_at = w->name.count - w->zone->origin.count;
	bool exact;
	for (;; at++) {
		const struct mrg_dns_node *const n = find_at(w, at, &exact);
		if (exact || at >= apex_at) {
			mrg_dns_deny_with(w, n);
			break;
		}
	}
	if (at > 0)
		cover_at(w, at - 1);
	return at;
}

void mrg_dns_nsec3_name(struct mrg_dns_walk *w)
{
	const unsigned at = prove_encloser(w, w->place.encloser_at);
	struct mrg_dns_name_flat wildcard;
	bool exact;
	if (mrg_dns_zone_wildcard_name(mrg_dns_name_flat_from(&w->name, at), &wildcard) == MRG_OK)
		mrg_dns_deny_with(w, find(w, &wildcard, &exact));
}

void mrg_dns_nsec3_type(struct mrg_dns_walk *w, unsigned at)
{
	bool exact;
	const struct mrg_dns_node *const n = find_at(w, at, &exact);
	if (exact)
		mrg_dns_deny_with(w, n);
	else if (at + w->zone->origin.count < w->name.count) /* in an opt-out span */
		prove_encloser(w, at + 1);
}

void mrg_dns_nsec3_wildcard_type(struct mrg_dns_walk *w, const struct mrg_dns_node *wildcard)
{
	struct mrg_dns_name_flat name;
	bool exact;
	prove_encloser(w, w->place.encloser_at);
	if (mrg_dns_name_flat_check(mrg_dns_node_name(wildcard), &name) == MRG_OK)
		mrg_dns_deny_with(w, find(w, &name, &exact));
}

void mrg_dns_nsec3_closer(struct mrg_dns_walk *w)
{
	if (w->place.encloser_at > 0)
		cover_at(w, w->place.encloser_at - 1);
}
