/*
 * Signatures of messages (RFC 8945), held against tsig_peer.py, which was written from the RFC apart from the library; and what comes
 * of signatures that are wrong in any way.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit.h"
#include "protocols/dns/tsig.h"

#define NOW UINT64_C(1700000000)
enum { MESSAGE = 2000, ALGORITHMS = 3, SECRET = 200, ID = 0x1234, HEADER = 12 };

static const char *const names[ALGORITHMS] = { "hmac-sha256", "hmac-sha384", "hmac-sha512" };
static const unsigned sizes[ALGORITHMS] = { 32, 48, 64 };
static uint8_t secret[SECRET];
static const uint8_t key_wire[] = "\3key\7example";
static const uint8_t other_wire[] = "\5other\7example";

static struct mrg_dns_tsig_key key_of(unsigned algorithm, size_t secret_len)
{
	return (struct mrg_dns_tsig_key){ .name = { key_wire, sizeof key_wire },
		.algorithm = MRG_DNS_MAC_ALGORITHM_HMAC_SHA256 + algorithm,
		.secret = { secret, secret_len } };
}

static void fill_secret(void)
{
	for (size_t i = 0; i < sizeof secret; i++)
		secret[i] = (uint8_t)(i * 37u + 11u);
}

/* ---- the peer ---- */

struct wire {
	uint8_t p[MESSAGE];
	size_t len;
};

static struct mrg_span span(const struct wire *m) { return (struct mrg_span){ m->p, m->len }; }

static void put_hex(FILE *to, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fprintf(to, "%02x", p[i]);
	if (len == 0)
		fputc('-', to);
}

/* What the peer is asked to sign, and how. */
struct order {
	const char *key;
	unsigned algorithm;
	size_t secret_len;
	uint64_t time;
	unsigned fudge, error;
	struct mrg_span other, prior;
	bool timers;
	unsigned keep; /* 0: all */
	int original;  /* -1: the message's */
	const struct wire *message;
};

/* Lines to the peer, and its answers. */
static void ask_peer(const struct order *orders, size_t count, struct wire *out)
{
	char path[] = "/tmp/tsig-XXXXXX", command[200], *line = malloc(2 * MESSAGE + 2);
	const int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	FILE *const to = fdopen(fd, "w");
	for (size_t i = 0; i < count; i++) {
		const struct order *const o = &orders[i];
		fprintf(to, "%s %s ", o->key, names[o->algorithm]);
		put_hex(to, secret, o->secret_len);
		fprintf(to, " %llu %u %u ", (unsigned long long)o->time, o->fudge, o->error);
		put_hex(to, o->other.p, o->other.len);
		fputc(' ', to);
		put_hex(to, o->prior.p, o->prior.len);
		fprintf(to, " %s %u ", o->timers ? "timers" : "all",
			o->keep != 0 ? o->keep : sizes[o->algorithm]);
		fprintf(to, o->original < 0 ? "- " : "%d ", o->original);
		put_hex(to, o->message->p, o->message->len);
		fputc('\n', to);
	}
	fclose(to);
	snprintf(command, sizeof command, "python3 tests/protocols/dns/tsig_peer.py <%s", path);
	FILE *const from = popen(command, "r");
	ck_assert_ptr_nonnull(from);
	for (size_t i = 0; i < count; i++) {
		ck_assert_ptr_nonnull(fgets(line, 2 * MESSAGE + 2, from));
		out[i].len = (strlen(line) - 1) / 2;
		for (size_t at = 0; at < out[i].len; at++)
			sscanf(line + 2 * at, "%2hhx", &out[i].p[at]);
	}
	ck_assert_int_eq(pclose(from), 0);
	unlink(path);
	free(line);
}

static struct order plain(const struct wire *message)
{
	return (struct order){ .key = "key.example",
		.secret_len = 32,
		.time = NOW,
		.fudge = 300,
		.original = -1,
		.message = message };
}

static struct wire query(const char *line)
{
	struct wire m;
	m.len = kit_query(line, m.p, sizeof m.p);
	return m;
}

/* ---- requests ---- */

