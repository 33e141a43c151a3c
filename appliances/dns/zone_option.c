/*
 * Zones and keys as they are written.
 * Reading order: names, the lines of a key, those of a zone, those of a catalog, the tables, then members of catalogs.
 */
#include <stdatomic.h>

#include "appliances/dns/zone_option.h"
#include "appliances/common/say.h"
#include "appliances/common/text_file.h"
#include "appliances/dns/said.h"
#include "appliances/dns/system.h"
#include "dns/kept.h"
#include "dns/name.h"
#include "iana/dns.h"
#include "iana/dns_text.h"
#include "mrg_text.h"

static const char PROGRAM[] = "mrg-dns";
static const uint16_t PORT = 53;

enum { SECRET_MAX = 512 /* octets; more than any of the hashes looks at */ };

static struct mrg_span span_of(const char *s) { return (struct mrg_span){ (const uint8_t *)s, strlen(s) }; }

static bool no_memory(void)
{
	say(PROGRAM, ": not enough memory for the configuration", NULL);
	return false;
}

/* A name in text to its wire form; false: it has been said what is wrong. */
static bool read_name(const char *what, const char *text, uint8_t out[MRG_DNS_MAX_NAME], size_t *len)
{
	char room[200];
	const char *const why = zone_origin_read(span_of(text), out, len, room, sizeof room);
	if (why == NULL)
		return true;
	say(PROGRAM, ": ", what, " ", text, ": ", why, NULL);
	return false;
}

/* ---- keys ---- */

static struct key_option *find_key(struct key_option *first, struct mrg_span name)
{
	for (struct key_option *k = first; k != NULL; k = k->next)
		if (mrg_dns_name_flat_equal(k->tsig.name, name))
			return k;
	return NULL;
}

/* What a line of a block is about: the thing, and all there is. */
struct about {
	struct zone_options *all;
	struct zone_option *zone;
	struct key_option *key;
};

/* The blocks of one file are open one at a time. */
static struct about about;

static void *begin_key(void *ctx, const char *value)
{
	struct zone_options *const all = ctx;
	struct key_option *const k = mrg_arena_get(all->arena, sizeof *k, _Alignof(struct key_option));
	if (k == NULL) {
		(void)no_memory();
		return NULL;
	}
	k->text = value;
	k->tsig.algorithm = MRG_DNS_MAC_ALGORITHM_HMAC_SHA256;
	k->tsig.name.p = k->name;
	if (!read_name("key", value, k->name, &k->tsig.name.len))
		return NULL;
	if (find_key(all->keys, k->tsig.name) != NULL) {
		say(PROGRAM, ": key ", value, ": there is one of that name already", NULL);
		return NULL;
	}
	about = (struct about){ .all = all, .key = k };
	return &about;
}

/* A key may be used from its end on. */
static bool end_key(void *block)
{
	const struct about *const a = block;
	if (a->key->tsig.secret.len == 0) {
		say(PROGRAM, ": key ", a->key->text, ": expected a secret", NULL);
		return false;
	}
	a->key->next = a->all->keys;
	a->all->keys = a->key;
	return true;
}

static bool take_algorithm(void *block, const char *const *words, size_t count)
{
	const struct about *const a = block;
	const enum mrg_dns_mac_algorithm algorithm = mrg_dns_mac_algorithm_of(span_of(words[0]));
	(void)count;
	a->key->tsig.algorithm = algorithm;
	if (mrg_dns_mac_algorithm_str(algorithm) != NULL)
		return true;
	say(PROGRAM, ": algorithm ", words[0], ": expected hmac-sha256, hmac-sha384 or hmac-sha512", NULL);
	return false;
}

/* In base64, as all name servers write it. */
static bool read_secret(const struct about *a, const char *option, struct mrg_span text)
{
	struct mrg_text t;
	struct mrg_w w;
	uint8_t *const octets = mrg_arena_get(a->all->arena, SECRET_MAX, 1);
	if (octets == NULL)
		return no_memory();
	mrg_text_line(&t, text, (struct mrg_span){ NULL, 0 });
	mrg_text_begin(&t, NULL);
	mrg_w_init(&w, octets, SECRET_MAX);
	if (!mrg_text_base64(&t, &w, true) || w.st != MRG_OK || w.len == 0) {
		say(PROGRAM, ": ", option, ": expected 1 to 512 octets in base64", NULL);
		return false;
	}
	a->key->tsig.secret = mrg_w_span(&w, 0);
	return true;
}

