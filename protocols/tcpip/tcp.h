/*
 * tcp.h - connections: what the files tcp_*.c know of each other.
 *
 * References: RFC 9293; RFC 7323 (window scale, timestamps), RFC 2018 and RFC 6675 (SACK), RFC 8985 (RACK-TLP), RFC 6298 (timeouts),
 * RFC 5681, RFC 9438, RFC 9937, RFC 3708 and RFC 4015 (congestion), RFC 3168 (ECN), RFC 5961 (blind attacks), RFC 6528 (ISNs),
 * RFC 6191 (TIME-WAIT), RFC 6056 (ports), RFC 4987 (SYN floods).
 *
 * Where a connection stands is said by the generated machine of specs/net/connection.mrg; tcp_machine.c does what it asks for.
 * A connection that a peer opens begins as a `tcp_half`, becomes a `tcp_conn` when its SYN is acknowledged, and ends as a `tcp_wait`.
 *
 * Reading order: this file; tcp_in.c (a segment comes), tcp_expected.c (the one that nearly always comes), tcp_syn.c (connections
 * begin), tcp_ack.c and tcp_data.c (what it says, what it brings), tcp_out.c, tcp_timer.c, tcp_end.c (what users call), tcp.c (tables,
 * memory).  tcp_ring, tcp_ranges, tcp_pieces, tcp_wheel and tcp_cc know no connections.
 */
#ifndef MRG_TCPIP_TCP_H
#define MRG_TCPIP_TCP_H

#include "net/connection.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/tcp.h"
#include "protocols/tcpip/inside.h"
#include "protocols/tcpip/tcp_cc.h"
#include "protocols/tcpip/tcp_pieces.h"
#include "protocols/tcpip/tcp_ranges.h"
#include "protocols/tcpip/tcp_ring.h"
#include "protocols/tcpip/tcp_seq.h"
#include "protocols/tcpip/tcp_wheel.h"

enum { TCP_HEADER_MAX = MRG_NET_TCP_SIZE_MIN + MRG_NET_TCP_OPTIONS_SIZE_MAX }; /* bytes */

/* ---- a segment that came ---- */

struct tcp_seg {
	const struct ip_in *in;
	uint16_t source_port, destination_port;
	uint32_t seq, ack_number;
	uint32_t len;             /* sequence numbers that it takes: data, SYN and FIN */
	uint16_t window;          /* as it is there, not scaled */
	struct mrg_span data;
	bool syn, fin, rst, ack, ece, cwr;
	/* options */
	bool has_ts, has_scale, sack_permitted;
	uint8_t scale;
	uint16_t mss;             /* 0: not there */
	uint32_t ts_value, ts_echo;
	uint8_t sack_count;
	struct tcp_range sack[MRG_NET_TCP_SACK_MAX];
};

/* ---- what the table holds ---- */

enum tcp_kind { TCP_CONN, TCP_HALF, TCP_WAIT };
enum { TCP_KINDS = 4 }; /* as many as two bits tell apart */

/* What all begin with. */
struct tcp_head {
	struct tcp_head *next; /* with the same hash */
	uint16_t local_port, peer_port;
	uint16_t mss;          /* the peer's: bytes of data in a segment without options */
	uint8_t kind : 2;      /* enum tcp_kind */
	uint8_t local : 6;     /* index of our address in tcp_state.locals; not for a TCP_CONN */
	struct mrg_net_connection m;
};

/* A list of those whose time comes in the order in which they were put there. */
struct tcp_queue {
	uint32_t first, last; /* one more than the index; 0: there is none */
};

