/*
 * raw.h - for tests of TCP packet by packet: one stack over a link that keeps what is sent, and a peer that is nothing but the test.
 *
 * Sequence numbers are relative: those of the peer to raw.peer_iss, ours to raw.iss, which is learnt from the first SYN that goes out.
 * Time stands still unless raw_run lets it pass.
 *
 * Use:
 *	raw_open(NULL);
 *	struct raw_user *const u = raw_accept(&(struct raw_options){ .mss = 1460 });
 *	SEND(.flags = ACK | PSH, .seq = 1, .ack = 1, .data = text_of("hello"));
 *	const struct raw_out *const o = EXPECT(ACK, 1, 6, 0);
 */
#ifndef TESTS_TCPIP_RAW_H
#define TESTS_TCPIP_RAW_H

#include "net/tcp.h"
#include "protocols/tcpip/tcpip.h"
#include "tests/protocols/http/guard.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

#define RAW_MS UINT64_C(1000000)
#define RAW_SECOND MRG_RT_SECOND_NS

enum {
	RAW_OUT_MAX = 8192,     /* segments that are kept until they are looked at */
	RAW_OTHER_MAX = 64,
	RAW_USERS_MAX = 64,     /* at a time; more are refused */
	RAW_GOT_MAX = 1 << 21,
	RAW_SHUT = -1,          /* a window of zero */
	RAW_NO_ECHO = 0
};

/* Options as a peer sends them; all zero: none. */
struct raw_options {
	bool has_mss, has_scale, sack_ok, ts;
	uint16_t mss;           /* not zero: has_mss as well */
	uint8_t scale;          /* not zero: has_scale as well */
};

struct raw_range {
	uint32_t left, right;   /* relative */
};

/* A segment of the peer. */
struct raw_segment {
	unsigned flags;
	uint32_t seq, ack;      /* relative */
	int32_t window;         /* 0: raw.window */
	uint16_t urgent;
	uint8_t ecn;            /* of IP */
	bool no_ts;             /* without a timestamp, although it was agreed on */
	uint32_t ts_value, ts_echo; /* 0: the peer's clock; what came last */
	struct raw_range sack[4];
	unsigned sack_count;
	const struct raw_options *syn; /* options of a SYN */
	struct mrg_span options; /* octets instead of all those; padded here */
	struct mrg_span data;
};

/* A segment of ours. */
struct raw_out {
	unsigned flags;
	uint32_t seq, ack;      /* absolute */
	uint16_t window, source_port, destination_port;
	uint8_t ecn;
	uint16_t id;            /* of IPv4 */
	bool has_mss, has_scale, sack_ok, has_ts;
	uint16_t mss;
	uint8_t scale;
	uint32_t ts_value, ts_echo;
	unsigned sack_count;
	struct raw_range sack[4]; /* relative */
	size_t options_len;
	uint8_t *data;
	size_t len;
	uint64_t at_ns;
	uint8_t to[16];
};

/* A frame of ours without TCP in it. */
struct raw_other {
	uint8_t p[1600];
	size_t len;
};

/* Who has a connection: he reads all that comes, unless `hold`. */
struct raw_user {
	struct mrg_stream *stream; /* NULL: closed */
	bool opened, eof, reset, closed;
	uint8_t *got;
	size_t len;
};

struct raw {
	struct mrg_link link;
	struct mrg_tcpip *s;
	struct mrg_tcpip_if *on;
	struct mrg_rt_timers timers;
	uint64_t now_ns;
	unsigned version;
	/* the present connection */
	char ours[48], peer[48]; /* addresses */
	uint16_t port, peer_port;
	uint32_t iss, peer_iss;
	int32_t window;         /* of the peer, in segments that say no other: 65535 */
	bool ts;                /* timestamps were agreed on: segments have them */
	uint32_t ts_recent;     /* the last that came */
	/* users */
	struct raw_user user[RAW_USERS_MAX]; /* that of the n-th connection is at n modulo RAW_USERS_MAX */
	size_t opened, spared;
	bool hold, refuse;
	struct mrg_stream_user served;
	struct mrg_tcpip_listener *listener;
	struct mrg_tcpip_connect attempt;
	bool failed;
	enum mrg_net_why why;
	/* what was sent and not looked at yet */
	struct raw_out out[RAW_OUT_MAX];
	size_t first, last;     /* numbers, modulo RAW_OUT_MAX */
	size_t sent;            /* segments, all */
	struct raw_other other[RAW_OTHER_MAX]; /* frames without TCP, the last ones */
	size_t other_count;     /* numbers, modulo RAW_OTHER_MAX */
	bool lossy;             /* keep nothing: only count */
	bool only;              /* keep what goes to the present peer */
};
extern struct raw raw;