static bool take_secret(void *block, const char *const *words, size_t count)
{
	(void)count;
	return read_secret(block, "secret", span_of(words[0]));
}

static bool take_secret_file(void *block, const char *const *words, size_t count)
{
	struct text_file file;
	(void)count;
	const char *const why = text_file_read(&file, words[0]);
	if (why != NULL) {
		say(PROGRAM, ": secret-file ", words[0], ": ", why, NULL);
		return false;
	}
	struct mrg_span octets = file.text;
	while (octets.len != 0 && (octets.p[octets.len - 1] == '\n' || octets.p[octets.len - 1] == '\r'))
		octets.len--;
	const bool read = read_secret(block, "secret-file", octets);
	text_file_close(&file);
	return read;
}

/* The key of that name; false: there is none, which has been said. No name: none is meant. */
static bool key_of(const struct about *a, const char *option, const char *name, const struct key_option **out)
{
	uint8_t wire[MRG_DNS_MAX_NAME];
	size_t len;
	*out = NULL;
	if (name == NULL)
		return true;
	if (!read_name(option, name, wire, &len))
		return false;
	*out = find_key(a->all->keys, (struct mrg_span){ wire, len });
	if (*out == NULL)
		say(PROGRAM, ": ", option, ": there is no key ", name, " before this line", NULL);
	return *out != NULL;
}

/* ---- zones ---- */

static struct zone_option *new_zone(struct zone_options *all)
{
	enum { FIRST = 16 };
	if (all->count == all->cap) {
		const size_t cap = all->cap == 0 ? FIRST : 2 * all->cap;
		struct zone_option *const list =
			mrg_arena_get(all->arena, cap * sizeof *list, _Alignof(struct zone_option));
		if (list == NULL)
			return NULL;
		if (all->count != 0)
			memcpy(list, all->list, all->count * sizeof *list);
		all->list = list;
		all->cap = cap;
	}
	all->list[all->count] = (struct zone_option){ .file = NULL };
	return &all->list[all->count++];
}

const char *zone_option_put(
	struct zone_options *all, struct mrg_span origin, const char *file, char *room, size_t cap)
{
	static const char full[] = "not enough memory for the configuration";
	struct zone_option *const z = new_zone(all);
	char *const text = mrg_arena_get(all->arena, origin.len + 1, 1);
	if (z == NULL || text == NULL)
		return full;
	if (origin.len != 0)
		memcpy(text, origin.p, origin.len);
	z->text = text;
	z->file = file;
	return zone_origin_read(origin, z->origin, &z->origin_len, room, cap);
}

bool zone_option_add(struct zone_options *all, const char *value)
{
	char room[200];
	const char *const equals = strchr(value, '=');
	if (equals == NULL || equals == value || equals[1] == '\0') {
		say(PROGRAM, ": --zone ", value, ": expected ORIGIN=FILE", NULL);
		return false;
	}
	const char *const why =
		zone_option_put(all, (struct mrg_span){ (const uint8_t *)value, (size_t)(equals - value) },
			equals + 1, room, sizeof room);
	if (why != NULL)
		say(PROGRAM, ": --zone ", value, ": ", why, NULL);
	return why == NULL;
}

static void *begin_zone(void *ctx, const char *value)
{
	struct zone_options *const all = ctx;
	struct zone_option *const z = new_zone(all);
	if (z == NULL) {
		(void)no_memory();
		return NULL;
	}
	z->text = value;
	if (!read_name("zone", value, z->origin, &z->origin_len))
		return NULL;
	about = (struct about){ .all = all, .zone = z };
	return &about;
}

/* Is there anybody whom all members can be had from? */
static bool has_primaries(const struct zone_option *z)
{
	if (z->primaries != NULL)
		return true;
	for (const struct zone_group *g = z->groups; g != NULL; g = g->next)
		if (g->as->primaries == NULL)
			return false;
	return z->as != NULL && z->as->primaries != NULL;
}

static bool end_zone(void *block)
{
	const struct zone_option *const z = ((const struct about *)block)->zone;
	const char *why = NULL;
	if (z->file == NULL && z->primaries == NULL)
		why = ": expected a file or a primary";
	else if (z->update != NULL && z->primaries != NULL)
		why = ": what has a primary is updated there (no allow-update)";
	else if (z->notify_from != NULL && z->primaries == NULL && !z->catalog)
		why = ": nobody has to tell what it has no primary for (no allow-notify)";
	else if (!z->catalog && (z->groups != NULL || z->asked))
		why = ": it is no catalog (no group, no allow-query)";
	else if (z->catalog && !has_primaries(z))
		why = ": expected a primary, of its own or of the templates of its members";
	if (why != NULL)
		say(PROGRAM, ": zone ", z->text, why, NULL);
	return why == NULL;
}

