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

static void run(struct master_load *l, const struct mrg_dns_master_source *src, const char *origin)
{
	static struct mrg_dns_master m;
	const struct mrg_dns_master_events ev = {
		.ctx = l, .record = on_record, .error = on_error, .include = on_include
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
