/*
 * A folder as a tree of files: what was opened or found missing is remembered by path.
 *
 * A slot holds one answer, and the file if there is one. It is named while it is found by its path; when the file has changed, or the
 * slot is given up, it loses its name and lives on until the last who has it open closes it. Slots that nobody has open are idle, in
 * one list for each kind, so that the one unused longest of a kind is at hand when a descriptor, memory or a slot is needed.
 * Reading order: idle slots, names, giving up, loading, looking up, opening the tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "unix/tree_inside.h"

enum {
	NAMED_MAX = 256, /* bytes of a path that is remembered */
	NOTE_MAX = 256,  /* bytes of what whoever serves a file keeps with it */
	TEXT_MAX = 4096, /* bytes of a path that the kernel takes, with its NUL */
	SLOT_ALIGN = 64, /* bytes; blocks of pools are multiples of it */
	READS_MAX = 3,   /* of a file that changes while it is read, before it goes by descriptor */
	SETTLED_S = 2,   /* seconds after which a change shows in the times of a file, whatever their steps */
	NO_FILES_PART = 4, /* what is no file may take this part of all slots */
	BUCKETS_MIN = 16
};

struct mrg_unix_slot {
	struct mrg_unix_file f;
	struct mrg_unix_slot *next;          /* in its bucket */
	struct mrg_unix_slot *older, *newer; /* among the idle ones of its kind */
	uint64_t hash, idle_since;           /* by the tree's own count */
	uint64_t checked_ns;
	struct mrg_unix_stamp stamp;
	uint8_t *memory; /* the block that its content is in, NULL where there is none */
	uint32_t users;
	bool named;
	bool unsettled; /* read so soon after a change that another one might not show: not to be believed */
	enum mrg_rt_found found;
	uint32_t path_len;
	uint8_t path[NAMED_MAX];
	struct mrg_w note; /* over room */
	uint8_t room[NOTE_MAX];
};

static const uint8_t no_bytes[1];

const struct mrg_unix_tree_options mrg_unix_tree_usual = {
	.path_count = 4096,
	.fd_count = 256,
	.small_max = 64u << 10,
	.memory = 32u << 20,
	.fresh_ns = MRG_RT_SECOND_NS,
};

static struct mrg_unix_tree *tree_of(struct mrg_rt_tree *t) { return (struct mrg_unix_tree *)(void *)t; }

static struct mrg_unix_slot *slot_of(struct mrg_rt_file *f) { return (struct mrg_unix_slot *)(void *)f; }

/* ---- idle slots ---- */

static struct mrg_unix_idle *idle_list(struct mrg_unix_tree *t, const struct mrg_unix_slot *s)
{
	if (s->found != MRG_RT_FILE)
		return &t->idle[MRG_UNIX_NO_FILE];
	return &t->idle[s->f.fd >= 0 ? MRG_UNIX_BY_FD : MRG_UNIX_IN_MEMORY];
}

static void idle_add(struct mrg_unix_tree *t, struct mrg_unix_slot *s)
{
	struct mrg_unix_idle *const list = idle_list(t, s);
	s->idle_since = t->clock++;
	s->older = list->newest;
	s->newer = NULL;
	if (list->newest != NULL)
		list->newest->newer = s;
	else
		list->oldest = s;
	list->newest = s;
}

static void idle_remove(struct mrg_unix_tree *t, struct mrg_unix_slot *s)
{
	struct mrg_unix_idle *const list = idle_list(t, s);
	if (s->older != NULL)
		s->older->newer = s->newer;
	else
		list->oldest = s->newer;
	if (s->newer != NULL)
		s->newer->older = s->older;
	else
		list->newest = s->older;
}

/* ---- names ---- */

static struct mrg_unix_slot **bucket(const struct mrg_unix_tree *t, uint64_t hash)
{
	return &t->buckets[hash & t->bucket_mask];
}

static struct mrg_unix_slot *find(const struct mrg_unix_tree *t, struct mrg_span path, uint64_t hash)
{
	struct mrg_unix_slot *s = *bucket(t, hash);
	while (s != NULL &&
		!(s->hash == hash && s->path_len == path.len && memcmp(s->path, path.p, path.len) == 0))
		s = s->next;
	return s;
}

