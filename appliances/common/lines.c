/*
 * Whole lines, as far as there is room.
 */
#include "appliances/common/lines.h"

void lines_put(struct mrg_w *w, void (*page)(void *ctx, struct mrg_w *w), void *ctx, const char *cut)
{
	const struct mrg_span last = { (const uint8_t *)cut, strlen(cut) };
	const size_t room = w->st == MRG_OK ? w->cap - w->len : 0;
	struct mrg_w lines;
	mrg_w_init(&lines, w->p + w->len, room < last.len ? 0 : room - last.len);
	page(ctx, &lines);
	if (lines.st != MRG_OK)
		while (lines.len != 0 && lines.p[lines.len - 1u] != '\n')
			lines.len--;
	(void)mrg_w_take(w, lines.len);
	if (lines.st != MRG_OK)
		mrg_w_put(w, last);
}
