/*
 * mrg_fuzz_main.c - the in-process runner's options, and what is done with one file: shown, tried again, made smaller.
 *
 * Reading order: usage, mrg_fuzz_main, one function a thing to do.  mrg_fuzz_loop.c is what is done without any of them.
 */
#include "mrg_fuzz_inside.h"
#include "mrg_fuzz_exhaust.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: %s [OPTION...]\n"
	"  -s NAME         this subject (all, one after the other)\n"
	"  -E EXECS        end after so many cases; the same seed and number do the same each time\n"
	"  -T SECONDS      end after so long each (60, when -E is not given)\n"
	"  -S SEED         a number (1)\n"
	"  -o DIR          where finds are kept (finds)\n"
	"  -q              no lines of status\n"
	"  --end, --begin  all inputs end, or begin, at a page that is not there (they take turns)\n"
	"  --exhaust N     all inputs of up to N octets (3; at most 4) instead of inputs by chance, then longer ones:\n"
	"  --exhaust-cases N  so many (0) over an alphabet of octets that matter, and in windows of made inputs\n"
	"  --replay DIR    the files of a folder, each placed both ways, instead of inputs by chance\n"
	"  --fresh         all inputs are made of nothing, and none is changed\n"
	"  --dry           inputs are made and changed, and not run: for measuring\n"
	"  --hang MS       what takes so long of the processor's time does not end (1000)\n"
	"  --floor PERCENT fail when fewer points of the specification were reached\n"
	"  --points        print all points, and whether they were reached\n"
	"  --points-out FILE  add a line of JSON a subject: cases, finds, how many cases reached each point (mrg fuzz-report)\n"
	"  --list          print the subjects\n"
	"  --make N DIR    write N inputs that the subject made\n"
	"  --make-rate N   make 2 * N inputs: how many are accepted of the first N, and how fast the others are made\n"
	"  --show FILE     print an input as text\n"
	"  --repro FILE    run an input: 0 when nothing is wrong, else 1\n"
	"  --shrink FILE   write to FILE.small what is smaller and as wrong\n"
	"Ends with 1 when there were finds.\n";

enum {
	OPT_END = 256,
	OPT_BEGIN,
	OPT_EXHAUST,
	OPT_EXHAUST_CASES,
	OPT_HANG,
	OPT_DRY,
	OPT_FRESH,
	OPT_REPLAY,
	OPT_FLOOR,
	OPT_POINTS,
	OPT_POINTS_OUT,
	OPT_LIST,
	OPT_MAKE,
	OPT_MAKE_RATE,
	OPT_SHOW,
	OPT_REPRO,
	OPT_SHRINK
};

static const struct option options[] = {
	{ "end", no_argument, NULL, OPT_END },
	{ "begin", no_argument, NULL, OPT_BEGIN },
	{ "exhaust", required_argument, NULL, OPT_EXHAUST },
	{ "exhaust-cases", required_argument, NULL, OPT_EXHAUST_CASES },
	{ "replay", required_argument, NULL, OPT_REPLAY },
	{ "dry", no_argument, NULL, OPT_DRY },
	{ "fresh", no_argument, NULL, OPT_FRESH },
	{ "hang", required_argument, NULL, OPT_HANG },
	{ "floor", required_argument, NULL, OPT_FLOOR },
	{ "points", no_argument, NULL, OPT_POINTS },
	{ "points-out", required_argument, NULL, OPT_POINTS_OUT },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "make", required_argument, NULL, OPT_MAKE },
	{ "make-rate", required_argument, NULL, OPT_MAKE_RATE },
	{ "show", required_argument, NULL, OPT_SHOW },
	{ "repro", required_argument, NULL, OPT_REPRO },
	{ "shrink", required_argument, NULL, OPT_SHRINK },
	{ NULL, 0, NULL, 0 },
};

static bool number(const char *text, uint64_t max, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 0);
	if (errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *out <= max)
		return true;
	(void)fprintf(stderr, "not a number up to %" PRIu64 ": %s\n", max, text);
	return false;
}