/* Let the slot be found by its path, unless that is too long to be kept. */
static void name(struct mrg_unix_tree *t, struct mrg_unix_slot *s, struct mrg_span path, uint64_t hash)
{
	if (path.len > NAMED_MAX)
		return;
	memcpy(s->path, path.p, path.len);
	s->path_len = (uint32_t)path.len;
	s->hash = hash;
	s->next = *bucket(t, hash);
	*bucket(t, hash) = s;
	s->named = true;
	t->no_files += s->found != MRG_RT_FILE;
}

static void unname(struct mrg_unix_tree *t, struct mrg_unix_slot *s)
{
	struct mrg_unix_slot **at = bucket(t, s->hash);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->named = false;
	t->no_files -= s->found != MRG_RT_FILE;
}

/* ---- giving up ---- */

static void release(struct mrg_unix_tree *t, struct mrg_unix_slot *s)
{
	if (s->f.fd >= 0) {
		(void)t->sys->close(s->f.fd);
		t->fds--;
	}
	if (s->memory != NULL)
		mrg_rt_blocks_put(&t->blocks, s->memory, (size_t)s->f.file.size);
	mrg_rt_pool_put(&t->slots, s);
}

static void forget(struct mrg_unix_tree *t, struct mrg_unix_slot *s)
{
	unname(t, s);
	if (s->users != 0)
		return;
	idle_remove(t, s);
	release(t, s);
}

/* Give up the idle slot of this kind that is unused longest. false: there is none. */
static bool drop(struct mrg_unix_tree *t, unsigned kind)
{
	struct mrg_unix_slot *const s = t->idle[kind].oldest;
	if (s == NULL)
		return false;
	t->counts.dropped++;
	forget(t, s);
	return true;
}

static bool drop_any(struct mrg_unix_tree *t)
{
	unsigned kind = 0;
	uint64_t since = UINT64_MAX;
	for (unsigned k = 0; k < MRG_UNIX_KINDS; k++) {
		const struct mrg_unix_slot *const s = t->idle[k].oldest;
		if (s != NULL && s->idle_since < since) {
			since = s->idle_since;
			kind = k;
		}
	}
	return drop(t, kind);
}

static struct mrg_unix_slot *new_slot(struct mrg_unix_tree *t)
{
	struct mrg_unix_slot *s = mrg_rt_pool_get(&t->slots);
	if (s == NULL && drop_any(t))
		s = mrg_rt_pool_get(&t->slots);
	return s;
}

/* ---- loading ---- */

static uint64_t version_of_bytes(const uint8_t *p, size_t len)
{
	uint8_t digest[20];
	mrg_rt_sha1(p, len, digest);
	return mrg_be64(digest);
}

static uint64_t version_of_stamp(const struct mrg_unix_stamp *stamp)
{
	uint8_t b[24];
	mrg_put_be(b, 8, (uint64_t)stamp->size);
	mrg_put_be(b + 8, 8, (uint64_t)stamp->modified.tv_sec);
	mrg_put_be(b + 16, 8, (uint64_t)stamp->modified.tv_nsec);
	return version_of_bytes(b, sizeof b);
}

static uint8_t *room_for(struct mrg_unix_tree *t, size_t size)
{
	uint8_t *p = mrg_rt_blocks_get(&t->blocks, size);
	while (p == NULL && drop(t, MRG_UNIX_IN_MEMORY))
		p = mrg_rt_blocks_get(&t->blocks, size);
	return p;
}

/*
 * Read a file of st->st_size bytes to p. *whole: that is what it held at one moment. Its times tell when it was changed while it was
 * read, except by a change that had begun before and was not over; then it must read the same twice.   Fails: what pread, fstat say.
 */