/* A connection that a peer is opening: SYN-RECEIVED.  With its slot of the table 64 bytes at most. */
struct tcp_half {
	struct tcp_head h;
	struct ip peer;
	uint32_t irs, iss;
	uint32_t ts_recent;
	uint32_t next, prev;  /* in tcp_state.half_due[tries], as tcp_queue has it */
	uint16_t due;         /* when the SYN is answered again, in units of TCP_HALF_UNIT_MS */
	uint8_t scale;        /* the peer's */
	uint8_t tries : 4;    /* how often it was, without the first */
	bool has_scale : 1, has_ts : 1, sack_ok : 1, ecn_ok : 1;
};

/* A connection that is over but for stray segments: TIME-WAIT.  64 bytes. */
struct tcp_wait {
	struct tcp_head h;
	struct ip peer;
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_offset;
	uint32_t next, prev;  /* in tcp_state.wait_due */
	uint32_t due_ms;
	bool has_ts;
};

/* Of a connection that has something in flight, or had a moment ago. */
struct tcp_flight {
	struct tcp_pieces pieces;
	struct tcp_cc cc;
	/* recovery, RFC 6675 and RFC 9937 */
	uint32_t recover;     /* it is over when this is acknowledged */
	uint32_t delivered, sent; /* bytes since it began */
	uint32_t flight_then; /* bytes in flight when it began */
	struct tcp_cc before; /* what is gone back to when nothing was lost (RFC 4015) */
	struct tcp_range told; /* what the peer has said last to have got twice */
	/* RFC 8985 section 7 */
	uint32_t tlp_end;     /* what the probe reached to */
	uint8_t probes;       /* that were sent since something was heard */
	bool tlp_out;         /* a probe is out */
	bool tlp_again;       /* it sent something again */
	bool recovering;
	bool reduced;         /* for this recovery or the last one, which may have been for nothing */
	bool timed_out;       /* the recovery is that of a timeout: slow start */
	bool sent_cwr;        /* cwnd was reduced since `recover` for what a router marked */
	bool limited;         /* as much is in flight as may be */
};

/* Of a connection to which something came out of order. */
struct tcp_gaps {
	struct tcp_ranges ranges;
	uint32_t fin;         /* the number of the FIN */
	bool has_fin;
	struct tcp_range again; /* what came twice, to be told once (RFC 2883); left == right: nothing */
};

/* What a deadline of the retransmission timer is for. */
enum tcp_retransmit { TCP_RTO, TCP_PROBE_LOSS, TCP_REORDER, TCP_PERSIST };

/* A connection. With its slot of the table 256 bytes at most, beside buffers. */
struct tcp_conn {
	struct tcp_head h;
	struct ip_way way;
	uint8_t snd_scale, rcv_scale;
	struct mrg_stream stream;
	struct tcp_wake wake;
	struct tcp_conn *work_next;
	union {
		const struct mrg_stream_user *user; /* NULL: nobody's any more */
		struct mrg_tcpip_connect *attempt;  /* while it is not opened */
	} of;
	struct mrg_tcpip *stack;
	struct tcp_ring *in, *out;
	struct tcp_flight *flight;
	struct tcp_gaps *gaps;
	/* sending; the first byte of `out` has number snd_una, once the SYN is acknowledged */
	uint32_t snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2, snd_wnd_max;
	uint32_t ssthresh;     /* of the last flight */
	uint32_t srtt_us, rttvar_us; /* 0: not measured yet */
	/* receiving */
	uint32_t rcv_nxt, rcv_adv; /* the next number; the one behind the window that was told last */
	uint32_t rcv_acked;        /* the acknowledgment that was sent last */
	uint32_t ts_recent, ts_offset;
	/* deadlines in milliseconds of the stack's clock; meaningless where the flag is not set */
	uint32_t retransmit_ms, ack_ms, long_ms;
	uint32_t heard_ms;     /* when the peer was heard last */
	uint32_t wait_ms;      /* since when it has not acknowledged anything new */
	uint8_t retransmit_for;/* enum tcp_retransmit */
	uint8_t tries;         /* timeouts in a row; probes of a zero window or of an idle connection */
	uint8_t dup_acks;
	uint8_t want;          /* enum mrg_stream_event */
	uint8_t quick;         /* segments still to be acknowledged at once */
	bool retransmit_set : 1, ack_set : 1, long_set : 1;
	bool opened : 1;       /* the user has it */
	bool working : 1;      /* in the list of work */
	bool dead : 1;         /* to be freed */
	bool broken : 1;       /* the user has yet to hear of it */
	bool ended : 1;        /* all that the peer sends has come */
	bool finished : 1;     /* nothing more will be written: a FIN follows */
	bool fill : 1;         /* the window has long been small: fill it all the same */
	bool more : 1;         /* what is not a full segment may wait */
	bool ack_now : 1;
	bool starved : 1;      /* it wanted to write, and there was no memory */
	bool sack_ok : 1, ts_ok : 1, ecn_ok : 1;
	bool ecn_echo : 1;     /* tell the sender that a router has marked something */
	bool ecn_reduced : 1;  /* tell the receiver that we have slowed down */
	bool passive : 1;
	bool late_acks : 1;    /* the peer acknowledges so late that a probe for loss came too early */
	bool fin_sent : 1;     /* snd_nxt is behind the FIN */
	bool to_open : 1, is_gone : 1; /* the machine says so: tcp_machine_settle sees to it */
	uint8_t why : 3;       /* enum mrg_net_why, with is_gone */
};

