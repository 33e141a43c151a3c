/*
 * mrg_fuzz_loop.c - cases of one subject, one after the other, as fast as can be.
 *
 * A case costs no system call and no allocation; the clock is read once a batch.  What is drawn goes by the seed and what cases came to,
 * never by time, so the same seed makes the same cases.
 */
#include "mrg_fuzz_inside.h"
#include "mrg_fuzz_exhaust.h"
#include "mrg_fuzz_havoc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	CRASHES_MAX = 100000, /* of a run, those known already too: each may leak, see mrg_fuzz_catch.c */
	HANGS_MAX = 20,       /* likewise: each takes long */
	EARLY = 16384,        /* cases */
	MADE_EARLY =
		3, /* of a number by chance, the bits that are 0 where one is made from nothing: one in 4 */
	MADE = 0x4000000f, /* one in 32 */
	HUGE = 1024,       /* octets of an input */
	HUGE_OF = 64,      /* one in so many of those that are drawn is gone on from */
	BATCH_MAX = 4096,  /* cases between looks at the clock */
	AHEAD_MAX =
		64, /* cases that are drawn before they are run: what draws and what runs have caches for themselves */
	BESIDE =
		320, /* octets between inputs that are kept, so that they do not all begin in the same lines of a cache */
	NEW_SLOTS =
		128, /* of the corpus: inputs that reached a point first; the others are accepted ones by chance */
	NAMES = 3 /* of points in the line of status */
};

struct loop {
	const struct mrg_fuzz_subject *s;
	const struct mrg_fuzz_options *o;
	struct mrg_guard guard; /* the case as it is run */
	struct mrg_guard room;  /* the case as it is drawn: who writes more than there is room for faults */
	struct mrg_rng rng;
	struct mrg_fuzz_octets corpus[MRG_FUZZ_CORPUS]; /* NEW_SLOTS, then the others */
	size_t new_count, other_count;                  /* ever put in: more than there are slots */
	struct mrg_fuzz_exhaust *exhaust;               /* all of them in turn instead; NULL: by chance */
	struct mrg_fuzz_files files;                    /* likewise */
	bool done;                                      /* those were all */
	uint8_t *in;                                    /* the case, at the end of room */
	size_t len;
	struct mrg_fuzz_octets
		ahead[AHEAD_MAX]; /* cases that are drawn; ahead_n of them, of which ahead_at were run */
	size_t ahead_n, ahead_at;
	uint8_t *seen;    /* points reached before */
	size_t missing;   /* points */
	uint64_t *counts; /* of each point, cases that reached it; NULL: nobody asks */
	uint8_t *before;  /* points reached before the case at hand, while they are counted */
	uint64_t execs, accepted, batch;
	uint64_t octets;   /* of all cases */
	uint64_t parts;    /* of cases before this loop's */
	uint64_t last_new; /* the case that reached a point first, the last time that one did */
	uint64_t crashes, hangs;
	struct mrg_fuzz_result result;
	uint64_t keys[MRG_FUZZ_FINDS_MAX]; /* of finds, as hashes */
	size_t find_count;
	uint64_t left_out; /* finds that there was no room for */
	struct mrg_fuzz_find find;
	uint64_t start_ns, status_ns, find_ns;
	uint64_t status_execs;
};

static uint64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

size_t mrg_fuzz_points_reached(const struct mrg_fuzz_subject *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->point_count; i++)
		n += s->reached[i] != 0;
	return n;
}

/* Corpus. */

/* Keeps the case at hand. */
static void put_at(const struct loop *l, struct mrg_fuzz_octets *to)
{
	memcpy(to->p, l->in, l->len);
	to->len = l->len;
}

/* When all slots are taken, the oldest but the first gives way: that one is where all began. */
static void keep_new(struct loop *l)
{
	const size_t n = l->new_count++;
	put_at(l, &l->corpus[n < NEW_SLOTS ? n : 1 + (n - NEW_SLOTS) % (NEW_SLOTS - 1)]);
}

static void keep_other(struct loop *l)
{
	const size_t n = l->other_count++;
	put_at(l, &l->corpus[NEW_SLOTS + n % (MRG_FUZZ_CORPUS - NEW_SLOTS)]);
}

