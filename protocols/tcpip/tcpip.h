/*
 * tcpip.h - the Internet protocols over links that carry Ethernet frames: the datagram and stream ends of mrg_rt.h.
 *
 * References: RFC 826, RFC 791, RFC 8200, RFC 4861, RFC 4862, RFC 792, RFC 4443, RFC 768, RFC 9293, RFC 2131; the .c files name the rest.
 *
 * What it does not do: it forwards no packet, reads no clock and starts no thread. It has no multicast routing, no IPsec.
 *
 * Use:
 *	struct mrg_tcpip *s = mrg_tcpip_open(&arena, &mrg_tcpip_usual, &world);
 *	struct mrg_tcpip_if *net = mrg_tcpip_if_add(s, &tap.link);
 *	mrg_rt_addr_read("10.0.0.2", 0, &address);
 *	mrg_tcpip_address_add(net, &address, 24);
 *	struct mrg_tcpip_listener *web = mrg_tcpip_listen(s, &any_port_80, &http_server.user);
 *
 * Conventions: those of mrg_rt.h. All memory comes from the arena when the stack is opened; what does not fit later is refused and
 * counted, and what stands already is not harmed. Functions that give a pointer give NULL when there is no room.
 */
#ifndef MRG_TCPIP_H
#define MRG_TCPIP_H

#include "mrg_rt.h"
#include "net/connection.h"

/* How much there is room for. */
struct mrg_tcpip_limits {
	uint32_t if_count, address_count, route_count; /* addresses of all interfaces */
	uint32_t neighbor_count;                       /* of all interfaces */
	uint32_t dgram_count, listener_count;          /* ends */
	uint32_t conn_count;                           /* connections that stand or are opened actively */
	uint32_t half_open_count;                      /* connections that peers are opening; beyond that SYN cookies are sent */
	uint32_t time_wait_count;                      /* the oldest goes when there are more */
	uint32_t receive_max, send_max;                /* bytes that are kept for a connection each way; powers of two */
	size_t buffer_len;                             /* bytes for what connections have received or not yet been acknowledged, in all */
	uint32_t sent_count;                           /* pieces in flight, of all connections, whose fate is followed */
	size_t reassembly_len;                         /* bytes for fragments */
	uint32_t dgram_out_max;                        /* bytes of room for the reply to a datagram */
	/* how TCP behaves */
	uint32_t time_wait_ms;                         /* 2 MSL (RFC 9293 section 3.4.2) */
	uint32_t give_up_s;                            /* without an acknowledgment a connection lives so long (R2, section 3.8.3) */
	uint32_t keepalive_s;                          /* an idle connection is probed after this (section 3.8.4); 0: never */
	bool nagle;                                    /* what is not a full segment waits for acknowledgments (section 3.7.4) */
	bool reno;                                     /* congestion avoidance by RFC 5681 instead of CUBIC */
};
extern const struct mrg_tcpip_limits mrg_tcpip_usual;

/* What the stack needs of the platform. */
struct mrg_tcpip_world {
	struct mrg_rt_timers *timers;
	const uint64_t *now_ns; /* the platform's clock, kept right whenever it calls anybody */
	uint64_t secret[4];     /* random: ISNs, ports, cookies and hashes come of it, and addresses of IPv6 (RFC 7217), which stay when it does */
};

struct mrg_tcpip;
struct mrg_tcpip_if;

size_t mrg_tcpip_memory(const struct mrg_tcpip_limits *limits); /* bytes of the arena that it takes at most */

/*
 * mrg_tcpip_open - a stack without interfaces.   Fails: NULL when the arena is too small.   Lifetime: that of the arena, which must stay in place.
 */
struct mrg_tcpip *mrg_tcpip_open(
	struct mrg_arena *arena, const struct mrg_tcpip_limits *limits, const struct mrg_tcpip_world *world);

/* ---- interfaces, addresses, routes ---- */

