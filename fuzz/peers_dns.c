/*
 * peers_dns.c - DNS messages against ldns and libknot.
 *
 * Both read less of a message than its specification says: libknot leaves the octets of RDATA to whoever wants them, ldns takes what RDATA
 * have of their fields.  What stays to be held against them is how records follow each other, names, and what one accepts too little.
 */
#include "peers.h"

#include "dns/message.h"

#include <ldns/ldns.h>
#include <libknot/libknot.h>
#include <string.h>

extern const struct mrg_fuzz_subject mrg_fuzz_dns_message_message;

/* Whichever section a record is in: "Message.answer.Rr.mx.Mx.preference" is "mx.Mx.preference"; names of owners stay "Rr.name...". */
static bool ours(struct mrg_span *in, char says[PEER_SAYS_MAX])
{
	struct mrg_dns_message message;
	struct mrg_reject why;
	if (mrg_dns_message_check(*in, &message, &why) == MRG_OK) {
		in->len = message.len;
		return true;
	}
	char path[PEER_SAYS_MAX];
	peer_says_reject(&why, path);
	const char *from = strstr(path, ".Rr.");
	if (from == NULL)
		from = path;
	else
		from += strncmp(from, ".Rr.name", strlen(".Rr.name")) == 0 ? 1 : strlen(".Rr.");
	(void)snprintf(says, PEER_SAYS_MAX, "%s", from);
	return false;
}

/* Where the record at `at` ends by its own length, and its type; 0 when that is nowhere. */
static size_t record_end(struct mrg_span in, size_t at, bool question, unsigned *type)
{
	ldns_rdf *name = NULL;
	const ldns_status st = ldns_wire2dname(&name, in.p, in.len, &at);
	ldns_rdf_deep_free(name);
	const size_t fixed = question ? 4 : 10;
	if (st != LDNS_STATUS_OK || at > in.len || in.len - at < fixed)
		return 0;
	*type = ldns_read_uint16(in.p + at);
	at += fixed;
	return at + (question ? 0 : ldns_read_uint16(in.p + at - 2));
}

/*
 * ldns goes on behind the RDATA that it has read, wherever these end by RDLENGTH, and does not say of a message which record it refuses: so
 * each is read alone.
 */
static bool ldns_accepts(struct mrg_span in, char says[PEER_SAYS_MAX])
{
	if (in.len < LDNS_HEADER_SIZE) {
		(void)snprintf(says, PEER_SAYS_MAX, "no header");
		return false;
	}
	const unsigned questions = LDNS_QDCOUNT(in.p);
	const unsigned records = questions + LDNS_ANCOUNT(in.p) + LDNS_NSCOUNT(in.p) + LDNS_ARCOUNT(in.p);
	size_t at = LDNS_HEADER_SIZE;
	for (unsigned i = 0; i < records; i++) {
		unsigned type = 0;
		const size_t end = record_end(in, at, i < questions, &type);
		ldns_rr *rr = NULL;
		const ldns_status st = ldns_wire2rr(
			&rr, in.p, in.len, &at, i < questions ? LDNS_SECTION_QUESTION : LDNS_SECTION_ANSWER);
		if (st == LDNS_STATUS_OK)
			ldns_rr_free(rr);
		if (st != LDNS_STATUS_OK || at != end) {
			(void)snprintf(says, PEER_SAYS_MAX, "type %u: %s", type,
				st == LDNS_STATUS_OK ? "not read to its end" : ldns_get_errorstr_by_id(st));
			return false;
		}
	}
	return true;
}

static bool knot_accepts(struct mrg_span in, char says[PEER_SAYS_MAX])
{
	static uint8_t copy[65536];
	if (in.len >= sizeof(copy)) {
		(void)snprintf(says, PEER_SAYS_MAX, "too long");
		return false;
	}
	memcpy(copy, in.p, in.len);
	knot_pkt_t *pkt = knot_pkt_new(copy, (uint16_t)in.len, NULL);
	const int st = knot_pkt_parse(pkt, KNOT_PF_KEEPWIRE);
	knot_pkt_free(pkt);
	if (st == KNOT_EOK)
		return true;
	const bool several = in.len >= LDNS_HEADER_SIZE && LDNS_QDCOUNT(in.p) > 1;
	(void)snprintf(says, PEER_SAYS_MAX, "%s%s", several ? "questions: " : "", knot_strerror(st));
	return false;
}