/* The options that are numbers. */
static bool read_number(struct mrg_fuzz_options *o, int c, const char *text)
{
	uint64_t max = c == OPT_FLOOR ? 100 : c == OPT_EXHAUST ? MRG_FUZZ_EXHAUST_OCTETS : UINT32_MAX, n;
	if (c == 'E' || c == 'S' || c == OPT_EXHAUST_CASES)
		max = UINT64_MAX;
	if (!number(text, max, &n))
		return false;
	o->exhaust |= c == OPT_EXHAUST || c == OPT_EXHAUST_CASES;
	switch (c) {
	case 'E': o->execs = n; break;
	case 'T': o->seconds = n; break;
	case 'S': o->seed = n; break;
	case OPT_EXHAUST: o->exhaust_octets = (size_t)n; break;
	case OPT_EXHAUST_CASES: o->exhaust_cases = n; break;
	case OPT_HANG: o->hang_ms = (unsigned)n; break;
	case OPT_FLOOR: o->floor = (unsigned)n; break;
	case OPT_MAKE_RATE: o->make_rate = (size_t)n; break;
	default: o->make_count = (size_t)n; break;
	}
	return true;
}

static bool read_option(struct mrg_fuzz_options *o, int c, char *const *argv)
{
	switch (c) {
	case 's': o->name = optarg; return true;
	case 'o': o->folder = optarg; return true;
	case 'q': o->quiet = true; return true;
	case OPT_END: o->mode = MRG_FUZZ_END; return true;
	case OPT_BEGIN: o->mode = MRG_FUZZ_BEGIN; return true;
	case OPT_POINTS: o->points = true; return true;
	case OPT_POINTS_OUT: o->points_out = optarg; return true;
	case OPT_REPLAY: o->replay = optarg; return true;
	case OPT_DRY: o->dry = true; return true;
	case OPT_FRESH: o->fresh = true; return true;
	case OPT_LIST: o->list = true; return true;
	case OPT_SHOW: o->show = optarg; return true;
	case OPT_REPRO: o->repro = optarg; return true;
	case OPT_SHRINK: o->shrink = optarg; return true;
	case OPT_MAKE:
		o->make = argv[optind]; /* NULL when it is missing */
		return o->make != NULL && (optind++, read_number(o, c, optarg));
	case '?': return false;
	default: return read_number(o, c, optarg);
	}
}

static bool read_options(struct mrg_fuzz_options *o, int argc, char **argv)
{
	int c;
	optind = 1;
	while ((c = getopt_long(argc, argv, "s:E:T:S:o:q", options, NULL)) != -1)
		if (!read_option(o, c, argv))
			return false;
	if (o->execs == 0 && o->seconds == 0 && !o->exhaust && o->replay == NULL)
		o->seconds = 60;
	return optind == argc && !(o->exhaust && o->replay != NULL);
}

static const struct mrg_fuzz_subject *only(const struct mrg_fuzz_subject *const *subjects, const char *name)
{
	const struct mrg_fuzz_subject *found = NULL;
	for (; *subjects != NULL; subjects++)
		if (name == NULL ? found == NULL && subjects[1] == NULL
				 : strcmp((*subjects)->name, name) == 0)
			found = *subjects;
	if (found == NULL)
		(void)fprintf(stderr,
			name == NULL ? "which subject? (-s NAME, --list)\n" : "no subject %s (--list)\n",
			name);
	return found;
}

/* One file, with what a run of it needs. */
static bool load(struct mrg_fuzz_find *f, const char *name)
{
	const size_t max = f->subject->len_max;
	static struct mrg_guard guard;
	f->in = malloc(4 * max);
	if (f->in == NULL || !mrg_guard_open(&guard, max)) {
		(void)fprintf(stderr, "no memory\n");
		return false;
	}
	f->guard = mrg_fuzz_catcher.guard = &guard;
	f->trial = f->in + 2 * max;
	f->other = f->in + 3 * max;
	FILE *const from = fopen(name, "rb");
	if (from == NULL) {
		(void)fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return false;
	}
	f->len = fread(f->in, 1, max + 1, from);
	const bool good = ferror(from) == 0 && f->len <= max;
	(void)fclose(from);
	if (!good)
		(void)fprintf(stderr, "%s: can't be read, or has more than %zu octets\n", name, max);
	return good;
}

