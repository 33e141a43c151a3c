#include "protocols/dns/master_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/rr_text.h"

static void *copy(struct mrg_span s)
{
	void *p = malloc(s.len + 1);
	if (p == NULL)
		abort();
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	return p;
}

/* The text with its NUL at the end of a page, an unreadable page behind it. */
static struct mrg_dns_master_source *guarded(
	struct master_load *l, const char *text, size_t len, const char *name)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t size = (len + 1 + page - 1) / page * page;
	if (l->text_count == sizeof l->texts / sizeof l->texts[0])
		abort();
	uint8_t *p = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p + size, page, PROT_NONE) != 0)
		abort();
	uint8_t *at = p + size - len - 1;
	memcpy(at, text, len);
	struct mrg_dns_master_source *s = &l->texts[l->text_count];
	*s = (struct mrg_dns_master_source){ .p = at, .len = len, .name = strdup(name) };
	l->text_sizes[l->text_count++] = size + page;
	return s;
}

static bool from_file(struct master_load *l, const char *path, struct mrg_dns_master_source *out)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return false;
	size_t cap = 1 << 16, len = 0, got;
	char *b = malloc(cap);
	while (b != NULL && (got = fread(b + len, 1, cap - len, f)) > 0)
		if ((len += got) == cap)
			b = realloc(b, cap *= 2);
	fclose(f);
	if (b == NULL)
		abort();
	*out = *guarded(l, b, len, path);
	free(b);
	return true;
}

/* Room for one more than count: doubled when count is a power of two. */
static void *grown(void *p, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return p;
	p = realloc(p, (count == 0 ? 1 : 2 * count) * size);
	if (p == NULL)
		abort();
	return p;
}

static bool on_record(void *ctx, const struct mrg_dns_master_rr *rr)
{
	struct master_load *l = ctx;
	l->records = grown(l->records, l->record_count, sizeof *l->records);
	l->records[l->record_count++] = (struct master_record){
		.owner = copy(rr->owner),
		.owner_len = rr->owner.len,
		.rdata = copy(rr->rdata),
		.rdata_len = rr->rdata.len,
		.type = rr->type,
		.class = rr->class,
		.ttl = rr->ttl,
		.line = rr->line,
		.col = rr->col,
	};
	return l->stop_after == 0 || l->record_count < l->stop_after;
}

static void on_error(void *ctx, const struct mrg_dns_master_error *e)
{
	struct master_load *l = ctx;
	l->errors = grown(l->errors, l->error_count, sizeof *l->errors);
	struct master_complaint *c = &l->errors[l->error_count++];
	memset(c, 0, sizeof *c); /* they are compared whole */
	snprintf(c->file, sizeof c->file, "%s", e->file);
	snprintf(c->field, sizeof c->field, "%s", e->field);
	snprintf(c->what, sizeof c->what, "%s", e->what);
	c->line = e->line;
	c->col = e->col;
}

static bool on_include(void *ctx, struct mrg_span name, const char *from, struct mrg_dns_master_source *out)
{
	struct master_load *l = ctx;
	char path[512];
	const char *slash = strrchr(from, '/');
	if (l->made == NULL) {
		const int dir = slash != NULL && name.p[0] != '/' ? (int)(slash - from) + 1 : 0;
		snprintf(path, sizeof path, "%.*s%.*s", dir, from, (int)name.len, (const char *)name.p);
		return from_file(l, path, out);
	}
	for (const struct master_made_file *f = l->made; f->name != NULL; f++) {
		if (strlen(f->name) == name.len && memcmp(f->name, name.p, name.len) == 0) {
			*out = *guarded(l, f->text, strlen(f->text), f->name);
			return true;
		}
	}
	return false;
}

/* --- texts that come line by line --------------------------------------------------------------------- */

/* A text of which the reader has p[0..given-1], as a copy that ends at a page that can't be read once all is there. */
struct trickle {
	const uint8_t *p;
	size_t len, given, breaks_at;
	uint8_t *map;
	size_t mapped;
	uint8_t *at; /* where p[0] is, or would be */
};

/* Room for the rest of the text from p[from] on, the guard behind it. */
static void make_room(struct trickle *t, size_t from)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (t->len - from + page) / page * page;
	t->mapped = size + page;
	t->map = mmap(NULL, t->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->map == MAP_FAILED || mprotect(t->map + size, page, PROT_NONE) != 0)
		abort();
	t->at = t->map + size - 1 - t->len;
}

static const char *one_line_more(void *ctx, struct mrg_span *text, bool stay)
{
	struct trickle *const t = ctx;
	const size_t from = t->given - text->len;
	size_t end = t->given;
	if (t->breaks_at != 0 && end >= t->breaks_at)
		return "it broke";
	const size_t least = t->given + t->len / 16; /* of a long text, some lines at a time */
	while (end < t->len && (t->p[end++] != '\n' || end < least))
		;
	if (!stay) { /* what was given before is gone: reading it is a crash */
		munmap(t->map, t->mapped);
		make_room(t, from);
		memcpy(t->at + from, t->p + from, end - from);
	} else {
		memcpy(t->at + t->given, t->p + t->given, end - t->given);
	}
	t->at[end] = 0;
	t->given = end;
	*text = (struct mrg_span){ t->at + from, end - from };
	return NULL;
}

static void end_trickle(void *ctx)
{
	struct trickle *const t = ctx;
	munmap(t->map, t->mapped);
	free(t);
}

