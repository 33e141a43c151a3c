/*
 * bench/util.h - what the measuring programs share: message files, a clock,
 * pinning, medians, latencies.
 *
 * A message file is a row of messages, each after its length as two octets,
 * most significant first (the framing of DNS over TCP, RFC 1035 4.2.2).
 * What it does not do: anything for code under test; nothing here is linked
 * into the library or the appliances.
 */
#ifndef BENCH_UTIL_H
#define BENCH_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdnoreturn.h>

struct bench_msg {
	const uint8_t *p;
	size_t len;
};

/* What a reader makes of a message: whether it accepts it, and its fields added up. */
struct bench_reading {
	bool ok;
	uint64_t sum;
};

struct bench_msgs {
	struct bench_msg *m;
	size_t count;
};

/* Print `what` as printf does, and leave with exit code 2. */
noreturn void bench_die(const char *what, ...) __attribute__((format(printf, 1, 2)));

/* malloc that never returns NULL. */
void *bench_alloc(size_t size);

/*
 * Read a message file whole.  The messages stay until the program ends.
 */
struct bench_msgs bench_msgs_read(const char *path);

/* Append one message to a message file. */
void bench_msg_write(FILE *f, const uint8_t *p, size_t len);

/* A whole file, with a NUL after its last octet. */
uint8_t *bench_file_read(const char *path, size_t *len);

/* Monotonic time in nanoseconds. */
uint64_t bench_now_ns(void);

/* CPU time of this thread in nanoseconds: others' use of the core isn't in it. */
uint64_t bench_cpu_ns(void);

/* Run on this core only; core < 0 leaves it to the scheduler. */
void bench_pin(int core);

/* Sorts v and gives its median. */
double bench_median(double *v, size_t count);

/*
 * Time `pass`, which handles `count` messages: repeated for `ms` milliseconds
 * after one warm-up; the median of the passes, in nanoseconds of CPU time per message.
 */
double bench_time(void (*pass)(void *ctx), void *ctx, size_t count, unsigned ms);

enum {
	BENCH_HIST_SUB = 16, /* buckets in each power of two of nanoseconds */
	BENCH_HIST_COUNT = 40 * BENCH_HIST_SUB
};

/* Latencies, to about 6 %.  Zero-initialised. */
struct bench_hist {
	uint64_t bucket[BENCH_HIST_COUNT];
	uint64_t count, max_ns;
};

void bench_hist_add(struct bench_hist *h, uint64_t ns);

/* Members of a JSON object on standard output: "p50_us" to "p999_us", "max_us". */
void bench_hist_print(const struct bench_hist *h);

/* One result on standard output, for run.py: a name without tabs, a number. */
void bench_result(const char *name, double value);

/* The value must be computed: the compiler may not drop what it came from. */
static inline void bench_keep(uint64_t v) { __asm__ volatile("" : : "r"(v) : "memory"); }

#endif
