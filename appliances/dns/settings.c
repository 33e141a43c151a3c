/* What was read, at some time: see settings.h. */
#include "appliances/dns/settings.h"
#include "appliances/common/say.h"
#include "unix/mrg_unix.h"

/* Octets of address space: more than any configuration needs, and what one can do with if there is no more. */
enum { RESERVE = 1 << 30, LEAST = 4 << 20 };

bool settings_read(struct settings **out, int argc, char *const argv[], enum outcome *outcome)
{
	struct mrg_arena arena;
	if (mrg_unix_arena_open(&arena, RESERVE, LEAST) != 0) {
		say("mrg-dns: not enough memory for the configuration", NULL);
		*outcome = OUTCOME_SYSTEM;
		return false;
	}
	struct settings *const s = mrg_arena_get(&arena, sizeof *s, _Alignof(struct settings));
	atomic_init(&s->users, 1);
	s->arena = arena;
	s->argc = argc;
	s->argv = argv;
	if (!options_read(&s->options, &s->arena, argc, argv, outcome)) {
		settings_drop(s);
		return false;
	}
	*out = s;
	return true;
}

bool settings_again(struct settings **out, const struct settings *before)
{
	enum outcome outcome;
	if (!settings_read(out, before->argc, before->argv, &outcome))
		return false;
	struct options *const o = &(*out)->options;
	if (o->answering.cookie_secrets == 0 && before->options.answering.cookie_secrets == 0)
		o->answering.cookies =
			before->options.answering.cookies; /* those that clients have are good on */
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_listen(const struct options *a, const struct options *b)
{
	if (a->listen_count != b->listen_count)
		return false;
	for (size_t i = 0; i < a->listen_count; i++)
		if (!mrg_rt_addr_same(&a->listen[i], &b->listen[i]))
			return false;
	return true;
}

static bool same_rate(const struct rate_option *a, const struct rate_option *b)
{
	return a->limit == b->limit && a->slip == b->slip && a->networks == b->networks;
}

void settings_differ(const struct options *a, const struct options *b, void (*tell)(const char *option))
{
	const struct {
		const char *option;
		bool same;
	} fixed[] = {
		{ "listen", same_listen(a, b) },
		{ "net", net_same(&a->net, &b->net) },
		{ "metrics", mrg_rt_addr_same(&a->metrics, &b->metrics) },
		{ "control", same_text(a->control, b->control) },
		{ "workers", a->workers == b->workers },
		{ "user", same_text(a->user, b->user) },
		{ "sandbox", a->sandbox == b->sandbox },
		{ "udp-max", a->answering.server.udp_max == b->answering.server.udp_max },
		{ "rate", same_rate(&a->answering.rate, &b->answering.rate) },
		{ "tcp-per-client", a->answering.tcp_per_client == b->answering.tcp_per_client },
		{ "query-log", same_text(a->query_log, b->query_log) },
		{ "query-log-sample", a->query_log_sample == b->query_log_sample },
		{ "dnstap", same_text(a->dnstap, b->dnstap) },
	};
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		if (!fixed[i].same)
			tell(fixed[i].option);
}
