/*
 * mrg_fuzz_inside.h - what the parts of the in-process runner know of each other; its users need mrg_fuzz.h only.
 *
 * Parts: mrg_fuzz_main.c (options, and what is done with one file), mrg_fuzz_loop.c (cases without end), mrg_fuzz_catch.c (what befalls a
 * subject: signals, no end), mrg_fuzz_find.c (a find made smaller and kept), mrg_fuzz_exhaust.c (all inputs of a small scope), mrg_fuzz_files.c
 * (inputs that others have found).
 */
#ifndef MRG_FUZZ_INSIDE_H
#define MRG_FUZZ_INSIDE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>

#include "mrg_fuzz.h"
#include "mrg_fuzz_guard.h"

enum {
	MRG_FUZZ_FRAMES = 48,     /* of a stack */
	MRG_FUZZ_FINDS_MAX = 256, /* that one subject's run keeps */
	MRG_FUZZ_CORPUS = 256,    /* inputs to go on from */
	MRG_FUZZ_KEY = 96,
	MRG_FUZZ_WHY = 400
};

enum mrg_fuzz_mode { MRG_FUZZ_ALTERNATE, MRG_FUZZ_END, MRG_FUZZ_BEGIN };

struct mrg_fuzz_options {
	const char *program; /* how to start it again */
	const char *name;    /* of a subject; NULL: all */
	const char *folder;  /* of finds */
	const char *replay;     /* a folder, whose files are the cases; NULL */
	const char *points_out; /* a file for how often each point was reached; NULL */
	uint64_t execs;      /* 0: until time is up */
	uint64_t seconds;    /* 0: until execs are done */
	uint64_t seed;
	bool quiet, list, points;
	bool dry;   /* cases are drawn, not run: what making them costs */
	bool fresh; /* cases are made of nothing, as far as that can be done; none is changed */
	bool exhaust; /* all inputs of up to so many octets, then so many cases of longer ones */
	size_t exhaust_octets;
	uint64_t exhaust_cases;
	enum mrg_fuzz_mode mode;
	unsigned floor; /* percent of points */
	unsigned hang_ms;
	size_t make_count, make_rate;
	const char *make, *repro, *show, *shrink; /* a folder, files */
};

struct mrg_fuzz_octets {
	uint8_t *p;
	size_t len;
};

/* mrg_fuzz_catch.c */

/* Whose code runs. */
enum mrg_fuzz_where { MRG_FUZZ_IN_RUNNER, MRG_FUZZ_IN_MAKE, MRG_FUZZ_IN_MUTATE, MRG_FUZZ_IN_SMALLER, MRG_FUZZ_IN_RUN };

/* What befell a subject, as a handler of signals left it. */
struct mrg_fuzz_crash {
	int signal; /* SIGPROF, SIGALRM: it did not end */
	enum mrg_fuzz_where where;
	const void *address; /* that SIGSEGV or SIGBUS is about */
	const void *pc;
	bool stack_is_full;
	void *frames[MRG_FUZZ_FRAMES]; /* from the one that faulted */
	int frame_count;
};

struct mrg_fuzz_catcher {
	sigjmp_buf back; /* where the runner goes on; set by whoever calls a subject */
	volatile enum mrg_fuzz_where where;
	volatile uint64_t calls;
	struct mrg_fuzz_crash crash;
	volatile sig_atomic_t stop; /* SIGINT or SIGTERM came */
	const char *name;           /* of the subject */
	const struct mrg_guard *guard;
	void (*dying)(void); /* called when a sanitizer ends the process */
};

/* A process has one set of handlers, hence one of these. */
extern struct mrg_fuzz_catcher mrg_fuzz_catcher;

/* Before and after each call of a subject's function.  What takes hang_ms of the processor's time in one call does not end. */
static inline void mrg_fuzz_enter(enum mrg_fuzz_where where)
{
	mrg_fuzz_catcher.calls++;
	mrg_fuzz_catcher.where = where;
}