/*
 * mrg_tcpip_if_add - take a link into use: its frames come here from now on. It gets a link-local IPv6 address by itself and, from
 * Router Advertisements, others (RFC 4862).   Lifetime: the link stays in place as long as the stack is used.
 * Fails: NULL when there is no room, or the link does not carry 1280 bytes (RFC 8200 section 5).
 */
struct mrg_tcpip_if *mrg_tcpip_if_add(struct mrg_tcpip *s, struct mrg_link *link);

/*
 * mrg_tcpip_address_add - an address of ours, IPv4 or IPv6, with the length of its prefix. It is claimed (RFC 5227) or checked for
 * duplicates (RFC 4862 section 5.4), and can be used at once.   Fails: false when there is no room.
 */
bool mrg_tcpip_address_add(struct mrg_tcpip_if *on, const struct mrg_rt_addr *a, unsigned prefix_len);
bool mrg_tcpip_address_remove(struct mrg_tcpip_if *on, const struct mrg_rt_addr *a);

/*
 * mrg_tcpip_route_add - packets to `to`/prefix_len go to the router `by`.  prefix_len 0: all that goes nowhere else.
 */
bool mrg_tcpip_route_add(
	struct mrg_tcpip_if *on, const struct mrg_rt_addr *to, unsigned prefix_len, const struct mrg_rt_addr *by);

/*
 * mrg_tcpip_dhcp - ask for an IPv4 address, and keep it (RFC 2131).  `changed` is told of each lease that is got or lost.
 */
struct mrg_tcpip_dhcp_user {
	void *ctx;
	/* address->family is 0 when the lease is lost. router->family likewise when there is none. */
	void (*changed)(void *ctx, struct mrg_tcpip_if *on, const struct mrg_rt_addr *address, unsigned prefix_len,
		const struct mrg_rt_addr *router);
};
bool mrg_tcpip_dhcp(struct mrg_tcpip_if *on, const struct mrg_tcpip_dhcp_user *user);

/*
 * mrg_tcpip_dhcp_release - give the address back; nothing is asked for any more, and the user is not told.
 * Returns: false while the message to the server waits for its link-layer address: to be called again until it is true, if there is time.
 */
bool mrg_tcpip_dhcp_release(struct mrg_tcpip_if *on);

/* ---- datagrams ---- */

struct mrg_tcpip_udp;

/*
 * mrg_tcpip_udp_bind - an end of UDP.
 *   a     its address; unspecified: all of ours of that family. Port 0: one is chosen and put there
 *   user  as for the ends of other platforms; must stay in place
 * Fails:    NULL when there is no room, or the address is taken.
 */
struct mrg_tcpip_udp *mrg_tcpip_udp_bind(struct mrg_tcpip *s, struct mrg_rt_addr *a, const struct mrg_dgram_user *user);
struct mrg_dgram_end *mrg_tcpip_udp_end(struct mrg_tcpip_udp *u);
void mrg_tcpip_udp_close(struct mrg_tcpip_udp *u);

/* ---- streams ---- */

struct mrg_tcpip_listener;

struct mrg_tcpip_listener *mrg_tcpip_listen(
	struct mrg_tcpip *s, struct mrg_rt_addr *a, const struct mrg_stream_user *user);
void mrg_tcpip_listener_close(struct mrg_tcpip_listener *l); /* connections that stand go on */

struct tcp_conn;

/* A connection that is being made, as mrg_unix_connect has it; the caller's, in place until one of the two was called. */
struct mrg_tcpip_connect {
	const struct mrg_stream_user *user;
	void (*failed)(struct mrg_tcpip_connect *t, enum mrg_net_why why, uint64_t now_ns);
	struct tcp_conn *conn; /* private; NULL: no attempt */
};

/*
 * mrg_tcpip_connect - begin to make a connection.   Fails: false when there is no room, no port or no route; nothing is called then.
 *   from   our address and port; NULL or unspecified, and port 0: chosen
 */