struct mrg_tcpip_listener {
	struct mrg_tcpip *stack;
	struct ip at;                       /* unspecified: all */
	const struct mrg_stream_user *user; /* NULL: the slot is free */
	uint16_t port;
	uint8_t family;
};

/* ---- the state of TCP ---- */

struct tcp_counts {
	uint64_t active_opens, passive_opens, attempt_fails, estab_resets, curr_estab;
	uint64_t in_segs, out_segs, retrans_segs, in_errs, out_rsts, in_csum_errors, in_bad_options;
	uint64_t listen_overflows, listen_refused, syn_cookies_sent, syn_cookies_recv, syn_cookies_failed;
	uint64_t paws_drops, no_timestamp_drops, challenge_acks, out_of_window, old_acks, future_acks;
	uint64_t out_of_order, ranges_full, buffer_full, conn_full, piece_full, data_after_close, orphans_ended;
	uint64_t timeouts, loss_probes, fast_recoveries, zero_window_probes, keepalives, time_waits, time_wait_reused, time_wait_overflows;
	uint64_t sack_received, dsack_received, ecn_ce, in_bytes, out_bytes, delayed_acks;
};

enum { TCP_HALF_TRIES = 5, TCP_HALF_UNIT_MS = 4, TCP_LOCALS_MAX = 64 };

struct tcp_state {
	struct tcp_head **table; /* by hash */
	uint32_t mask;           /* slots less one */
	uint32_t hand;           /* the slot at which it was last looked for an orphan to end */
	struct mrg_tcpip_listener *listeners;
	struct ip locals[TCP_LOCALS_MAX];
	uint32_t local_uses[TCP_LOCALS_MAX];
	struct tcp_half *halves;
	struct tcp_wait *waits;
	uint32_t half_cut, half_free, half_count; /* slots that were in use at some time; the first free one, as tcp_queue has it */
	uint32_t wait_cut, wait_free;
	struct tcp_queue half_due[TCP_HALF_TRIES + 1];
	struct tcp_queue wait_due;
	struct mrg_rt_pool conns, flights, gaps, pieces;
	uint32_t conn_count;
	struct mrg_rt_blocks buffers;
	struct tcp_wheel wheel;
	struct mrg_rt_timer timer; /* for the wheel, the queues and the work */
	uint64_t due_ms;           /* nothing in the wheel and the queues is due before */
	struct tcp_conn *work, *work_last;
	struct mrg_tcpip *stack;
	uint32_t cookies_until;    /* none was sent that would be good after this, in the steps of their time */
	uint64_t port_next;        /* RFC 6056 */
	uint64_t challenge_second; /* RFC 5961 section 7 */
	uint32_t challenges;
	bool working;              /* the list of work is being done */
	struct tcp_counts n;
};

