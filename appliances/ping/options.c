/*
 * The command line of mrg-ping.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "appliances/common/say.h"
#include "appliances/ping/ping.h"

static const char HELP[] =
	"usage: mrg-ping --net DEVICE[,WHAT]... [OPTION]... ADDRESS\n"
	"\n"
	"Sends ICMP echo requests from a TCP/IP of its own, and says what comes back.\n"
	"\n" NET_HELP "  -c COUNT                end after so many requests\n"
	"  -i SECONDS              from one request to the next, such as 0.2 (1)\n"
	"  -s SIZE                 octets of data, 0 to 65507 (56)\n"
	"  -W SECONDS              wait so long for a first reply, when the last request was sent (10)\n"
	"  -q                      only what came of it\n"
	"  --help, --version       print this, or the version, and end\n"
	"\n"
	"Exit status: 0 something was heard; 1 nothing was; 2 anything else.\n";

static const char VERSION[] = "mrg-ping 0.1.0\n";
static const char PROGRAM[] = "mrg-ping";

enum { COUNT_MAX = 100000000, NET = 256, HELP_OPTION, VERSION_OPTION };

static const struct option LONG[] = {
	{ "net", required_argument, NULL, NET },
	{ "help", no_argument, NULL, HELP_OPTION },
	{ "version", no_argument, NULL, VERSION_OPTION },
	{ NULL, 0, NULL, 0 },
};

static bool take_seconds(const char *option, const char *text, double least, uint64_t *out_ns)
{
	static const double most = 1e6;
	char *end;
	const double seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds >= least && seconds <= most)) {
		say(PROGRAM, ": ", option, " ", text, ": expected seconds, such as 0.2 or 5", NULL);
		return false;
	}
	*out_ns = (uint64_t)(seconds * (double)MRG_RT_SECOND_NS);
	return true;
}

static bool take_count(struct options *o, const char *text)
{
	unsigned count;
	if (!args_number(PROGRAM, "-c", text, 1, COUNT_MAX, &count))
		return false;
	o->count = count;
	return true;
}

static bool take_size(struct options *o, const char *text)
{
	unsigned size;
	if (!args_number(PROGRAM, "-s", text, 0, SIZE_MAX_4, &size))
		return false;
	o->size = size;
	return true;
}

static bool print(const char *text, int *code)
{
	(void)fputs(text, stdout);
	*code = fflush(stdout) == 0 ? PING_HEARD : PING_WRONG;
	return false;
}

static bool take(struct options *o, int option, const char *value, int *code)
{
	switch (option) {
	case 'c': return take_count(o, value);
	case 's': return take_size(o, value);
	case 'i': return take_seconds("-i", value, 0.001, &o->interval_ns);
	case 'W': return take_seconds("-W", value, 0, &o->patience_ns);
	case 'q': o->quiet = true; return true;
	case NET: return net_read(PROGRAM, value, &o->net);
	case HELP_OPTION: return print(HELP, code);
	case VERSION_OPTION: return print(VERSION, code);
	default: return false; /* getopt_long has said it */
	}
}

/* As people write it: without brackets. */
static bool read_bare6(const char *word, struct mrg_rt_addr *out)
{
	char text[MRG_RT_ADDR_TEXT_MAX + 2];
	const int len = snprintf(text, sizeof text, "[%s]", word);
	return len > 0 && (size_t)len < sizeof text && mrg_rt_addr_read(text, 0, out);
}

static bool take_address(struct options *o, int count, char *const words[])
{
	const char *wrong = NULL;
	if (count == 0)
		wrong = "no ADDRESS; see mrg-ping --help";
	else if (count > 1)
		wrong = "more than one ADDRESS";
	else if (o->net.kind == NET_NONE)
		wrong = "no --net DEVICE; see mrg-ping --help";
	else if (!mrg_rt_addr_read(words[0], 0, &o->to) && !read_bare6(words[0], &o->to))
		wrong = "not an ADDRESS; expected like 192.0.2.1 or 2001:db8::1";
	else if (o->to.port != 0)
		wrong = "an ADDRESS for ping has no port";
	if (wrong != NULL)
		say(PROGRAM, ": ", wrong, NULL);
	return wrong == NULL;
}

bool options_read(struct options *o, int argc, char *const argv[], int *code)
{
	int option;
	*code = PING_WRONG;
	*o = (struct options){
		.interval_ns = MRG_RT_SECOND_NS, .patience_ns = 10u * MRG_RT_SECOND_NS, .size = SIZE_USUAL
	};
	while ((option = getopt_long(argc, argv, "c:s:i:W:q", LONG, NULL)) != -1)
		if (!take(o, option, optarg, code))
			return false;
	return take_address(o, argc - optind, argv + optind);
}
