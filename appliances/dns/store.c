/*
 * A zone in one piece.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "appliances/dns/load.h"
#include "appliances/dns/show.h"
#include "appliances/dns/store.h"
#include "protocols/dns/zone_stored.h"
#include "unix/mrg_unix.h"

static int write_all(int fd, struct mrg_span left)
{
	while (left.len != 0) {
		const ssize_t n = write(fd, left.p, left.len);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			left = (struct mrg_span){ left.p + n, left.len - (size_t)n };
	}
	return 0;
}

static int write_file(const char *name, struct mrg_span octets)
{
	char temporary[4096];
	const int len = snprintf(temporary, sizeof temporary, "%s.new", name);
	if (len < 0 || (size_t)len >= sizeof temporary)
		return ENAMETOOLONG;
	const int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return errno;
	int err = write_all(fd, octets);
	if (close(fd) != 0 && err == 0)
		err = errno;
	if (err == 0 && rename(temporary, name) != 0)
		err = errno;
	if (err != 0)
		(void)unlink(temporary);
	return err;
}

enum outcome store(const struct options *o)
{
	const struct mrg_dns_zone *zone;
	struct mrg_arena arena, all;
	struct mrg_w w;
	size_t len;
	const enum outcome outcome = load_alone(o, &stderr_report, &arena, &zone);
	if (outcome != OUTCOME_OK)
		return outcome;
	const size_t cap = arena.len + MRG_DNS_ZONE_STORED_MORE;
	if (mrg_unix_arena_open(&all, cap, cap) != 0) {
		say("mrg-dns: not enough memory for the zone", NULL);
		return OUTCOME_SYSTEM;
	}
	mrg_w_init(&w, all.p, cap);
	mrg_dns_zone_store(&w, zone, &arena);
	if (mrg_w_finish(&w, &len) != MRG_OK) {
		say("mrg-dns: ", o->zones.list[0].file, ": too large to be stored", NULL);
		return OUTCOME_SYSTEM;
	}
	const int err = write_file(o->store, (struct mrg_span){ all.p, len });
	if (err != 0)
		say("mrg-dns: ", o->store, ": ", strerrordesc_np(err), NULL);
	return err == 0 ? OUTCOME_OK : OUTCOME_SYSTEM;
}