static bool take_file(void *block, const char *const *words, size_t count)
{
	struct zone_option *const z = ((const struct about *)block)->zone;
	(void)count;
	z->file = words[0];
	return true;
}

/* What the first word of a line says, and the key that its second one names, behind the others of a list. */
static bool add_remote(const struct about *a, const char *option, struct remote **list, struct remote r,
	const char *const *words, size_t count)
{
	if (!key_of(a, option, count > 1 ? words[1] : NULL, &r.key))
		return false;
	struct remote *const made = mrg_arena_get(a->all->arena, sizeof *made, _Alignof(struct remote));
	if (made == NULL)
		return no_memory();
	*made = r;
	while (*list != NULL)
		list = &(*list)->next;
	*list = made;
	return true;
}

/* ADDRESS [KEY] */
static bool add_address(const struct about *a, const char *option, struct remote **list,
	const char *const *words, size_t count)
{
	struct remote r = { .next = NULL };
	return args_address(PROGRAM, option, words[0], PORT, &r.addr) &&
	       add_remote(a, option, list, r, words, count);
}

static bool take_primary(void *block, const char *const *words, size_t count)
{
	const struct about *const a = block;
	return add_address(a, "primary", &a->zone->primaries, words, count);
}

static bool take_notify(void *block, const char *const *words, size_t count)
{
	const struct about *const a = block;
	return add_address(a, "notify", &a->zone->notify, words, count);
}

/* NETWORK|any [KEY] */
static bool add_network(const struct about *a, const char *option, struct remote **list,
	const char *const *words, size_t count)
{
	struct remote r = { .next = NULL };
	if (strcmp(words[0], "any") != 0 && !mrg_rt_net_read(words[0], &r.addr, &r.bits)) {
		say(PROGRAM, ": ", option, " ", words[0],
			": expected a network like 192.0.2.0/24 or 2001:db8::/32, or any", NULL);
		return false;
	}
	return add_remote(a, option, list, r, words, count);
}

static bool take_transfer(void *block, const char *const *words, size_t count)
{
	const struct about *const a = block;
	return add_network(a, "allow-transfer", &a->zone->transfer, words, count);
}

static bool take_notify_from(void *block, const char *const *words, size_t count)
{
	const struct about *const a = block;
	return add_network(a, "allow-notify", &a->zone->notify_from, words, count);
}

static bool take_types(struct update_allowed *u, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t type;
		if (!mrg_text_enum_find(&mrg_dns_type_text, span_of(words[i]), &type)) {
			say(PROGRAM, ": allow-update: ", words[i], " is no type", NULL);
			return false;
		}
		u->types[u->type_count++] = (uint16_t)type;
	}
	return true;
}

/* KEY NAME [TYPE ...] */
static bool take_update(void *block, const char *const *words, size_t count)
{
	const struct about *const a = block;
	struct update_allowed u = { .below = strncmp(words[1], "*.", 2) == 0 };
	if (!key_of(a, "allow-update", words[0], &u.key) ||
		!read_name("allow-update", words[1] + (u.below ? 2 : 0), u.name, &u.name_len) ||
		!take_types(&u, words + 2, count - 2))
		return false;
	struct update_allowed *const made =
		mrg_arena_get(a->all->arena, sizeof *made, _Alignof(struct update_allowed));
	if (made == NULL)
		return no_memory();
	*made = u;
	made->next = a->zone->update; /* their order means nothing */
	a->zone->update = made;
	return true;
}

static bool take_size_limit(void *block, const char *const *words, size_t count)
{
	enum { MOST = 1 << 20 };
	struct zone_option *const z = ((const struct about *)block)->zone;
	(void)count;
	return args_number(PROGRAM, "size-limit", words[0], 1, MOST, &z->size_limit_mib);
}

/* ---- catalogs ---- */

static const struct zone_template *find_template(const struct zone_options *all, const char *name)
{
	const struct zone_template *t = all->templates;
	while (t != NULL && strcmp(t->name, name) != 0)
		t = t->next;
	return t;
}