static const struct mrg_fuzz_octets *any_entry(struct loop *l)
{
	const size_t others_max = MRG_FUZZ_CORPUS - NEW_SLOTS;
	const size_t news = l->new_count < NEW_SLOTS ? l->new_count : NEW_SLOTS;
	const size_t others = l->other_count < others_max ? l->other_count : others_max;
	const size_t i = (size_t)mrg_rng_below(&l->rng, news + others);
	return &l->corpus[i < news ? i : NEW_SLOTS + i - news];
}

/* The smallest of a few: what is small takes little time, and all of it matters.  What is huge is left alone most of the time. */
static const struct mrg_fuzz_octets *small_entry(struct loop *l)
{
	const struct mrg_fuzz_octets *e = any_entry(l);
	for (unsigned i = 0; e->len > HUGE && i < 8 && mrg_rng_below(&l->rng, HUGE_OF) != 0; i++)
		e = any_entry(l);
	for (uint64_t i = mrg_rng_below(&l->rng, 8); i < 6; i += 2) {
		const struct mrg_fuzz_octets *const other = any_entry(l);
		e = other->len < e->len ? other : e;
	}
	return e;
}

/* Cases. */

static void draw_changed(struct loop *l)
{
	const struct mrg_fuzz_octets from = *small_entry(l), other = *small_entry(l);
	l->len = mrg_fuzz_call_mutate(l->s, &l->rng, from, other, l->in);
	if (l->len != 0)
		return;
	memcpy(l->in, from.p, from.len);
	l->len = mrg_fuzz_havoc(&l->rng, l->in, from.len, l->s->len_max);
}

static void draw_by_chance(struct loop *l)
{
	const uint64_t dice = mrg_rng_next(&l->rng) >> 32;
	/* At first much that is new, so that all is there to be changed, which costs less and goes on from what was seen. */
	const bool made = l->o->fresh || (dice & (l->execs < EARLY ? MADE_EARLY : MADE)) == 0;
	l->len = made ? mrg_fuzz_call_make(l->s, &l->rng, l->in) : 0;
	if (l->len == 0)
		draw_changed(l);
	if (!l->o->fresh && dice / 16 % 16 == 0)
		l->len = mrg_fuzz_havoc(&l->rng, l->in, l->len, l->s->len_max);
}

/* False: there are no more. */
static bool draw(struct loop *l)
{
	if (l->exhaust == NULL && l->o->replay == NULL)
		draw_by_chance(l);
	else if (l->o->replay != NULL) /* each both ways, as mode_now has it */
		l->done = l->execs % 2 == 1 && !mrg_fuzz_files_next(&l->files, l->in, l->s->len_max, &l->len);
	else if (!mrg_fuzz_exhaust_next(l->exhaust, l->in, &l->len))
		l->done = true;
	return !l->done;
}

/* One at a time as long as what is drawn goes by what the case before came to. */
static size_t ahead_of(const struct loop *l)
{
	return l->exhaust == NULL && l->o->replay == NULL && l->missing == 0 ? AHEAD_MAX : 1;
}

/* The next case.  False: there are no more. */
static bool take(struct loop *l)
{
	if (l->ahead_at == l->ahead_n) {
		l->ahead_at = l->ahead_n = 0;
		while (l->ahead_n < ahead_of(l) && draw(l))
			put_at(l, &l->ahead[l->ahead_n++]);
		if (l->ahead_n == 0)
			return false;
	}
	const struct mrg_fuzz_octets *const next = &l->ahead[l->ahead_at++];
	l->len = next->len;
	memcpy(l->in, next->p, next->len);
	return true;
}

static enum mrg_fuzz_mode mode_now(const struct loop *l)
{
	if (l->o->mode != MRG_FUZZ_ALTERNATE)
		return l->o->mode;
	if (l->o->exhaust)
		return MRG_FUZZ_END; /* each input once, and most that is wrong with small ones goes too far */
	return l->execs % 2 == 0 ? MRG_FUZZ_BEGIN : MRG_FUZZ_END; /* counted from 1 */
}

