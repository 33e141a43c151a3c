/* The naive server: see oracle.h. */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/rdata_dnssec.h"
#include "iana/dns.h"
#include "iana/dns/security.h"
#include "mrg_rt.h"

enum section { ANSWER, AUTHORITY, ADDITIONAL };

typedef struct mrg_dns_name_flat name_t;

static struct mrg_span whole(const name_t *n) { return (struct mrg_span){ n->b, n->len }; }

static name_t from_span(struct mrg_span s)
{
	name_t n;
	if (mrg_dns_name_flat_check(s, &n) != MRG_OK)
		abort();
	return n;
}

static name_t suffix(const name_t *n, unsigned items)
{
	return from_span(mrg_dns_name_flat_from(n, n->count - items));
}

static bool same(const name_t *a, const name_t *b) { return mrg_dns_name_flat_order(a, b) == 0; }

static bool within(const name_t *n, const name_t *top)
{
	return mrg_dns_name_flat_common(n, top) >= top->count;
}

name_t oracle_name(const char *text)
{
	uint8_t wire[256];
	size_t len = 0;
	while (*text != '\0' && strcmp(text, ".") != 0) {
		const size_t n = strcspn(text, ".");
		wire[len++] = (uint8_t)n;
		memcpy(wire + len, text, n);
		len += n;
		text += n + (text[n] == '.');
	}
	wire[len++] = 0;
	return from_span((struct mrg_span){ wire, len });
}

static name_t wildcard_of(const name_t *n)
{
	const name_t star = oracle_name("*.");
	name_t out;
	if (mrg_dns_name_flat_join(&star, 1, whole(n), &out) != MRG_OK)
		return *n;
	return out;
}

void oracle_init(struct oracle *z, const char *origin)
{
	memset(z, 0, sizeof *z);
	z->origin = oracle_name(origin);
}

struct mrg_span oracle_keep(struct oracle *z, const void *p, size_t len)
{
	if (len > sizeof z->heap - z->used)
		abort();
	uint8_t *const at = z->heap + z->used;
	memcpy(at, p, len);
	z->used += len;
	return (struct mrg_span){ at, len };
}

void oracle_add(
	struct oracle *z, const name_t *owner, uint16_t type, uint32_t ttl, const void *rdata, size_t len)
{
	if (z->count == ORACLE_RECORDS)
		abort();
	struct oracle_rr *const r = &z->rr[z->count++];
	*r = (struct oracle_rr){
		.owner = *owner, .type = type, .ttl = ttl, .rdata = oracle_keep(z, rdata, len)
	};
	struct mrg_dns_rrsig sig;
	if (type == MRG_DNS_TYPE_RRSIG && mrg_dns_rrsig_check(r->rdata, &sig, NULL) == MRG_OK)
		r->covered = mrg_dns_rrsig_type_covered(&sig);
}

bool oracle_has(const struct oracle *z, const name_t *owner, uint16_t type)
{
	for (size_t i = 0; i < z->count; i++) {
		if (z->rr[i].type == type && same(&z->rr[i].owner, owner))
			return true;
	}
	return false;
}

/* Does the record make its owner exist?  RFC 5155 7.2.8: NSEC3 does not. */
static bool counts(const struct oracle_rr *r)
{
	return r->type != MRG_DNS_TYPE_NSEC3 && r->covered != MRG_DNS_TYPE_NSEC3;
}

static bool exists(const struct oracle *z, const name_t *n)
{
	for (size_t i = 0; i < z->count; i++) {
		if (counts(&z->rr[i]) && within(&z->rr[i].owner, n))
			return true;
	}
	return false;
}

/* The topmost cut or DNAME that `n` is at (cuts only) or below; false: none. */
static bool covered_by(const struct oracle *z, const name_t *n, name_t *top, bool *cut)
{
	for (unsigned items = z->origin.count; items <= n->count; items++) {
		*top = suffix(n, items);
		*cut = items > z->origin.count && oracle_has(z, top, MRG_DNS_TYPE_NS);
		if (*cut || (items < n->count && oracle_has(z, top, MRG_DNS_TYPE_DNAME)))
			return true;
	}
	return false;
}