/* ---- time ---- */

static inline uint64_t tcp_ms(const struct mrg_tcpip *s) { return stack_now(s) / 1000000u; }
static inline uint32_t tcp_ms32(const struct mrg_tcpip *s) { return (uint32_t)(stack_now(s) / 1000000u); }
static inline uint32_t tcp_us32(const struct mrg_tcpip *s) { return (uint32_t)(stack_now(s) / 1000u); }

/* ---- tcp.c: tables and memory ---- */

struct tcp_key {
	const struct ip *local, *peer;
	uint16_t local_port, peer_port;
};
struct tcp_head *tcp_find(struct tcp_state *t, const struct tcp_key *k);
void tcp_table_add(struct tcp_state *t, struct tcp_head *h);
void tcp_table_remove(struct tcp_state *t, struct tcp_head *h);
const struct ip *tcp_local_of(const struct tcp_state *t, const struct tcp_head *h);
const struct ip *tcp_peer_of(const struct tcp_head *h);
struct mrg_tcpip_listener *tcp_listener_find(struct tcp_state *t, const struct ip *at, uint16_t port);

/* A connection with everything zero but the machine, which is Closed, and the way; in the table. NULL: no room. */
struct tcp_conn *tcp_conn_new(struct mrg_tcpip *s, const struct tcp_key *k);
void tcp_conn_free(struct tcp_conn *c); /* when its work is done next */
struct tcp_flight *tcp_flight_new(struct tcp_conn *c); /* NULL: no room */
static inline struct tcp_flight *tcp_flight_get(struct tcp_conn *c) { return c->flight != NULL ? c->flight : tcp_flight_new(c); }
void tcp_flight_end(struct tcp_conn *c);
int32_t tcp_half_left_ms(const struct tcp_state *t, const struct tcp_half *h); /* until it is due; less than 0: since then */
struct tcp_half *tcp_half_new(struct tcp_state *t, const struct tcp_key *k); /* in the table and in the first queue */
void tcp_half_requeue(struct tcp_state *t, struct tcp_half *h); /* it was answered once more */
void tcp_half_free(struct tcp_state *t, struct tcp_half *h);
struct tcp_wait *tcp_wait_new(struct tcp_state *t, const struct tcp_key *k); /* the oldest goes if there are too many */
void tcp_wait_requeue(struct tcp_state *t, struct tcp_wait *w);
void tcp_wait_free(struct tcp_state *t, struct tcp_wait *w);

/* The connection has something to do at the end of the burst: tell its user, send, acknowledge. */
void tcp_work_add(struct tcp_conn *c); /* internal */
static inline void tcp_work(struct tcp_conn *c)
{
	if (!c->working)
		tcp_work_add(c);
}

/* ---- tcp_syn.c ---- */

uint32_t tcp_isn(struct mrg_tcpip *s, const struct tcp_key *k);
uint32_t tcp_ts_offset(struct mrg_tcpip *s, const struct tcp_key *k);
uint8_t tcp_receive_scale(const struct mrg_tcpip *s);
uint32_t tcp_window_first(const struct mrg_tcpip *s);
void tcp_listen_input(struct mrg_tcpip *s, const struct tcp_seg *g);
void tcp_half_input(struct mrg_tcpip *s, struct tcp_half *h, const struct tcp_seg *g);
void tcp_wait_input(struct mrg_tcpip *s, struct tcp_wait *w, const struct tcp_seg *g);
void tcp_half_again(struct mrg_tcpip *s, struct tcp_half *h);
void tcp_syn_sent_input(struct tcp_conn *c, const struct tcp_seg *g);
void tcp_options_agreed(struct tcp_conn *c, const struct tcp_seg *g); /* the peer's SYN says what it can do */