static int read_at_once(const struct mrg_unix_tree *t, struct mrg_unix_slot *s, int fd, struct stat *st,
	uint8_t *p, bool *whole)
{
	size_t got;
	const size_t size = (size_t)st->st_size;
	const struct mrg_unix_stamp before = mrg_unix_stamp_of(st);
	s->unsettled = t->sys->now_s() - before.changed.tv_sec < SETTLED_S;
	int err = mrg_unix_read_whole(t->sys, fd, p, size, &got);
	*whole = err == 0 && got == size;
	if (*whole && s->unsettled)
		err = mrg_unix_read_again(t->sys, fd, p, size, whole);
	if (err == 0 && t->sys->fstat(fd, st) != 0)
		err = errno;
	const struct mrg_unix_stamp after = mrg_unix_stamp_of(st);
	*whole = *whole && err == 0 && mrg_unix_stamp_eq(&before, &after);
	return err;
}

/* Read a small file into memory; s->f.file.p stays NULL when it has to go by descriptor.   Fails: what pread and fstat say. */
static int load_small(struct mrg_unix_tree *t, struct mrg_unix_slot *s, int fd, struct stat *st)
{
	for (unsigned i = 0; i < READS_MAX && (uint64_t)st->st_size <= t->options.small_max; i++) {
		const size_t size = (size_t)st->st_size;
		uint8_t *const p = size != 0 ? room_for(t, size) : NULL;
		bool whole = false;
		if (size != 0 && p == NULL)
			return 0;
		const int err = read_at_once(t, s, fd, st, p, &whole);
		if (whole) {
			s->memory = p;
			s->f.file.p = p != NULL ? p : no_bytes;
			s->f.file.version = version_of_bytes(p, size);
			return 0;
		}
		if (p != NULL)
			mrg_rt_blocks_put(&t->blocks, p, size);
		if (err != 0)
			return err;
	}
	return 0;
}

/* For streams that don't come from the kernel: what sendfile would have sent. */
static enum mrg_io read_file(
	const struct mrg_rt_file *f, uint64_t offset, uint8_t *p, size_t cap, size_t *got)
{
	const struct mrg_unix_file *const u = (const struct mrg_unix_file *)(const void *)f;
	const ssize_t n = pread(u->fd, p, cap, (off_t)offset);
	if (n < 0)
		return MRG_IO_RESET;
	*got = (size_t)n;
	return n == 0 ? MRG_IO_EOF : MRG_IO_OK;
}

/* Fill a new slot with the open file. false: it can't be read or kept now. fd is the slot's, or closed. */
static bool load(struct mrg_unix_tree *t, struct mrg_unix_slot *s, int fd, struct stat *st)
{
	*s = (struct mrg_unix_slot){ .f = { .fd = -1 }, .found = MRG_RT_FILE };
	mrg_w_init(&s->note, s->room, sizeof s->room);
	s->f.file.note = &s->note;
	bool ok = load_small(t, s, fd, st) == 0;
	s->stamp = mrg_unix_stamp_of(st);
	s->f.file.size = (uint64_t)st->st_size;
	s->f.file.modified_s = st->st_mtim.tv_sec;
	if (ok && s->f.file.p == NULL) {
		ok = t->fds < t->options.fd_count || drop(t, MRG_UNIX_BY_FD);
		s->f.file.version = version_of_stamp(&s->stamp);
	}
	if (ok && s->f.file.p == NULL) {
		s->f.fd = fd;
		s->f.file.read = read_file;
		t->fds++;
	} else {
		(void)t->sys->close(fd);
	}
	t->counts.loaded += ok;
	return ok;
}

/* ---- looking up ---- */

/* Does every name show? Those that begin with a dot do not, but for the one that is meant for everybody. */
static bool shown(struct mrg_span path)
{
	static const char known[] = ".well-known";
	const uint8_t *p = path.p, *const end = p + path.len;
	while (p != end) {
		const uint8_t *const slash = memchr(p, '/', (size_t)(end - p));
		const size_t len = (size_t)((slash != NULL ? slash : end) - p);
		if (*p == '.' && !(len == sizeof known - 1u && memcmp(p, known, len) == 0))
			return false;
		p += len + (slash != NULL);
	}
	return true;
}

static bool lacks_files(int err) { return err == EMFILE || err == ENFILE || err == ENOMEM; }