bool mrg_tcpip_connect(struct mrg_tcpip *s, struct mrg_tcpip_connect *t, const struct mrg_rt_addr *from, const struct mrg_rt_addr *to);
void mrg_tcpip_connect_cancel(struct mrg_tcpip_connect *t);

/* ---- ping ---- */

/* Echo requests to one address (RFC 792, RFC 4443 section 4).  The caller's, zero-initialised but for the two first. */
struct mrg_tcpip_ping {
	void *ctx;
	/* A reply came, or what a router says of a request: `error` has its name then, else NULL. `sequence` is that of the request. */
	void (*heard)(struct mrg_tcpip_ping *p, const struct mrg_rt_addr *from, uint16_t sequence, struct mrg_span data,
		unsigned hop_limit, const char *error, uint64_t now_ns);
	/* private */
	struct mrg_tcpip_ping *next;
	struct mrg_tcpip *stack;
	uint16_t identifier;
};
void mrg_tcpip_ping_open(struct mrg_tcpip *s, struct mrg_tcpip_ping *p);
/* MRG_IO_AGAIN: it is lost, or waits for the link-layer address; MRG_IO_RESET: no route. Long data is fragmented. */
enum mrg_io mrg_tcpip_ping_send(struct mrg_tcpip_ping *p, const struct mrg_rt_addr *to, uint16_t sequence, struct mrg_span data);
void mrg_tcpip_ping_close(struct mrg_tcpip_ping *p);

/* ---- what is going on ---- */

/*
 * mrg_tcpip_busy - are there connections that somebody has, or that nobody has any more and whose last bytes the peer has not
 * acknowledged? Who ends while there are none loses nothing of what was sent.
 */
bool mrg_tcpip_busy(const struct mrg_tcpip *s);

/*
 * mrg_tcpip_counts - call `each` for every counter of the stack: protocol, name, value. Names as in the counters of specs and RFCs.
 */
void mrg_tcpip_counts(const struct mrg_tcpip *s, void (*each)(void *ctx, const char *protocol, const char *name, uint64_t value), void *ctx);

/* A connection, as it stands. What is not known of its kind is 0: of one that a peer is opening, or of one in TIME-WAIT, little is. */
struct mrg_tcpip_connection {
	struct mrg_rt_addr local, peer;
	enum mrg_net_connection_state state; /* mrg_net_connection_state_str says it */
	uint32_t in_len, out_len;       /* bytes that its user has not read; that are not acknowledged, sent or not */
	uint32_t flight_len, lost_len;  /* sequence numbers that are not acknowledged; bytes of them that are taken for lost */
	uint32_t snd_wnd;               /* bytes that the peer takes */
	uint32_t mss;                   /* bytes of data in a full segment */
	uint32_t cwnd, ssthresh;        /* bytes; cwnd 0: nothing is in flight; ssthresh 0, or more than fits into a window: none yet */
	uint32_t srtt_us, rttvar_us;    /* 0: not measured yet */
	uint32_t rto_ms;
	uint32_t heard_ms;              /* since something came from the peer */
	uint8_t tries;                  /* timeouts in a row */
	uint8_t snd_scale, rcv_scale;   /* shifts of the windows */
	bool timestamps, sack, ecn;     /* agreed on */
	bool recovering;                /* from a loss */
	bool out_of_order;              /* something has come behind a gap */
	bool orphan;                    /* its user has closed it */
};

/*
 * mrg_tcpip_connections - call `each` for connections of every kind, at most `most` of them, in no order; listeners are none.
 *   each   changes nothing of the stack
 * Returns:  how many there are.   Cost: a pass over the table of connections, in proportion to what there is room for.
 */
size_t mrg_tcpip_connections(const struct mrg_tcpip *s, size_t most,
	void (*each)(void *ctx, const struct mrg_tcpip_connection *c), void *ctx);

#endif