/* --- signing ------------------------------------------------------------------------------------------ */

static void hash_of(const name_t *n, uint8_t out[20]);

/* Is the name the zone's to speak for: not below a cut or a DNAME? */
static bool authoritative(const struct oracle *z, const name_t *n)
{
	name_t top;
	bool cut;
	return !covered_by(z, n, &top, &cut) || (cut && same(&top, n));
}

static int order_names(const void *a, const void *b) { return mrg_dns_name_flat_order(a, b); }

static int order_rrs(const void *a, const void *b)
{
	const struct oracle_rr *const x = a, *const y = b;
	return memcmp(x->hash, y->hash, sizeof x->hash);
}

/* All authoritative names, sorted, each once; with empty non-terminals if wanted. */
static size_t list_names(const struct oracle *z, bool empty, name_t *out, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < z->count; i++) {
		for (unsigned items = z->origin.count; items <= z->rr[i].owner.count; items++) {
			const name_t name = suffix(&z->rr[i].owner, items);
			bool known = !authoritative(z, &name) || (!empty && items < z->rr[i].owner.count);
			for (size_t k = 0; k < n && !known; k++)
				known = same(&out[k], &name);
			if (!known && n < cap)
				out[n++] = name;
		}
	}
	qsort(out, n, sizeof *out, order_names);
	return n;
}

static void sign_set(struct oracle *z, const name_t *owner, uint16_t type, uint32_t ttl)
{
	uint8_t buf[400];
	struct mrg_w w;
	static const uint8_t signature[] = { 's', 'i', 'g' };
	if (type == MRG_DNS_TYPE_RRSIG)
		return;
	for (size_t i = 0; i < z->count; i++) {
		if (z->rr[i].covered == type && same(&z->rr[i].owner, owner))
			return;
	}
	mrg_w_init(&w, buf, sizeof buf);
	mrg_dns_rrsig_put(&w, &(struct mrg_dns_rrsig_args){ .type_covered = type,
				      .algorithm = 13,
				      .original_ttl = ttl,
				      .key_tag = 1,
				      .signer = whole(&z->origin),
				      .signature = { signature, sizeof signature } });
	oracle_add(z, owner, MRG_DNS_TYPE_RRSIG, ttl, buf, w.len);
}

static void chain_nsec(struct oracle *z)
{
	static name_t names[ORACLE_RECORDS];
	static const uint8_t bitmap[] = { 0, 1, 0x40 };
	const size_t n = list_names(z, false, names, ORACLE_RECORDS);
	for (size_t i = 0; i < n; i++) {
		const name_t *const next = &names[(i + 1) % n];
		uint8_t rdata[300];
		memcpy(rdata, next->b, next->len);
		memcpy(rdata + next->len, bitmap, sizeof bitmap);
		oracle_add(z, &names[i], MRG_DNS_TYPE_NSEC, 300, rdata, next->len + sizeof bitmap);
	}
}

static name_t hashed_owner(const struct oracle *z, const uint8_t hash[20])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint8_t label[34] = { 32 };
	for (unsigned i = 0; i < 32; i++) {
		unsigned v = 0;
		for (unsigned bit = i * 5; bit < i * 5 + 5; bit++)
			v = v * 2 + ((unsigned)hash[bit / 8] >> (7 - bit % 8) & 1u);
		label[1 + i] = (uint8_t)digits[v];
	}
	const name_t head = from_span((struct mrg_span){ label, sizeof label });
	name_t out;
	if (mrg_dns_name_flat_join(&head, 1, whole(&z->origin), &out) != MRG_OK)
		abort();
	return out;
}

/* Is there anything at or below that is more than an unsigned delegation? */
static bool needs_hash(const struct oracle *z, const name_t *n)
{
	for (size_t i = 0; i < z->count; i++) {
		const struct oracle_rr *const r = &z->rr[i];
		if (within(&r->owner, n) && authoritative(z, &r->owner) &&
			(!oracle_has(z, &r->owner, MRG_DNS_TYPE_NS) ||
				oracle_has(z, &r->owner, MRG_DNS_TYPE_DS) || same(&r->owner, &z->origin)))
			return true;
	}
	return false;
}

