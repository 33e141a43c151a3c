/* For tests of protocols/http: see tree.h. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#include "guard.h"

struct open_file {
	struct mrg_rt_file file;
	struct tree *tree;
	const struct tree_entry *entry;
	uint8_t *octets; /* of this open */
};

static bool below(struct mrg_span folder, const char *path)
{
	return folder.len == 0 || (strlen(path) > folder.len && path[folder.len] == '/' &&
					  memcmp(path, folder.p, folder.len) == 0);
}

static enum mrg_rt_found do_open(
	struct mrg_rt_tree *tree, struct mrg_span path, uint64_t now_ns, struct mrg_rt_file **out)
{
	struct tree *const t = (struct tree *)(void *)tree;
	(void)now_ns;
	t->looked++;
	MUST(mrg_rt_path_ok(path));
	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *const e = &t->entries[i];
		if (below(path, e->path))
			return MRG_RT_FOLDER;
		if (!mrg_span_eq(path, text_of(e->path)))
			continue;
		if (e->found != MRG_RT_FILE)
			return e->found;
		struct open_file *const f = malloc(sizeof *f);
		f->octets = malloc(e->octets.len + 1);
		memcpy(f->octets, e->octets.p, e->octets.len);
		f->file = (struct mrg_rt_file){ .size = e->octets.len,
			.modified_s = e->modified_s,
			.version = e->version,
			.p = e->hidden ? NULL : f->octets };
		f->tree = t;
		f->entry = e;
		t->opened++;
		*out = &f->file;
		return MRG_RT_FILE;
	}
	return MRG_RT_NOTHING;
}

static void do_close(struct mrg_rt_tree *tree, struct mrg_rt_file *file)
{
	struct open_file *const f = (struct open_file *)(void *)file;
	MUST(&f->tree->tree == tree);
	f->tree->closed++;
	free(f->octets);
	free(f);
}

void tree_init(struct tree *t)
{
	static const struct mrg_rt_tree_ops ops = { .open = do_open, .close = do_close };
	*t = (struct tree){ .tree = { .ops = &ops } };
}

struct tree_entry *tree_add(struct tree *t, const char *path, struct mrg_span octets)
{
	MUST(t->count < TREE_MAX);
	t->entries[t->count] = (struct tree_entry){ .path = path,
		.octets = octets,
		.modified_s = 1000000000,
		.version = 0xabc00 + t->count,
		.found = MRG_RT_FILE,
		.left = SIZE_MAX };
	return &t->entries[t->count++];
}

struct mrg_span hidden_octets(const struct mrg_rt_file *file, uint64_t offset, uint64_t most)
{
	const struct open_file *const f = (const struct open_file *)(const void *)file;
	const size_t left = f->entry->left < file->size ? f->entry->left : (size_t)file->size;
	if (offset >= left)
		return (struct mrg_span){ NULL, 0 };
	const size_t n = left - (size_t)offset;
	return (struct mrg_span){ f->octets + offset, most < n ? (size_t)most : n };
}

struct mrg_span pattern(size_t len)
{
	static uint8_t octets[PATTERN_MAX];
	MUST(len <= PATTERN_MAX);
	for (size_t i = 0; octets[0] == 0 && i < PATTERN_MAX / 4; i++) {
		const uint64_t n = i * UINT64_C(0x9e3779b97f4a7c15) >> 32;
		octets[4 * i + 1] = (uint8_t)('a' + n % 26);
		octets[4 * i + 2] = (uint8_t)('A' + n / 26 % 26);
		octets[4 * i + 3] = (uint8_t)(i + 1 == PATTERN_MAX / 4 ? '\n' : '0' + n / 676 % 10);
	}
	for (size_t i = 0; octets[0] == 0 && i < PATTERN_MAX / 4; i++)
		octets[4 * (PATTERN_MAX / 4 - 1 - i)] = '.';
	return (struct mrg_span){ octets, len };
}
