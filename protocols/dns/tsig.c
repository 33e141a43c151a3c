/*
 * Signatures of messages.  RFC 8945: section 4 says what a signature is, 5 what each side does.
 * Reading order: find, verify, the two sides.
 */
#include "protocols/dns/tsig.h"

#include "dns/message.h"
#include "dns/rr.h"
#include "protocols/dns/zone_store.h"

/* ---- finding the record ---- */

/* A signature and where it is. */
struct record {
	struct mrg_span before; /* the message up to it */
	struct mrg_dns_name name;
	struct mrg_dns_tsig tsig;
};

/* Step over `count` records.  False: one can't be read, or is a signature. */
static bool step(struct mrg_span message, struct mrg_span *left, unsigned count)
{
	for (; count > 0; count--) {
		struct mrg_dns_name name;
		struct mrg_dns_rr_tail tail;
		if (mrg_dns_name_check(*left, message, &name, NULL) != MRG_OK ||
			mrg_dns_rr_tail_check(mrg_dns_after(*left, name.len), &tail, NULL) != MRG_OK ||
			mrg_dns_rr_tail_type(&tail) == MRG_DNS_TYPE_TSIG)
			return false;
		*left = mrg_dns_after(*left, name.len + tail.len);
	}
	return true;
}

/* The last record of a message, if it is a signature: of class ANY and TTL 0 (section 4.2), with nothing behind it. */
static enum mrg_dns_auth_result read_last(struct mrg_span message, struct mrg_span left, struct record *out)
{
	struct mrg_dns_rr rr;
	struct mrg_dns_rr_tail tail;
	if (mrg_dns_name_check(left, message, &out->name, NULL) != MRG_OK ||
		mrg_dns_rr_tail_check(mrg_dns_after(left, out->name.len), &tail, NULL) != MRG_OK)
		return MRG_DNS_AUTH_MALFORMED;
	if (mrg_dns_rr_tail_type(&tail) != MRG_DNS_TYPE_TSIG)
		return MRG_DNS_AUTH_NONE;
	if (mrg_dns_rr_tail_class(&tail) != MRG_DNS_CLASS_ANY || mrg_dns_rr_tail_ttl(&tail) != 0 ||
		mrg_dns_rr_check(left, message, &rr, NULL) != MRG_OK || rr.len != left.len ||
		!mrg_dns_rr_rdata_as_tsig(&rr, &out->tsig))
		return MRG_DNS_AUTH_MALFORMED;
	out->before = (struct mrg_span){ message.p, message.len - left.len };
	return MRG_DNS_AUTH_GOOD;
}

/* Where is the signature?  GOOD: there.  A message that can't be read as far as that is malformed.  Section 5.1 */
static enum mrg_dns_auth_result find(struct mrg_span message, struct record *out)
{
	struct mrg_dns_header h;
	struct mrg_dns_question q;
	if (mrg_dns_header_check(message, &h, NULL) != MRG_OK)
		return MRG_DNS_AUTH_MALFORMED;
	struct mrg_span left = mrg_dns_after(message, h.len);
	for (unsigned i = mrg_dns_header_qdcount(&h); i > 0; i--) {
		if (mrg_dns_question_check(left, message, &q, NULL) != MRG_OK)
			return MRG_DNS_AUTH_MALFORMED;
		left = mrg_dns_after(left, q.len);
	}
	const unsigned more = mrg_dns_header_arcount(&h);
	if (!step(message, &left, mrg_dns_header_ancount(&h)) ||
		!step(message, &left, mrg_dns_header_nscount(&h)) ||
		!step(message, &left, more > 0 ? more - 1u : 0))
		return MRG_DNS_AUTH_MALFORMED;
	return more > 0 ? read_last(message, left, out) : MRG_DNS_AUTH_NONE;
}

/* ---- keys ---- */

static enum mrg_rt_sha2 sha2(const struct mrg_dns_tsig_key *key)
{
	return key->algorithm == MRG_DNS_MAC_ALGORITHM_HMAC_SHA256   ? MRG_RT_SHA256
	       : key->algorithm == MRG_DNS_MAC_ALGORITHM_HMAC_SHA384 ? MRG_RT_SHA384
								     : MRG_RT_SHA512;
}