/* What a template says; false: there is none of that name, which has been said. */
static bool template_of(
	const struct about *a, const char *option, const char *name, const struct zone_option **out)
{
	const struct zone_template *const t = find_template(a->all, name);
	if (t == NULL)
		say(PROGRAM, ": ", option, ": there is no template ", name, " before this line", NULL);
	else
		*out = &t->zone;
	return t != NULL;
}

static void *begin_template(void *ctx, const char *value)
{
	struct zone_options *const all = ctx;
	if (find_template(all, value) != NULL) {
		say(PROGRAM, ": template ", value, ": there is one of that name already", NULL);
		return NULL;
	}
	struct zone_template *const t = mrg_arena_get(all->arena, sizeof *t, _Alignof(struct zone_template));
	if (t == NULL) {
		(void)no_memory();
		return NULL;
	}
	t->name = value;
	t->next = all->templates;
	all->templates = t;
	about = (struct about){ .all = all, .zone = &t->zone };
	return &about;
}

/* What stands before the name of a zone and behind it; false: it has no place in it. */
static bool split_pattern(const char *pattern, struct mrg_span *before, struct mrg_span *after)
{
	struct mrg_capture parts[2];
	size_t count, len;
	unsigned code;
	if (mrg_dns_kept_pattern_read(span_of(pattern), parts, 2, &count, &len, &code) != MRG_OK)
		return false;
	*before = *after = (struct mrg_span){ NULL, 0 };
	for (size_t i = 0; i < count; i++)
		*(parts[i].what == MRG_DNS_KEPT_PATTERN_BEFORE ? before : after) =
			(struct mrg_span){ parts[i].p, parts[i].len };
	return true;
}

static bool take_pattern(void *block, const char *const *words, size_t count)
{
	struct zone_option *const z = ((const struct about *)block)->zone;
	struct mrg_span before, after;
	(void)count;
	z->file = words[0];
	if (split_pattern(words[0], &before, &after))
		return true;
	say(PROGRAM, ": file ", words[0], ": expected one %s in it, which stands for the name of a member",
		NULL);
	return false;
}

static bool take_catalog(void *block, const char *const *words, size_t count)
{
	const struct about *const a = block;
	a->zone->catalog = true;
	return count == 0 || template_of(a, "catalog", words[0], &a->zone->as);
}

static bool take_group(void *block, const char *const *words, size_t count)
{
	const struct about *const a = block;
	const struct zone_option *as;
	(void)count;
	if (!template_of(a, "group", words[1], &as))
		return false;
	struct zone_group *const g = mrg_arena_get(a->all->arena, sizeof *g, _Alignof(struct zone_group));
	if (g == NULL)
		return no_memory();
	*g = (struct zone_group){ words[0], as, a->zone->groups };
	a->zone->groups = g;
	return true;
}

static bool take_query(void *block, const char *const *words, size_t count)
{
	const struct about *const a = block;
	(void)count;
	a->zone->asked = true;
	if (strcmp(words[0], "any") == 0)
		return true;
	say(PROGRAM, ": allow-query ", words[0], ": expected any", NULL);
	return false;
}

/* ---- the tables ---- */

static const struct conf_line key_lines[] = {
	{ "algorithm", take_algorithm, 1, 1, "hmac-sha256|hmac-sha384|hmac-sha512" },
	{ "secret", take_secret, 1, 1, "BASE64" },
	{ "secret-file", take_secret_file, 1, 1, "FILE" },
};

static const struct conf_line zone_lines[] = {
	{ "file", take_file, 1, 1, "FILE" },
	{ "primary", take_primary, 1, 2, "ADDRESS[:PORT] [KEY]" },
	{ "notify", take_notify, 1, 2, "ADDRESS[:PORT] [KEY]" },
	{ "allow-transfer", take_transfer, 1, 2, "NETWORK|any [KEY]" },
	{ "allow-notify", take_notify_from, 1, 2, "NETWORK|any [KEY]" },
	{ "allow-update", take_update, 2, 2 + UPDATE_TYPES - 2, "KEY NAME [TYPE ...]" },
	{ "size-limit", take_size_limit, 1, 1, "MEBIBYTES" },
	{ "catalog", take_catalog, 0, 1, "[TEMPLATE]" },
	{ "group", take_group, 2, 2, "NAME TEMPLATE" },
	{ "allow-query", take_query, 1, 1, "any" },
};