static void remember_no_file(struct mrg_unix_tree *t, struct mrg_span path, uint64_t hash,
	enum mrg_rt_found found, uint64_t now_ns)
{
	if (path.len > NAMED_MAX)
		return;
	if (t->no_files > t->options.path_count / NO_FILES_PART)
		(void)drop(t, MRG_UNIX_NO_FILE);
	struct mrg_unix_slot *const s = new_slot(t);
	if (s == NULL)
		return;
	*s = (struct mrg_unix_slot){ .f = { .fd = -1 }, .found = found, .checked_ns = now_ns };
	name(t, s, path, hash);
	idle_add(t, s);
}

/* Ask the kernel. *out: a slot that nobody uses yet, only with MRG_RT_FILE. */
static enum mrg_rt_found look(struct mrg_unix_tree *t, struct mrg_span path, const char *text, uint64_t hash,
	uint64_t now_ns, struct mrg_unix_slot **out)
{
	struct stat st;
	int fd = -1, err;
	do
		err = mrg_unix_beneath_open(t, text, &fd, &st);
	while (lacks_files(err) && drop(t, MRG_UNIX_BY_FD));
	enum mrg_rt_found found = MRG_RT_FORBIDDEN;
	if (err != 0)
		found = mrg_unix_found_of(err);
	else if (S_ISREG(st.st_mode))
		found = MRG_RT_FILE;
	else if (S_ISDIR(st.st_mode))
		found = MRG_RT_FOLDER;
	if (found != MRG_RT_FILE) {
		if (fd >= 0)
			(void)t->sys->close(fd);
		if (found != MRG_RT_BUSY)
			remember_no_file(t, path, hash, found, now_ns);
		return found;
	}
	struct mrg_unix_slot *const s = new_slot(t);
	if (s == NULL) {
		(void)t->sys->close(fd);
		return MRG_RT_BUSY;
	}
	if (!load(t, s, fd, &st)) {
		mrg_rt_pool_put(&t->slots, s);
		return MRG_RT_BUSY;
	}
	s->checked_ns = now_ns;
	name(t, s, path, hash);
	if (s->named)
		idle_add(t, s);
	*out = s;
	return MRG_RT_FILE;
}

/* Is the file that is remembered still the one at this path? The look may be misled by links: what differs is opened anew. */
static bool unchanged(const struct mrg_unix_tree *t, const struct mrg_unix_slot *s, const char *text)
{
	struct stat st;
	if (s->found != MRG_RT_FILE || s->unsettled ||
		t->sys->fstatat(t->root_fd, text, &st, AT_NO_AUTOMOUNT) != 0)
		return false;
	const struct mrg_unix_stamp now = mrg_unix_stamp_of(&st);
	return mrg_unix_stamp_eq(&s->stamp, &now);
}

/* What is remembered has become old: compare it, or ask anew. *s: in, what is remembered or NULL; out, the slot to give. */
static enum mrg_rt_found renew(struct mrg_unix_tree *t, struct mrg_span path, uint64_t hash, uint64_t now_ns,
	struct mrg_unix_slot **s)
{
	char text[TEXT_MAX];
	memcpy(text, path.p, path.len);
	text[path.len] = '\0';
	if (*s != NULL && unchanged(t, *s, text)) {
		(*s)->checked_ns = now_ns;
		t->counts.checked++;
		t->counts.hits++;
		return MRG_RT_FILE;
	}
	if (*s != NULL)
		forget(t, *s);
	const enum mrg_rt_found found = look(t, path, text, hash, now_ns, s);
	t->counts.busy += found == MRG_RT_BUSY;
	return found;
}

/* A slot was asked for and found: it is in use if there is a file, and the last to be given up if not. */
static void use(struct mrg_unix_tree *t, struct mrg_unix_slot *s)
{
	if (s->users == 0 && s->named)
		idle_remove(t, s);
	if (s->found != MRG_RT_FILE) {
		idle_add(t, s);
		return;
	}
	s->users++;
	t->in_use++;
}