/* The name of a key's algorithm, flat; its length. */
static size_t algorithm_name(const struct mrg_dns_tsig_key *key, uint8_t out[MRG_DNS_MAX_NAME])
{
	const struct mrg_dns_plain_name_label_args label = { .octets = mrg_dns_mac_algorithm_word(
								     key->algorithm) };
	struct mrg_w w;
	mrg_w_init(&w, out, MRG_DNS_MAX_NAME);
	mrg_dns_plain_name_label_put(&w, &label);
	mrg_dns_plain_name_root_put(&w, &(struct mrg_dns_plain_name_root_args){ 0 });
	return w.len;
}

const struct mrg_dns_tsig_key *mrg_dns_tsig_keys_find(
	const struct mrg_dns_tsig_keys *keys, struct mrg_span name)
{
	for (size_t i = 0; keys != NULL && i < keys->count; i++) {
		if (mrg_dns_name_flat_equal(keys->key[i].name, name))
			return &keys->key[i];
	}
	return NULL;
}

static void clear(struct mrg_dns_auth *a)
{
	a->key = NULL;
	a->error = MRG_DNS_TSIG_ERROR_NOERROR;
	a->server_time = a->time_signed = 0;
	a->fudge = MRG_DNS_FUDGE;
	a->present = a->bare = a->timers = a->answered = false;
	a->unsigned_count = 0;
	a->mac_len = a->algorithm_len = 0;
}

/* Names of key and algorithm, of which the key is one. */
static bool take_key(struct mrg_dns_auth *a, const struct mrg_dns_tsig_key *key)
{
	struct mrg_dns_name_flat name;
	if (mrg_dns_name_flat_check(key->name, &name) != MRG_OK)
		return false;
	mrg_dns_name_flat_fold(&name, &a->name);
	a->algorithm_len = algorithm_name(key, a->algorithm);
	a->key = key;
	return true;
}

static struct mrg_span key_name(const struct mrg_dns_auth *a) { return mrg_dns_name_flat_from(&a->name, 0); }

static struct mrg_span algorithm(const struct mrg_dns_auth *a)
{
	return (struct mrg_span){ a->algorithm, a->algorithm_len };
}

/* ---- hashes ---- */

/* What a record says of itself. */
struct said {
	uint64_t time_signed;
	uint16_t fudge, error;
	struct mrg_span other;
};

/* Begin a hash with the one before it, if there is one.  Sections 4.3.1 and 5.3.1 */
static void hash_begin(const struct mrg_dns_auth *a, struct mrg_rt_hmac *h)
{
	uint8_t buf[MRG_DNS_TSIG_PRIOR_SIZE_MIN + MRG_RT_SHA2_MAX];
	struct mrg_w w;
	mrg_rt_hmac_begin(h, sha2(a->key), a->key->secret);
	if (a->mac_len == 0)
		return;
	mrg_w_init(&w, buf, sizeof buf);
	mrg_dns_tsig_prior_put(&w, &(struct mrg_dns_tsig_prior_args){ .mac = { a->mac, a->mac_len } });
	mrg_rt_hmac_add(h, mrg_w_span(&w, 0));
}

/* A message as it was before its signature was put behind it.  Section 4.3.2 */
static void hash_message(struct mrg_rt_hmac *h, struct mrg_span message, uint16_t id)
{
	uint8_t head[MRG_DNS_TSIG_HEADER_SIZE_MAX];
	struct mrg_dns_tsig_header v;
	memcpy(head, message.p, sizeof head);
	const struct mrg_span all = { head, sizeof head };
	if (mrg_dns_tsig_header_check(all, &v, NULL) != MRG_OK ||
		mrg_dns_tsig_header_set_id(&v, head, id) != MRG_OK ||
		mrg_dns_tsig_header_set_arcount(&v, head, (uint16_t)(mrg_dns_tsig_header_arcount(&v) - 1u)) !=
			MRG_OK)
		return; /* no message is so short; and any hash but the right one is refused */
	mrg_rt_hmac_add(h, all);
	mrg_rt_hmac_add(h, mrg_dns_after(message, sizeof head));
}