/* Both ways of placing it, or the one asked for.  True when something is wrong; then it is in f. */
static bool try_modes(struct mrg_fuzz_find *f)
{
	static const enum mrg_fuzz_mode modes[] = { MRG_FUZZ_END, MRG_FUZZ_BEGIN };
	const enum mrg_fuzz_mode want = f->options->mode;
	for (size_t i = 0; i < 2; i++) {
		if (want != MRG_FUZZ_ALTERNATE && want != modes[i])
			continue;
		f->mode = modes[i];
		f->crash.signal = 0;
		if (mrg_fuzz_once(f->subject, f->guard, f->mode, f->in, f->len, &f->result))
			f->crash = mrg_fuzz_catcher.crash;
		if (f->result.verdict == MRG_FUZZ_WRONG)
			return true;
	}
	return false;
}

static void say_result(const struct mrg_fuzz_find *f)
{
	static const char *const verdicts[] = { "accepted", "refused", "WRONG" };
	(void)printf("%s: %zu octets: %s\n", f->subject->name, f->len, verdicts[f->result.verdict]);
	if (f->result.verdict != MRG_FUZZ_WRONG)
		return;
	(void)printf("key: %s\nwhy: %s\n", f->result.key, f->result.why);
	(void)printf("input %s at a page that is not there\n", f->mode == MRG_FUZZ_BEGIN ? "begins" : "ends");
	mrg_fuzz_catch_stack(&f->crash, stdout);
}

static int do_repro(struct mrg_fuzz_find *f)
{
	if (!load(f, f->options->repro))
		return 2;
	const bool wrong = try_modes(f);
	say_result(f);
	return wrong ? 1 : 0;
}

static int do_show(struct mrg_fuzz_find *f)
{
	if (!load(f, f->options->show))
		return 2;
	f->subject->show(f->subject->ctx, mrg_guard_end(f->guard, f->in, f->len), f->len, stdout);
	return 0;
}

static int do_shrink(struct mrg_fuzz_find *f)
{
	char name[1024];
	if (!load(f, f->options->shrink))
		return 2;
	if (!try_modes(f)) {
		(void)fprintf(stderr, "%s: nothing is wrong with it\n", f->options->shrink);
		return 2;
	}
	const size_t before = f->len;
	mrg_fuzz_find_shrink(f);
	(void)snprintf(name, sizeof name, "%s.small", f->options->shrink);
	FILE *const to = fopen(name, "wb");
	const bool written = to != NULL && fwrite(f->in, 1, f->len, to) == f->len;
	if (to == NULL || fclose(to) != 0 || !written) {
		(void)fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return 2;
	}
	(void)printf("%s: %zu octets of %zu: %s\n", name, f->len, before, f->result.key);
	return 0;
}

static bool write_made(
	const struct mrg_fuzz_subject *s, const char *folder, size_t i, const uint8_t *p, size_t len)
{
	char name[1024];
	(void)snprintf(name, sizeof name, "%s/%s-%06zu", folder, s->name, i);
	FILE *const to = fopen(name, "wb");
	const bool written = to != NULL && fwrite(p, 1, len, to) == len;
	if (to != NULL && fclose(to) == 0 && written)
		return true;
	(void)fprintf(stderr, "%s: %s\n", name, strerror(errno));
	return false;
}

static bool do_make(const struct mrg_fuzz_subject *s, const struct mrg_fuzz_options *o)
{
	struct mrg_rng rng = mrg_rng_of(o->seed ^ mrg_fuzz_hash(s->name));
	uint8_t *const p = malloc(s->len_max);
	size_t made = 0;
	bool good = p != NULL && mrg_fuzz_make_folder(o->make);
	if (!good)
		(void)fprintf(stderr, "%s: no memory, or no such folder\n", o->make);
	/* A subject may fail to make one, but not nearly always. */
	for (size_t tries = 0; good && made < o->make_count && tries / 100 < o->make_count; tries++) {
		const size_t len = s->make(s->ctx, &rng, p, s->len_max);
		if (len != 0)
			good = write_made(s, o->make, made++, p, len);
	}
	free(p);
	if (good && made < o->make_count)
		(void)fprintf(stderr, "%s: only %zu made\n", s->name, made);
	return good && made == o->make_count;
}