static void chain_nsec3(struct oracle *z, bool opt_out)
{
	static name_t names[ORACLE_RECORDS];
	static struct oracle_rr made[ORACLE_RECORDS];
	static const uint8_t param[] = { 1, 0, 0, 2, 2, 0xab, 0xcd };
	static const uint8_t bitmap[] = { 0, 1, 0x40 };
	size_t kept = 0;
	oracle_add(z, &z->origin, MRG_DNS_TYPE_NSEC3PARAM, 0, param, sizeof param);
	const size_t n = list_names(z, true, names, ORACLE_RECORDS);
	for (size_t i = 0; i < n; i++) {
		if (opt_out && !needs_hash(z, &names[i]))
			continue;
		hash_of(&names[i], made[kept++].hash);
	}
	qsort(made, kept, sizeof *made, order_rrs);
	for (size_t i = 0; i < kept; i++) {
		uint8_t rdata[64];
		struct mrg_w w;
		mrg_w_init(&w, rdata, sizeof rdata);
		memcpy(mrg_w_take(&w, 1), &(uint8_t){ 1 }, 1);
		mrg_w_u8(&w, opt_out);
		mrg_w_put(&w, (struct mrg_span){ param + 2, 5 });
		mrg_w_u8(&w, 20);
		mrg_w_put(&w, (struct mrg_span){ made[(i + 1) % kept].hash, 20 });
		mrg_w_put(&w, (struct mrg_span){ bitmap, sizeof bitmap });
		const name_t owner = hashed_owner(z, made[i].hash);
		oracle_add(z, &owner, MRG_DNS_TYPE_NSEC3, 300, rdata, w.len);
		memcpy(z->rr[z->count - 1].hash, made[i].hash, 20);
	}
}

void oracle_sign(struct oracle *z, enum oracle_signing how)
{
	z->signing = how;
	if (how == ORACLE_NSEC)
		chain_nsec(z);
	if (how == ORACLE_NSEC3 || how == ORACLE_OPT_OUT)
		chain_nsec3(z, how == ORACLE_OPT_OUT);
	const size_t n = z->count;
	for (size_t i = 0; i < n && how != ORACLE_UNSIGNED; i++) {
		const struct oracle_rr r = z->rr[i];
		const bool at_cut = oracle_has(z, &r.owner, MRG_DNS_TYPE_NS) && !same(&r.owner, &z->origin);
		const bool signable = !at_cut || r.type == MRG_DNS_TYPE_DS || r.type == MRG_DNS_TYPE_NSEC;
		if (authoritative(z, &r.owner) && signable)
			sign_set(z, &r.owner, r.type, r.ttl);
	}
}

/* --- answering ------------------------------------------------------------------------------------------ */

struct job {
	const struct oracle *z;
	name_t name;
	uint16_t type;
	bool dnssec;
	struct oracle_reply *out;
};

static void put(struct oracle_reply *out, enum section s, const struct oracle_rr *r, const name_t *owner)
{
	for (size_t i = 0; i < out->count[s]; i++) {
		const struct oracle_rr *const x = &out->rr[s][i];
		if (x->type == r->type && same(&x->owner, owner) && mrg_span_eq(x->rdata, r->rdata))
			return;
	}
	if (out->count[s] == ORACLE_SECTION)
		abort();
	out->rr[s][out->count[s]] = *r;
	out->rr[s][out->count[s]++].owner = *owner;
}

/* Copy a set, and the signatures over it if they are wanted. */
static void put_set(
	const struct job *j, enum section s, const name_t *from, uint16_t type, const name_t *owner)
{
	for (size_t i = 0; i < j->z->count; i++) {
		const struct oracle_rr *const r = &j->z->rr[i];
		if (same(&r->owner, from) && (r->type == type || (j->dnssec && r->covered == type)))
			put(j->out, s, r, owner);
	}
}

