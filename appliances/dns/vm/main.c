/*
 * mrg-dns as a virtual machine, on port 53. Its zones come as an initrd or are linked into the image; the options are
 *
 *	--zone ORIGIN		the data is the text of this zone
 *	--zone ORIGIN=FILE	the data is an archive (mrg-pack), and FILE in it is the text of this zone; repeatable
 *	--config FILE		FILE in the archive has more options, keys and zones: with primaries, copies, and who may have them
 *	--zone-memory MIB	the most that a version of a zone may take that is transferred
 *	--udp-max, --version-text, --identity, --nsid	as of the process
 */
#include "appliances/common/say.h"
#include "appliances/dns/answering.h"
#include "appliances/dns/vm/zones.h"

enum { PORT = 53, CONNS_MAX = 4096, BLOCKS = 16 };

static const uint64_t IDLE_NS = 10u * MRG_RT_SECOND_NS;

struct answering {
	struct mrg_dns_server server; /* first, for answering.h: what options say */
	struct mrg_dns_streams streams;
	struct mrg_dgram_user dgrams;
	struct zones *zones;
};

static struct vm_app app;
static struct answering answering; /* all zero: in no file */

/* ---- options ---- */

static bool take_zone(void *ctx, const char *value)
{
	struct answering *const a = ctx;
	return zones_take(a->zones, value);
}

static bool take_most(void *ctx, const char *value)
{
	struct answering *const a = ctx;
	return zones_most(a->zones, value);
}

static bool take_config(void *ctx, const char *value);

static const struct arg options[] = {
	ARG_TAKES("--zone", take_zone),
	ARG_TAKES("--config", take_config),
	ARG_TAKES("--zone-memory", take_most),
	ARG_TAKES("--udp-max", answering_udp_max),
	ARG_TAKES("--version-text", answering_version),
	ARG_TAKES("--identity", answering_identity),
	ARG_TAKES("--nsid", answering_nsid),
};

static const struct args args = { "mrg-dns", options, sizeof options / sizeof options[0] };

static bool take_config(void *ctx, const char *value)
{
	struct answering *const a = ctx;
	return zones_configure(a->zones, value, &args, a);
}

static enum outcome take_options(struct answering *a)
{
	enum outcome outcome;
	a->server.udp_max = ANSWERING_UDP_MAX;
	a->zones = zones_of(&app, &a->server);
	return args_read(&args, a, app.words.argc, app.words.argv, &outcome) ? OUTCOME_OK : outcome;
}

/* ---- answers ---- */

static void answer_dgrams(
	void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	const struct answering *const a = ctx;
	const struct answers answers = zones_answers(a->zones);
	answers_batch(&answers, e, d, count, vm_loop_time_s(&app.loop), now_ns);
}

static enum mrg_dns_said answer_stream(void *ctx, struct mrg_dns_call *call, struct mrg_span query,
	uint8_t *out, size_t cap, size_t *out_len)
{
	const struct answering *const a = ctx;
	const struct answers answers = zones_answers(a->zones);
	enum mrg_dns_said said;
	if (zones_other(a->zones, call, query, out, cap, out_len, &said))
		return said;
	return answers_stream(&answers, call->stream, query, out, cap, out_len, vm_loop_time_s(&app.loop)) ==
			       MRG_OK
		       ? MRG_DNS_SAID_ALL
		       : MRG_DNS_SAID_NOTHING;
}

static enum mrg_dns_said next_part(void *ctx, void *transfer, uint8_t *out, size_t cap, size_t *out_len)
{
	const struct answering *const a = ctx;
	return zones_next(a->zones, transfer, out, cap, out_len);
}

static void transfer_over(void *ctx, void *transfer)
{
	const struct answering *const a = ctx;
	zones_done(a->zones, transfer);
}

static bool listen_at(struct answering *a, uint8_t family)
{
	struct mrg_rt_addr at = { .family = family, .port = PORT };
	return mrg_tcpip_udp_bind(app.stack, &at, &a->dgrams) != NULL &&
	       mrg_tcpip_listen(app.stack, &at, &a->streams.user) != NULL;
}

static bool refuse(const char *why)
{
	say(why, NULL);
	return false;
}

static bool open_ends(struct answering *a)
{
	/* Fewer than the stack has, so that it can take one more, for which we then close another. */
	const uint32_t room = app.limits.conn_count - app.limits.conn_count / 8u,
		       conns = room < CONNS_MAX ? room : CONNS_MAX;
	const struct mrg_dns_stream_limits limits = {
		.conn_count = conns, .block_count = BLOCKS, .idle_ns = IDLE_NS
	};
	const struct mrg_dns_answerer answerer = {
		.ctx = a, .answer = answer_stream, .next = next_part, .done = transfer_over
	};
	a->dgrams = (struct mrg_dgram_user){ .ctx = a, .batch = answer_dgrams };
	if (mrg_dns_streams_init(&a->streams, &app.arena, &app.loop.timers, &limits, &answerer) != MRG_OK)
		return refuse("not enough memory for connections");
	if (listen_at(a, 4) && listen_at(a, 6))
		return true;
	return refuse("port 53: no room for another end");
}

void vm_main(const struct vm_boot *boot)
{
	enum outcome outcome = vm_app_open(&app, boot, "mrg-dns");
	if (outcome == OUTCOME_OK)
		outcome = take_options(&answering);
	if (outcome == OUTCOME_OK && !zones_load(answering.zones))
		outcome = OUTCOME_INPUT;
	if (outcome == OUTCOME_OK && !open_ends(&answering))
		outcome = OUTCOME_SYSTEM;
	if (outcome == OUTCOME_OK && !zones_begin(answering.zones))
		outcome = OUTCOME_INPUT;
	if (outcome == OUTCOME_OK)
		outcome = vm_app_run(&app);
	vm_app_end(outcome);
}
