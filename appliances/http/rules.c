/*
 * What options say of how files are served.
 * Reading order: the takers, each of which says itself what is wrong with a value.
 */
#include "appliances/common/args.h"
#include "appliances/common/say.h"
#include "appliances/http/rules.h"
#include "http/field.h"
#include "mrg_text.h"

static const char PROGRAM[] = "mrg-http";

const struct mrg_http_limits rules_limits = {
	.big_count = 256,
	.out_count = 256,
	.body_max = 1 << 20,
	.idle_ns = 60u * MRG_RT_SECOND_NS,
	.head_ns = 10u * MRG_RT_SECOND_NS,
	.body_ns = 10u * MRG_RT_SECOND_NS,
	.send_ns = 30u * MRG_RT_SECOND_NS,
	.linger_ns = 5u * MRG_RT_SECOND_NS,
	.slow_octets = 4096,
};

static struct mrg_span span_of(const char *s) { return (struct mrg_span){ (const uint8_t *)s, strlen(s) }; }

/* What is before the sign, and behind it. false: it is not there, or nothing is behind it. */
static bool split(const char *value, char sign, struct mrg_span *before, const char **behind)
{
	const char *const at = strchr(value, sign);
	if (at == NULL || at[1] == '\0')
		return false;
	*before = (struct mrg_span){ (const uint8_t *)value, (size_t)(at - value) };
	*behind = at + 1;
	return true;
}

static bool too_many(const char *option)
{
	say("mrg-http: too many ", option, NULL);
	return false;
}

bool rules_take_listen(void *ctx, const char *value)
{
	struct rules *const r = ctx;
	if (r->listen_count == LISTEN_MAX)
		return too_many("--listen");
	return args_address(PROGRAM, "--listen", value, RULES_PORT, &r->listen[r->listen_count]) &&
	       ++r->listen_count != 0;
}

bool rules_take_vhost(void *ctx, const char *value)
{
	struct rules *const r = ctx;
	struct host_option *const h = &r->hosts[r->host_count];
	if (r->host_count == HOSTS_MAX)
		return too_many("--vhost");
	if (!split(value, '=', &h->name, &h->place) || h->name.len == 0) {
		say("mrg-http: --vhost ", value, ": expected NAME=PLACE", NULL);
		return false;
	}
	for (size_t i = 1; i < r->host_count; i++)
		if (mrg_span_eq_nocase(r->hosts[i].name, h->name)) {
			say("mrg-http: --vhost ", value, ": there is one with this name already", NULL);
			return false;
		}
	r->host_count++;
	return true;
}

bool rules_take_index(void *ctx, const char *value)
{
	struct rules *const r = ctx;
	r->index = span_of(value);
	if (strchr(value, '/') == NULL && r->index.len != 0 && mrg_rt_path_ok(r->index))
		return true;
	say("mrg-http: --index ", value, ": not the name of a file", NULL);
	return false;
}

bool rules_take_error_page(void *ctx, const char *value)
{
	struct rules *const r = ctx;
	struct mrg_http_error_page *const page = &r->error_pages[r->error_page_count];
	struct mrg_span status;
	const char *path;
	if (r->error_page_count == RULES_MAX)
		return too_many("--error-page");
	if (split(value, '=', &status, &path) && status.len == 3) {
		uint64_t n;
		page->path = span_of(path);
		if (mrg_text_parse_dec(status, 599, &n) && n >= 400 && mrg_rt_path_ok(page->path)) {
			page->status = (unsigned)n;
			r->error_page_count++;
			return true;
		}
	}
	say("mrg-http: --error-page ", value, ": expected STATUS=PATH, such as 404=errors/404.html", NULL);
	return false;
}

bool rules_take_cache(void *ctx, const char *value)
{
	struct rules *const r = ctx;
	struct mrg_http_cache_rule *const rule = &r->cache_rules[r->cache_rule_count];
	struct mrg_span pattern;
	const char *text, *end;
	size_t at;
	unsigned code;
	if (r->cache_rule_count == RULES_MAX)
		return too_many("--cache");
	if (!split(value, '=', &pattern, &text) || !split(value, '*', &rule->begin, &end) || end > text) {
		say("mrg-http: --cache ", value,
			": expected PATTERN=VALUE with one * in the pattern, such as *.css=max-age=3600",
			NULL);
		return false;
	}
	rule->end = (struct mrg_span){ (const uint8_t *)end,
		(size_t)(pattern.p + pattern.len - (const uint8_t *)end) };
	rule->value = span_of(text);
	if (mrg_http_field_cache_control_check(rule->value, &at, &code) != MRG_OK) {
		say("mrg-http: --cache ", value, ": not a value of Cache-Control (RFC 9111 5.2)", NULL);
		return false;
	}
	r->cache_rule_count++;
	return true;
}

bool rules_take_access_log(void *ctx, const char *value)
{
	static const char *const names[] = {
		[ACCESS_NONE] = "none", [ACCESS_COMMON] = "common", [ACCESS_COMBINED] = "combined"
	};
	struct rules *const r = ctx;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], value) == 0) {
			r->access_log = (enum access_log)i;
			return true;
		}
	say("mrg-http: --access-log ", value, ": expected common, combined or none", NULL);
	return false;
}

void rules_init(struct rules *r)
{
	*r = (struct rules){ .host_count = 1, .index = MRG_LITERAL("index.html") };
}

void rules_to(const struct rules *r, struct mrg_http_files *files)
{
	files->index = r->index;
	files->cache_rules = r->cache_rules;
	files->cache_rule_count = r->cache_rule_count;
	files->error_pages = r->error_pages;
	files->error_page_count = r->error_page_count;
}