static void put_soa(const struct job *j)
{
	const size_t from = j->out->count[AUTHORITY];
	struct mrg_dns_soa soa;
	uint32_t ttl = 0;
	put_set(j, AUTHORITY, &j->z->origin, MRG_DNS_TYPE_SOA, &j->z->origin);
	for (size_t i = 0; i < j->z->count; i++) {
		const struct oracle_rr *const r = &j->z->rr[i];
		if (r->type == MRG_DNS_TYPE_SOA &&
			mrg_dns_soa_check(r->rdata, r->rdata, &soa, NULL) == MRG_OK)
			ttl = r->ttl < mrg_dns_soa_minimum(&soa) ? r->ttl : mrg_dns_soa_minimum(&soa);
	}
	for (size_t i = from; i < j->out->count[AUTHORITY]; i++)
		j->out->rr[AUTHORITY][i].ttl = ttl;
}

static bool is_wildcard_asked(const name_t *n) { return n->count > 1 && n->b[0] == 1 && n->b[1] == '*'; }

/* The chain's record that matches the name or, if none does, covers it.  RFC 4034 6.1, RFC 5155 7.1 */
static const struct oracle_rr *chain_at(const struct oracle *z, const name_t *n, bool *exact)
{
	const bool hashed = z->signing != ORACLE_NSEC;
	const struct oracle_rr *best = NULL, *last = NULL;
	uint8_t h[20];
	if (hashed)
		hash_of(n, h);
	*exact = false;
	for (size_t i = 0; i < z->count; i++) {
		const struct oracle_rr *const r = &z->rr[i];
		if (r->type != (hashed ? MRG_DNS_TYPE_NSEC3 : MRG_DNS_TYPE_NSEC))
			continue;
		const int order = hashed ? memcmp(r->hash, h, 20) : mrg_dns_name_flat_order(&r->owner, n);
		*exact = *exact || order == 0;
		if (last == NULL || (hashed ? memcmp(r->hash, last->hash, 20)
					    : mrg_dns_name_flat_order(&r->owner, &last->owner)) > 0)
			last = r;
		if (order <= 0 &&
			(best == NULL || (hashed ? memcmp(r->hash, best->hash, 20)
						 : mrg_dns_name_flat_order(&r->owner, &best->owner)) > 0))
			best = r;
	}
	return best != NULL ? best : last;
}

static bool prove(const struct job *j, const name_t *n)
{
	bool exact;
	const struct oracle_rr *const r = chain_at(j->z, n, &exact);
	if (r != NULL)
		put_set(j, AUTHORITY, &r->owner, r->type, &r->owner);
	return exact;
}

/* The closest encloser with a record of its own, and the cover of the next closer name. */
static name_t prove_encloser(const struct job *j, unsigned items)
{
	bool exact = false;
	for (; items > j->z->origin.count; items--) {
		const name_t n = suffix(&j->name, items);
		chain_at(j->z, &n, &exact);
		if (exact)
			break;
	}
	const name_t encloser = suffix(&j->name, items), closer = suffix(&j->name, items + 1);
	prove(j, &encloser);
	prove(j, &closer);
	return encloser;
}

/* Nothing at `n` of the type: its own record if it has one. */
static void prove_no_type(const struct job *j, const name_t *n)
{
	bool exact;
	if (!j->dnssec || j->z->signing == ORACLE_UNSIGNED)
		return;
	chain_at(j->z, n, &exact);
	if (exact || j->z->signing == ORACLE_NSEC)
		prove(j, n);
	else
		prove_encloser(j, n->count - 1u);
}

static void prove_no_name(const struct job *j, const name_t *encloser, const name_t *wildcard)
{
	if (!j->dnssec || j->z->signing == ORACLE_UNSIGNED)
		return;
	if (j->z->signing == ORACLE_NSEC)
		prove(j, &j->name);
	else
		prove_encloser(j, encloser->count);
	prove(j, wildcard);
}

