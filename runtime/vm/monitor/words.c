/*
 * Words of the command line, as far as the monitor has to do with them.
 */
#include "vm/monitor/inside.h"

static bool is_space(uint8_t c) { return c <= ' '; }

/* The next word of the line, which is taken off. */
static bool next_word(struct mrg_span *line, struct mrg_span *word)
{
	while (line->len != 0 && is_space(line->p[0]))
		*line = (struct mrg_span){ line->p + 1, line->len - 1 };
	size_t n = 0;
	while (n < line->len && !is_space(line->p[n]))
		n++;
	*word = (struct mrg_span){ line->p, n };
	*line = (struct mrg_span){ line->p + n, line->len - n };
	return n != 0;
}

/* Takes `prefix` off. */
static bool starts(struct mrg_span *text, const char *prefix)
{
	size_t n = 0;
	for (; prefix[n] != '\0'; n++)
		if (n == text->len || text->p[n] != (uint8_t)prefix[n])
			return false;
	*text = (struct mrg_span){ text->p + n, text->len - n };
	return true;
}

bool vm_word(struct mrg_span line, const char *key, struct mrg_span *value)
{
	struct mrg_span word;
	while (next_word(&line, &word))
		if (starts(&word, key)) {
			*value = word;
			return true;
		}
	return false;
}

static unsigned digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - (unsigned)'0';
	const unsigned lower = c | 0x20u;
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10u : 16u;
}

bool vm_word_number(struct mrg_span *text, uint64_t *value)
{
	const unsigned radix = starts(text, "0x") ? 16 : 10;
	uint64_t v = 0;
	size_t n = 0;
	for (; n < text->len && digit_of(text->p[n]) < radix; n++) {
		const unsigned d = digit_of(text->p[n]);
		if (v > (UINT64_MAX - d) / radix)
			return false;
		v = v * radix + d;
	}
	*text = (struct mrg_span){ text->p + n, text->len - n };
	*value = v;
	return n != 0;
}

/* K and M as Linux reads them there. */
static bool read_size(struct mrg_span *text, uint64_t *value)
{
	if (!vm_word_number(text, value))
		return false;
	const unsigned shift = starts(text, "K") || starts(text, "k")   ? 10
			       : starts(text, "M") || starts(text, "m") ? 20
									: 0;
	if (*value > (UINT64_MAX >> shift))
		return false;
	*value <<= shift;
	return true;
}

enum {
	REGISTERS_MIN = 0x100,
	REGISTERS_MAX = 1 << 20
}; /* octets: those of virtio 1.2, 4.2.2; no device has this many */

static const char *read_place(struct mrg_span text, struct vm_place *out)
{
	uint64_t irq, id;
	*out = (struct vm_place){ .irq = 0 };
	if (!read_size(&text, &out->registers.len) || !starts(&text, "@") ||
		!vm_word_number(&text, &out->registers.at) || !starts(&text, ":") ||
		!vm_word_number(&text, &irq))
		return "device-word";
	if (starts(&text, ":") && !vm_word_number(&text, &id))
		return "device-word";
	if (text.len != 0)
		return "device-word";
	if (out->registers.len < REGISTERS_MIN || out->registers.len > REGISTERS_MAX)
		return "device-size";
	if (out->registers.at < VM_PAGE || out->registers.at % 4 != 0 ||
		!vm_range_holds(
			(struct vm_range){ 0, UINT64_C(1) << 32 }, out->registers.at, out->registers.len))
		return "device-address";
	if (irq >= VM_IRQS)
		return "device-irq";
	out->irq = (uint32_t)irq;
	return NULL;
}

const char *vm_word_places(struct mrg_span line, struct vm_place out[VM_PLACES_MAX], size_t *count)
{
	struct mrg_span word;
	*count = 0;
	while (next_word(&line, &word)) {
		if (!starts(&word, "virtio_mmio.device="))
			continue;
		if (*count == VM_PLACES_MAX)
			return "device-count";
		const char *const why = read_place(word, &out[*count]);
		if (why != NULL)
			return why;
		for (size_t i = 0; i < *count; i++)
			if (vm_range_meets(out[i].registers, out[*count].registers))
				return "device-twice";
		++*count;
	}
	return NULL;
}