static struct mrg_dns_master_source trickled(
	const struct master_load *l, const struct mrg_dns_master_source *whole)
{
	struct trickle *const t = malloc(sizeof *t);
	if (t == NULL)
		abort();
	*t = (struct trickle){ .p = whole->p, .len = whole->len, .breaks_at = l->breaks_at };
	make_room(t, 0);
	return (struct mrg_dns_master_source){
		.p = t->at, .name = whole->name, .ctx = t, .more = one_line_more, .done = end_trickle
	};
}

static bool on_include_trickled(
	void *ctx, struct mrg_span name, const char *from, struct mrg_dns_master_source *out)
{
	struct mrg_dns_master_source whole;
	if (!on_include(ctx, name, from, &whole))
		return false;
	*out = trickled(ctx, &whole);
	return true;
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* What was read must not depend on how the text came. */
static void check_same(const struct master_load *a, const struct master_load *b)
{
	if (a->status != b->status || a->reported != b->reported || a->record_count != b->record_count ||
		a->error_count != b->error_count)
		abort();
	for (size_t i = 0; i < a->record_count; i++) {
		const struct master_record *const x = &a->records[i], *const y = &b->records[i];
		if (x->owner_len != y->owner_len || memcmp(x->owner, y->owner, x->owner_len) != 0 ||
			x->rdata_len != y->rdata_len || memcmp(x->rdata, y->rdata, x->rdata_len) != 0 ||
			x->type != y->type || x->class != y->class || x->ttl != y->ttl ||
			x->line != y->line || x->col != y->col)
			abort();
	}
	for (size_t i = 0; i < a->error_count; i++)
		if (memcmp(&a->errors[i], &b->errors[i], sizeof a->errors[i]) != 0)
			abort();
}

static void read_source(struct master_load *l, const struct mrg_dns_master_source *src, const char *origin,
	bool (*include)(void *, struct mrg_span, const char *, struct mrg_dns_master_source *))
{
	static struct mrg_dns_master m;
	const struct mrg_dns_master_events ev = {
		.ctx = l, .record = on_record, .error = on_error, .include = include
	};
	const struct mrg_span root = { (const uint8_t *)"", 1 };
	uint8_t name[320];
	size_t len;
	if (mrg_text_parse_name((struct mrg_span){ (const uint8_t *)origin, strlen(origin) }, root, 63, 255,
		    name, &len) != NULL)
		abort();
	l->status = mrg_dns_master_read(
		&m, src, (struct mrg_span){ name, len }, l->default_ttl, &ev, &l->reported);
}

/* Read the text as a whole, and line by line: with the same outcome. */
static void run(struct master_load *l, const struct mrg_dns_master_source *src, const char *origin)
{
	struct master_load again = {
		.made = l->made, .stop_after = l->stop_after, .default_ttl = l->default_ttl
	};
	const struct mrg_dns_master_source lines = trickled(l, src);
	if (l->breaks_at != 0) {
		read_source(l, &lines, origin, on_include_trickled);
		return;
	}
	read_source(l, src, origin, on_include);
	read_source(&again, &lines, origin, on_include_trickled);
	check_same(l, &again);
	master_load_free(&again);
}

void master_load_text(struct master_load *l, const char *text, size_t len, const char *origin)
{
	run(l, guarded(l, text, len == SIZE_MAX ? strlen(text) : len, "zone"), origin);
}

bool master_load_file(struct master_load *l, const char *path, const char *origin)
{
	struct mrg_dns_master_source src;
	if (!from_file(l, path, &src))
		return false;
	run(l, &src, origin);
	return true;
}

void master_load_free(struct master_load *l)
{
	for (size_t i = 0; i < l->record_count; i++) {
		free(l->records[i].owner);
		free(l->records[i].rdata);
	}
	for (size_t i = 0; i < l->text_count; i++) {
		const size_t page = (size_t)sysconf(_SC_PAGESIZE);
		const uintptr_t end = (uintptr_t)l->texts[i].p + l->texts[i].len + 1 + page;
		munmap((void *)(end - l->text_sizes[i]), l->text_sizes[i]);
		free((void *)(uintptr_t)l->texts[i].name);
	}
	free(l->records);
	free(l->errors);
	*l = (struct master_load){ 0 };
}

const char *master_load_show(const struct master_load *l, size_t i)
{
	static char b[1 << 18];
	const struct master_record *r = &l->records[i];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b - 1);
	mrg_text_put_name(&w, (struct mrg_span){ r->owner, r->owner_len });
	mrg_text_put(&w, " ");
	mrg_text_put_dec(&w, r->ttl);
	mrg_text_put(&w, " ");
	mrg_text_put_mnemonic(&w, &mrg_dns_class_text, r->class);
	mrg_text_put(&w, " ");
	mrg_text_put_mnemonic(&w, &mrg_dns_type_text, r->type);
	mrg_text_put(&w, " ");
	mrg_dns_rr_rdata_to_text(r->type, (struct mrg_span){ r->rdata, r->rdata_len }, &w);
	b[w.len] = '\0';
	return b;
}

const char *master_load_error(const struct master_load *l, size_t i)
{
	static char b[512];
	const struct master_complaint *c = &l->errors[i];
	snprintf(b, sizeof b, "%u:%u %s%s%s", c->line, c->col, c->field, c->field[0] != '\0' ? ": " : "",
		c->what);
	return b;
}