static enum mrg_dns_auth_result request(
	struct mrg_dns_auth *a, const struct mrg_dns_tsig_key *key, const struct wire *m, uint64_t now_s)
{
	const struct mrg_dns_tsig_keys keys = { key, 1 };
	uint8_t *const copy = malloc(m->len); /* so that reads beyond it are seen */
	memcpy(copy, m->p, m->len);
	const enum mrg_dns_auth_result r =
		mrg_dns_auth_request(a, &keys, (struct mrg_span){ copy, m->len }, now_s);
	free(copy);
	return r;
}

/* Each algorithm, and keys shorter and longer than a block: what the client signs is what the peer does, and the server takes it. */
START_TEST(requests_are_signed_as_the_peer_does)
{
	static const size_t secrets[] = { 1, 16, 32, 64, 128, 129, SECRET };
	enum { SECRETS = sizeof secrets / sizeof secrets[0], COUNT = SECRETS * ALGORITHMS };
	static struct order orders[COUNT];
	static struct wire theirs[COUNT];
	const struct wire bare = query("www.example. A edns=1232 do rd id=4711");
	for (unsigned i = 0; i < COUNT; i++) {
		orders[i] = plain(&bare);
		orders[i].algorithm = i % ALGORITHMS;
		orders[i].secret_len = secrets[i / ALGORITHMS];
	}
	ask_peer(orders, COUNT, theirs);
	for (unsigned i = 0; i < COUNT; i++) {
		const struct mrg_dns_tsig_key key = key_of(orders[i].algorithm, orders[i].secret_len);
		struct mrg_dns_auth a;
		struct wire ours = bare;
		ck_assert_int_eq(mrg_dns_auth_ask(&a, &key, NOW, ours.p, sizeof ours.p, &ours.len), MRG_OK);
		ck_assert_uint_eq(ours.len, theirs[i].len);
		ck_assert_mem_eq(ours.p, theirs[i].p, ours.len);
		ck_assert_int_eq(request(&a, &key, &ours, NOW), MRG_DNS_AUTH_GOOD);
		ck_assert_ptr_eq(a.key, &key);
	}
}
END_TEST

/* Case of names does not count, the ID on the way neither; a message without a signature has none. */
START_TEST(requests_with_other_ids_and_case_are_good)
{
	const struct mrg_dns_tsig_key key = key_of(1, 32);
	const struct wire bare = query("www.example. A");
	struct order orders[2] = { plain(&bare), plain(&bare) };
	struct wire theirs[2];
	struct mrg_dns_auth a;
	orders[0].key = "KEY.eXample";
	orders[1].original = 99;
	orders[0].algorithm = orders[1].algorithm = 1;
	ask_peer(orders, 2, theirs);
	ck_assert_int_eq(request(&a, &key, &theirs[0], NOW), MRG_DNS_AUTH_GOOD);
	ck_assert_int_eq(request(&a, &key, &theirs[1], NOW), MRG_DNS_AUTH_GOOD);
	ck_assert_int_eq(request(&a, &key, &bare, NOW), MRG_DNS_AUTH_NONE);
	ck_assert_uint_eq(mrg_dns_auth_room(&a), 0);
	ck_assert_int_eq(mrg_dns_auth_request(&a, NULL, span(&theirs[0]), NOW), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADKEY);
}
END_TEST

static struct wire signed_query(const struct mrg_dns_tsig_key *key)
{
	struct wire m = query("www.example. A edns=1232");
	struct mrg_dns_auth a;
	ck_assert_int_eq(mrg_dns_auth_ask(&a, key, NOW, m.p, sizeof m.p, &m.len), MRG_OK);
	return m;
}

