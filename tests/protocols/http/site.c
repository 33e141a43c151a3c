/* For tests of protocols/http: see site.h. */
#include "site.h"

#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "peers.h"

struct tree site, site_other;
struct mrg_http_files site_files;

static struct mrg_http_host hosts[2];

static bool head(void *ctx, struct mrg_http_exchange *x)
{
	(void)ctx;
	const unsigned looked = site.looked;
	mrg_http_files_answer(&site_files, x);
	MUST(site.looked - looked <= 4);
	return false;
}

static uint64_t unix_s(void *ctx)
{
	(void)ctx;
	return site_now_s;
}

static const struct mrg_http_handler handler = { .head = head, .unix_s = unix_s };

static struct tree_entry *add(const char *path, const char *octets)
{
	return tree_add(&site, path, text_of(octets));
}

static void add_coded(void)
{
	add("style.css", "plain css")->hidden = true;
	add("style.css.br", "br css");
	add("style.css.gz", "gz css")->hidden = true;
	add("gz.js", "plain js");
	add("gz.js.gz", "gz js")->modified_s += 100;
	add("old.js", "new js");
	add("old.js.br", "old br js")->modified_s -= 1;
	add("old.js.gz", "old gz js")->modified_s = MRG_RT_NO_TIME;
	add("odd.js", "odd js");
	add("odd.js.br", "")->found = MRG_RT_FORBIDDEN;
	add("odd.js.gz/x", "");
}

static void add_odd(void)
{
	add("forbidden.txt", "")->found = MRG_RT_FORBIDDEN;
	add("busy.txt", "")->found = MRG_RT_BUSY;
	add("dateless.txt", "dateless")->modified_s = MRG_RT_NO_TIME;
	add("future.txt", "future")->modified_s = (int64_t)site_now_s + 1000;
	add("ancient.txt", "ancient")->modified_s = -5;
}

void site_start(void)
{
	tree_init(&site);
	tree_init(&site_other);
	add("index.html", "the index");
	add("a.txt", "0123456789");
	add("b.txt", "abcdefghij")->hidden = true;
	add("empty.txt", "");
	add("empty.bin", "")->hidden = true;
	tree_add(&site, "big.bin", pattern(100000))->hidden = true;
	add("sub/index.html", "sub index");
	add("sub/c d.txt", "c d");
	add("no/x.txt", "x");
	add("dir/index.html/x", "x");
	add_coded();
	add_odd();
	tree_add(&site_other, "index.html", MRG_LITERAL("other index"));
	hosts[0] = (struct mrg_http_host){ text_of("a"), &site.tree };
	hosts[1] = (struct mrg_http_host){ text_of("other.example"), &site_other.tree };
	site_files =
		(struct mrg_http_files){ .hosts = hosts, .host_count = 2, .index = text_of("index.html") };
	peers_start(NULL, &handler);
}

void site_stop(void)
{
	peers_stop();
	MUST(site.opened == site.closed);
	MUST(site_other.opened == site_other.closed);
}

const struct answer *site_send(const char *request, bool to_head)
{
	static struct answer answers[16];
	static unsigned n;
	struct answer *const a = &answers[n++ % 16];
	struct peer *const p = peer_open();
	peer_send_text(p, request);
	peer_run_all(p);
	MUST_SAY(answer_read((struct mrg_span){ p->out, p->out_len }, to_head, a) == p->out_len,
		"more than one answer to %s", request);
	MUST(p->finished == a->close);
	peer_end(p);
	return a;
}

const struct answer *site_ask(const char *method, const char *target, const char *fields)
{
	static char text[10000];
	const int n =
		snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, target, fields);
	MUST((size_t)n < sizeof text);
	return site_send(text, strcmp(method, "HEAD") == 0);
}

const struct answer *site_get(const char *target, const char *fields)
{
	const struct answer *const get = site_ask("GET", target, fields);
	if (strstr(fields, "Range: bytes") == NULL) {
		const struct answer *const as_head = site_ask("HEAD", target, fields);
		MUST_SAY(mrg_span_eq(get->head, as_head->head), "HEAD %s: %.*sinstead of %.*s", target,
			(int)as_head->head.len, (const char *)as_head->head.p, (int)get->head.len,
			(const char *)get->head.p);
	}
	return get;
}
