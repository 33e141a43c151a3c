/* What changed from version to version: see history.h. */
#include "protocols/dns/history.h"

#include "dns/rr.h"
#include "iana/dns.h"

const struct mrg_dns_step *mrg_dns_history_from(
	const struct mrg_dns_step *newest, uint32_t serial, size_t *steps)
{
	size_t count = 0;
	for (const struct mrg_dns_step *s = newest; s != NULL; s = s->before) {
		count++;
		if (s->from == serial) {
			*steps = count;
			return s;
		}
	}
	*steps = 0;
	return NULL;
}

const struct mrg_dns_step *mrg_dns_history_after(
	const struct mrg_dns_step *newest, const struct mrg_dns_step *step)
{
	const struct mrg_dns_step *s = newest != step ? newest : NULL;
	while (s != NULL && s->before != step)
		s = s->before;
	return s;
}

size_t mrg_dns_history_size(const struct mrg_dns_step *newest)
{
	size_t size = 0;
	for (const struct mrg_dns_step *s = newest; s != NULL; s = s->before)
		size += s->deleted.len + s->added.len;
	return size;
}

bool mrg_dns_flat_next(struct mrg_span *left, struct mrg_dns_flat_rr *out)
{
	if (left->len == 0 || mrg_dns_flat_rr_check(*left, out, NULL) != MRG_OK)
		return false;
	*left = (struct mrg_span){ left->p + out->len, left->len - out->len };
	return true;
}

/* The serial number of the SOA record that these begin with. */
static enum mrg_status serial_of(struct mrg_span records, uint32_t *serial)
{
	struct mrg_dns_flat_rr rr;
	struct mrg_dns_soa soa;
	const enum mrg_status st = mrg_dns_flat_rr_check(records, &rr, NULL);
	if (st != MRG_OK)
		return st;
	if (mrg_dns_flat_rr_type(&rr) != MRG_DNS_TYPE_SOA)
		return MRG_E_VALUE;
	const struct mrg_span nothing = { NULL, 0 }; /* to point into */
	const enum mrg_status why = mrg_dns_soa_check(mrg_dns_flat_rr_rdata(&rr), nothing, &soa, NULL);
	if (why == MRG_OK)
		*serial = mrg_dns_soa_serial(&soa);
	return why;
}

static enum mrg_status check_records(struct mrg_span left)
{
	struct mrg_dns_flat_rr rr;
	while (mrg_dns_flat_next(&left, &rr)) {
	}
	return left.len == 0 ? MRG_OK : mrg_dns_flat_rr_check(left, &rr, NULL);
}

/* A step with copies of the octets; NULL: the arena is full, and as it was. */
static struct mrg_dns_step *make(struct mrg_arena *a, struct mrg_span deleted, struct mrg_span added)
{
	struct mrg_arena got = *a;
	struct mrg_dns_step *const s = mrg_arena_get(&got, sizeof *s, _Alignof(struct mrg_dns_step));
	uint8_t *const first = mrg_arena_get(&got, deleted.len, 1);
	uint8_t *const second = mrg_arena_get(&got, added.len, 1);
	if (s == NULL || first == NULL || second == NULL)
		return NULL;
	memcpy(first, deleted.p, deleted.len);
	memcpy(second, added.p, added.len);
	s->deleted = (struct mrg_span){ first, deleted.len };
	s->added = (struct mrg_span){ second, added.len };
	*a = got;
	return s;
}

enum mrg_status mrg_dns_history_step(struct mrg_arena *a, const struct mrg_dns_step *before,
	struct mrg_span deleted, struct mrg_span added, const struct mrg_dns_step **out)
{
	uint32_t from = 0, to = 0;
	enum mrg_status st = serial_of(deleted, &from);
	if (st == MRG_OK)
		st = serial_of(added, &to);
	if (st == MRG_OK && (!mrg_dns_serial_later(to, from) || (before != NULL && before->to != from)))
		st = MRG_E_VALUE;
	if (st == MRG_OK)
		st = check_records(deleted);
	if (st == MRG_OK)
		st = check_records(added);
	if (st != MRG_OK)
		return st;
	struct mrg_dns_step *const s = make(a, deleted, added);
	if (s == NULL)
		return MRG_E_SPACE;
	s->from = from;
	s->to = to;
	s->before = before;
	*out = s;
	return MRG_OK;
}

enum mrg_status mrg_dns_history_copy(struct mrg_arena *a, const struct mrg_dns_step *newest, size_t octets,
	const struct mrg_dns_step **out)
{
	struct mrg_arena got = *a;
	const struct mrg_dns_step *first = NULL;
	struct mrg_dns_step *later = NULL;
	size_t left = MRG_DNS_HISTORY_STEPS;
	for (const struct mrg_dns_step *s = newest; s != NULL && left != 0; s = s->before, left--) {
		const size_t size = s->deleted.len + s->added.len;
		if (size > octets)
			break;
		octets -= size;
		struct mrg_dns_step *const copy = make(&got, s->deleted, s->added);
		if (copy == NULL) {
			memset(a->p + a->len, 0, got.len - a->len);
			return MRG_E_SPACE;
		}
		copy->from = s->from;
		copy->to = s->to;
		if (later != NULL)
			later->before = copy;
		else
			first = copy;
		later = copy;
	}
	*a = got;
	*out = first;
	return MRG_OK;
}