/* A new stack with a listener at port 80, and a peer at port 5000. Limits are raw_limits() unless given. Version 4, unless raw.version is 6. */
struct mrg_tcpip_limits raw_limits(void); /* small */
void raw_open(const struct mrg_tcpip_limits *l);
void raw_open6(void);
void raw_peer(const char *address, uint16_t port); /* the peer is another one from now on */

/* ---- segments ---- */

#define SEND(...) raw_send(&(struct raw_segment){ __VA_ARGS__ })
void raw_send(const struct raw_segment *g);
struct mrg_span raw_build(const struct raw_segment *g);    /* its octets, that may be changed; good for a while */
void raw_send_octets(struct mrg_span segment, bool sum);   /* sum: put the right checksum in it first */
void raw_frame_in(struct mrg_span frame, bool sum_ok);                  /* a whole frame; sum_ok: the link vouches for its sums */
void raw_packet_in(uint16_t type, struct mrg_span packet, bool sum_ok); /* a packet in a frame of the router's to us */
void raw_icmp(uint8_t type, uint8_t code, uint32_t mtu, uint32_t seq, uint16_t local_port); /* an error about a segment of ours */

/* The next segment out; ends the test if there is none, or if it is not as is said. PSH is not looked at. */
#define raw_next() raw_next_at(__FILE__, __LINE__)
const struct raw_out *raw_next_at(const char *file, int line);
#define EXPECT(...) raw_expect(__FILE__, __LINE__, __VA_ARGS__)
const struct raw_out *raw_expect(const char *file, int line, unsigned flags, uint32_t seq, uint32_t ack, size_t len);
#define EXPECT_NONE() raw_expect_none(__FILE__, __LINE__)
void raw_expect_none(const char *file, int line);
size_t raw_waiting(void);        /* segments that were sent and not looked at */
void raw_forget(void);           /* they need not be looked at */
uint32_t raw_seq(const struct raw_out *o); /* relative */
uint32_t raw_ack(const struct raw_out *o);

void raw_run(uint64_t ns);       /* time passes, timers fire */

struct mrg_rt_addr raw_addr(const char *text, uint16_t port);

/* ---- users ---- */

void raw_users_begin(void);      /* raw.served is made ready: by raw_open */
struct raw_user *raw_accept(const struct raw_options *o);  /* a connection from the peer to us, standing; what was sent is forgotten */
struct raw_user *raw_connect(const struct raw_options *o); /* one from us to the peer */
void raw_connect_begin(void);                              /* ...of which only the SYN is out, and not looked at */
void raw_write(struct raw_user *u, struct mrg_span octets);
void raw_finish(struct raw_user *u);
void raw_close(struct raw_user *u);
void raw_read(struct raw_user *u, size_t most);            /* with raw.hold */
struct mrg_span raw_bytes(size_t len, unsigned seed);      /* of no meaning; static */

uint64_t raw_count(const char *name);                      /* a counter of TCP */
#define MUST_EQ(a, b) raw_must_eq(__FILE__, __LINE__, #a, (uint64_t)(a), (uint64_t)(b))
void raw_must_eq(const char *file, int line, const char *what, uint64_t a, uint64_t b);

/* A list of tests, ended by NULL, as a program. */
int raw_main(const char *name, const TTest *const *tests);

#endif