static inline void mrg_fuzz_leave(void) { mrg_fuzz_catcher.where = MRG_FUZZ_IN_RUNNER; }

void mrg_fuzz_catch_begin(unsigned hang_ms);

/*
 * The subject's functions, entered and left.  These are never inlined, so that a stack shows where the runner's frames begin.  What writes
 * more than it was given room for aborts, as a fault of its own.
 */
void mrg_fuzz_call_run(const struct mrg_fuzz_subject *s, const uint8_t *in, size_t len, struct mrg_fuzz_result *result);
size_t mrg_fuzz_call_make(const struct mrg_fuzz_subject *s, struct mrg_rng *rng, uint8_t *out);
size_t mrg_fuzz_call_mutate(const struct mrg_fuzz_subject *s, struct mrg_rng *rng, struct mrg_fuzz_octets in,
	struct mrg_fuzz_octets other, uint8_t *out);

/* A crash as a verdict: key and why. */
void mrg_fuzz_catch_say(const struct mrg_fuzz_crash *crash, struct mrg_fuzz_result *result);

/* Its stack, a line a frame, with functions and lines of files when addr2line is there. */
void mrg_fuzz_catch_stack(const struct mrg_fuzz_crash *crash, FILE *to);

/* One call of run with what befalls it caught.  True: it crashed, and result says so as a verdict.  mode isn't MRG_FUZZ_ALTERNATE. */
bool mrg_fuzz_once(const struct mrg_fuzz_subject *s, const struct mrg_guard *g, enum mrg_fuzz_mode mode, const uint8_t *in,
	size_t len, struct mrg_fuzz_result *result);

static inline const uint8_t *mrg_fuzz_place(const struct mrg_guard *g, enum mrg_fuzz_mode mode, const uint8_t *in, size_t len)
{
	return mode == MRG_FUZZ_BEGIN ? mrg_guard_begin(g, in, len) : mrg_guard_end(g, in, len);
}

/* mrg_fuzz_find.c */

struct mrg_fuzz_find {
	const struct mrg_fuzz_subject *subject;
	const struct mrg_guard *guard;
	const struct mrg_fuzz_options *options;
	enum mrg_fuzz_mode mode;
	struct mrg_fuzz_result result;
	struct mrg_fuzz_crash crash; /* signal 0: none */
	uint64_t exec;               /* the how manyth case it was */
	uint8_t *in;                 /* room for the subject's len_max */
	uint8_t *trial, *other;      /* likewise, to try smaller ones in */
	size_t len;
	bool tried, again; /* once more by itself, and the same came of it */
};

/* Makes it smaller as long as the key stays, and sets again. */
void mrg_fuzz_find_shrink(struct mrg_fuzz_find *f);

/* Its files, in a folder of its own, unless that is there already.  Says in folder where. */
bool mrg_fuzz_find_keep(const struct mrg_fuzz_find *f, char *folder, size_t cap);

/* FOLDER with those above it.  False: errno says why. */
bool mrg_fuzz_make_folder(const char *folder);

/* mrg_fuzz_files.c */

struct mrg_fuzz_files {
	const char *folder;
	struct dirent **names;
	int count, next;
};

/* The files of a folder by name, not those of folders in it.  False: errno says why. */
bool mrg_fuzz_files_open(struct mrg_fuzz_files *files, const char *folder);
void mrg_fuzz_files_close(struct mrg_fuzz_files *files);

/* The next one, cut where it has more than cap octets.  False: that were all. */
bool mrg_fuzz_files_next(struct mrg_fuzz_files *files, uint8_t *out, size_t cap, size_t *len);

/* mrg_fuzz_loop.c */

/* A run of one subject.  Returns false when there were finds, or too few points. */
bool mrg_fuzz_loop(const struct mrg_fuzz_subject *s, const struct mrg_fuzz_options *o);

size_t mrg_fuzz_points_reached(const struct mrg_fuzz_subject *s);
uint64_t mrg_fuzz_hash(const char *text);

#endif
