/*
 * The command line: a table of options, each with the function that takes its value.
 * Reading order: the help text, the takers, the table, options_read.
 */
#include <string.h>

#include "appliances/dns/options.h"
#include "appliances/dns/dnstap_out.h"
#include "appliances/dns/read.h"
#include "appliances/common/sandbox.h"
#include "appliances/common/say.h"
#include "unix/mrg_unix.h"

static const char HELP[] =
	"usage: mrg-dns --listen ADDRESS:PORT --zone ORIGIN=FILE [options]\n"
	"\n"
	"An authoritative DNS server: answers for the zones in the files, over UDP and TCP.\n"
	"\n"
	"  --listen ADDRESS:PORT   where to answer; repeatable. IPv6 as [::1]:5353; without :PORT it is 53\n" NET_HELP
	"  --zone ORIGIN=FILE      a zone and its master file; repeatable\n"
	"  --config FILE           more options: a line for each, without dashes, `listen 127.0.0.1:53`; and zones with all that\n"
	"                          belongs to them, `zone example.org { ... }`\n"
	"  --metrics ADDRESS:PORT  serve figures for Prometheus there, as /metrics, by HTTP\n"
	"  --control SOCKET        let mrg-dnsctl ask there, a name in the file system\n"
	"  --query-log FILE        write a line for each query to this file, or to standard output if it is -\n"
	"  --query-log-sample N    for one of N queries only, and of those only one is told by --dnstap (1)\n"
	"  --dnstap FILE           write queries and replies to this file, as dnstap; unix:SOCKET: to whoever listens there\n"
	"  --workers N             threads that answer (1)\n"
	"  --user NAME             become this user after binding when started as root (nobody); also UID or UID:GID\n" SANDBOX_HELP
	"  --udp-max N             largest UDP reply in octets, 512 to 65535 (1232)\n"
	"  --version-text TEXT     answer to CH TXT version.bind and version.server (refused)\n"
	"  --identity TEXT         answer to CH TXT id.server and hostname.bind (refused)\n"
	"  --nsid TEXT             name server identifier, RFC 5001 (not sent)\n"
	"  --rate N                replies of a kind to one network (/24, /56) a second; what is more is not sent (no limit)\n"
	"  --rate-slip N           of those that are not sent each Nth is, cut short, so that the client asks over TCP (2)\n"
	"  --rate-networks N       networks that are counted at once (100000)\n"
	"  --tcp-per-client N      TCP connections that one client may have of a worker at once (no limit)\n"
	"  --cookie-secret HEX     what cookies are made with, 32 digits, the same on all servers of an address (a new one each start);\n"
	"                          a second one: a secret that is accepted, too\n"
	"  --no-cookies            give clients no cookies (RFC 7873)\n"
	"  --check                 read the zones, report errors as FILE:LINE:COLUMN, and end\n"
	"  --print                 read the zones, print their records one a line, and end\n"
	"  --store FILE            read the zone, write it in one piece as images of virtual machines have it, and end\n"
	"  --help, --version       print this, or the version, and end\n"
	"\n"
	"Signals: HUP reads the configuration and the zones again, and keeps the old ones if there is an error; TERM and INT end it\n"
	"when what was asked has been answered.\n"
	"\n"
	"Exit status: 0 ended as asked; 1 an error in a zone or the configuration; 2 wrong usage; 3 an address cannot be listened on;\n"
	"4 anything else that the system refused.\n";

static const char PROGRAM[] = "mrg-dns";
static const char VERSION[] = DNS_VERSION "\n";

enum { PORT = 53, SAMPLE_MAX = 1000000000 };

/* ---- values: each says itself what is wrong with one ---- */

static bool take_listen(void *ctx, const char *value)
{
	struct options *const o = ctx;
	if (o->listen_count == LISTEN_MAX) {
		say("mrg-dns: too many --listen", NULL);
		return false;
	}
	if (!args_address(PROGRAM, "--listen", value, PORT, &o->listen[o->listen_count]))
		return false;
	o->listen_count++;
	return true;
}

static bool take_net(void *ctx, const char *value)
{
	struct options *const o = ctx;
	return net_read(PROGRAM, value, &o->net);
}

static bool take_zone(void *ctx, const char *value)
{
	struct options *const o = ctx;
	return zone_option_add(&o->zones, value);
}

static bool take_sandbox(void *ctx, const char *value)
{
	struct options *const o = ctx;
	(void)value;
	o->sandbox = true;
	return sandbox_possible(PROGRAM);
}

static bool take_query_log(void *ctx, const char *value)
{
	struct options *const o = ctx;
	o->query_log = value;
	if (value[0] == '\0')
		say("mrg-dns: --query-log: expected the name of a file, or -", NULL);
	return value[0] != '\0';
}