static void look_at_points(struct loop *l)
{
	const size_t n = l->s->point_count;
	if (l->missing == 0 || memcmp(l->seen, l->s->reached, n) == 0)
		return;
	const size_t missing = n - mrg_fuzz_points_reached(l->s);
	memcpy(l->seen, l->s->reached, n);
	if (missing < l->missing) {
		keep_new(l);
		l->last_new = l->execs;
	}
	l->missing = missing;
}

/* What the case at hand reached, and then what all have reached. */
static void count_points(struct loop *l)
{
	for (size_t i = 0; i < l->s->point_count; i++) {
		l->counts[i] += l->s->reached[i] != 0;
		l->s->reached[i] |= l->before[i];
	}
}

/* Makers go by what was reached, so that counting must not change it between cases. */
static void run_counted(struct loop *l, const uint8_t *in)
{
	memcpy(l->before, l->s->reached, l->s->point_count);
	memset(l->s->reached, 0, l->s->point_count);
	mrg_fuzz_call_run(l->s, in, l->len, &l->result);
	count_points(l);
}

/* Up to n cases, fewer when one is a find.  Returns whether one is. */
static bool run_batch(struct loop *l, uint64_t n)
{
	for (; n != 0; n--) {
		l->execs++;
		if (!take(l)) {
			l->execs--;
			break;
		}
		l->octets += l->len;
		const uint8_t *const in = mrg_fuzz_place(&l->guard, mode_now(l), l->in, l->len);
		l->result.verdict = MRG_FUZZ_REFUSED;
		if (l->o->dry)
			l->result.verdict = MRG_FUZZ_ACCEPTED; /* so that it may be gone on from */
		else if (l->counts == NULL)
			mrg_fuzz_call_run(l->s, in, l->len, &l->result);
		else
			run_counted(l, in);
		look_at_points(l);
		if (l->result.verdict == MRG_FUZZ_WRONG)
			return true;
		if (l->result.verdict != MRG_FUZZ_ACCEPTED)
			continue;
		l->accepted++;
		if (mrg_rng_next(&l->rng) >> 58 == 0)
			keep_other(l);
	}
	return false;
}

/* Finds. */

static bool is_known(const struct loop *l, uint64_t key)
{
	for (size_t i = 0; i < l->find_count; i++)
		if (l->keys[i] == key)
			return true;
	return false;
}

static void say_find(const struct loop *l, const struct mrg_fuzz_find *f)
{
	char folder[1100];
	if (!mrg_fuzz_find_keep(f, folder, sizeof folder)) {
		(void)fprintf(stderr, "%s: a find could not be kept under '%s'\n", l->s->name, l->o->folder);
		(void)snprintf(folder, sizeof folder, "not kept");
	}
	(void)printf("find %s: %s: %s: %s (case %" PRIu64 ", %zu octets)\n", l->s->name, f->result.key,
		f->result.why, folder, f->exec, f->len);
	(void)fflush(stdout);
}

/* Of cases that are not run, all points are reached: makers do then what they do most of the time.  In the end none was. */
static void pretend_points(const struct loop *l, bool reached)
{
	if (l->o->dry && l->s->point_count != 0)
		memset(l->s->reached, reached, l->s->point_count);
}

/* What a crash, or the trying of smaller inputs, reached on its way is no merit of the next case. */
static void forget_points(struct loop *l)
{
	if (l->s->point_count != 0)
		memcpy(l->seen, l->s->reached, l->s->point_count);
	l->missing = l->s->point_count - mrg_fuzz_points_reached(l->s);
}

/* The case that is in l is a find. */
static void take_find(struct loop *l, bool crashed)
{
	struct mrg_fuzz_find *const f = &l->find;
	l->result.key[sizeof l->result.key - 1] = '\0';
	l->result.why[sizeof l->result.why - 1] = '\0';
	const uint64_t key = mrg_fuzz_hash(l->result.key);
	if (is_known(l, key))
		return;
	l->find_ns = now_ns();
	if (l->find_count == MRG_FUZZ_FINDS_MAX) {
		l->left_out++;
		return;
	}
	l->keys[l->find_count++] = key;
	f->mode = mode_now(l);
	f->result = l->result;
	f->exec = l->execs;
	f->crash.signal = 0;
	f->len = l->len;
	f->tried = f->again = false;
	memcpy(f->in, l->in, l->len);
	if (crashed)
		f->crash = mrg_fuzz_catcher.crash;
	/* What befell the making of an input has none that could be tried again. */
	if (!crashed || f->crash.where == MRG_FUZZ_IN_RUN)
		mrg_fuzz_find_shrink(f);
	say_find(l, f);
}

