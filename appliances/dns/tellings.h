/*
 * tellings.h - NOTIFY to those who keep copies of a zone: said again until it is heard, or often enough.
 *
 * References: RFC 1996 3.3 to 3.6.
 *
 * What it does not do: it does not know when a zone has changed.
 */
#ifndef MRG_DNS_TELLINGS_H
#define MRG_DNS_TELLINGS_H

#include "appliances/dns/outward.h"
#include "appliances/dns/version.h"

enum { TELLINGS_MAX = 512, TELLING_OCTETS = 1200 };

/* Somebody is being told. */
struct telling {
	struct tellings *all;
	struct mrg_rt_timer again;
	size_t origin_len; /* of the zone that has changed; 0: nobody is told */
	uint8_t origin[MRG_DNS_MAX_NAME];
	struct mrg_rt_addr to;
	unsigned tries;
	uint16_t id;
	size_t len;
	uint8_t message[TELLING_OCTETS];
};

struct tellings {
	struct outward *outward;
	struct mrg_rt_timers *timers;
	struct telling *list; /* TELLINGS_MAX of them */
	uint64_t sent, heard, given_up; /* for figures */
};

size_t tellings_memory(void);

/* tellings_init - nobody is told yet.   false: the arena is too small */
bool tellings_init(struct tellings *t, struct outward *outward, struct mrg_arena *arena, struct mrg_rt_timers *timers);

/* tellings_begin - tell all who are to be told of this version; what they are being told of one before it is given up. */
void tellings_begin(struct tellings *t, const struct served *z, uint64_t now_ns);

/* tellings_end - nobody is told of this zone any more. */
void tellings_end(struct tellings *t, struct mrg_span origin);

/* tellings_take - is this what one of them has answered? */
bool tellings_take(struct tellings *t, const struct mrg_rt_addr *peer, struct mrg_span message);

#endif
