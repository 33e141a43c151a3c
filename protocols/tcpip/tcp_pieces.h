/*
 * tcp_pieces.h - the scoreboard of a sender: what is in flight, what of it has come, what is lost (RFC 6675, RFC 8985).
 *
 * A piece is a run of sequence numbers that was sent at one time, and so has one fate: many segments when the link cuts. Where only part
 * of it is acknowledged it is split.
 */
#ifndef MRG_TCPIP_TCP_PIECES_H
#define MRG_TCPIP_TCP_PIECES_H

#include "mrg_rt.h"
#include "protocols/tcpip/tcp_ranges.h"

struct tcp_piece {
	struct tcp_piece *next;
	uint32_t left, right; /* the first number, and the one behind the last */
	uint32_t sent_us;     /* when, the last time */
	bool sacked;          /* it has come, out of order */
	bool lost;            /* it must be sent again, and was not yet */
	bool again;           /* it was sent more than once */
};

/* What an acknowledgment has told. */
struct tcp_news {
	uint32_t delivered;   /* bytes that have come, and were not known to */
	uint32_t acked;       /* bytes of those in front of the acknowledgment number */
	uint32_t rtt_us;      /* of what was sent last, and not again (RFC 6298 section 3); 0: none to be had */
	bool sacked;          /* something new came out of order */
	bool again;           /* something acknowledged by its number had been sent more than once */
	struct tcp_range twice; /* the peer says that it has got this twice (RFC 2883); left == right: nothing */
};

/* RACK-TLP (RFC 8985 section 5.2) */
struct tcp_rack {
	uint32_t xmit_us, end; /* of what was sent last among that which has come */
	uint32_t rtt_us, min_rtt_us;
	uint32_t fack;         /* the highest number that has come */
	uint32_t round;        /* reordering is taken into account until this is acknowledged (section 6.2 step 4) */
	uint8_t mult;          /* reordering window, in quarters of min_rtt_us; 0: nothing has come yet, so all is unknown */
	uint8_t persist;       /* recoveries until it is small again */
	bool reordered;        /* seen on this connection */
	bool in_round;
};

struct tcp_pieces {
	struct tcp_piece *first, *last;
	uint32_t sacked, lost; /* bytes */
	uint32_t count;
	uint32_t resent;      /* bytes that were sent again, and not told to have come twice */
	struct tcp_range resent_in;
	struct tcp_rack rack;
};

enum { TCP_PIECES_MAX = 1024 }; /* of a connection: what goes beyond waits until there are fewer */

/*
 * pieces_add - left..right is sent now, for the first time.   Fails: false when there is no room: it may not be sent then.
 */
bool pieces_add(struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t left, uint32_t right, uint32_t now_us);

/* pieces_ack - everything in front of `una` has come.   pieces_sack - left..right has come. Both add to the news. */
void pieces_ack(struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t una, uint32_t now_us, struct tcp_news *news);
void pieces_sack(struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t left, uint32_t right, uint32_t now_us, struct tcp_news *news);

/*
 * pieces_detect - find out what is lost (RFC 8985 section 6.2 step 5).
 *   window_us   the reordering window
 * Returns:  microseconds after which to look again; 0: not before something has come.
 */
uint32_t pieces_detect(struct tcp_pieces *p, uint32_t window_us, uint32_t now_us);

/*
 * pieces_lose_first - the first piece is lost, up to `len` bytes of it;   pieces_lose_last - the last `len` bytes are
 * pieces_lose_all   - all that has not come is (a timeout)
 */
void pieces_lose_first(struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t len);
void pieces_lose_last(struct tcp_pieces *p, struct mrg_rt_pool *pool, uint32_t len);
void pieces_lose_all(struct tcp_pieces *p);

/* pieces_forget_sacks - what was told to have come out of order may have been thrown away since (RFC 2018 section 8). */
void pieces_forget_sacks(struct tcp_pieces *p);

/* The first lost piece; NULL: none. */
struct tcp_piece *pieces_lost(const struct tcp_pieces *p);

/*
 * pieces_resend - up to `len` bytes of a lost piece go out again now.   Returns: bytes that do, the whole piece if it can't be split.
 */
uint32_t pieces_resend(struct tcp_pieces *p, struct mrg_rt_pool *pool, struct tcp_piece *e, uint32_t len, uint32_t now_us);

/* pieces_resent_reset - count anew.   pieces_twice - this has come twice: true when now all has that was sent again since. */
void pieces_resent_reset(struct tcp_pieces *p);
bool pieces_twice(struct tcp_pieces *p, const struct tcp_range *twice);

void pieces_free(struct tcp_pieces *p, struct mrg_rt_pool *pool);

#endif