static void take_crash(struct loop *l)
{
	const struct mrg_fuzz_crash *const c = &mrg_fuzz_catcher.crash;
	l->crashes++;
	l->hangs += c->signal == SIGPROF || c->signal == SIGALRM;
	if (c->where != MRG_FUZZ_IN_RUN)
		l->len = 0;
	else if (l->counts != NULL)
		count_points(l);
	mrg_fuzz_catch_say(c, &l->result);
	take_find(l, true);
}

/* A line at the end of the file that was asked for. */
static void put_points(const struct loop *l)
{
	FILE *const to = l->counts != NULL ? fopen(l->o->points_out, "a") : NULL;
	if (l->counts == NULL)
		return;
	if (to == NULL) {
		(void)fprintf(stderr, "%s: can't be written\n", l->o->points_out);
		return;
	}
	(void)fprintf(to,
		"{\"subject\": \"%s\", \"seed\": %" PRIu64 ", \"execs\": %" PRIu64 ", \"accepted\": %" PRIu64
		", \"ns\": %" PRIu64,
		l->s->name, l->o->seed, l->execs, l->accepted, now_ns() - l->start_ns);
	(void)fprintf(to, ", \"finds\": %zu, \"crashes\": %" PRIu64 ", \"hangs\": %" PRIu64 ", \"points\": [",
		l->find_count, l->crashes, l->hangs);
	for (size_t i = 0; i < l->s->point_count; i++)
		(void)fprintf(to, "%s%" PRIu64, i == 0 ? "" : ", ", l->counts[i]);
	(void)fprintf(to, "]}\n");
	if (fclose(to) != 0)
		(void)fprintf(stderr, "%s: can't be written\n", l->o->points_out);
}

/* The loop that a sanitizer is about to end. */
static struct loop *dying;

static void keep_last(void)
{
	struct loop *const l = dying;
	mrg_fuzz_catch_say(&mrg_fuzz_catcher.crash, &l->result);
	l->find = (struct mrg_fuzz_find){ .subject = l->s,
		.guard = &l->guard,
		.options = l->o,
		.mode = mode_now(l),
		.result = l->result,
		.crash = mrg_fuzz_catcher.crash,
		.exec = l->execs,
		.in = l->in,
		.len = l->len };
	say_find(l, &l->find);
	l->find_count++;
	put_points(l);
}

/* Lines. */

static void say_missing(const struct loop *l, FILE *to)
{
	size_t said = 0;
	for (size_t i = 0; i < l->s->point_count && said < NAMES; i++)
		if (l->s->reached[i] == 0)
			(void)fprintf(to, "%s%s", said++ == 0 ? ", missing: " : "; ",
				l->s->point_name(l->s->ctx, i));
	if (l->missing > said)
		(void)fprintf(to, "; %zu more", l->missing - said);
}

static double percent(uint64_t part, uint64_t all)
{
	return all == 0 ? 0 : 100.0 * (double)part / (double)all;
}

static double rate(uint64_t execs, uint64_t ns) { return ns == 0 ? 0 : (double)execs * 1e9 / (double)ns; }

static void say_status(struct loop *l, uint64_t now)
{
	if (l->o->quiet || now - l->status_ns < 2000000000u)
		return;
	char of[64] = "";
	if (l->exhaust != NULL)
		(void)snprintf(of, sizeof of, " of %" PRIu64, mrg_fuzz_exhaust_count(l->exhaust));
	(void)fprintf(stderr, "%s: %" PRIu64 "%s execs, %.0f/s, %.1f %% accepted, spec %zu/%zu", l->s->name,
		l->execs, of, rate(l->execs - l->status_execs, now - l->status_ns),
		percent(l->accepted, l->execs), l->s->point_count - l->missing, l->s->point_count);
	say_missing(l, stderr);
	(void)fprintf(stderr, ", %zu finds", l->find_count);
	if (l->find_ns != 0)
		(void)fprintf(stderr, ", the last %" PRIu64 " s ago", (now - l->find_ns) / 1000000000u);
	(void)fputc('\n', stderr);
	l->status_ns = now;
	l->status_execs = l->execs;
}

