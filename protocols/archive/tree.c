/*
 * An archive as a tree: its members are an array in order of paths, so a file is found by halving, and a folder where the first member
 * below it would stand.
 */
#include "archive.h"
#include "protocols/archive/tree.h"

/* The rules that the specification states in words only: of text, and from one entry to the next. */
static const struct mrg_site path_site = { __FILE__, __LINE__, "Entry.path", "must be names joined by /" },
			     offset_site = { __FILE__, __LINE__, "Entry.offset",
				     "must be the next aligned one behind the content before" },
			     end_site = { __FILE__, __LINE__, "Whole.contents",
				     "must end with the last content" };

/* The first member whose path is not before `path`; a->count when there is none.   Cost: O(log n) comparisons. */
static size_t first_from(const struct mrg_archive_tree *a, struct mrg_span path)
{
	size_t low = 0, high = a->count;
	while (low < high) {
		const size_t mid = low + (high - low) / 2u;
		if (mrg_span_order(a->members[mid].path, path) < 0)
			low = mid + 1u;
		else
			high = mid;
	}
	return low;
}

/* Does some path begin with this one and a separator? */
static bool is_folder(const struct mrg_archive_tree *a, struct mrg_span path)
{
	uint8_t prefix[MRG_ARCHIVE_PATH_MAX + 1u];
	memcpy(prefix, path.p, path.len);
	prefix[path.len] = MRG_ARCHIVE_SEPARATOR;
	const struct mrg_span below = { prefix, path.len + 1u };
	const size_t at = first_from(a, below);
	return at < a->count && a->members[at].path.len > below.len &&
	       memcmp(a->members[at].path.p, prefix, below.len) == 0;
}

static enum mrg_rt_found tree_open(
	struct mrg_rt_tree *t, struct mrg_span path, uint64_t now_ns, struct mrg_rt_file **out)
{
	const struct mrg_archive_tree *const a = (const struct mrg_archive_tree *)(const void *)t;
	(void)now_ns;
	if (path.len == 0)
		return MRG_RT_FOLDER;
	if (path.len > MRG_ARCHIVE_PATH_MAX)
		return MRG_RT_NOTHING;
	const size_t at = first_from(a, path);
	if (at < a->count && mrg_span_eq(a->members[at].path, path)) {
		*out = &a->members[at].file;
		return MRG_RT_FILE;
	}
	return is_folder(a, path) ? MRG_RT_FOLDER : MRG_RT_NOTHING;
}

/* Files are there as long as the archive is. */
static void tree_close(struct mrg_rt_tree *t, struct mrg_rt_file *f)
{
	(void)t;
	(void)f;
}

static const struct mrg_rt_tree_ops tree_ops = { .open = tree_open, .close = tree_close };

static struct mrg_archive_member member_of(struct mrg_span bytes, const struct mrg_archive_entry *e)
{
	return (struct mrg_archive_member){
		.file = {
			.size = mrg_archive_entry_size(e),
			.modified_s = mrg_archive_entry_modified(e),
			.version = mrg_archive_entry_content_version(e),
			.p = bytes.p + (size_t)mrg_archive_entry_offset(e),
		},
		.path = mrg_archive_entry_path(e),
	};
}

static enum mrg_status refuse(struct mrg_reject *rj, enum mrg_status st, struct mrg_span bytes,
	const uint8_t *at, const struct mrg_site *site)
{
	if (rj == NULL)
		return st;
	(void)mrg_reject_at(rj, st, at, 0, site);
	return mrg_reject_done(rj, bytes.p);
}

/* The members of a checked index, into an array that is long enough. */
static enum mrg_status read_members(struct mrg_archive_tree *a, const struct mrg_archive_index *index,
	struct mrg_archive_member *members, struct mrg_reject *rj)
{
	struct mrg_archive_entry entry;
	struct mrg_archive_index_entries_it it = mrg_archive_index_entries(index);
	uint64_t end = index->len; /* of the content before */
	for (; mrg_archive_index_entries_next(&it, &entry); a->count++) {
		const struct mrg_archive_member m = member_of(a->bytes, &entry);
		const uint64_t offset = mrg_archive_entry_offset(&entry);
		if (!mrg_archive_paths_path_match(m.path))
			return refuse(rj, MRG_E_TEXT, a->bytes, m.path.p, &path_site);
		if (offset - end >= MRG_ARCHIVE_ALIGN) /* what begins too early is very far behind */
			return refuse(rj, MRG_E_RANGE, a->bytes, entry.p, &offset_site);
		end = offset + m.file.size;
		members[a->count] = m;
	}
	if (end != a->bytes.len)
		return refuse(rj, MRG_E_LENGTH, a->bytes, a->bytes.p + (size_t)end, &end_site);
	return MRG_OK;
}

enum mrg_status mrg_archive_tree_open(
	struct mrg_archive_tree *a, struct mrg_span bytes, struct mrg_arena *arena, struct mrg_reject *rj)
{
	struct mrg_archive_whole whole;
	*a = (struct mrg_archive_tree){ .tree = { &tree_ops }, .bytes = bytes };
	enum mrg_status st = mrg_archive_whole_check(bytes, &whole, rj);
	if (st != MRG_OK)
		return st;
	const struct mrg_archive_index index = mrg_archive_whole_index(&whole);
	const size_t count = mrg_archive_index_count(&index);
	struct mrg_archive_member *const members =
		mrg_arena_get(arena, count * sizeof *members, _Alignof(struct mrg_archive_member));
	if (members == NULL)
		return MRG_E_SPACE;
	st = read_members(a, &index, members, rj);
	a->members = members;
	if (st != MRG_OK)
		a->count = 0;
	return st;
}

uint64_t mrg_archive_version(struct mrg_span content)
{
	uint8_t digest[20];
	mrg_rt_sha1(content.p, content.len, digest);
	return mrg_be(digest, sizeof(uint64_t));
}

enum mrg_status mrg_archive_tree_verify(
	const struct mrg_archive_tree *a, const struct mrg_archive_member **bad)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct mrg_archive_member *const m = &a->members[i];
		if (mrg_archive_version((struct mrg_span){ m->file.p, (size_t)m->file.size }) ==
			m->file.version)
			continue;
		*bad = m;
		return MRG_E_SUM;
	}
	return MRG_OK;
}
