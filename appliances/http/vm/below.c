/*
 * A folder of a tree as a tree.
 */
#include "appliances/http/vm/below.h"

#include "archive.h"

static enum mrg_rt_found below_find(
	struct mrg_rt_tree *t, struct mrg_span path, uint64_t now_ns, struct mrg_rt_file **out)
{
	const struct below *const b = (const struct below *)(const void *)t;
	uint8_t text[MRG_ARCHIVE_PATH_MAX];
	struct mrg_w w;
	mrg_w_init(&w, text, sizeof text);
	mrg_w_put(&w, b->folder);
	if (path.len != 0)
		mrg_w_u8(&w, MRG_ARCHIVE_SEPARATOR);
	mrg_w_put(&w, path);
	/* No path that is longer is in an archive. */
	return w.st == MRG_OK ? mrg_rt_tree_open(b->of, mrg_w_span(&w, 0), now_ns, out) : MRG_RT_NOTHING;
}

static void below_close(struct mrg_rt_tree *t, struct mrg_rt_file *f)
{
	const struct below *const b = (const struct below *)(const void *)t;
	mrg_rt_tree_close(b->of, f);
}

bool below_open(struct below *b, struct mrg_rt_tree *of, struct mrg_span folder)
{
	static const struct mrg_rt_tree_ops ops = { .open = below_find, .close = below_close };
	struct mrg_rt_file *file;
	*b = (struct below){ { &ops }, of, folder };
	return mrg_rt_path_ok(folder) && mrg_rt_tree_open(of, folder, 0, &file) == MRG_RT_FOLDER;
}
