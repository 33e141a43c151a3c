/*
 * The command line of mrg-impair.
 * Reading order: the help text, numbers, options_read.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliances/common/args.h"
#include "appliances/common/say.h"
#include "appliances/impair/options.h"

static const char HELP[] =
	"usage: mrg-impair [options] INTERFACE INTERFACE\n"
	"\n"
	"Carries frames between two interfaces, as badly as wanted, until TERM or INT; then it says what it did.\n"
	"Both directions are alike. PERCENT may have decimals. The same seed gives the n-th frame the same fate.\n"
	"\n"
	"  --loss PERCENT                 frames that are lost, each by itself\n"
	"  --burst BEGIN,END[,LOSS]       percent of frames with which bad times begin, and end; lost in them (100)\n"
	"  --duplicate PERCENT            frames that arrive twice\n"
	"  --reorder PERCENT[,MS]         frames that take up to so much longer, and are overtaken (10)\n"
	"  --corrupt PERCENT              frames with one bit that is another\n"
	"  --truncate PERCENT             frames whose end is missing\n"
	"  --delay MS                     how long all take\n"
	"  --jitter MS                    and up to so much more; they stay in order\n"
	"  --rate KBIT                    kilobits a second\n"
	"  --queue BYTES                  that may wait for such a line; more is lost\n"
	"  --seed N                       the chances (1)\n"
	"  --help, --version              print this, or the version, and end\n"
	"\n"
	"Exit status: 0 ended as asked; 2 wrong usage; 3 an interface can't be had; 4 anything else that the system refused.\n";

static const char PROGRAM[] = "mrg-impair";

enum { ETHERNET = 14, LATE_MS = 10, MOST_MS = 1000000 };

enum choice {
	LOSS = 1,
	BURST,
	DUPLICATE,
	REORDER,
	CORRUPT,
	TRUNCATE,
	DELAY,
	JITTER,
	RATE,
	QUEUE,
	SEED,
	USAGE,
	VERSION
};

static const struct option LONG[] = {
	{ "loss", required_argument, NULL, LOSS },
	{ "burst", required_argument, NULL, BURST },
	{ "duplicate", required_argument, NULL, DUPLICATE },
	{ "reorder", required_argument, NULL, REORDER },
	{ "corrupt", required_argument, NULL, CORRUPT },
	{ "truncate", required_argument, NULL, TRUNCATE },
	{ "delay", required_argument, NULL, DELAY },
	{ "jitter", required_argument, NULL, JITTER },
	{ "rate", required_argument, NULL, RATE },
	{ "queue", required_argument, NULL, QUEUE },
	{ "seed", required_argument, NULL, SEED },
	{ "help", no_argument, NULL, USAGE },
	{ "version", no_argument, NULL, VERSION },
	{ NULL, 0, NULL, 0 },
};

/* ---- numbers ---- */

/* A decimal number, times `unit`, up to a comma or the end; moves *text behind the comma. */
static bool take_number(const char **text, double most, double unit, uint64_t *out)
{
	char *end;
	if (**text < '0' || **text > '9')
		return false;
	const double v = strtod(*text, &end);
	if ((*end != ',' && *end != '\0') || !(v >= 0 && v <= most))
		return false;
	*text = *end == ',' ? end + 1 : end;
	*out = (uint64_t)(v * unit + 0.5);
	return true;
}

static bool take_percent(const char **text, uint32_t *out)
{
	uint64_t ppm;
	if (!take_number(text, 100, MRG_RANDOM_MILLION / 100.0, &ppm))
		return false;
	*out = (uint32_t)ppm;
	return true;
}

static bool take_ms(const char **text, uint64_t *out) { return take_number(text, MOST_MS, 1e6, out); }

static bool take_burst(const char **text, struct mrg_impair_options *w)
{
	return take_percent(text, &w->burst_begin_ppm) && take_percent(text, &w->burst_end_ppm) &&
	       (**text == '\0' || take_percent(text, &w->burst_loss_ppm));
}

static bool take_reorder(const char **text, struct mrg_impair_options *w)
{
	return take_percent(text, &w->reorder_ppm) && (**text == '\0' || take_ms(text, &w->reorder_ns));
}

static bool take_queue(const char **text, struct mrg_impair_options *w)
{
	uint64_t len;
	if (!take_number(text, UINT32_MAX, 1, &len))
		return false;
	w->queue_len = (uint32_t)len;
	return true;
}

static bool take(struct options *o, enum choice which, const char *text)
{
	struct mrg_impair_options *const w = &o->way;
	bool good = false;
	switch (which) {
	case LOSS: good = take_percent(&text, &w->loss_ppm); break;
	case BURST: good = take_burst(&text, w); break;
	case DUPLICATE: good = take_percent(&text, &w->duplicate_ppm); break;
	case REORDER: good = take_reorder(&text, w); break;
	case CORRUPT: good = take_percent(&text, &w->corrupt_ppm); break;
	case TRUNCATE: good = take_percent(&text, &w->truncate_ppm); break;
	case DELAY: good = take_ms(&text, &w->delay_ns); break;
	case JITTER: good = take_ms(&text, &w->jitter_ns); break;
	case RATE: good = take_number(&text, 1e8, 1e3, &w->rate_bps); break;
	case QUEUE: good = take_queue(&text, w); break;
	case SEED: good = take_number(&text, 9e15, 1, &o->seed); break;
	case USAGE:
	case VERSION: break;
	}
	return good && *text == '\0';
}

/* ---- the whole ---- */

static bool take_devices(struct options *o, int count, char *name[])
{
	if (count != 2 || strcmp(name[0], name[1]) == 0) {
		say(PROGRAM, ": expected two interfaces; see mrg-impair --help", NULL);
		return false;
	}
	o->device[0] = name[0];
	o->device[1] = name[1];
	return true;
}

bool options_read(struct options *o, int argc, char *argv[], int *code)
{
	int which, index = 0;
	*o = (struct options){ .seed = 1, .way = { .truncate_least = ETHERNET } };
	o->way.reorder_ns = LATE_MS * UINT64_C(1000000);
	*code = OUTCOME_USAGE;
	while ((which = getopt_long(argc, argv, "", LONG, &index)) != -1) {
		if (which == '?')
			return false;
		if (which == USAGE || which == VERSION) {
			(void)fputs(which == USAGE ? HELP : "mrg-impair 0.1.0\n", stdout);
			*code = OUTCOME_OK;
			return false;
		}
		if (!take(o, (enum choice)which, optarg)) {
			say(PROGRAM, ": --", LONG[index].name, " ", optarg,
				": not a value of this option; see ", PROGRAM, " --help", NULL);
			return false;
		}
	}
	return take_devices(o, argc - optind, argv + optind);
}
