/*
 * lines.h - pages of text that may be longer than there is room for.
 *
 * What it does not do: it breaks no line.
 */
#ifndef MRG_COMMON_LINES_H
#define MRG_COMMON_LINES_H

#include "mrg.h"

/*
 * lines_put - what `page` writes, as far as whole lines of it fit into the writer; if they don't all, `cut` is the last line.
 * Fails:    as the writer does, when there is not even room for that.
 */
void lines_put(struct mrg_w *w, void (*page)(void *ctx, struct mrg_w *w), void *ctx, const char *cut);

#endif
