/*
 * bench/change.c - a new version of a large zone from some changes, as an incremental transfer brings them.
 *
 *	change NAMES CHANGES [nsec]
 *
 * Builds a zone of NAMES names with an address each, and an NSEC record each if wanted; then makes versions of it, each from
 * CHANGES records deleted and as many added: half of them other addresses of names that stay, the others names that go and
 * come.  Prints the time of a version, from the first record said to the step of history; the median of some.
 *
 * Instructions: valgrind --tool=callgrind --toggle-collect=make_version ...
 */
#include "bench/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "protocols/dns/zone_change.h"

enum { VERSIONS = 9, A = 1, SOA = 6, NS = 2, NSEC = 47, IN = 1 };

static const uint8_t origin[] = "\4zone\4test";
static const struct mrg_span root = { (const uint8_t *)"", 1 };

static struct mrg_arena arena_of(size_t cap)
{
	void *const p =
		mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		bench_die("no memory");
	return (struct mrg_arena){ p, 0, cap };
}

static void check(enum mrg_status st, const struct mrg_dns_zone_error *why)
{
	if (st != MRG_OK)
		bench_die("status %d: %s", (int)st, mrg_dns_zone_fault_str(why->fault));
}

/* "hNUMBER.zone.test." */
static struct mrg_span owner_of(unsigned long number)
{
	static uint8_t wire[64];
	char label[24];
	const int len = snprintf(label, sizeof label, "h%lu", number);
	wire[0] = (uint8_t)len;
	memcpy(wire + 1, label, (size_t)len);
	memcpy(wire + 1 + len, origin, sizeof origin);
	return (struct mrg_span){ wire, 1u + (size_t)len + sizeof origin };
}

static struct mrg_span soa(uint32_t serial)
{
	static uint8_t rdata[22];
	struct mrg_w w;
	mrg_w_init(&w, rdata, sizeof rdata);
	mrg_dns_soa_put(&w, &(struct mrg_dns_soa_args){ .mname = root, .rname = root, .serial = serial });
	return mrg_w_span(&w, 0);
}

static struct mrg_span address(unsigned long number, unsigned version)
{
	static uint8_t ip[4];
	ip[0] = (uint8_t)version;
	ip[1] = (uint8_t)(number >> 16);
	ip[2] = (uint8_t)(number >> 8);
	ip[3] = (uint8_t)number;
	return (struct mrg_span){ ip, sizeof ip };
}

/* Whose next name does not matter here. */
static struct mrg_span nsec(void)
{
	static const uint8_t rdata[] = { 0, 0, 1, 0x40 };
	return (struct mrg_span){ rdata, sizeof rdata };
}

struct job {
	unsigned long names, changes;
	bool sign;
	struct mrg_arena nodes, scratch;
	const struct mrg_dns_zone *zone;
	const struct mrg_dns_step *newest;
	unsigned version;
};

static void build(struct job *j)
{
	static struct mrg_dns_zone_builder b;
	const struct mrg_span apex = { origin, sizeof origin };
	struct mrg_dns_zone_error why = { 0 };
	check(mrg_dns_zone_begin(&b, &j->nodes, apex), &why);
	check(mrg_dns_zone_add(&b, apex, SOA, IN, 60, soa(0), &why), &why);
	check(mrg_dns_zone_add(&b, apex, NS, IN, 60, root, &why), &why);
	if (j->sign)
		check(mrg_dns_zone_add(&b, apex, NSEC, IN, 60, nsec(), &why), &why);
	for (unsigned long i = 0; i < j->names; i++) {
		check(mrg_dns_zone_add(&b, owner_of(i), A, IN, 60, address(i, 0), &why), &why);
		if (j->sign)
			check(mrg_dns_zone_add(&b, owner_of(i), NSEC, IN, 60, nsec(), &why), &why);
	}
	check(mrg_dns_zone_finish(&b, &j->zone, &why), &why);
}

/* One change: number `i` of those of a version. */
static void say(struct job *j, struct mrg_dns_zone_change *c, unsigned long i)
{
	/* names far apart, others in each version: those that stay are even, those that go are odd */
	const unsigned long at = (i * 2654435761u + j->version * 40503u) % (j->names / 2) * 2;
	const unsigned long come = j->names + (unsigned long)j->version * j->changes + i;
	struct mrg_dns_zone_error why = { 0 };
	if (i % 2 == 0) { /* lenient: some name may come twice */
		check(mrg_dns_zone_change_delete_set(c, owner_of(at), A, &why), &why);
		check(mrg_dns_zone_change_add(c, owner_of(at), A, IN, 60, address(at, j->version), &why),
			&why);
		return;
	}
	check(mrg_dns_zone_change_delete_name(c, owner_of(at + 1), &why), &why);
	check(mrg_dns_zone_change_add(c, owner_of(come), A, IN, 60, address(come, 0), &why), &why);
	if (j->sign)
		check(mrg_dns_zone_change_add(c, owner_of(come), NSEC, IN, 60, nsec(), &why), &why);
}

static __attribute__((noinline)) void make_version(
	struct job *j, struct mrg_arena *tables, struct mrg_arena *history)
{
	static struct mrg_dns_zone_change c;
	const struct mrg_span apex = { origin, sizeof origin };
	struct mrg_dns_zone_error why = { 0 };
	check(mrg_dns_zone_change_begin(&c, j->zone, &j->nodes, tables, &j->scratch, false), &why);
	check(mrg_dns_zone_change_delete(&c, apex, SOA, IN, soa(j->version - 1), &why), &why);
	for (unsigned long i = 0; i < j->changes; i++)
		say(j, &c, i);
	check(mrg_dns_zone_change_add(&c, apex, SOA, IN, 60, soa(j->version), &why), &why);
	check(mrg_dns_zone_change_finish(&c, &j->zone, &why), &why);
	check(mrg_dns_zone_change_step(&c, history, j->newest, &j->newest), &why);
	mrg_dns_zone_change_end(&c);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		bench_die("change NAMES CHANGES [nsec]");
	struct job j = {
		.names = strtoul(argv[1], NULL, 10), .changes = strtoul(argv[2], NULL, 10), .sign = argc > 3
	};
	double ms[VERSIONS];
	if (j.names < 2)
		bench_die("too few names");
	j.nodes = arena_of((size_t)1 << 34);
	j.scratch = arena_of((size_t)1 << 32);
	build(&j);
	const size_t built = j.nodes.len;
	for (j.version = 1; j.version <= VERSIONS; j.version++) {
		struct mrg_arena tables = arena_of((size_t)1 << 30), history = arena_of((size_t)1 << 30);
		const uint64_t start = bench_cpu_ns();
		make_version(&j, &tables, &history);
		ms[j.version - 1] = (double)(bench_cpu_ns() - start) / 1e6;
	}
	printf("{\"names\": %lu, \"changes\": %lu, \"nsec\": %d, \"ms\": %.2f, \"octets_each\": %.0f}\n",
		j.names, j.changes, (int)j.sign, bench_median(ms, VERSIONS),
		(double)(j.nodes.len - built) / VERSIONS / (double)j.changes);
	return 0;
}