static const struct conf_line template_lines[] = {
	{ "file", take_pattern, 1, 1, "PATTERN" },
	{ "primary", take_primary, 1, 2, "ADDRESS[:PORT] [KEY]" },
	{ "notify", take_notify, 1, 2, "ADDRESS[:PORT] [KEY]" },
	{ "allow-transfer", take_transfer, 1, 2, "NETWORK|any [KEY]" },
	{ "allow-notify", take_notify_from, 1, 2, "NETWORK|any [KEY]" },
	{ "size-limit", take_size_limit, 1, 1, "MEBIBYTES" },
};

const struct conf_block zone_option_blocks[ZONE_OPTION_BLOCKS] = {
	{ "key", begin_key, end_key, key_lines, sizeof key_lines / sizeof key_lines[0] },
	{ "zone", begin_zone, end_zone, zone_lines, sizeof zone_lines / sizeof zone_lines[0] },
	{ "template", begin_template, NULL, template_lines,
		sizeof template_lines / sizeof template_lines[0] },
};

/* ---- the table of keys ---- */

bool zone_options_end(struct zone_options *all)
{
	size_t count = 0;
	for (const struct key_option *k = all->keys; k != NULL; k = k->next)
		count++;
	struct mrg_dns_tsig_key *const table =
		mrg_arena_get(all->arena, count * sizeof *table, _Alignof(struct mrg_dns_tsig_key));
	if (table == NULL)
		return no_memory();
	all->table = (struct mrg_dns_tsig_keys){ table, count };
	for (const struct key_option *k = all->keys; k != NULL; k = k->next)
		table[--count] = k->tsig;
	return true;
}

/* ---- what is allowed ---- */

/* The table has copies: names tell keys apart. */
static bool same_key(const struct key_option *k, const struct mrg_dns_tsig_key *key)
{
	return key != NULL && mrg_dns_name_flat_equal(k->tsig.name, key->name);
}

bool allowed_find(
	const struct remote *rules, const struct mrg_rt_addr *who, const struct mrg_dns_tsig_key *key)
{
	for (const struct remote *r = rules; r != NULL; r = r->next) {
		if ((r->addr.family == 0 || mrg_rt_addr_in(who, &r->addr, r->bits)) &&
			(r->key == NULL || same_key(r->key, key)))
			return true;
	}
	return false;
}

static bool names(const struct update_allowed *u, const struct mrg_dns_name_flat *name)
{
	const struct mrg_span meant = { u->name, u->name_len };
	if (!u->below)
		return mrg_dns_name_flat_equal(mrg_dns_name_flat_from(name, 0), meant);
	for (unsigned i = 1; i < name->count; i++)
		if (mrg_dns_name_flat_equal(mrg_dns_name_flat_from(name, i), meant))
			return true;
	return false;
}

static bool has_type(const struct update_allowed *u, uint16_t type)
{
	for (size_t i = 0; i < u->type_count; i++)
		if (u->types[i] == type)
			return true;
	return u->type_count == 0;
}

bool update_allowed_find(const struct update_allowed *rules, const struct mrg_dns_tsig_key *key,
	struct mrg_span name, uint16_t type)
{
	struct mrg_dns_name_flat flat;
	if (key == NULL || mrg_dns_name_flat_check(name, &flat) != MRG_OK)
		return false;
	for (const struct update_allowed *r = rules; r != NULL; r = r->next)
		if (same_key(r->key, key) && names(r, &flat) && has_type(r, type))
			return true;
	return false;
}

/* ---- what has changed ---- */

static bool same_secret(const struct key_option *a, const struct key_option *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return mrg_dns_name_flat_equal(a->tsig.name, b->tsig.name) &&
	       a->tsig.algorithm == b->tsig.algorithm && mrg_span_eq(a->tsig.secret, b->tsig.secret);
}

bool zone_option_same_primaries(const struct zone_option *a, const struct zone_option *b)
{
	const struct remote *x = a->primaries, *y = b->primaries;
	for (; x != NULL && y != NULL; x = x->next, y = y->next)
		if (!mrg_rt_addr_same(&x->addr, &y->addr) || !same_secret(x->key, y->key))
			return false;
	return x == y;
}

/* ---- members of catalogs ---- */

struct member {
	struct zone_option option; /* first */
	size_t size;               /* of all of it */
	atomic_uint users;
	char text[]; /* its name, and that of its file */
};

static struct member *member_of(const struct zone_option *z) { return (struct member *)(uintptr_t)z; }

