/*
 * Writing an archive: the contents where the index will have ended, then the index, whose length is known from the paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliances/pack/pack.h"
#include "archive.h"
#include "protocols/archive/tree.h"

struct output {
	const struct folder *folder;
	const char *name;
	int fd;
	uint8_t *index;
	size_t index_cap;
};

/* The index as far as it is known now. false: it takes more than index_cap bytes, or the files are too many for it. */
static bool put_index(struct output *o, uint64_t total, size_t *len)
{
	struct mrg_w w;
	struct mrg_archive_index_build b;
	const struct folder *const f = o->folder;
	mrg_w_init(&w, o->index, o->index_cap);
	mrg_archive_index_begin(&w, &b, &(struct mrg_archive_index_args){ .total = total });
	for (size_t i = 0; i < f->count; i++) {
		const struct packed *const p = &f->files[i];
		mrg_archive_index_entries_add(&w, &b);
		mrg_archive_entry_put(&w, &(struct mrg_archive_entry_args){
						  .total_ = total,
						  .offset = p->offset,
						  .size = p->size,
						  .content_version = p->version,
						  .modified = p->modified_s,
						  .path = { (const uint8_t *)p->path, strlen(p->path) },
					  });
	}
	mrg_archive_index_end(&w, &b);
	return mrg_w_finish(&w, len) == MRG_OK;
}

static int write_at(int fd, const uint8_t *p, size_t len, uint64_t offset)
{
	while (len != 0) {
		const ssize_t n = pwrite(fd, p, len, (off_t)offset);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			offset += (uint64_t)n;
		}
	}
	return 0;
}

/* All of an open file, which is to have just `size` bytes, into memory of its own. */
static int read_exactly(int fd, size_t size, struct mrg_arena *memory)
{
	const int err = mrg_unix_arena_open(memory, size + 1u, size + 1u);
	if (err != 0)
		return err;
	while (memory->len <= size) {
		const ssize_t n = read(fd, memory->p + memory->len, size + 1u - memory->len);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n == 0)
			break;
		if (n > 0)
			memory->len += (size_t)n;
	}
	return memory->len == size ? 0 : EAGAIN;
}

static bool wrong_file(const struct folder *f, const struct packed *p, int err)
{
	char name[2 * MRG_ARCHIVE_PATH_MAX];
	(void)snprintf(name, sizeof name, "%s/%s", f->name, p->path);
	if (err == EAGAIN)
		complain(name, ": changed while it was read", "", 0);
	else
		complain(name, "", "", err);
	return false;
}

/* Copy a file's content to p->offset of the output. */
static bool copy_content(const struct output *o, struct packed *p, const struct times *times)
{
	struct mrg_arena memory = { .p = NULL };
	struct stat st = { .st_mode = 0 };
	const int fd =
		openat(o->folder->fd, p->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int err = fd >= 0 && fstat(fd, &st) == 0 ? 0 : errno, out_err = 0;
	if (err == 0 && !S_ISREG(st.st_mode))
		err = EAGAIN; /* it was one when it was found */
	if (err == 0)
		err = read_exactly(fd, (size_t)st.st_size, &memory);
	if (err == 0) {
		p->size = memory.len;
		p->version = mrg_archive_version((struct mrg_span){ memory.p, memory.len });
		p->modified_s = st.st_mtim.tv_sec < times->latest_s ? st.st_mtim.tv_sec : times->latest_s;
		if (times->none)
			p->modified_s = MRG_RT_NO_TIME;
		out_err = write_at(o->fd, memory.p, memory.len, p->offset);
	}
	mrg_unix_arena_close(&memory);
	if (fd >= 0)
		(void)close(fd);
	if (out_err != 0)
		complain(o->name, "", "", out_err);
	return err == 0 ? out_err == 0 : wrong_file(o->folder, p, err);
}

static uint64_t next_offset(uint64_t end)
{
	return (end + MRG_ARCHIVE_ALIGN - 1u) / MRG_ARCHIVE_ALIGN * MRG_ARCHIVE_ALIGN;
}

/* Fill the open output. */
static bool fill(struct output *o, const struct times *times)
{
	size_t len;
	if (!put_index(o, 0, &len)) {
		complain(o->folder->name, ": too many files for an archive", "", 0);
		return false;
	}
	uint64_t end = len;
	for (size_t i = 0; i < o->folder->count; i++) {
		struct packed *const p = &o->folder->files[i];
		p->offset = next_offset(end);
		if (!copy_content(o, p, times))
			return false;
		end = p->offset + p->size;
	}
	if (!put_index(o, end, &len)) {
		complain(o->name, ": the index cannot be written", "", 0);
		return false;
	}
	int err = write_at(o->fd, o->index, len, 0);
	/* an empty content at the end may begin behind what was written */
	if (err == 0 && (ftruncate(o->fd, (off_t)end) != 0 || fsync(o->fd) != 0))
		err = errno;
	if (err != 0)
		complain(o->name, "", "", err);
	return err == 0;
}

/* What the files that a program makes may do by default; a temporary file has less. */
static mode_t usual_mode(void)
{
	const mode_t mask = umask(0);
	(void)umask(mask);
	return 0666 & ~mask;
}

/* Memory for the index: for each file as much as its path and all else take at most. */
static bool take_index(struct output *o, struct mrg_arena *arena)
{
	o->index_cap = 2u * MRG_ARCHIVE_ALIGN;
	for (size_t i = 0; i < o->folder->count; i++)
		o->index_cap += MRG_ARCHIVE_ALIGN + strlen(o->folder->files[i].path);
	o->index = mrg_arena_get(arena, o->index_cap, 1);
	return o->index != NULL;
}

bool archive_write(struct folder *f, const struct times *times, const char *name, struct mrg_arena *arena)
{
	struct output o = { .folder = f, .name = name };
	const size_t room = strlen(name) + sizeof ".XXXXXX";
	char *const temporary = mrg_arena_get(arena, room, 1);
	if (temporary == NULL || !take_index(&o, arena)) {
		complain(f->name, ": too many files", "", 0);
		return false;
	}
	(void)snprintf(temporary, room, "%s.XXXXXX", name);
	o.fd = mkostemp(temporary, O_CLOEXEC);
	if (o.fd < 0) {
		complain(name, "", "", errno);
		return false;
	}
	bool good = fill(&o, times);
	if (good && (fchmod(o.fd, usual_mode()) != 0 || rename(temporary, name) != 0)) {
		complain(name, "", "", errno);
		good = false;
	}
	(void)close(o.fd);
	if (!good)
		(void)unlink(temporary);
	return good;
}
