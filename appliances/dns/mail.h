/*
 * mail.h - what a worker hands on to the manager, and the manager's replies to it: NOTIFY and UPDATE, which change zones. Where the worker
 * has the network (--net), the manager's own datagrams and connections, too (relay.h).
 *
 * Letters are of a fixed number; when all are under way, whoever wants one more says so to its client. Only who hands on or answers takes
 * the lock: questions never do.
 *
 * Use:
 *	struct letter *l = mail_take(&mail);	(NULL: as many as may be are under way)
 *	... fill it ...
 *	mail_post(&mail, &mail.to_manager, l);	and wake its loop
 *	while ((l = mail_next(&mail, &mail.to_manager)) != NULL) { ... mail_give(&mail, l); }
 */
#ifndef MRG_DNS_MAIL_H
#define MRG_DNS_MAIL_H

#include <pthread.h>
#include <stdatomic.h>

#include "appliances/dns/settings.h"
#include "protocols/dns/stream.h"

enum { LETTERS_MAX = 256, LETTER_OCTETS = 65535, LETTER_REPLY = 1024 /* it has no records but a signature */ };

enum letter_kind {
	LETTER_NOTIFY, /* a primary says that a zone has changed; it has its reply already */
	LETTER_UPDATE, /* a message; from the manager: with the reply to it */
	LETTER_DGRAM,  /* a datagram that the manager sends to peer; from the worker: that came from there */
	LETTER_CONNECT /* a connection to peer is to be made, its octets go through fd; from the worker: it stands, or why it does not */
};

struct letter {
	struct letter *next;
	enum letter_kind kind;
	struct mrg_dns_name_flat zone; /* that it is about */
	struct settings *settings; /* that the key of auth is of; used until the letter is given back. NULL: none */
	bool has_serial; /* of NOTIFY: */
	uint32_t serial;
	/* who is to be answered, and how */
	struct worker *worker;
	struct mrg_dgram_end *end; /* over UDP, else NULL */
	struct mrg_dns_ticket ticket;
	struct mrg_rt_addr peer, asked; /* who, and over UDP at which address */
	struct mrg_dns_auth auth; /* of UPDATE: of the request, for the reply */
	uint64_t since_ns; /* when it came */
	/* of a connection */
	uint64_t id;
	int fd;
	const char *why; /* static; NULL: it stands */
	size_t len;
	uint8_t message[LETTER_OCTETS];
	size_t reply_len; /* from the manager; 0: there is none */
	uint8_t reply[LETTER_REPLY];
};

struct letters {
	struct letter *first, *last;
	atomic_bool any; /* so that who finds none takes no lock */
}; /* zeroed: there are none */

struct mail {
	pthread_mutex_t lock;
	struct mrg_arena arena; /* of letters alone: workers take them, and whoever else has the memory around it knows no lock */
	struct mrg_rt_pool pool;
	struct letters to_manager;
};

size_t mail_memory(void); /* octets of the arena that it takes at most */

/* mail_init - nothing is under way; *m stays in place.   Fails: a positive errno value. */
int mail_init(struct mail *m, struct mrg_arena *arena);

/* These may be called from any thread. */
struct letter *mail_take(struct mail *m);
void mail_give(struct mail *m, struct letter *l);
void mail_post(struct mail *m, struct letters *to, struct letter *l);
struct letter *mail_next(struct mail *m, struct letters *from); /* NULL: there is none now */

#endif