static enum mrg_rt_found tree_open(
	struct mrg_rt_tree *tree, struct mrg_span path, uint64_t now_ns, struct mrg_rt_file **out)
{
	struct mrg_unix_tree *const t = tree_of(tree);
	if (t->root_fd < 0)
		return MRG_RT_BUSY;
	if (path.len == 0)
		return MRG_RT_FOLDER;
	if (path.len >= TEXT_MAX)
		return MRG_RT_NOTHING;
	const uint64_t hash = mrg_rt_hash(t->key, path);
	struct mrg_unix_slot *s = find(t, path, hash);
	enum mrg_rt_found found;
	/* what is remembered was looked at when it was new */
	if (s == NULL && !(mrg_rt_path_ok(path) && (t->options.hidden || shown(path))))
		return MRG_RT_NOTHING;
	if (s != NULL && now_ns - s->checked_ns < t->options.fresh_ns) {
		found = s->found;
		t->counts.hits++;
		use(t, s);
	} else {
		found = renew(t, path, hash, now_ns, &s);
		if (found == MRG_RT_FILE)
			use(t, s);
	}
	if (found == MRG_RT_FILE)
		*out = &s->f.file;
	return found;
}

static void tree_close(struct mrg_rt_tree *tree, struct mrg_rt_file *f)
{
	struct mrg_unix_tree *const t = tree_of(tree);
	struct mrg_unix_slot *const s = slot_of(f);
	t->in_use--;
	if (--s->users != 0)
		return;
	if (s->named)
		idle_add(t, s);
	else
		release(t, s);
}

/* ---- the tree ---- */

static const struct mrg_rt_tree_ops tree_ops = { .open = tree_open, .close = tree_close };

static size_t bucket_count(const struct mrg_unix_tree_options *o)
{
	size_t n = BUCKETS_MIN;
	while (n < o->path_count)
		n *= 2u;
	return n;
}

/* Pools give whole multiples of their alignment. */
static size_t slots_len(const struct mrg_unix_tree_options *o)
{
	return (sizeof(struct mrg_unix_slot) + SLOT_ALIGN - 1u) / SLOT_ALIGN * SLOT_ALIGN * o->path_count;
}

size_t mrg_unix_tree_memory(const struct mrg_unix_tree_options *o)
{
	return slots_len(o) + bucket_count(o) * sizeof(struct mrg_unix_slot *) +
	       mrg_rt_blocks_memory(o->memory) + 4u * SLOT_ALIGN;
}

static bool take_memory(struct mrg_unix_tree *t, struct mrg_arena *arena)
{
	const struct mrg_unix_tree_options *const o = &t->options;
	const size_t buckets = bucket_count(o);
	t->bucket_mask = (uint32_t)(buckets - 1u);
	t->buckets = mrg_arena_get(arena, buckets * sizeof(struct mrg_unix_slot *), SLOT_ALIGN);
	t->slot_arena.cap = slots_len(o);
	t->slot_arena.p = mrg_arena_get(arena, t->slot_arena.cap, SLOT_ALIGN);
	mrg_rt_pool_init(&t->slots, &t->slot_arena, sizeof(struct mrg_unix_slot), o->path_count);
	return t->buckets != NULL && t->slot_arena.p != NULL &&
	       mrg_rt_blocks_init(&t->blocks, arena, o->memory, o->small_max);
}

int mrg_unix_tree_open(struct mrg_unix_tree *t, const struct mrg_unix_tree_sys *sys, struct mrg_arena *arena,
	const char *folder, const struct mrg_unix_tree_options *o)
{
	*t = (struct mrg_unix_tree){ .tree = { &tree_ops }, .sys = sys, .options = *o, .root_fd = -1 };
	if (!take_memory(t, arena))
		return ENOMEM;
	if (sys->random(t->key, sizeof t->key) != 0)
		return errno;
	const int fd = sys->openat(AT_FDCWD, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	const int err = mrg_unix_beneath_known(sys, fd, &t->beneath);
	if (err != 0)
		(void)sys->close(fd);
	else
		t->root_fd = fd;
	return err;
}

void mrg_unix_tree_close(struct mrg_unix_tree *t)
{
	for (size_t i = 0; t->buckets != NULL && i <= t->bucket_mask; i++)
		while (t->buckets[i] != NULL)
			forget(t, t->buckets[i]);
	if (t->root_fd >= 0)
		(void)t->sys->close(t->root_fd);
	t->root_fd = -1;
}