/* RFC 8945 5.2: key, then hash, then time, then truncation. */
START_TEST(errors_come_in_order)
{
	struct mrg_dns_tsig_key key = key_of(0, 32);
	struct wire m = signed_query(&key);
	struct mrg_dns_auth a;
	ck_assert_int_eq(request(&a, &key, &m, NOW + 300), MRG_DNS_AUTH_GOOD);
	ck_assert_int_eq(request(&a, &key, &m, NOW - 300), MRG_DNS_AUTH_GOOD);
	ck_assert_int_eq(request(&a, &key, &m, NOW + 301), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADTIME);
	ck_assert_ptr_eq(a.key, &key);
	ck_assert_int_eq(request(&a, &key, &m, NOW - 301), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADTIME);
	key.mac_least = 33; /* more than there is: but the time is looked at before */
	ck_assert_int_eq(request(&a, &key, &m, 0), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADTIME);
	ck_assert_int_eq(request(&a, &key, &m, NOW), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADTRUNC);
	secret[3] ^= 1;
	ck_assert_int_eq(request(&a, &key, &m, 0), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADSIG);
	ck_assert_ptr_null(a.key);
	key.name = (struct mrg_span){ other_wire, sizeof other_wire };
	ck_assert_int_eq(request(&a, &key, &m, 0), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADKEY);
	key = key_of(1, 32); /* the key is another algorithm's */
	ck_assert_int_eq(request(&a, &key, &m, NOW), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(a.error, MRG_DNS_TSIG_ERROR_BADKEY);
}
END_TEST

/* RFC 8945 5.2.2.1: at least ten octets, and half of the whole; policy may want more. */
START_TEST(hashes_may_be_cut_to_half)
{
	enum { LONGEST = 64 };
	static struct order orders[ALGORITHMS][LONGEST];
	static struct wire theirs[ALGORITHMS][LONGEST];
	const struct wire bare = query("www.example. A");
	for (unsigned i = 0; i < ALGORITHMS * LONGEST; i++) {
		orders[i / LONGEST][i % LONGEST] = plain(&bare);
		orders[i / LONGEST][i % LONGEST].algorithm = i / LONGEST;
		orders[i / LONGEST][i % LONGEST].keep = 1 + i % LONGEST;
	}
	ask_peer(orders[0], ALGORITHMS * LONGEST, theirs[0]);
	for (unsigned algorithm = 0; algorithm < ALGORITHMS; algorithm++) {
		struct mrg_dns_tsig_key key = key_of(algorithm, 32);
		const unsigned size = sizes[algorithm];
		for (unsigned keep = 1; keep <= size; keep++) {
			struct mrg_dns_auth a;
			const enum mrg_dns_auth_result want =
				keep >= size / 2 ? MRG_DNS_AUTH_GOOD : MRG_DNS_AUTH_MALFORMED;
			key.mac_least = 0;
			ck_assert_int_eq(request(&a, &key, &theirs[algorithm][keep - 1], NOW), want);
			key.mac_least = (uint8_t)(keep + 1);
			ck_assert_int_eq(request(&a, &key, &theirs[algorithm][keep - 1], NOW),
				want == MRG_DNS_AUTH_GOOD ? MRG_DNS_AUTH_REFUSED : want);
			ck_assert(want != MRG_DNS_AUTH_GOOD || a.error == MRG_DNS_TSIG_ERROR_BADTRUNC);
		}
	}
}
END_TEST

/* Any bit that is another makes the signature worthless, but those of the ID and of the case of names, which are not signed. */
START_TEST(a_flipped_bit_anywhere_is_seen)
{
	const struct mrg_dns_tsig_key key = key_of(0, 32);
	const struct wire m = signed_query(&key), bare = query("www.example. A edns=1232");
	const size_t name_at = bare.len, algorithm_at = name_at + sizeof key_wire + 10;
	unsigned good = 0;
	for (size_t bit = 0; bit < 8 * m.len; bit++) {
		struct wire bad = m;
		struct mrg_dns_auth a;
		const size_t at = bit / 8;
		const bool in_names = (at >= name_at && at < name_at + sizeof key_wire) ||
				      (at >= algorithm_at && at < algorithm_at + strlen(names[0]) + 2);
		const char c = (char)(m.p[at] | 0x20);
		const bool may = at < 2 || (in_names && bit % 8 == 5 && c >= 'a' && c <= 'z');
		bad.p[at] ^= (uint8_t)(1u << bit % 8);
		const enum mrg_dns_auth_result r = request(&a, &key, &bad, NOW);
		ck_assert_msg((r == MRG_DNS_AUTH_GOOD) == may, "bit %zu of octet %zu", bit % 8, at);
		good += r == MRG_DNS_AUTH_GOOD;
	}
	ck_assert_uint_gt(good, 16);
}
END_TEST

/* ---- signatures in the wrong place ---- */

static size_t record_at(const struct wire *m)
{
	return m->len - (sizeof key_wire + 10 + strlen(names[0]) + 2 + 16 + 32);
}

START_TEST(a_signature_that_is_cut_or_followed_is_malformed)
{
	const struct mrg_dns_tsig_key key = key_of(0, 32);
	const struct wire m = signed_query(&key);
	struct mrg_dns_auth a;
	for (size_t len = 0; len < m.len; len++) {
		struct wire cut = m;
		cut.len = len;
		ck_assert_int_eq(request(&a, &key, &cut, NOW), MRG_DNS_AUTH_MALFORMED);
		ck_assert_uint_eq(mrg_dns_auth_room(&a), 0);
	}
	struct wire more = m;
	more.p[more.len++] = 0;
	ck_assert_int_eq(request(&a, &key, &more, NOW), MRG_DNS_AUTH_MALFORMED);
}
END_TEST

/* The section counts of a header. */
static void set_counts(struct wire *m, unsigned an, unsigned ns, unsigned ar)
{
	const uint8_t counts[] = { 0, (uint8_t)an, 0, (uint8_t)ns, 0, (uint8_t)ar };
	memcpy(m->p + 6, counts, sizeof counts);
}

START_TEST(a_signature_elsewhere_or_twice_is_malformed)
{
	const struct mrg_dns_tsig_key key = key_of(0, 32);
	const struct wire m = signed_query(&key);
	const size_t at = record_at(&m), len = m.len - at;
	struct mrg_dns_auth a;
	struct wire bad = m; /* OPT and TSIG as answer and authority */
	set_counts(&bad, 1, 1, 0);
	ck_assert_int_eq(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_MALFORMED);
	set_counts(&bad, 2, 0, 0);
	ck_assert_int_eq(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_MALFORMED);
	set_counts(&bad, 0, 2, 0);
	ck_assert_int_eq(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_MALFORMED);
	memcpy(bad.p + bad.len, m.p + at, len); /* twice */
	bad.len += len;
	set_counts(&bad, 0, 0, 3);
	ck_assert_int_eq(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_MALFORMED);
	set_counts(&bad, 0, 0, 2); /* with one of them behind the message */
	ck_assert_int_eq(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_MALFORMED);
	bad = m; /* before the OPT record */
	memcpy(bad.p + at - 11, m.p + at, len);
	memcpy(bad.p + at - 11 + len, m.p + at - 11, 11);
	ck_assert_int_eq(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_MALFORMED);
	bad = m;
	bad.p[at + sizeof key_wire + 3] = 1; /* class IN */
	ck_assert_int_eq(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_MALFORMED);
	bad = m;
	bad.p[at + sizeof key_wire + 7] = 1; /* a TTL */
	ck_assert_int_eq(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_MALFORMED);
	bad = m;
	bad.len = at + sizeof key_wire + 10; /* no RDATA */
	bad.p[bad.len - 1] = bad.p[bad.len - 2] = 0;
	ck_assert_int_eq(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_MALFORMED);
}
END_TEST

/* Octets by chance in and behind a signed request: nothing is read that is not there, and nothing of it is good. */
START_TEST(chance_signs_nothing)
{
	const struct mrg_dns_tsig_key key = key_of(0, 32);
	const struct wire m = signed_query(&key);
	uint32_t seed = 1;
	for (unsigned i = 0; i < 20000; i++) {
		struct wire bad = m;
		struct mrg_dns_auth a;
		for (unsigned n = 1 + i % 4; n > 0; n--) {
			seed = seed * 1664525u + 1013904223u;
			const size_t at = 2 + (seed >> 8) % (bad.len - 2);
			bad.p[at] = (uint8_t)(bad.p[at] + 1u + (seed >> 24) % 31u);
		}
		if (i % 8 == 0)
			bad.len -= seed % 60;
		ck_assert_int_ne(request(&a, &key, &bad, NOW), MRG_DNS_AUTH_GOOD);
	}
}
END_TEST

/* ---- answers ---- */

/* A request that was taken, and the hash that it had. */
static struct mrg_dns_auth taken(const struct mrg_dns_tsig_key *key, struct mrg_dns_auth *client)
{
	struct mrg_dns_auth a;
	struct wire m = query("www.example. AXFR");
	ck_assert_int_eq(mrg_dns_auth_ask(client, key, NOW, m.p, sizeof m.p, &m.len), MRG_OK);
	ck_assert_int_eq(request(&a, key, &m, NOW + 1), MRG_DNS_AUTH_GOOD);
	return a;
}

static struct wire sign(struct mrg_dns_auth *a, const struct wire *bare, uint64_t now_s)
{
	struct wire m = *bare;
	const size_t room = mrg_dns_auth_room(a);
	size_t len = m.len;
	ck_assert_int_eq(mrg_dns_auth_sign(a, now_s, m.p, m.len + room - 1, &len), MRG_E_SPACE);
	ck_assert_uint_eq(len, bare->len);
	ck_assert_mem_eq(m.p, bare->p, bare->len);
	ck_assert_int_eq(mrg_dns_auth_sign(a, now_s, m.p, m.len + room, &len), MRG_OK);
	ck_assert_uint_eq(len, bare->len + room);
	m.len = len;
	return m;
}

/* Three messages of one answer, by each algorithm: the hash of the first covers the request's, those after it the one before. */
START_TEST(answers_are_signed_as_the_peer_does)
{
	enum { PARTS = 3, COUNT = PARTS * ALGORITHMS };
	static struct order orders[COUNT];
	static struct wire ours[COUNT], theirs[COUNT];
	static uint8_t prior[COUNT][MRG_RT_SHA2_MAX];
	const struct wire bare = query("www.example. A rd edns=1232 id=4660");
	for (unsigned i = 0; i < COUNT; i += PARTS) {
		const unsigned algorithm = i / PARTS;
		const struct mrg_dns_tsig_key key = key_of(algorithm, 64);
		struct mrg_dns_auth client, server = taken(&key, &client);
		for (unsigned part = 0; part < PARTS; part++) {
			struct order *const o = &orders[i + part];
			*o = plain(&bare);
			o->algorithm = algorithm;
			o->secret_len = 64;
			o->time = NOW + 2 + part;
			memcpy(prior[i + part], server.mac, sizes[algorithm]);
			o->prior = (struct mrg_span){ prior[i + part], sizes[algorithm] };
			o->timers = part > 0;
			ours[i + part] = sign(&server, &bare, NOW + 2 + part);
			ck_assert(!mrg_dns_auth_over(&client) || part > 0);
			ck_assert_int_eq(mrg_dns_auth_take(&client, span(&ours[i + part]), NOW + 2),
				MRG_DNS_AUTH_GOOD);
			ck_assert(mrg_dns_auth_over(&client));
		}
	}
	ask_peer(orders, COUNT, theirs);
	for (unsigned i = 0; i < COUNT; i++) {
		ck_assert_uint_eq(ours[i].len, theirs[i].len);
		ck_assert_mem_eq(ours[i].p, theirs[i].p, ours[i].len);
	}
}
END_TEST

/* RFC 8945 5.3.1: up to 99 messages between two that are signed. */
START_TEST(unsigned_messages_count_when_one_is_signed_after_them)
{
	const struct mrg_dns_tsig_key key = key_of(2, 32);
	const struct wire bare = query("www.example. A"), other = query("www.example. NS");
	for (unsigned count = 98; count <= 100; count++) {
		struct mrg_dns_auth client, server = taken(&key, &client);
		struct wire m = sign(&server, &bare, NOW);
		ck_assert_int_eq(
			mrg_dns_auth_take(&client, span(&bare), NOW), MRG_DNS_AUTH_NONE); /* not the first */
		ck_assert_int_eq(mrg_dns_auth_take(&client, span(&m), NOW), MRG_DNS_AUTH_GOOD);
		struct mrg_rt_hmac h;
		uint8_t mac[MRG_RT_SHA2_MAX], prior[2 + MRG_RT_SHA2_MAX] = { 0, 64 };
		memcpy(prior + 2, server.mac, 64);
		mrg_rt_hmac_begin(&h, MRG_RT_SHA512, key.secret);
		mrg_rt_hmac_add(&h, (struct mrg_span){ prior, sizeof prior });
		for (unsigned i = 0; i < count; i++) {
			const enum mrg_dns_auth_result r = mrg_dns_auth_take(&client, span(&bare), NOW);
			ck_assert_int_eq(r, i < 99 ? MRG_DNS_AUTH_LATER : MRG_DNS_AUTH_REFUSED);
			ck_assert(!mrg_dns_auth_over(&client));
			mrg_rt_hmac_add(&h, span(&bare));
		}
		if (count == 100)
			continue;
		/* the last one, whose hash is made by hand */
		m = sign(&server, &other, NOW + 7);
		mrg_rt_hmac_add(&h, span(&other));
		const size_t mac_at = m.len - 6 - 64;
		mrg_rt_hmac_add(&h, (struct mrg_span){ m.p + mac_at - 10, 8 });
		mrg_rt_hmac_end(&h, mac);
		memcpy(m.p + mac_at, mac, 64);
		struct mrg_dns_auth forged = client;
		ck_assert_int_eq(mrg_dns_auth_take(&client, span(&m), NOW), MRG_DNS_AUTH_GOOD);
		ck_assert(mrg_dns_auth_over(&client));
		m.p[mac_at] ^= 1;
		ck_assert_int_eq(mrg_dns_auth_take(&forged, span(&m), NOW), MRG_DNS_AUTH_REFUSED);
	}
}
END_TEST

START_TEST(a_flipped_bit_in_an_answer_is_seen)
{
	const struct mrg_dns_tsig_key key = key_of(0, 32);
	const struct wire bare = query("www.example. A");
	struct mrg_dns_auth client, server = taken(&key, &client);
	const struct wire first = sign(&server, &bare, NOW);
	const struct mrg_dns_auth before = client;
	ck_assert_int_eq(mrg_dns_auth_take(&client, span(&first), NOW), MRG_DNS_AUTH_GOOD);
	const struct wire second = sign(&server, &bare, NOW);
	for (size_t bit = 0; bit < 8 * first.len; bit++) {
		const size_t at = bit / 8;
		struct mrg_dns_auth a = before, b = client;
		struct wire bad = first;
		bad.p[at] ^= (uint8_t)(1u << bit % 8);
		/* the ID, and the case of names */
		const bool may = at < 2 || (at >= bare.len && bit % 8 == 5);
		const enum mrg_dns_auth_result r = mrg_dns_auth_take(&a, span(&bad), NOW);
		ck_assert_msg(may || (r != MRG_DNS_AUTH_GOOD && r != MRG_DNS_AUTH_LATER), "bit %zu", bit);
		bad = second;
		bad.p[at] ^= (uint8_t)(1u << bit % 8);
		const enum mrg_dns_auth_result s = mrg_dns_auth_take(&b, span(&bad), NOW);
		/* of later messages the error and what is behind it are not signed (RFC 8945 5.3.1) */
		const bool unsigned_part = at >= second.len - 4;
		ck_assert_msg(may || s != MRG_DNS_AUTH_GOOD || unsigned_part, "second, bit %zu", bit);
	}
}
END_TEST

/* ---- errors told ---- */

START_TEST(errors_of_key_and_hash_are_told_unsigned)
{
	static const unsigned errors[] = { MRG_DNS_TSIG_ERROR_BADKEY, MRG_DNS_TSIG_ERROR_BADSIG };
	const struct mrg_dns_tsig_key key = key_of(0, 32);
	const struct wire bare = query("www.example. A");
	for (unsigned i = 0; i < 2; i++) {
		struct mrg_dns_tsig_key known = key;
		struct mrg_dns_auth client, server;
		struct wire m = query("www.example. A");
		ck_assert_int_eq(mrg_dns_auth_ask(&client, &key, NOW, m.p, sizeof m.p, &m.len), MRG_OK);
		if (i == 0)
			known.name = (struct mrg_span){ other_wire, sizeof other_wire };
		else
			known.secret.len--;
		ck_assert_int_eq(request(&server, &known, &m, NOW), MRG_DNS_AUTH_REFUSED);
		struct wire reply = sign(&server, &bare, NOW + 5);
		ck_assert_uint_eq(reply.p[reply.len - 3], errors[i]);
		ck_assert_int_eq(mrg_dns_auth_take(&client, span(&reply), NOW), MRG_DNS_AUTH_REFUSED);
		ck_assert_uint_eq(client.error, errors[i]);
		ck_assert_uint_eq(client.server_time, 0);
		ck_assert(!mrg_dns_auth_over(&client));
	}
}
END_TEST

/* RFC 8945 5.2.3: signed, with the client's time and the server's. */
START_TEST(errors_of_time_are_told_signed)
{
	const struct mrg_dns_tsig_key key = key_of(0, 32);
	const struct wire bare = query("www.example. A");
	struct mrg_dns_auth client, server;
	struct wire m = query("www.example. A"), theirs;
	ck_assert_int_eq(mrg_dns_auth_ask(&client, &key, NOW, m.p, sizeof m.p, &m.len), MRG_OK);
	const uint64_t late = NOW + 100000;
	ck_assert_int_eq(request(&server, &key, &m, late), MRG_DNS_AUTH_REFUSED);
	struct order o = plain(&bare);
	uint8_t prior[MRG_RT_SHA2_MAX], clock[6];
	for (unsigned i = 0; i < sizeof clock; i++)
		clock[i] = (uint8_t)(late >> 8 * (sizeof clock - 1 - i));
	memcpy(prior, client.mac, sizeof prior);
	o.prior = (struct mrg_span){ prior, 32 };
	o.error = MRG_DNS_TSIG_ERROR_BADTIME;
	o.other = (struct mrg_span){ clock, sizeof clock };
	ask_peer(&o, 1, &theirs);
	const struct wire ours = sign(&server, &bare, late);
	ck_assert_uint_eq(ours.len, theirs.len);
	ck_assert_mem_eq(ours.p, theirs.p, ours.len);
	ck_assert_int_eq(mrg_dns_auth_take(&client, span(&ours), NOW + 1), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(client.error, MRG_DNS_TSIG_ERROR_BADTIME);
	ck_assert_uint_eq(client.server_time, late);
}
END_TEST

START_TEST(answers_under_another_key_or_too_late_are_refused)
{
	const struct mrg_dns_tsig_key key = key_of(0, 32), other = {
		.name = { other_wire, sizeof other_wire }, .algorithm = key.algorithm, .secret = key.secret
	};
	const struct wire bare = query("www.example. A");
	struct mrg_dns_auth client, server = taken(&key, &client);
	const struct mrg_dns_auth before = client;
	const struct wire m = sign(&server, &bare, NOW);
	ck_assert_int_eq(mrg_dns_auth_take(&client, span(&m), NOW + 301), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(client.error, MRG_DNS_TSIG_ERROR_BADTIME);
	ck_assert_uint_eq(client.server_time, 0);
	struct mrg_dns_auth stranger, unused;
	stranger = taken(&other, &unused);
	client = before;
	const struct wire strange = sign(&stranger, &bare, NOW);
	ck_assert_int_eq(mrg_dns_auth_take(&client, span(&strange), NOW), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(client.error, MRG_DNS_TSIG_ERROR_BADKEY);
	client = before; /* an answer to another request: its hash begins otherwise */
	client.mac[5] ^= 4;
	ck_assert_int_eq(mrg_dns_auth_take(&client, span(&m), NOW), MRG_DNS_AUTH_REFUSED);
	ck_assert_uint_eq(client.error, MRG_DNS_TSIG_ERROR_BADSIG);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("tsig");
	TCase *const t = tcase_create("tsig");
	tcase_set_timeout(t, 120); /* the peer is a program of its own, on a machine that may be busy */
	tcase_add_checked_fixture(t, fill_secret, NULL);
	tcase_add_test(t, requests_are_signed_as_the_peer_does);
	tcase_add_test(t, requests_with_other_ids_and_case_are_good);
	tcase_add_test(t, errors_come_in_order);
	tcase_add_test(t, hashes_may_be_cut_to_half);
	tcase_add_test(t, a_flipped_bit_anywhere_is_seen);
	tcase_add_test(t, a_signature_that_is_cut_or_followed_is_malformed);
	tcase_add_test(t, a_signature_elsewhere_or_twice_is_malformed);
	tcase_add_test(t, chance_signs_nothing);
	tcase_add_test(t, answers_are_signed_as_the_peer_does);
	tcase_add_test(t, unsigned_messages_count_when_one_is_signed_after_them);
	tcase_add_test(t, a_flipped_bit_in_an_answer_is_seen);
	tcase_add_test(t, errors_of_key_and_hash_are_told_unsigned);
	tcase_add_test(t, errors_of_time_are_told_signed);
	tcase_add_test(t, answers_under_another_key_or_too_late_are_refused);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