/* What there was to be tried, and whether it was. */
static void say_scope(const struct loop *l)
{
	const struct mrg_fuzz_exhaust *const e = l->exhaust;
	(void)printf("%s: %s%" PRIu64 " inputs of up to %zu octets", l->s->name,
		l->done ? "all " : "not all of ", e->count[MRG_FUZZ_ALL_OCTETS],
		e->len_max[MRG_FUZZ_ALL_OCTETS]);
	(void)printf(", %" PRIu64 " of up to %zu over an alphabet, %" PRIu64 " in windows of made ones\n",
		e->count[MRG_FUZZ_ALPHABET], e->len_max[MRG_FUZZ_ALPHABET], e->count[MRG_FUZZ_WINDOWS]);
}

/* MB of memory that this program has had at most; getrusage counts that of who began it, too.  0: nobody says. */
static unsigned long memory_max(void)
{
	static const char name[] = "VmHWM:"; /* KB */
	char line[128];
	unsigned long most = 0;
	FILE *const f = fopen("/proc/self/status", "r");
	if (f == NULL)
		return 0;
	while (most == 0 && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, name, sizeof name - 1) == 0)
			most = strtoul(line + sizeof name - 1, NULL, 10);
	(void)fclose(f);
	return most / 1024;
}

static void say_end(const struct loop *l)
{
	const uint64_t took = now_ns() - l->start_ns;
	if (l->exhaust != NULL)
		say_scope(l);
	(void)printf("%s: %" PRIu64 " execs, %.1f %% accepted, spec %zu/%zu", l->s->name, l->execs,
		percent(l->accepted, l->execs), l->s->point_count - l->missing, l->s->point_count);
	say_missing(l, stdout);
	(void)printf(
		", %zu finds, %" PRIu64 " crashes, %" PRIu64 " hangs", l->find_count, l->crashes, l->hangs);
	if (l->left_out != 0)
		(void)printf(", %" PRIu64 " finds more than can be kept", l->left_out);
	if (l->crashes >= CRASHES_MAX || l->hangs >= HANGS_MAX)
		(void)printf(", ended early by so many");
	const double cases = l->execs == 0 ? 1 : (double)l->execs;
	(void)printf("; %.0f octets", (double)l->octets / cases);
	if (l->s->parts != NULL)
		(void)printf(", %.1f %s", (double)(*l->s->part_count - l->parts) / cases, l->s->parts);
	(void)printf(
		" a case; %lu MB; %.1f s, %.0f/s\n", memory_max(), (double)took / 1e9, rate(l->execs, took));
	(void)fflush(stdout);
}

/* The run. */

/* The memory of a run: the corpus takes what its inputs take, since pages that are not written to are not there. */
static bool open_loop(struct loop *l)
{
	const size_t max = l->s->len_max;
	const size_t each = max + BESIDE;
	uint8_t *const corpus = malloc((MRG_FUZZ_CORPUS + AHEAD_MAX) * each);
	uint8_t *const trials = malloc(3 * max);
	l->seen = calloc(l->s->point_count + 1, 1);
	/* What there was no memory for ends the program; so nothing is given back here. */
	if (corpus == NULL || trials == NULL || l->seen == NULL || !mrg_guard_open(&l->guard, max) ||
		!mrg_guard_open(&l->room, max))
		return false;
	for (size_t i = 0; i < MRG_FUZZ_CORPUS; i++)
		l->corpus[i].p = corpus + i * each;
	for (size_t i = 0; i < AHEAD_MAX; i++)
		l->ahead[i].p = corpus + (MRG_FUZZ_CORPUS + i) * each;
	l->in = mrg_guard_room_end(&l->room, max);
	if (l->o->replay != NULL && !mrg_fuzz_files_open(&l->files, l->o->replay))
		return false;
	if (l->o->points_out != NULL) {
		l->counts = calloc(l->s->point_count + 1, sizeof l->counts[0]);
		l->before = calloc(l->s->point_count + 1, 1);
		if (l->counts == NULL || l->before == NULL)
			return false;
	}
	if (l->o->exhaust) {
		l->exhaust = malloc(sizeof *l->exhaust);
		if (l->exhaust == NULL)
			return false;
		mrg_fuzz_exhaust_begin(l->exhaust, l->s, l->o->seed ^ mrg_fuzz_hash(l->s->name),
			l->o->exhaust_octets, l->o->exhaust_cases);
	}
	l->find = (struct mrg_fuzz_find){ .subject = l->s,
		.guard = &l->guard,
		.options = l->o,
		.in = trials,
		.trial = trials + max,
		.other = trials + 2 * max };
	return true;
}