/* Made and tried, so that what is new gets old, as in a long run; then only made, by the processor's time: others may have their share. */
static bool do_make_rate(const struct mrg_fuzz_subject *s, const struct mrg_fuzz_options *o)
{
	struct mrg_rng rng = mrg_rng_of(o->seed ^ mrg_fuzz_hash(s->name));
	uint8_t *const p = malloc(s->len_max);
	size_t made = 0, accepted = 0, octets = 0;
	if (p == NULL) {
		(void)fprintf(stderr, "%s: no memory\n", s->name);
		return false;
	}
	for (size_t i = 0; i < o->make_rate; i++) {
		struct mrg_fuzz_result result = { .verdict = MRG_FUZZ_REFUSED };
		const size_t len = s->make(s->ctx, &rng, p, s->len_max);
		if (len != 0)
			s->run(s->ctx, p, len, &result);
		made += len != 0;
		accepted += len != 0 && result.verdict == MRG_FUZZ_ACCEPTED;
	}
	const clock_t start = clock();
	for (size_t i = 0; i < o->make_rate; i++)
		octets += s->make(s->ctx, &rng, p, s->len_max);
	const double took = (double)(clock() - start) / CLOCKS_PER_SEC;
	free(p);
	(void)printf("%s: %zu made, %.1f %% accepted; %zu octets more in %.2f s, %.0f/s\n", s->name, made,
		made == 0 ? 0 : 100.0 * (double)accepted / (double)made, octets, took,
		took > 0 ? (double)o->make_rate / took : 0);
	return accepted != 0;
}

static void say_points(const struct mrg_fuzz_subject *s)
{
	for (size_t i = 0; i < s->point_count; i++)
		(void)printf("%s: %s: %s\n", s->name, s->reached[i] != 0 ? "reached" : "missing",
			s->point_name(s->ctx, i));
	for (size_t i = 0; i < s->never_count; i++)
		(void)printf("%s: %s\n", s->name, s->never[i]);
}

/* A proof that no input comes to a point is held against what inputs come to. */
static bool contradicts_itself(const struct mrg_fuzz_subject *s)
{
	bool any = false;
	for (size_t i = 0; i < s->never_count; i++) {
		if (s->reached[s->point_count + i] != 0)
			(void)printf("%s: reached, although: %s\n", s->name, s->never[i]);
		any = any || s->reached[s->point_count + i] != 0;
	}
	return any;
}

static bool do_subject(const struct mrg_fuzz_subject *s, const struct mrg_fuzz_options *o)
{
	if (o->make != NULL)
		return do_make(s, o);
	if (o->make_rate != 0)
		return do_make_rate(s, o);
	const bool good = mrg_fuzz_loop(s, o) && !contradicts_itself(s);
	if (o->points)
		say_points(s);
	return good;
}

static int do_subjects(const struct mrg_fuzz_subject *const *subjects, const struct mrg_fuzz_options *o)
{
	const struct mrg_fuzz_subject *const one = o->name == NULL ? NULL : only(subjects, o->name);
	bool good = true;
	if (o->name != NULL)
		return one == NULL ? 2 : do_subject(one, o) ? 0 : 1;
	for (; *subjects != NULL && mrg_fuzz_catcher.stop == 0; subjects++)
		good = do_subject(*subjects, o) && good;
	return good ? 0 : 1;
}

static int do_file(const struct mrg_fuzz_subject *const *subjects, const struct mrg_fuzz_options *o)
{
	struct mrg_fuzz_find f = { .subject = only(subjects, o->name), .options = o };
	int status = 2;
	if (f.subject == NULL)
		return status;
	if (o->repro != NULL)
		status = do_repro(&f);
	else
		status = o->show != NULL ? do_show(&f) : do_shrink(&f);
	free(f.in);
	return status;
}

int mrg_fuzz_main(const struct mrg_fuzz_subject *const *subjects, int argc, char **argv)
{
	static char self[1024];
	struct mrg_fuzz_options o = {
		.program = argv[0], .folder = "finds", .seed = 1, .hang_ms = 1000, .exhaust_octets = 3
	};
	if (!read_options(&o, argc, argv)) {
		(void)fprintf(stderr, usage, argv[0]);
		return 2;
	}
	for (size_t i = 0; o.list && subjects[i] != NULL; i++)
		(void)printf("%s\n", subjects[i]->name);
	if (o.list)
		return 0;
	/* So that a find can be had again from any folder. */
	if (readlink("/proc/self/exe", self, sizeof self - 1) > 0)
		o.program = self;
	mrg_fuzz_catch_begin(o.hang_ms);
	return o.repro != NULL || o.show != NULL || o.shrink != NULL ? do_file(subjects, &o)
								     : do_subjects(subjects, &o);
}