/* ---- tcp_expected.c ---- */

/*
 * A segment with the usual header, its checksum right, comes for the connection.   Returns: false when it is not one that was to be
 * expected, and nothing was done.
 */
bool tcp_expected_input(struct tcp_conn *c, const struct ip_in *in, const struct mrg_net_tcp_timestamped *h);

/* ---- tcp_ack.c, tcp_data.c ---- */

void tcp_conn_input(struct tcp_conn *c, const struct tcp_seg *g);
void tcp_acked(struct tcp_conn *c, uint32_t count); /* bytes of the ring, a SYN before them, a FIN behind */
bool tcp_ack_input(struct tcp_conn *c, const struct tcp_seg *g, bool *fin_acked); /* false: the segment goes no further */
void tcp_acknowledge(struct tcp_conn *c); /* what has come: now or a little later */
void tcp_data_input(struct tcp_conn *c, const struct tcp_seg *g, bool *fin);
struct tcp_gaps *tcp_gaps_get(struct tcp_conn *c); /* NULL: no room */
void tcp_gaps_put(struct tcp_conn *c);             /* if there is nothing in them */
void tcp_challenge(struct tcp_conn *c);

/* ---- tcp_out.c ---- */

/* Bytes of data in the longest segment without options that goes this way whole. */
static inline uint16_t tcp_mss_of_mtu(const struct ip_way *way, uint32_t mtu)
{
	const uint32_t headers =
		MRG_NET_TCP_SIZE_MIN + (ip_is4(&way->to) ? MRG_NET_IP4_SIZE_MIN : MRG_NET_IP6_SIZE_MIN);
	return (uint16_t)(mtu > headers ? mtu - headers : 0);
}

/* Bytes of data in a full segment, as it is sent now.  RFC 9293 section 3.7.1: what the peer takes, and no more than the way there carries, as it
   was when it was looked up last. */
static inline uint32_t tcp_mss(const struct tcp_conn *c)
{
	const uint32_t options = c->ts_ok ? MRG_NET_TCP_USUAL_OPTIONS_SIZE_MIN : 0,
		       path = tcp_mss_of_mtu(&c->way, c->way.mtu);
	return (path != 0 && path < c->h.mss ? path : c->h.mss) - options;
}


/* A segment without a connection behind it, or with flags that it does not have otherwise. */
struct tcp_bare {
	struct tcp_key key;
	uint32_t seq, ack_number;
	uint32_t window;      /* as it goes out */
	bool syn, ack, rst, ece, cwr;
	bool has_ts;
	uint32_t ts_value, ts_echo;
	uint16_t mss;         /* with SYN: ours */
	bool sack_permitted, has_scale;
	uint8_t scale;
};
void tcp_send_bare(struct mrg_tcpip *s, struct ip_way *way, const struct tcp_bare *b);
void tcp_reset_for(struct mrg_tcpip *s, const struct tcp_seg *g); /* RFC 9293 section 3.10.7.1 */
void tcp_send_syn(struct tcp_conn *c);   /* with ACK once the peer's has come */
void tcp_send_reset(struct tcp_conn *c);
void tcp_send_ack(struct tcp_conn *c);
void tcp_send_probe(struct tcp_conn *c); /* of a number that the peer has: it must answer (RFC 9293 sections 3.8.4 and 3.8.6.1) */
bool tcp_output(struct tcp_conn *c);     /* what may be sent, and an acknowledgment if one is due; true: there is more */
uint32_t tcp_window(const struct tcp_conn *c); /* bytes that the peer may be told now */
/* ...at most: the buffer, as far as the field can say it */
static inline uint32_t tcp_window_most(const struct tcp_conn *c)
{
	const uint32_t room = ring_most(c->stack->limits.receive_max), field = (uint32_t)UINT16_MAX << c->rcv_scale;
	return room < field ? room : field;
}
uint16_t tcp_mss_ours(struct mrg_tcpip *s, struct ip_way *way);

