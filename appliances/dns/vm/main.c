/*
 * mrg-dns as a virtual machine, on port 53. Its zones come as an initrd or are linked into the image; the options are
 *
 *	--zone ORIGIN		the data is the text of this zone
 *	--zone ORIGIN=FILE	the data is an archive (mrg-pack), and FILE in it is the text of this zone; repeatable
 *	--config FILE		FILE in the archive has more options, keys and zones: with primaries, copies, and who may have them
 *	--zone-memory MIB	the most that a version of a zone may take that is transferred
 *	--udp-max, --rate, --cookie-secret and all of answering.h	as of the process
 */
#include "appliances/common/say.h"
#include "appliances/dns/answering.h"
#include "appliances/dns/system.h"
#include "appliances/dns/vm/zones.h"

enum { PORT = 53, CONNS_MAX = 4096, BLOCKS = 16 };

static const uint64_t IDLE_NS = 10u * MRG_RT_SECOND_NS;

struct serving {
	struct answering answering; /* first, for its takers */
	struct mrg_dns_streams streams;
	struct mrg_dgram_user dgrams;
	struct mrg_dns_rate rate;
	struct zones *zones;
};

static struct vm_app app;
static struct serving serving; /* all zero: in no file */

/* ---- options ---- */

static bool take_zone(void *ctx, const char *value)
{
	struct serving *const s = ctx;
	return zones_take(s->zones, value);
}

static bool take_most(void *ctx, const char *value)
{
	struct serving *const s = ctx;
	return zones_most(s->zones, value);
}

static bool take_config(void *ctx, const char *value);

static const struct arg options[] = {
	ARG_TAKES("--zone", take_zone),
	ARG_TAKES("--config", take_config),
	ARG_TAKES("--zone-memory", take_most),
	ANSWERING_ARGS(struct serving, answering),
};

static const struct args args = { "mrg-dns", options, sizeof options / sizeof options[0] };

static bool take_config(void *ctx, const char *value)
{
	struct serving *const s = ctx;
	return zones_configure(s->zones, value, &args, s);
}

static enum outcome take_options(struct serving *s)
{
	enum outcome outcome;
	answering_init(&s->answering);
	s->zones = zones_of(&app, &s->answering);
	if (!args_read(&args, s, app.words.argc, app.words.argv, &outcome))
		return outcome;
	return answering_end(&s->answering) ? OUTCOME_OK : OUTCOME_SYSTEM;
}

/* ---- answers ---- */

static struct answers answers_of(struct serving *s)
{
	struct answers answers = zones_answers(s->zones);
	answers.rate = s->answering.rate.limit != 0 ? &s->rate : NULL;
	return answers;
}

static void answer_dgrams(
	void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	struct serving *const s = ctx;
	const struct answers answers = answers_of(s);
	answers_batch(&answers, e, d, count, vm_loop_time_s(&app.loop), now_ns);
}

static enum mrg_dns_said answer_stream(void *ctx, struct mrg_dns_call *call, struct mrg_span query,
	uint8_t *out, size_t cap, size_t *out_len)
{
	struct serving *const s = ctx;
	const struct answers answers = answers_of(s);
	enum mrg_dns_said said;
	if (zones_other(s->zones, call, query, out, cap, out_len, &said))
		return said;
	return answers_stream(&answers, call->stream, query, out, cap, out_len, vm_loop_time_s(&app.loop)) ==
			       MRG_OK
		       ? MRG_DNS_SAID_ALL
		       : MRG_DNS_SAID_NOTHING;
}

static enum mrg_dns_said next_part(void *ctx, void *transfer, uint8_t *out, size_t cap, size_t *out_len)
{
	const struct serving *const s = ctx;
	return zones_next(s->zones, transfer, out, cap, out_len);
}

static void transfer_over(void *ctx, void *transfer)
{
	const struct serving *const s = ctx;
	zones_done(s->zones, transfer);
}

static bool listen_at(struct serving *s, uint8_t family)
{
	struct mrg_rt_addr at = { .family = family, .port = PORT };
	return mrg_tcpip_udp_bind(app.stack, &at, &s->dgrams) != NULL &&
	       mrg_tcpip_listen(app.stack, &at, &s->streams.user) != NULL;
}

static bool refuse(const char *why)
{
	say(why, NULL);
	return false;
}

static bool open_ends(struct serving *s)
{
	/* Fewer than the stack has, so that it can take one more, for which we then close another. */
	const uint32_t room = app.limits.conn_count - app.limits.conn_count / 8u,
		       conns = room < CONNS_MAX ? room : CONNS_MAX;
	struct mrg_dns_stream_limits limits = { .conn_count = conns,
		.block_count = BLOCKS,
		.idle_ns = IDLE_NS,
		.client_max = s->answering.tcp_per_client };
	const struct mrg_dns_answerer answerer = {
		.ctx = s, .answer = answer_stream, .next = next_part, .done = transfer_over
	};
	s->dgrams = (struct mrg_dgram_user){ .ctx = s, .batch = answer_dgrams };
	if (!system_random(limits.client_key, sizeof limits.client_key))
		return refuse("there are no random numbers");
	if (s->answering.rate.limit != 0 && !rate_table(&s->answering.rate, 1, &s->rate, &app.arena))
		return refuse("not enough memory to count the replies to networks");
	if (mrg_dns_streams_init(&s->streams, &app.arena, &app.loop.timers, &limits, &answerer) != MRG_OK)
		return refuse("not enough memory for connections");
	if (listen_at(s, 4) && listen_at(s, 6))
		return true;
	return refuse("port 53: no room for another end");
}

void vm_main(const struct vm_boot *boot)
{
	enum outcome outcome = vm_app_open(&app, boot, "mrg-dns");
	if (outcome == OUTCOME_OK)
		outcome = take_options(&serving);
	if (outcome == OUTCOME_OK && !zones_load(serving.zones))
		outcome = OUTCOME_INPUT;
	if (outcome == OUTCOME_OK && !open_ends(&serving))
		outcome = OUTCOME_SYSTEM;
	if (outcome == OUTCOME_OK && !zones_begin(serving.zones, &serving.streams))
		outcome = OUTCOME_INPUT;
	if (outcome == OUTCOME_OK)
		outcome = vm_app_run(&app);
	vm_app_end(outcome);
}