static void prove_closer(const struct job *j, const name_t *encloser)
{
	const name_t closer = suffix(&j->name, encloser->count + 1u);
	if (j->dnssec && j->z->signing != ORACLE_UNSIGNED)
		prove(j, j->z->signing == ORACLE_NSEC ? &j->name : &closer);
}

static void put_servers(const struct job *j, const name_t *owner)
{
	for (size_t i = 0; i < j->z->count; i++) {
		const struct oracle_rr *const r = &j->z->rr[i];
		if (r->type != MRG_DNS_TYPE_NS || !same(&r->owner, owner))
			continue;
		const name_t server = from_span(r->rdata);
		put_set(j, ADDITIONAL, &server, MRG_DNS_TYPE_A, &server);
		put_set(j, ADDITIONAL, &server, MRG_DNS_TYPE_AAAA, &server);
	}
}

static void refer(const struct job *j, const name_t *cut, bool first)
{
	struct job plain = *j;
	plain.dnssec = false;
	if (first)
		j->out->aa = false;
	put_set(&plain, AUTHORITY, cut, MRG_DNS_TYPE_NS, cut);
	if (j->dnssec && oracle_has(j->z, cut, MRG_DNS_TYPE_DS))
		put_set(j, AUTHORITY, cut, MRG_DNS_TYPE_DS, cut);
	else
		prove_no_type(j, cut);
	put_servers(j, cut);
}

static const struct oracle_rr *first_of(const struct oracle *z, const name_t *n, uint16_t type)
{
	for (size_t i = 0; i < z->count; i++) {
		if (z->rr[i].type == type && same(&z->rr[i].owner, n))
			return &z->rr[i];
	}
	return NULL;
}

static uint16_t type_for_any(const struct oracle *z, const name_t *n)
{
	uint16_t least = 0;
	for (size_t i = 0; i < z->count; i++) {
		const uint16_t t = z->rr[i].type;
		if (!same(&z->rr[i].owner, n) || t == MRG_DNS_TYPE_RRSIG)
			continue;
		if (t == MRG_DNS_TYPE_SOA)
			return t;
		if (least == 0 || t < least)
			least = t;
	}
	return least;
}

/* The data at `from` under the name asked for.  True: j->name is an alias's target now. */
static bool serve(struct job *j, const name_t *from, const name_t *encloser)
{
	uint16_t type = j->type;
	if (type == MRG_DNS_TYPE_ANY)
		type = type_for_any(j->z, from);
	const bool has = type != 0 && oracle_has(j->z, from, type);
	const bool alias = !has && oracle_has(j->z, from, MRG_DNS_TYPE_CNAME);
	if (!has && !alias) {
		put_soa(j);
		if (encloser == NULL) {
			prove_no_type(j, from);
		} else {
			prove_no_name(j, encloser, from);
		}
		return false;
	}
	if (encloser != NULL)
		prove_closer(j, encloser);
	const name_t owner = j->name;
	if (alias) {
		put_set(j, ANSWER, from, MRG_DNS_TYPE_CNAME, &owner);
		j->name = from_span(first_of(j->z, from, MRG_DNS_TYPE_CNAME)->rdata);
		return true;
	}
	if (type == MRG_DNS_TYPE_RRSIG) {
		struct job sigs = *j;
		sigs.dnssec = false;
		put_set(&sigs, ANSWER, from, type, &owner);
	} else {
		put_set(j, ANSWER, from, type, &owner);
	}
	if (type == MRG_DNS_TYPE_NS)
		put_servers(j, from);
	return false;
}

static bool dname(struct job *j, const name_t *top)
{
	const struct oracle_rr *const r = first_of(j->z, top, MRG_DNS_TYPE_DNAME);
	name_t target;
	put_set(j, ANSWER, top, MRG_DNS_TYPE_DNAME, top);
	if (mrg_dns_name_flat_join(&j->name, j->name.count - (unsigned)top->count, r->rdata, &target) !=
		MRG_OK) {
		j->out->rcode = MRG_DNS_RCODE_YXDOMAIN;
		return false;
	}
	static uint8_t kept[32][256]; /* RDATA of the CNAME records of one reply */
	static unsigned turn;
	uint8_t *const at = kept[turn++ % 32];
	memcpy(at, target.b, target.len);
	const struct oracle_rr made = {
		.type = MRG_DNS_TYPE_CNAME, .ttl = r->ttl, .rdata = { at, target.len }
	};
	const name_t owner = j->name;
	put(j->out, ANSWER, &made, &owner);
	j->name = target;
	return j->type != MRG_DNS_TYPE_CNAME;
}