/* The rest of what a hash covers, and its end.  Sections 4.3.3 and 5.3.1 */
static void hash_end(const struct mrg_dns_auth *a, struct mrg_rt_hmac *h, const struct said *s, uint8_t *mac)
{
	uint8_t buf[MRG_DNS_TSIG_VARIABLES_SIZE_MIN + 2 * MRG_DNS_MAX_NAME +
		    MRG_DNS_TSIG_SERVER_TIME_SIZE_MAX];
	const struct mrg_dns_tsig_variables_args all = { .name = key_name(a),
		.algorithm = algorithm(a),
		.time_signed = s->time_signed,
		.fudge = s->fudge,
		.error = s->error,
		.other = s->other };
	const struct mrg_dns_tsig_timers_args times = { .time_signed = s->time_signed, .fudge = s->fudge };
	struct mrg_w w;
	mrg_w_init(&w, buf, sizeof buf);
	if (a->timers)
		mrg_dns_tsig_timers_put(&w, &times);
	else
		mrg_dns_tsig_variables_put(&w, &all);
	mrg_rt_hmac_add(h, mrg_w_span(&w, 0));
	mrg_rt_hmac_end(h, mac);
}

/* ---- checking ---- */

static enum mrg_dns_auth_result refuse(struct mrg_dns_auth *a, enum mrg_dns_tsig_error error)
{
	a->error = (uint16_t)error;
	return MRG_DNS_AUTH_REFUSED;
}

/*
 * Is the hash of a record that of its message?  GOOD, REFUSED with BADSIG, or MALFORMED when no hash is that long or that short.
 * h   begun.  Section 5.2.2
 */
static enum mrg_dns_auth_result verify(
	struct mrg_dns_auth *a, struct mrg_rt_hmac *h, const struct record *r, const struct said *s)
{
	uint8_t mac[MRG_RT_SHA2_MAX];
	const struct mrg_span got = mrg_dns_tsig_mac(&r->tsig);
	const size_t whole = mrg_rt_sha2_size(sha2(a->key));
	const size_t least = whole / 2 > MRG_DNS_MAC_LEAST ? whole / 2 : (size_t)MRG_DNS_MAC_LEAST;
	if (got.len > whole || got.len < least)
		return MRG_DNS_AUTH_MALFORMED;
	if (s->other.len != 0 && s->other.len != MRG_DNS_TSIG_SERVER_TIME_SIZE_MAX)
		return refuse(a, MRG_DNS_TSIG_ERROR_BADSIG); /* nothing that anybody signs */
	hash_message(h, r->before, mrg_dns_tsig_original_id(&r->tsig));
	hash_end(a, h, s, mac);
	if (!mrg_rt_same_secret(mac, got.p, got.len))
		return refuse(a, MRG_DNS_TSIG_ERROR_BADSIG);
	memcpy(a->mac, got.p, got.len);
	a->mac_len = got.len;
	return MRG_DNS_AUTH_GOOD;
}

static struct said said_by(const struct record *r)
{
	return (struct said){ .time_signed = mrg_dns_tsig_time_signed(&r->tsig),
		.fudge = mrg_dns_tsig_fudge(&r->tsig),
		.error = mrg_dns_tsig_error(&r->tsig),
		.other = mrg_dns_tsig_other(&r->tsig) };
}

static bool in_time(const struct said *s, uint64_t now_s)
{
	const uint64_t apart = now_s > s->time_signed ? now_s - s->time_signed : s->time_signed - now_s;
	return apart <= s->fudge;
}

/* Checks that come after the hash, which is good.  Sections 5.2.3 and 5.2.4 */
static enum mrg_dns_auth_result check_rest(struct mrg_dns_auth *a, const struct said *s, uint64_t now_s)
{
	if (!in_time(s, now_s))
		return refuse(a, MRG_DNS_TSIG_ERROR_BADTIME);
	if (a->mac_len < a->key->mac_least)
		return refuse(a, MRG_DNS_TSIG_ERROR_BADTRUNC);
	return MRG_DNS_AUTH_GOOD;
}

/* ---- the server's side ---- */

