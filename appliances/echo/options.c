/*
 * The command line: a table of options, each with the function that takes its value.
 */
#include "appliances/common/sandbox.h"
#include "appliances/common/say.h"
#include "appliances/echo/echo.h"

static const char HELP[] =
	"usage: mrg-echo --net DEVICE[,WHAT]... [options]\n"
	"\n"
	"Small services on a TCP/IP of its own, to try it with.\n"
	"\n" NET_HELP
	"  --metrics ADDRESS:PORT  serve figures for Prometheus there, as /metrics, by HTTP on the kernel's TCP;\n"
	"                          /connections and /pcap tell more of our own\n"
	"  --user NAME             become this user when started as root (nobody); also UID or UID:GID\n" SANDBOX_HELP
	"  --help, --version       print this, or the version, and end\n"
	"\n"
	"TCP 7 and UDP 7 echo; TCP 9 discards; TCP 19 sends characters without end; TCP 2000 answers \"bye\" and closes\n"
	"first; TCP 2001 never reads. UDP 9999 takes \"connect ADDRESS PORT\": such a connection says \"hi\", then echoes.\n"
	"\n"
	"Exit status: 0 ended as asked; 2 wrong usage; 3 the device cannot be used; 4 anything else that the system refused.\n";

static const char PROGRAM[] = "mrg-echo";
static const char VERSION[] = "mrg-echo 0.1.0\n";

static bool take_net(void *ctx, const char *value)
{
	struct options *const o = ctx;
	return net_read(PROGRAM, value, &o->net);
}

static bool take_sandbox(void *ctx, const char *value)
{
	struct options *const o = ctx;
	(void)value;
	o->sandbox = true;
	return sandbox_possible(PROGRAM);
}

static const struct arg table[] = {
	ARG_TAKES("--net", take_net),
	ARG_PLACES("--metrics", struct options, metrics, METRICS_PORT),
	ARG_SAYS("--user", struct options, user),
	ARG_DOES("--sandbox", take_sandbox),
	ARG_PRINTS("--help", HELP),
	ARG_PRINTS("--version", VERSION),
};

bool options_read(struct options *o, int argc, char *const argv[], enum outcome *outcome)
{
	static const struct args args = { PROGRAM, table, sizeof table / sizeof table[0] };
	*o = (struct options){ .user = NULL };
	if (!args_read(&args, o, argc, argv, outcome))
		return false;
	*outcome = OUTCOME_USAGE;
	if (o->net.kind == NET_NONE)
		say("mrg-echo: no --net DEVICE; see mrg-echo --help", NULL);
	return o->net.kind != NET_NONE;
}
