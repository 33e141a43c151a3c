/*
 * tcpip_stack.h - packets and what users do, for a stack of protocols/tcpip: for tcpip_packet.c, which makes them, and tcpip_stack.c.
 *
 * An input is a list of frames (frames.h).  The two first octets of each say how the others are meant; packets are completed when they
 * are handed in, so that a change of any octet of theirs leaves them packets.
 */
#ifndef FUZZ_TCPIP_STACK_H
#define FUZZ_TCPIP_STACK_H

#include "fuzz/subject.h"
#include "mrg_rt.h"

/* The first octet. */
enum {
	STACK_KIND = 3, /* one of: */
	STACK_IP4 = 0,  /* a packet, in a frame from the peer to us */
	STACK_IP6 = 1,
	STACK_FRAME = 2, /* all of it */
	STACK_USER = 3,  /* somebody does something: see STACK_DOES */
	STACK_AS_IS = 4, /* checksums and lengths are left as they are */
	STACK_ACKS = 8,  /* the acknowledgment counts from our first number, which the peer only learns */
	STACK_VOUCHED = 16 /* the link says that the sum of the payload is right */
};
/* The second: how much time passes before.  Its upper two bits say the unit: 1 ms, 40 ms, 1 s, 10 s. */
enum { STACK_TIMES = 0x3f };

enum { STACK_HEAD = 2, STACK_IP4_HEAD = 20, STACK_IP6_HEAD = 40 };

/* Of the third octet of what a user does, modulo STACK_DOES; the fourth is how much. */
enum { STACK_CONNECTS, STACK_WRITES, STACK_FINISHES, STACK_CLOSES, STACK_STOPS, STACK_DATAGRAM, STACK_DOES };

enum {
	STACK_ECHO = 7,
	STACK_DISCARD = 9,
	STACK_OUR_PORT = 6000, /* of connections that we open */
	STACK_PEER_PORT = 5000, /* and the three next */
	STACK_PEER_ISS = 0x10000
};

/* Hosts: ours, and the peer, who is the router as well. */
extern const uint8_t stack_our_mac[6], stack_peer_mac[6], stack_our4[4], stack_peer4[4], stack_our6[16], stack_peer6[16];

size_t stack_packet_make(struct mrg_rng *rng, uint8_t *out, size_t cap);
size_t stack_packet_change(struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other, size_t other_len, uint8_t *out,
	size_t cap);

/* What peers say to each other from the first SYN on, with some of it lost, doubled, or not as it should be. */
size_t stack_talk_make(struct mrg_rng *rng, uint8_t *out, size_t cap);

/* ---- users ---- */

enum { STACK_USERS = 9 /* one more than connections */, STACK_PENDING = 2048 /* octets that an echo owes at most */ };

struct stack_user {
	struct mrg_stream *stream; /* NULL: none */
	bool echoes, stopped, eof;
	size_t len;
	uint8_t pending[STACK_PENDING];
};

struct stack_users {
	struct stack_user user[STACK_USERS];
	size_t newest;
};

/* A service whose users are `all`: it says what it hears, or nothing. */
struct mrg_stream_user stack_service(struct stack_users *all, bool echoes);
struct mrg_dgram_user stack_datagrams(void); /* what comes goes back */

/* The newest user writes, finishes, closes, or stops reading; nothing when he is gone. */
void stack_user_does(struct stack_users *all, unsigned what, size_t much);
void stack_users_go_on(struct stack_users *all); /* who has stopped leaves */

extern const struct mrg_fuzz_subject tcpip_stack;

#endif