enum mrg_dns_auth_result mrg_dns_auth_request(struct mrg_dns_auth *out, const struct mrg_dns_tsig_keys *keys,
	struct mrg_span message, uint64_t now_s)
{
	struct record r;
	struct mrg_rt_hmac h;
	struct mrg_dns_plain_name_flat named;
	uint8_t ours[MRG_DNS_MAX_NAME];
	clear(out);
	enum mrg_dns_auth_result result = find(message, &r);
	if (result != MRG_DNS_AUTH_GOOD)
		return result;
	const struct said s = said_by(&r);
	const struct mrg_dns_plain_name alg = mrg_dns_tsig_algorithm(&r.tsig);
	mrg_dns_name_fold(&r.name, &out->name);
	mrg_dns_plain_name_fold(&alg, &named);
	out->algorithm_len = named.len;
	memcpy(out->algorithm, named.b, named.len);
	out->time_signed = s.time_signed;
	out->fudge = s.fudge;
	out->present = out->bare = true;
	const struct mrg_dns_tsig_key *const key = mrg_dns_tsig_keys_find(keys, key_name(out));
	if (key == NULL || !mrg_dns_name_flat_equal(
				   (struct mrg_span){ ours, algorithm_name(key, ours) }, algorithm(out)))
		return refuse(out, MRG_DNS_TSIG_ERROR_BADKEY);
	out->key = key;
	hash_begin(out, &h);
	result = verify(out, &h, &r, &s);
	if (result == MRG_DNS_AUTH_MALFORMED)
		out->present = false;
	if (result != MRG_DNS_AUTH_GOOD) {
		out->key = NULL; /* whoever asks has not shown that it is his */
		return result;
	}
	out->bare = false;
	return check_rest(out, &s, now_s);
}

size_t mrg_dns_auth_room(const struct mrg_dns_auth *a)
{
	if (!a->present)
		return 0;
	/* the least that a name takes, the root, is in what an algorithm's takes */
	return a->name.len + (size_t)MRG_DNS_RR_TAIL_SIZE_MIN + (size_t)MRG_DNS_TSIG_SIZE_MIN - 1u +
	       a->algorithm_len + (a->bare ? 0 : mrg_rt_sha2_size(sha2(a->key))) +
	       (a->error == MRG_DNS_TSIG_ERROR_BADTIME ? (size_t)MRG_DNS_TSIG_SERVER_TIME_SIZE_MAX : 0u);
}

/* Put a record behind a message. */
static enum mrg_status append(const struct mrg_dns_auth *a, const struct said *s, struct mrg_span mac,
	uint8_t *message, size_t cap, size_t *len)
{
	const struct mrg_dns_rr_args rr = {
		.name = key_name(a), .type = MRG_DNS_TYPE_TSIG, .class = MRG_DNS_CLASS_ANY, .ttl = 0
	};
	struct mrg_dns_tsig_header v;
	struct mrg_dns_rr_build b;
	struct mrg_w w;
	if (mrg_dns_tsig_header_check((struct mrg_span){ message, *len }, &v, NULL) != MRG_OK)
		return MRG_E_SHORT;
	mrg_w_init(&w, message + *len, cap - *len);
	mrg_dns_rr_begin(&w, &b, &rr);
	mrg_dns_tsig_put(&w, &(struct mrg_dns_tsig_args){ .algorithm = algorithm(a),
				     .time_signed = s->time_signed,
				     .fudge = s->fudge,
				     .mac = mac,
				     .original_id = mrg_dns_tsig_header_id(&v),
				     .error = s->error,
				     .other = s->other });
	mrg_dns_rr_end(&w, &b);
	if (w.st != MRG_OK)
		return w.st;
	*len += w.len;
	return mrg_dns_tsig_header_set_arcount(&v, message, (uint16_t)(mrg_dns_tsig_header_arcount(&v) + 1u));
}

enum mrg_status mrg_dns_auth_sign(
	struct mrg_dns_auth *a, uint64_t now_s, uint8_t *message, size_t cap, size_t *len)
{
	uint8_t mac[MRG_RT_SHA2_MAX], clock[MRG_DNS_TSIG_SERVER_TIME_SIZE_MAX];
	struct said s = { .time_signed = now_s, .fudge = a->fudge, .error = a->error };
	struct mrg_rt_hmac h;
	struct mrg_w w;
	if (!a->present)
		return MRG_OK;
	if (cap < *len || cap - *len < mrg_dns_auth_room(a))
		return MRG_E_SPACE;
	if (a->error !=
		MRG_DNS_TSIG_ERROR_NOERROR) /* section 5.2.3: the client's own time, so that it can check the rest */
		s.time_signed = a->time_signed;
	if (a->bare)
		return append(a, &s, (struct mrg_span){ NULL, 0 }, message, cap, len);
	if (a->error == MRG_DNS_TSIG_ERROR_BADTIME) {
		mrg_w_init(&w, clock, sizeof clock);
		mrg_dns_tsig_server_time_put(&w, &(struct mrg_dns_tsig_server_time_args){ .time = now_s });
		s.other = mrg_w_span(&w, 0);
	}
	if (*len < MRG_DNS_TSIG_HEADER_SIZE_MIN)
		return MRG_E_SHORT;
	hash_begin(a, &h);
	mrg_rt_hmac_add(&h, (struct mrg_span){ message, *len });
	hash_end(a, &h, &s, mac);
	const size_t size = mrg_rt_sha2_size(sha2(a->key));
	const enum mrg_status st = append(a, &s, (struct mrg_span){ mac, size }, message, cap, len);
	if (st != MRG_OK)
		return st;
	memcpy(a->mac, mac, size);
	a->mac_len = size;
	a->timers = true;
	return MRG_OK;
}