static bool step(struct job *j, bool first)
{
	const struct oracle *const z = j->z;
	name_t top;
	bool cut;
	if (covered_by(z, &j->name, &top, &cut)) {
		if (!cut)
			return dname(j, &top);
		if (j->type != MRG_DNS_TYPE_DS || !same(&top, &j->name)) {
			refer(j, &top, first);
			return false;
		}
	}
	if (exists(z, &j->name)) {
		const name_t from = j->name;
		return serve(j, &from, NULL);
	}
	unsigned items = j->name.count - 1u;
	name_t encloser = suffix(&j->name, items);
	while (!exists(z, &encloser))
		encloser = suffix(&j->name, --items);
	const name_t wildcard = wildcard_of(&encloser);
	if (exists(z, &wildcard))
		return serve(j, &wildcard, &encloser);
	j->out->rcode = MRG_DNS_RCODE_NXDOMAIN;
	put_soa(j);
	if (j->dnssec && z->signing != ORACLE_UNSIGNED && z->signing != ORACLE_NSEC) {
		const name_t proved = prove_encloser(j, encloser.count);
		const name_t other = wildcard_of(&proved);
		prove(j, &other);
	} else {
		prove_no_name(j, &encloser, &wildcard);
	}
	return false;
}

void oracle_answer(
	const struct oracle *z, const name_t *name, uint16_t type, bool dnssec, struct oracle_reply *out)
{
	struct job j = { .z = z, .name = *name, .type = type, .dnssec = dnssec, .out = out };
	static name_t been[20];
	unsigned steps = 0;
	memset(out, 0, sizeof *out);
	out->aa = true;
	(void)is_wildcard_asked;
	for (;;) {
		been[steps] = j.name;
		if (!step(&j, steps == 0) || ++steps == 16 || !within(&j.name, &z->origin))
			return;
		for (unsigned i = 0; i < steps; i++) {
			if (same(&been[i], &j.name))
				return;
		}
	}
}

static void hash_of(const name_t *n, uint8_t out[20])
{
	static const uint8_t salt[] = { 0xab, 0xcd };
	uint8_t buf[300];
	name_t folded;
	mrg_dns_name_flat_fold(n, &folded);
	memcpy(buf, folded.b, folded.len);
	memcpy(buf + folded.len, salt, 2);
	mrg_rt_sha1(buf, folded.len + 2u, out);
	for (int i = 0; i < 2; i++) {
		memcpy(buf, out, 20);
		memcpy(buf + 20, salt, 2);
		mrg_rt_sha1(buf, 22, out);
	}
}

bool oracle_made(const struct oracle_reply *want, unsigned section, const struct mrg_dns_rr *rr)
{
	struct mrg_dns_name_flat owner;
	uint8_t rdata[1024];
	struct mrg_w w;
	const struct mrg_dns_name view = mrg_dns_rr_name(rr);
	mrg_dns_name_flatten(&view, &owner);
	mrg_w_init(&w, rdata, sizeof rdata);
	mrg_dns_rr_rdata_copy(&w, rr);
	for (size_t i = 0; i < want->count[section]; i++) {
		const struct oracle_rr *const x = &want->rr[section][i];
		if (x->type == mrg_dns_rr_type(rr) && x->ttl == mrg_dns_rr_ttl(rr) &&
			mrg_dns_name_flat_order(&x->owner, &owner) == 0 &&
			mrg_span_eq_nocase(x->rdata, mrg_w_span(&w, 0)))
			return true;
	}
	return false;
}
