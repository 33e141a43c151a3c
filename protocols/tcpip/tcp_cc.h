/*
 * tcp_cc.h - how much may be in flight: slow start and congestion avoidance (RFC 5681), CUBIC (RFC 9438).
 */
#ifndef MRG_TCPIP_TCP_CC_H
#define MRG_TCPIP_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

enum tcp_cc_kind { TCP_CC_CUBIC, TCP_CC_RENO };

struct tcp_cc {
	uint32_t cwnd, ssthresh; /* bytes */
	uint32_t grown;          /* bytes acknowledged that cwnd has not grown for yet */
	uint32_t w_max;          /* bytes: where the last loss was; 0: there was none */
	uint32_t prior;          /* bytes: cwnd before it was reduced last */
	uint32_t w_est;          /* bytes that Reno would have (RFC 9438 section 4.3) */
	uint32_t epoch_ms;       /* when congestion avoidance began */
	uint32_t k_ms;           /* from then until it is at w_max again */
	bool in_epoch;
	uint8_t kind;            /* enum tcp_cc_kind */
};

/* cc_initial - RFC 6928: ten segments.   mss: bytes of data in a full segment */
uint32_t cc_initial(uint32_t mss);

/* cc_begin - that is the window at first. */
void cc_begin(struct tcp_cc *c, enum tcp_cc_kind kind, uint32_t mss);

/* cc_acked - `acked` new bytes were acknowledged while as much was in flight as may be.   srtt_ms: smoothed round trip */
void cc_acked(struct tcp_cc *c, uint32_t acked, uint32_t mss, uint32_t srtt_ms, uint32_t now_ms);

/* cc_loss - a segment was lost, or marked by a router: ssthresh is what to come down to; cwnd is left to recovery (RFC 9438 section 4.6). */
void cc_loss(struct tcp_cc *c, uint32_t mss);

/* cc_timeout - nothing was heard: begin anew (RFC 5681 section 3.1, RFC 9438 section 4.8). */
void cc_timeout(struct tcp_cc *c, uint32_t in_flight, uint32_t mss);

#endif
