/* bench/util.c - message files, a clock, pinning, medians, latencies: see util.h. */
#include "bench/util.h"

#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

void bench_die(const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	vfprintf(stderr, what, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

void *bench_alloc(size_t size)
{
	void *p = malloc(size ? size : 1u);

	if (!p)
		bench_die("out of memory: %zu bytes", size);
	return p;
}

uint8_t *bench_file_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");

	if (!f || fseek(f, 0, SEEK_END) != 0)
		bench_die("%s: cannot be read", path);
	long size = ftell(f);
	if (size < 0)
		bench_die("%s: has no size", path);
	rewind(f);
	uint8_t *p = bench_alloc((size_t)size + 1u);
	if (fread(p, 1, (size_t)size, f) != (size_t)size)
		bench_die("%s: short read", path);
	fclose(f);
	p[size] = 0;
	*len = (size_t)size;
	return p;
}

struct bench_msgs bench_msgs_read(const char *path)
{
	size_t len, count = 0, i = 0;
	const uint8_t *p = bench_file_read(path, &len);

	while (i + 2u <= len) {
		i += 2u + ((size_t)p[i] << 8 | p[i + 1]);
		count++;
	}
	if (i != len || count == 0)
		bench_die("%s: not a message file", path);
	struct bench_msgs out = { bench_alloc(count * sizeof *out.m), count };
	i = 0;
	for (size_t k = 0; k < count; k++) {
		size_t n = (size_t)p[i] << 8 | p[i + 1];
		out.m[k] = (struct bench_msg){ p + i + 2u, n };
		i += 2u + n;
	}
	return out;
}

void bench_msg_write(FILE *f, const uint8_t *p, size_t len)
{
	uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };

	if (fwrite(head, 1, 2, f) != 2 || fwrite(p, 1, len, f) != len)
		bench_die("cannot write the message file");
}

uint64_t bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bench_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void bench_pin(int core)
{
	cpu_set_t set;

	if (core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		bench_die("cannot run on core %d", core);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *v, size_t count)
{
	qsort(v, count, sizeof *v, by_value);
	return count % 2u ? v[count / 2u] : (v[count / 2u - 1u] + v[count / 2u]) / 2.0;
}

double bench_time(void (*pass)(void *ctx), void *ctx, size_t count, unsigned ms)
{
	enum { PASSES_MAX = 100000 };
	static double took[PASSES_MAX];
	size_t n = 0;

	pass(ctx);
	uint64_t from = bench_cpu_ns(), end = from + (uint64_t)ms * 1000000u;
	do {
		pass(ctx);
		uint64_t now = bench_cpu_ns();
		took[n++] = (double)(now - from) / (double)count;
		from = now;
	} while ((from < end || n < 3) && n < PASSES_MAX);
	return bench_median(took, n);
}

static size_t hist_bucket(uint64_t ns)
{
	if (ns < BENCH_HIST_SUB)
		return (size_t)ns;
	size_t top = 63u - (size_t)__builtin_clzll(ns); /* >= 4 */
	size_t b = (top - 3u) * BENCH_HIST_SUB + (size_t)((ns >> (top - 4u)) & (BENCH_HIST_SUB - 1u));
	return b < BENCH_HIST_COUNT ? b : BENCH_HIST_COUNT - 1u;
}

static uint64_t hist_value(size_t bucket)
{
	if (bucket < BENCH_HIST_SUB)
		return bucket;
	return (uint64_t)(BENCH_HIST_SUB + bucket % BENCH_HIST_SUB) << (bucket / BENCH_HIST_SUB - 1u);
}

void bench_hist_add(struct bench_hist *h, uint64_t ns)
{
	h->bucket[hist_bucket(ns)]++;
	h->count++;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

static double percentile_us(const struct bench_hist *h, double share)
{
	double want = share * (double)h->count, sum = 0;

	for (size_t i = 0; i < BENCH_HIST_COUNT; i++) {
		sum += (double)h->bucket[i];
		if (sum >= want && sum > 0)
			return (double)hist_value(i) / 1e3;
	}
	return 0;
}

void bench_hist_print(const struct bench_hist *h)
{
	printf("\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f",
		percentile_us(h, 0.5), percentile_us(h, 0.9), percentile_us(h, 0.99), percentile_us(h, 0.999),
		(double)h->max_ns / 1e3);
}

void bench_result(const char *name, double value) { printf("%s\t%.4f\n", name, value); }