/* ---- the client's side ---- */

enum mrg_status mrg_dns_auth_ask(struct mrg_dns_auth *out, const struct mrg_dns_tsig_key *key, uint64_t now_s,
	uint8_t *message, size_t cap, size_t *len)
{
	clear(out);
	if (!take_key(out, key))
		return MRG_E_VALUE;
	out->present = true;
	const enum mrg_status st = mrg_dns_auth_sign(out, now_s, message, cap, len);
	out->time_signed = now_s;
	out->timers = false;
	return st;
}

/* A message without a signature: another one may follow that covers it.  Section 5.3.1 */
static enum mrg_dns_auth_result take_unsigned(struct mrg_dns_auth *a, struct mrg_span message)
{
	if (!a->answered)
		return MRG_DNS_AUTH_NONE;
	if (a->unsigned_count >= MRG_DNS_UNSIGNED_MOST)
		return refuse(a, MRG_DNS_TSIG_ERROR_BADSIG);
	if (a->unsigned_count == 0)
		hash_begin(a, &a->running);
	a->unsigned_count++;
	mrg_rt_hmac_add(&a->running, message);
	return MRG_DNS_AUTH_LATER;
}

/* An error that the server tells; when it is of key or hash, anybody may tell it.  Section 5.3.2 */
static enum mrg_dns_auth_result take_error(struct mrg_dns_auth *a, const struct said *s)
{
	struct mrg_dns_tsig_server_time t;
	if (s->error == MRG_DNS_TSIG_ERROR_BADTIME &&
		mrg_dns_tsig_server_time_check(s->other, &t, NULL) == MRG_OK)
		a->server_time = mrg_dns_tsig_server_time_time(&t);
	return refuse(a, s->error);
}

enum mrg_dns_auth_result mrg_dns_auth_take(struct mrg_dns_auth *a, struct mrg_span message, uint64_t now_s)
{
	struct record r;
	struct mrg_rt_hmac h;
	struct mrg_dns_name_flat name;
	struct mrg_dns_plain_name_flat named;
	enum mrg_dns_auth_result result = find(message, &r);
	if (result == MRG_DNS_AUTH_NONE)
		return take_unsigned(a, message);
	if (result != MRG_DNS_AUTH_GOOD)
		return result;
	const struct said s = said_by(&r);
	const struct mrg_dns_plain_name alg = mrg_dns_tsig_algorithm(&r.tsig);
	mrg_dns_name_fold(&r.name, &name);
	mrg_dns_plain_name_fold(&alg, &named);
	if (!mrg_dns_name_flat_equal(mrg_dns_name_flat_from(&name, 0), key_name(a)) ||
		!mrg_dns_name_flat_equal((struct mrg_span){ named.b, named.len }, algorithm(a)))
		return refuse(a, MRG_DNS_TSIG_ERROR_BADKEY);
	if (mrg_dns_tsig_mac_size(&r.tsig) == 0 &&
		(s.error == MRG_DNS_TSIG_ERROR_BADKEY || s.error == MRG_DNS_TSIG_ERROR_BADSIG))
		return refuse(a, s.error);
	if (a->unsigned_count == 0)
		hash_begin(a, &h);
	else
		h = a->running;
	result = verify(a, &h, &r, &s);
	if (result == MRG_DNS_AUTH_GOOD)
		result = check_rest(a, &s, now_s);
	if (result != MRG_DNS_AUTH_GOOD)
		return result;
	if (s.error != MRG_DNS_TSIG_ERROR_NOERROR)
		return take_error(a, &s);
	a->answered = a->timers = true;
	a->unsigned_count = 0;
	return MRG_DNS_AUTH_GOOD;
}