/* clang-format off */
static const struct peer_difference ldns_known[] = {
	{ "type 1:*", NULL, "RFC 1035 3.4.1: RDATA of A are an address in class IN; ldns has them so in CH, too" },
	{ "type 11:*", NULL, "RFC 3597 3: WKS, which is obsolete, is kept as octets" },
	{ "type 23:*", NULL, "RFC 1035 4.1.4: a name may end in a pointer; ldns counts it at full length in NSAP-PTR" },
	{ "type 30:*", NULL, "RFC 3755 2, RFC 3597 3: NXT, which is obsolete, is kept as octets" },
	{ "type 40:*", NULL, "RFC 3597 3: SINK, which is no standard, is kept as octets" },
	{ "type 55: *overflow", NULL, "RFC 8005 5: as many rendezvous servers as there are; ldns reads the 257th field of HIP as it reads the first" },
	{ NULL, "*Name.labels: pointer does not go strictly back", "RFC 1035 4.1.4: a pointer goes to a prior occurrence; ldns follows any" },
	{ NULL, "*Name.labels.NamePointer.at: *", "RFC 1035 4.1.4: no name occurs in the header" },
	{ NULL, "*.PlainName.labels: no alternative for this tag", "RFC 3597 4: names of types that came after RFC 1035 are not compressed" },
	{ NULL, "*: region too short for its content", "RFC 1035 3.2.1: RDATA have all fields of their type; ldns takes those that there are" },
	{ NULL, "apl.Apl.items.AplItem: *", "RFC 3123 4: an address of its family, without zeros at its end" },
	{ NULL, "caa.Caa.tag*", "RFC 8659 4.1: a tag is a letter or digit, or more" },
	{ NULL, "dhcid.Dhcid: *", "RFC 4701 3.1: identifier type, digest type and a digest" },
	{ NULL, "hip.Hip.*_len: *", "RFC 8005 5: a HIT and a key are not empty" },
	{ NULL, "https.*", "RFC 9460 2.2, 7, 8: order of parameters, formats of their values" },
	{ NULL, "isdn.Isdn.subaddress: maximum passed", "RFC 1183 3.2: one subaddress at most" },
	{ NULL, "*.TypeBitmap.windows*", "RFC 4034 4.1.2: windows ascend and have 1 to 32 octets" },
	{ NULL, "nsec3.Nsec3.hash_len: *", "RFC 5155 3.2: a hash is not empty" },
	{ NULL, "opt.*", "RFC 6891 6.1.2: options fill RDATA, each in the format of its code" },
	{ NULL, "rdata: region not filled exactly", "RFC 1035 3.2.1: RDLENGTH is the length of RDATA" },
	{ NULL, "svcb.*", "RFC 9460 2.2, 7: order of parameters, formats of their values" },
	{ NULL, "txt.Txt: *", "RFC 1035 3.3.14: one string or more" },
	{ NULL, "spf.Spf: *", "RFC 1035 3.3.14, RFC 7208 3.1: one string or more" },
	{ NULL, "ninfo.Ninfo: *", "RFC 1035 3.3.14: one string or more, as in TXT" },
	{ NULL, "avc.Avc: *", "RFC 1035 3.3.14: one string or more, as in TXT" },
	{ NULL, "resinfo.Resinfo: *", "RFC 9606 3, RFC 1035 3.3.14: one string or more, as in TXT" },
	{ NULL, "wallet.Wallet: *", "RFC 1035 3.3.14: one string or more, as in TXT" },
	{ NULL, "uri.Uri: *", "RFC 7553 4.4: a target is not empty" },
	{ NULL, "zonemd.Zonemd: *", "RFC 8976 2.2.4: a digest has 12 octets or more" },
};

static const struct peer_difference knot_known[] = {
	{ "malformed data", NULL, "RFC 6891 6.1.1, RFC 8945 5.1: what may be there once, and where, is for who answers to say" },
	{ "questions: malformed data", NULL, "RFC 9619 3: more than one question is for who answers to refuse, by FORMERR" },
	{ NULL, "[RM]*Name.labels.NamePointer.at: *", "RFC 1035 4.1.4: no name occurs in the header" },
	{ NULL, "Rr.name.*: pointer does not go strictly back", "RFC 1035 4.1.4: a pointer goes to a prior occurrence" },
	{ NULL, "[a-z]*", "RFC 1035 3.3: RDATA have the format of their type" },
};
/* clang-format on */

PEER_SUBJECT("dns.message.Message-ldns", ldns, &mrg_fuzz_dns_message_message, 65535);
PEER_SUBJECT("dns.message.Message-knot", knot, &mrg_fuzz_dns_message_message, 65535);
