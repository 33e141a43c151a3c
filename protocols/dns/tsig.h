/*
 * tsig.h - messages signed with a key that both sides have, and checked.
 *
 * References: RFC 8945 (TSIG), RFC 2104 (HMAC), RFC 6234 (SHA-2).
 *
 * What it does not do: it finds no keys but in the table that it is given, agrees on none (TKEY), and knows neither MD5 nor SHA-1.
 *
 * A server that answers with one message, or with many:
 *	struct mrg_dns_auth a;
 *	switch (mrg_dns_auth_request(&a, &keys, query, now_s)) {
 *	case MRG_DNS_AUTH_NONE: answer unsigned; ...
 *	case MRG_DNS_AUTH_GOOD: a.key may ask; ...
 *	case MRG_DNS_AUTH_REFUSED: the reply has no records and RCODE NOTAUTH; ...
 *	case MRG_DNS_AUTH_MALFORMED: RCODE FORMERR, unsigned; ...
 *	}
 *	for each message of the answer, which leaves mrg_dns_auth_room(&a) octets free:
 *		if (mrg_dns_auth_sign(&a, now_s, message, cap, &len) != MRG_OK) ...
 *
 * A client:
 *	if (mrg_dns_auth_ask(&a, key, now_s, message, cap, &len) != MRG_OK) ...
 *	for each message that comes: switch (mrg_dns_auth_take(&a, message, now_s)) ...
 *	after the last: if (!mrg_dns_auth_over(&a)) ...
 */
#ifndef MRG_DNS_TSIG_H
#define MRG_DNS_TSIG_H

#include "dns/name.h"
#include "dns/tsig.h"
#include "iana/dns.h"
#include "mrg.h"
#include "mrg_rt.h"

/* A key.  Whoever knows its octets is whom it is given to. */
struct mrg_dns_tsig_key {
	struct mrg_span name; /* flat */
	enum mrg_dns_mac_algorithm algorithm;
	struct mrg_span secret;
	/* octets that a hash has at least to be accepted; 0: as few as RFC 8945 5.2.2.1 allows, half of the whole */
	uint8_t mac_least;
};

struct mrg_dns_tsig_keys {
	const struct mrg_dns_tsig_key *key;
	size_t count;
};

/*
 * mrg_dns_tsig_keys_find - the key with this flat name; NULL: there is none.
 * Cost:     one comparison a key.
 */
const struct mrg_dns_tsig_key *mrg_dns_tsig_keys_find(const struct mrg_dns_tsig_keys *keys, struct mrg_span name);

/* What a message is worth. */
enum mrg_dns_auth_result {
	MRG_DNS_AUTH_NONE,     /* it has no signature; to a client that asked with one: it is from anybody */
	MRG_DNS_AUTH_GOOD,     /* it comes from who has the key, unchanged, and now */
	MRG_DNS_AUTH_LATER,    /* clients: unsigned between signed ones: good if a later one is (RFC 8945 5.3.1) */
	MRG_DNS_AUTH_REFUSED,  /* `error` says why */
	MRG_DNS_AUTH_MALFORMED /* the signature is not at the end, there are two, or it can't be read */
};

/*
 * A request and the messages that answer it, under one key.  To be read are `key`, `error` and `server_time`; the rest is private but
 * for its size.
 */
struct mrg_dns_auth {
	const struct mrg_dns_tsig_key *key; /* NULL: none, so nothing can be signed */
	uint16_t error;                /* enum mrg_dns_tsig_error, found or told */
	uint64_t server_time;          /* clients: what the server's clock says, when it told BADTIME; else 0 */
	uint64_t time_signed;          /* of the request */
	uint16_t fudge;
	bool present;  /* a record was there that the reply has to say something of */
	bool bare;     /* no hash in the reply: the error is of key or hash */
	bool timers;   /* the next hash covers the times only, not the other variables */
	bool answered; /* clients: the first message has come */
	uint8_t unsigned_count;
	size_t mac_len; /* of the hash that the next one begins with */
	uint8_t mac[MRG_RT_SHA2_MAX];
	size_t algorithm_len;
	uint8_t algorithm[MRG_DNS_MAX_NAME]; /* as the record has it, in lower case */
	struct mrg_dns_name_flat name; /* likewise */
	struct mrg_rt_hmac running;    /* clients: over the unsigned messages, when unsigned_count is not 0 */
};

/*
 * mrg_dns_auth_request - check the signature of a request, if it has one.
 *   keys     NULL: there are none
 *   now_s    seconds since 1970; who has no clock finds all signatures out of time
 *   out      filled in any case, for mrg_dns_auth_sign.  It keeps pointers into *keys.
 * Order of checks: key, hash, time, truncation (RFC 8945 5.2).   Cost: O(message), and for a known key one hash of it.
 */
MRG_MUST_USE enum mrg_dns_auth_result mrg_dns_auth_request(
	struct mrg_dns_auth *out, const struct mrg_dns_tsig_keys *keys, struct mrg_span message, uint64_t now_s);

/*
 * mrg_dns_auth_room - octets that the next message's signature takes; 0: it is not signed.
 */
size_t mrg_dns_auth_room(const struct mrg_dns_auth *a);

/*
 * mrg_dns_auth_sign - put the signature behind the next message of the answer, or what says why there is none.
 *   message   finished, ID included; *len octets, and becomes longer.   cap   of message
 * Nothing is done when the request had no signature.
 * Fails:    MRG_E_SPACE; the message is then as it was.   Cost: one hash of the message.
 */
MRG_MUST_USE enum mrg_status mrg_dns_auth_sign(
	struct mrg_dns_auth *a, uint64_t now_s, uint8_t *message, size_t cap, size_t *len);

/*
 * mrg_dns_auth_ask - sign a request with a key.   key   must outlive *out.   Else as mrg_dns_auth_sign.
 */
MRG_MUST_USE enum mrg_status mrg_dns_auth_ask(struct mrg_dns_auth *out, const struct mrg_dns_tsig_key *key,
	uint64_t now_s, uint8_t *message, size_t cap, size_t *len);

/*
 * mrg_dns_auth_take - check the next message that answers a signed request.
 * MRG_DNS_AUTH_REFUSED with `error` BADKEY or BADSIG may be the server's word, which nobody has signed, or ours; with BADTIME and
 * a server_time it is the server's own.  After anything but GOOD and LATER the answer is worth nothing.
 */
MRG_MUST_USE enum mrg_dns_auth_result mrg_dns_auth_take(
	struct mrg_dns_auth *a, struct mrg_span message, uint64_t now_s);

/* Is all that came so far signed?  To be asked when the last message was taken. */
static inline bool mrg_dns_auth_over(const struct mrg_dns_auth *a) { return a->answered && a->unsigned_count == 0; }

#endif