const struct zone_option *zone_option_as(const struct zone_option *catalog, struct mrg_span group)
{
	for (const struct zone_group *g = catalog->groups; g != NULL; g = g->next)
		if (mrg_span_eq(span_of(g->name), group))
			return g->as;
	return catalog->as;
}

enum {
	FILE_NAME = 160 /* of the 255 octets that file systems have for a name, the most that a member's takes in it */
};

/* The digest of a name, behind what no name begins with that is used as it is. */
static void put_digest(struct mrg_w *w, struct mrg_span name)
{
	struct mrg_rt_digest d;
	uint8_t digest[MRG_RT_SHA2_MAX];
	mrg_rt_digest_begin(&d, MRG_RT_SHA256);
	mrg_rt_digest_add(&d, name);
	mrg_rt_digest_end(&d, digest);
	mrg_text_put(w, "=");
	mrg_text_put_hex(w, (struct mrg_span){ digest, mrg_rt_sha2_size(MRG_RT_SHA256) });
}

/* A name as part of that of a file: it is in no other folder, and no other name's. */
static void put_file_name(struct mrg_w *w, struct mrg_span origin)
{
	struct mrg_dns_name_flat name, folded;
	uint8_t text[SAID_NAME_MAX];
	struct mrg_w t;
	size_t at;
	unsigned code;
	if (mrg_dns_name_flat_check(origin, &name) != MRG_OK)
		return;
	mrg_dns_name_flat_fold(&name, &folded);
	const struct mrg_span flat = mrg_dns_name_flat_from(&folded, 0);
	mrg_w_init(&t, text, sizeof text);
	said_name_put(flat, &t);
	const struct mrg_span plain = { text, t.len - 1 }; /* without the root's dot */
	if (plain.len <= FILE_NAME && mrg_dns_kept_plain_name_check(plain, &at, &code) == MRG_OK)
		mrg_w_put(w, plain);
	else
		put_digest(w, flat);
}

/* The name of a member's file, and a NUL; nothing where there is none. */
static void put_file(struct mrg_w *w, const char *pattern, struct mrg_span origin)
{
	struct mrg_span before, after;
	if (pattern == NULL || !split_pattern(pattern, &before, &after))
		return;
	mrg_w_put(w, before);
	put_file_name(w, origin);
	mrg_w_put(w, after);
	mrg_w_u8(w, 0);
}

const struct zone_option *zone_option_member(
	const struct zone_option *catalog, const struct zone_option *as, struct mrg_span origin)
{
	const char *const pattern = as != NULL ? as->file : NULL;
	uint8_t text[SAID_NAME_MAX];
	struct mrg_w w;
	mrg_w_init(&w, text, sizeof text);
	said_name_put(origin, &w);
	mrg_w_u8(&w, 0);
	const size_t file = w.len, room = file + (pattern != NULL ? strlen(pattern) + FILE_NAME : 0);
	struct member *const m = system_get(sizeof *m + room);
	if (m == NULL)
		return NULL;
	m->size = sizeof *m + room;
	memcpy(m->text, text, file);
	mrg_w_init(&w, m->text, room);
	(void)mrg_w_take(&w, file);
	put_file(&w, pattern, origin);
	atomic_init(&m->users, 1);
	const struct zone_option *const from = as != NULL ? as : catalog;
	m->option = (struct zone_option){ .text = m->text,
		.file = w.len != file ? m->text + file : NULL,
		.origin_len = origin.len,
		.primaries = from->primaries != NULL ? from->primaries : catalog->primaries,
		.notify = as != NULL ? as->notify : NULL,
		.transfer = as != NULL ? as->transfer : NULL,
		.notify_from = from->notify_from != NULL ? from->notify_from : catalog->notify_from,
		.size_limit_mib = from->size_limit_mib,
		.as = as,
		.listed_in = catalog->text };
	memcpy(m->option.origin, origin.p, origin.len);
	return &m->option;
}

void zone_option_keep(const struct zone_option *z)
{
	if (z->listed_in != NULL)
		atomic_fetch_add_explicit(&member_of(z)->users, 1, memory_order_relaxed);
}

void zone_option_drop(const struct zone_option *z)
{
	if (z->listed_in != NULL &&
		atomic_fetch_sub_explicit(&member_of(z)->users, 1, memory_order_acq_rel) == 1)
		system_put(member_of(z), member_of(z)->size);
}