static void close_loop(struct loop *l)
{
	mrg_guard_close(&l->guard);
	mrg_guard_close(&l->room);
	free(l->corpus[0].p);
	free(l->find.in);
	free(l->seen);
	free(l->exhaust);
	mrg_fuzz_files_close(&l->files);
	free(l->counts);
	free(l->before);
}

static bool ended(const struct loop *l, uint64_t now)
{
	const struct mrg_fuzz_options *const o = l->o;
	return mrg_fuzz_catcher.stop != 0 || l->done || l->crashes >= CRASHES_MAX || l->hangs >= HANGS_MAX ||
	       (o->execs != 0 && l->execs >= o->execs) ||
	       (o->seconds != 0 && now - l->start_ns >= o->seconds * 1000000000u);
}

/* A batch, and what came of it.  A batch ends with a find, so that the place to come back to is set anew after other code ran. */
static void step(struct loop *l)
{
	const uint64_t left = l->o->execs == 0 ? l->batch : l->o->execs - l->execs;
	if (sigsetjmp(mrg_fuzz_catcher.back, 1) != 0)
		take_crash(l);
	else if (run_batch(l, left < l->batch ? left : l->batch))
		take_find(l, false);
	else
		return;
	forget_points(l);
}

static void run_all(struct loop *l)
{
	uint64_t now = now_ns();
	l->start_ns = l->status_ns = now;
	l->batch = 16;
	while (!ended(l, now)) {
		const uint64_t before = now;
		step(l);
		now = now_ns();
		say_status(l, now);
		/* Slow subjects get smaller batches, so that time and status are looked at in time. */
		if (now - before < 5000000u && l->batch < BATCH_MAX)
			l->batch *= 2;
		else if (now - before > 50000000u && l->batch > 1)
			l->batch /= 2;
	}
}

bool mrg_fuzz_loop(const struct mrg_fuzz_subject *s, const struct mrg_fuzz_options *o)
{
	struct loop *const l = calloc(1, sizeof *l);
	if (l == NULL)
		return false;
	l->s = s;
	l->o = o;
	l->parts = s->parts != NULL ? *s->part_count : 0;
	/* By the name as well, so that a subject alone does what it does among others. */
	l->rng = mrg_rng_of(o->seed ^ mrg_fuzz_hash(s->name));
	if (!open_loop(l)) {
		(void)fprintf(
			stderr, "%s: no memory%s\n", s->name, o->replay != NULL ? ", or no such folder" : "");
		exit(2);
	}
	pretend_points(l, true);
	forget_points(l);
	mrg_fuzz_catcher.guard = &l->guard;
	mrg_fuzz_catcher.dying = keep_last;
	dying = l;
	l->in[0] = 0;
	l->len = 1;
	keep_new(l); /* one octet is what all begins with */
	run_all(l);
	pretend_points(l, false);
	forget_points(l);
	say_end(l);
	put_points(l);
	if (o->points)
		(void)printf("%s: the last new point after %" PRIu64 " cases\n", s->name, l->last_new);
	const bool good = l->find_count == 0 &&
			  (s->point_count - l->missing) * 100 >= (size_t)o->floor * s->point_count;
	mrg_fuzz_catcher.guard = NULL;
	mrg_fuzz_catcher.dying = NULL;
	close_loop(l);
	free(l);
	return good;
}