static bool take_dnstap(void *ctx, const char *value)
{
	struct options *const o = ctx;
	const char *const socket = dnstap_socket(value), *const name = socket != NULL ? socket : value;
	o->dnstap = value;
	if (name[0] == '\0' || strcmp(name, "-") == 0)
		say("mrg-dns: --dnstap ", value,
			": expected the name of a file, or unix: and that of a socket", NULL);
	else if (socket != NULL && strlen(socket) > MRG_UNIX_LOCAL_NAME_MAX)
		say("mrg-dns: --dnstap ", value, ": too long for the name of a socket", NULL);
	else
		return true;
	return false;
}

static bool take_config(void *ctx, const char *value);

/* ---- the table ---- */

static const struct arg table[] = {
	ARG_TAKES("--listen", take_listen),
	ARG_TAKES("--net", take_net),
	ARG_TAKES("--zone", take_zone),
	ARG_PLACES("--metrics", struct options, metrics, METRICS_PORT),
	ARG_SAYS("--control", struct options, control),
	ARG_TAKES("--query-log", take_query_log),
	ARG_COUNTS("--query-log-sample", struct options, query_log_sample, 1, SAMPLE_MAX),
	ARG_TAKES("--dnstap", take_dnstap),
	ARG_COUNTS("--workers", struct options, workers, 1, WORKERS_MAX),
	ARG_SAYS("--user", struct options, user),
	ARG_DOES("--sandbox", take_sandbox),
	ANSWERING_ARGS(struct options, answering),
	ARG_TAKES("--config", take_config),
	ARG_SETS("--check", struct options, check),
	ARG_SETS("--print", struct options, print),
	ARG_SAYS("--store", struct options, store),
	ARG_PRINTS("--help", HELP),
	ARG_PRINTS("--version", VERSION),
};

static const struct args args = { PROGRAM, table, sizeof table / sizeof table[0] };

static bool take_config(void *ctx, const char *value)
{
	struct options *const o = ctx;
	const struct conf conf = { .args = &args,
		.blocks = zone_option_blocks,
		.block_count = ZONE_OPTION_BLOCKS,
		.block_ctx = &o->zones };
	if (o->in_file) {
		say(PROGRAM, ": --config ", value, ": one configuration can't name another", NULL);
		return false;
	}
	o->config = value;
	o->in_file = true;
	const bool read = conf_read(&conf, o, o->zones.arena, value, &o->faults);
	o->in_file = false;
	return read && o->faults == 0;
}

static bool has_catalog(const struct options *o)
{
	for (size_t i = 0; i < o->zones.count; i++)
		if (o->zones.list[i].catalog)
			return true;
	return false;
}

static bool check_whole(const struct options *o)
{
	if (o->zones.count == 0)
		say("mrg-dns: no --zone ORIGIN=FILE; see mrg-dns --help", NULL);
	else if (o->store != NULL && o->zones.count != 1)
		say("mrg-dns: --store takes one zone", NULL);
	else if (o->listen_count == 0 && o->net.kind == NET_NONE && !o->check && !o->print &&
		 o->store == NULL)
		say("mrg-dns: no --listen ADDRESS:PORT; see mrg-dns --help", NULL);
	else if (o->workers != 1 && o->net.kind != NET_NONE)
		say("mrg-dns: --net has one worker, not --workers", NULL);
	else if (o->dnstap != NULL && dnstap_socket(o->dnstap) != NULL && o->sandbox)
		say("mrg-dns: --dnstap unix: can't be had with --sandbox, in which nothing is connected to any more",
			NULL);
	else if (o->control != NULL && o->sandbox)
		say("mrg-dns: --control can't be had with --sandbox, in which nothing is read any more",
			NULL);
	else if (o->sandbox && has_catalog(o))
		say("mrg-dns: a catalog can't be had with --sandbox, in which no zone comes any more", NULL);
	else
		return true;
	return false;
}

bool options_read(
	struct options *o, struct mrg_arena *arena, int argc, char *const argv[], enum outcome *outcome)
{
	*o = (struct options){ .workers = 1, .query_log_sample = 1, .zones = { .arena = arena } };
	answering_init(&o->answering);
	if (args_read(&args, o, argc, argv, outcome)) {
		*outcome = OUTCOME_USAGE;
		if (o->listen_count == 0 && o->net.kind != NET_NONE)
			o->listen_count = net_listen(o->listen, PORT);
		return check_whole(o) && zone_options_end(&o->zones) && answering_end(&o->answering);
	}
	if (o->faults != 0)
		*outcome = OUTCOME_INPUT;
	return false;
}