/* In flight, sent and neither acknowledged, nor known to have come or to be lost. */
uint32_t tcp_pipe(const struct tcp_conn *c);

/* ---- tcp_timer.c ---- */

void tcp_rtt(struct tcp_conn *c, uint32_t rtt_us);
uint32_t tcp_rto_ms(const struct tcp_conn *c); /* RFC 6298 section 2 */
void tcp_retransmit_set(struct tcp_conn *c, enum tcp_retransmit what, uint32_t after_ms);
void tcp_retransmit_stop(struct tcp_conn *c);
void tcp_ack_later(struct tcp_conn *c);
void tcp_long_set_at(struct tcp_conn *c, uint32_t at_ms); /* internal */
static inline void tcp_long_set(struct tcp_conn *c, uint32_t after_ms)
{
	const uint32_t at_ms = tcp_ms32(c->stack) + after_ms;
	if (!c->long_set || !seq_le(c->long_ms, at_ms))
		tcp_long_set_at(c, at_ms);
}
void tcp_sent_something(struct tcp_conn *c); /* arm RTO or loss probe (RFC 8985 section 7.2) */
void tcp_ring_empty(struct tcp_conn *c, struct tcp_ring **r); /* kept a while for what comes next, unless memory is short */
void tcp_due(struct tcp_state *t, uint64_t at_ms); /* something is due then: tcp_timers_arm must follow */
void tcp_timers_arm(struct tcp_state *t);    /* the platform's timer for all of it */
void tcp_timer_fire(struct mrg_rt_timer *timer, uint64_t now_ns);

/* ---- tcp_recovery.c ---- */

void tcp_recovery_input(struct tcp_conn *c, const struct tcp_seg *g, const struct tcp_news *news, bool dsack);
void tcp_recovery_none(struct tcp_conn *c, const struct tcp_news *news); /* the same where nothing is lost, marked or out of order */
void tcp_recovery_detect(struct tcp_conn *c); /* after a reordering timer */
void tcp_recovery_timeout(struct tcp_conn *c);
uint32_t tcp_may_send(const struct tcp_conn *c); /* bytes that congestion control lets out now */

/* ---- tcp_machine.c ---- */

/* Feed the machine; what it left undone is done: a connection in TIME-WAIT becomes a tcp_wait, one that is gone is freed. */
void tcp_machine_segment(struct tcp_conn *c, bool syn, bool fin, bool rst, bool acks_syn, bool acks_fin);
void tcp_machine_settle(struct tcp_conn *c);

/* ---- tcp_end.c ---- */

extern const struct mrg_stream_ops tcp_stream_ops;

static inline bool tcp_may_write(const struct tcp_conn *c)
{
	return (c->h.m.state == MRG_NET_CONNECTION_ESTABLISHED || c->h.m.state == MRG_NET_CONNECTION_CLOSE_WAIT) && !c->finished;
}

/* Which of its user's events hold now. */
static inline unsigned tcp_events(const struct tcp_conn *c)
{
	const bool readable = ring_len(c->in) != 0 || c->ended || c->broken || c->h.m.state == MRG_NET_CONNECTION_CLOSED;
	const bool room = !c->starved && ring_len(c->out) < ring_most(c->stack->limits.send_max);
	const bool writable = room || c->broken || !tcp_may_write(c);
	return (readable ? (unsigned)MRG_STREAM_READABLE : 0) | (writable ? (unsigned)MRG_STREAM_WRITABLE : 0);
}

static inline struct tcp_conn *tcp_conn_of(struct mrg_stream *s)
{
	return (struct tcp_conn *)(void *)((char *)s - offsetof(struct tcp_conn, stream));
}

static inline struct tcp_state *tcp_of(const struct tcp_conn *c) { return c->stack->tcp; }

#endif
