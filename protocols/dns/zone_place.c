/*
 * Laying nodes down by hash while a zone is built, so that in the end each bucket can be put together from memory
 * that is close at hand, and what a part took can be used again for those after it.
 *
 * A part's nodes are in segments.  A node grows at the arena's end with room for a segment's header before it: if the
 * part's last segment is full, the node is where it stands the first of a new one.
 */
#include "protocols/dns/zone_build.h"

enum { SEGMENT_MIN = 256, SEGMENT_MAX = 16384 }; /* octets */

void mrg_dns_zone_rewind(struct mrg_dns_zone_builder *b, size_t mark)
{
	memset(b->arena->p + mark, 0, b->arena->len - mark);
	b->arena->len = mark;
}

bool mrg_dns_zone_seal(struct mrg_dns_zone_builder *b, struct mrg_dns_node *n)
{
	const size_t size = (size_t)(b->arena->p + b->arena->len - (uint8_t *)n);
	if (mrg_arena_get(b->arena, (MRG_DNS_GRAIN - size % MRG_DNS_GRAIN) % MRG_DNS_GRAIN, 1) == NULL)
		return false;
	const size_t grains = (size + MRG_DNS_GRAIN - 1) / MRG_DNS_GRAIN;
	n->grains = (uint16_t)(grains < MRG_DNS_GRAINS_MAX ? grains : MRG_DNS_GRAINS_MAX);
	return true;
}

bool mrg_dns_zone_stage(struct mrg_dns_zone_builder *b)
{
	const size_t mark = b->arena->len;
	const struct mrg_dns_segment *const s = mrg_arena_get(b->arena, sizeof *s, MRG_DNS_GRAIN);
	b->staged_off = s != NULL ? (size_t)((const uint8_t *)s - b->arena->p) : mark;
	return s != NULL;
}

/* The staged node becomes the first of a new segment; how large that is follows from how much there is already. */
static bool start_segment(struct mrg_dns_zone_builder *b, struct mrg_dns_zone_part *part, size_t size)
{
	struct mrg_dns_segment *const s = mrg_dns_zone_segment(b, (uint32_t)(b->staged_off / MRG_DNS_GRAIN));
	size_t cap = b->staged_off / MRG_DNS_ZONE_PARTS / 4 / MRG_DNS_GRAIN * MRG_DNS_GRAIN;
	if (cap < SEGMENT_MIN)
		cap = SEGMENT_MIN;
	if (cap > SEGMENT_MAX)
		cap = SEGMENT_MAX;
	if (cap < size || mrg_arena_get(b->arena, cap - size, 1) == NULL)
		cap = size;
	if (cap > UINT32_MAX)
		return false;
	*s = (struct mrg_dns_segment){ .len = (uint32_t)size, .cap = (uint32_t)cap };
	const uint32_t handle = mrg_dns_zone_handle(b, s);
	if (part->last != 0)
		mrg_dns_zone_segment(b, part->last)->next = handle;
	else
		part->first = handle;
	part->last = handle;
	return true;
}

/* The next node of the part will be written here, once those of other parts have been: until then the memory is at hand. */
static void expect(const struct mrg_dns_segment *s)
{
	enum { LINES = 3 }; /* of the cache: as much as most nodes take */
	const uint8_t *const at = (const uint8_t *)(s + 1) + s->len;
	for (unsigned i = 0; i < LINES; i++)
		mrg_dns_prefetch(at + (size_t)i * MRG_DNS_LINE);
}

enum mrg_status mrg_dns_zone_place(struct mrg_dns_zone_builder *b, struct mrg_dns_node *n)
{
	const uint64_t hash = mrg_dns_hash(mrg_dns_node_name(n));
	const size_t size = mrg_dns_node_size(n);
	struct mrg_dns_zone_part *const part = &b->parts[(hash >> 32) * MRG_DNS_ZONE_PARTS >> 32];
	struct mrg_dns_segment *const s = part->last != 0 ? mrg_dns_zone_segment(b, part->last) : NULL;
	if (b->node_count == MRG_DNS_NODES_MAX)
		return MRG_E_SPACE;
	n->below = (uint32_t)(hash >> 32);
	if (s != NULL && size <= s->cap - s->len) {
		memcpy((uint8_t *)(s + 1) + s->len, n, size);
		s->len += (uint32_t)size;
		expect(s);
		mrg_dns_zone_rewind(b, b->staged_off);
	} else if (!start_segment(b, part, size)) {
		return MRG_E_SPACE;
	}
	part->node_count++;
	b->node_count++;
	return MRG_OK;
}
