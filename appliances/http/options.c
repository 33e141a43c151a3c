/*
 * The command line: a table of options, each with the function that takes its value.
 * Reading order: the help text, the takers, the table, options_read.
 */
#include "appliances/common/conf.h"
#include "appliances/common/say.h"
#include "appliances/http/options.h"
#include "http/field.h"
#include "mrg_text.h"

static const char HELP[] =
	"usage: mrg-http --listen ADDRESS:PORT --root FOLDER [options]\n"
	"\n"
	"Serves the files of a folder, or of an archive that mrg-pack has made, by HTTP/1.1.\n"
	"\n"
	"  --listen ADDRESS:PORT   where to serve; repeatable. IPv6 as [::1]:8080; without :PORT it is 80\n" NET_HELP
	"  --root FOLDER           the files\n"
	"  --archive FILE          the same, packed into one file\n"
	"  --vhost NAME=PLACE      other files for requests to the host NAME, a folder or an archive; repeatable\n"
	"  --index NAME            the file that stands for its folder (index.html)\n"
	"  --error-page STATUS=PATH  the file to send with a status, such as 404=404.html; repeatable\n"
	"  --cache PATTERN=VALUE   Cache-Control of what fits: `*` any, `*.css` by end, `assets/*` by begin; repeatable,\n"
	"                          the first that fits counts\n"
	"  --access-log FORMAT     a line for each answer on standard output: common, combined or none (none)\n"
	"  --metrics ADDRESS:PORT  serve figures for Prometheus there, as /metrics\n"
	"  --workers N             threads that serve (1)\n"
	"  --user NAME             become this user after binding when started as root (nobody); also UID or UID:GID\n"
	"  --config FILE           more options: a line for each, without dashes, `listen 127.0.0.1:8080`\n"
	"  --check                 see whether everything is there, and end\n"
	"  --help, --version       print this, or the version, and end\n"
	"\n"
	"Signals: HUP reads the configuration and opens folders and archives again; TERM and INT end it when what was asked has been answered.\n"
	"\n"
	"Exit status: 0 ended as asked; 1 a folder, an archive or the configuration is not right; 2 wrong usage; 3 an address cannot be listened on;\n"
	"4 anything else that the system refused.\n";

static const char PROGRAM[] = "mrg-http";
static const char VERSION[] = "mrg-http 0.1.0\n";

enum { PORT = 80 };

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

/* ---- values: each says itself what is wrong with one ---- */

static bool take_listen(void *ctx, const char *value)
{
	struct options *const o = ctx;
	if (o->listen_count == LISTEN_MAX)
		return too_many("--listen");
	return args_address(PROGRAM, "--listen", value, PORT, &o->listen[o->listen_count]) &&
	       ++o->listen_count != 0;
}

static bool take_net(void *ctx, const char *value)
{
	struct options *const o = ctx;
	return net_read(PROGRAM, value, &o->net);
}

static bool take_metrics(void *ctx, const char *value)
{
	struct options *const o = ctx;
	return args_address(PROGRAM, "--metrics", value, 9100, &o->metrics);
}

static bool take_place(struct options *o, const char *option, const char *value, bool archive)
{
	if (o->hosts[0].place != NULL) {
		say("mrg-http: ", option, " ", value, ": the files are to be in ", o->hosts[0].place,
			" already", NULL);
		return false;
	}
	o->hosts[0] = (struct host_option){ .place = value, .archive = archive };
	return true;
}

static bool take_root(void *ctx, const char *value) { return take_place(ctx, "--root", value, false); }

static bool take_archive(void *ctx, const char *value) { return take_place(ctx, "--archive", value, true); }

static bool take_vhost(void *ctx, const char *value)
{
	struct options *const o = ctx;
	struct host_option *const h = &o->hosts[o->host_count];
	if (o->host_count == HOSTS_MAX)
		return too_many("--vhost");
	if (!split(value, '=', &h->name, &h->place) || h->name.len == 0) {
		say("mrg-http: --vhost ", value, ": expected NAME=PLACE", NULL);
		return false;
	}
	for (size_t i = 1; i < o->host_count; i++)
		if (mrg_span_eq_nocase(o->hosts[i].name, h->name)) {
			say("mrg-http: --vhost ", value, ": there is one with this name already", NULL);
			return false;
		}
	o->host_count++;
	return true;
}

static bool take_index(void *ctx, const char *value)
{
	struct options *const o = ctx;
	o->index = span_of(value);
	if (strchr(value, '/') == NULL && o->index.len != 0 && mrg_rt_path_ok(o->index))
		return true;
	say("mrg-http: --index ", value, ": not the name of a file", NULL);
	return false;
}

static bool take_error_page(void *ctx, const char *value)
{
	struct options *const o = ctx;
	struct mrg_http_error_page *const page = &o->error_pages[o->error_page_count];
	struct mrg_span status;
	const char *path;
	if (o->error_page_count == RULES_MAX)
		return too_many("--error-page");
	if (split(value, '=', &status, &path) && status.len == 3) {
		uint64_t n;
		page->path = span_of(path);
		if (mrg_text_parse_dec(status, 599, &n) && n >= 400 && mrg_rt_path_ok(page->path)) {
			page->status = (unsigned)n;
			o->error_page_count++;
			return true;
		}
	}
	say("mrg-http: --error-page ", value, ": expected STATUS=PATH, such as 404=errors/404.html", NULL);
	return false;
}

static bool take_cache(void *ctx, const char *value)
{
	struct options *const o = ctx;
	struct mrg_http_cache_rule *const rule = &o->cache_rules[o->cache_rule_count];
	struct mrg_span pattern;
	const char *text, *end;
	size_t at;
	unsigned code;
	if (o->cache_rule_count == RULES_MAX)
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
	o->cache_rule_count++;
	return true;
}

static bool take_access_log(void *ctx, const char *value)
{
	static const char *const names[] = {
		[ACCESS_NONE] = "none", [ACCESS_COMMON] = "common", [ACCESS_COMBINED] = "combined"
	};
	struct options *const o = ctx;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], value) == 0) {
			o->access_log = (enum access_log)i;
			return true;
		}
	say("mrg-http: --access-log ", value, ": expected common, combined or none", NULL);
	return false;
}

static bool take_workers(void *ctx, const char *value)
{
	struct options *const o = ctx;
	unsigned n;
	if (!args_number(PROGRAM, "--workers", value, 1, WORKERS_MAX, &n))
		return false;
	o->workers = n;
	return true;
}

static bool take_user(void *ctx, const char *value)
{
	struct options *const o = ctx;
	o->user = value;
	return true;
}

static bool take_check(void *ctx, const char *value)
{
	struct options *const o = ctx;
	(void)value;
	o->check = true;
	return true;
}

static bool take_config(void *ctx, const char *value);

/* ---- the table ---- */

static const struct arg table[] = {
	{ "--listen", take_listen, true, NULL },
	{ "--net", take_net, true, NULL },
	{ "--root", take_root, true, NULL },
	{ "--archive", take_archive, true, NULL },
	{ "--vhost", take_vhost, true, NULL },
	{ "--index", take_index, true, NULL },
	{ "--error-page", take_error_page, true, NULL },
	{ "--cache", take_cache, true, NULL },
	{ "--access-log", take_access_log, true, NULL },
	{ "--metrics", take_metrics, true, NULL },
	{ "--workers", take_workers, true, NULL },
	{ "--user", take_user, true, NULL },
	{ "--config", take_config, true, NULL },
	{ "--check", take_check, false, NULL },
	{ "--help", NULL, false, HELP },
	{ "--version", NULL, false, VERSION },
};

static const struct args args = { PROGRAM, table, sizeof table / sizeof table[0] };

static bool take_config(void *ctx, const char *value)
{
	struct options *const o = ctx;
	if (o->in_file) {
		say("mrg-http: --config ", value, ": one configuration can't name another", NULL);
		return false;
	}
	o->in_file = true;
	const bool read = conf_read(&args, o, o->arena, value, &o->faults);
	o->in_file = false;
	return read && o->faults == 0;
}

static bool check_whole(const struct options *o)
{
	if (o->hosts[0].place == NULL)
		say("mrg-http: no --root FOLDER and no --archive FILE; see mrg-http --help", NULL);
	else if (o->listen_count == 0 && o->net.kind == NET_NONE && !o->check)
		say("mrg-http: no --listen ADDRESS:PORT; see mrg-http --help", NULL);
	else if (o->workers != 1 && o->net.kind != NET_NONE)
		say("mrg-http: --net has one worker, not --workers", NULL);
	else
		return true;
	return false;
}

bool options_read(
	struct options *o, struct mrg_arena *arena, int argc, char *const argv[], enum outcome *outcome)
{
	*o = (struct options){
		.workers = 1, .host_count = 1, .index = MRG_LITERAL("index.html"), .arena = arena
	};
	if (args_read(&args, o, argc, argv, outcome)) {
		*outcome = OUTCOME_USAGE;
		if (o->listen_count == 0 && o->net.kind != NET_NONE)
			o->listen_count = net_listen(o->listen, PORT);
		return check_whole(o);
	}
	if (o->faults != 0)
		*outcome = OUTCOME_INPUT;
	return false;
}
