/*
 * peers_lwip.h - lwIP as the host of tcpip_stack.h, with the same services: UDP's echo, and TCP at both ports.
 *
 * It is a shared library of its own, since lwIP and protocols/tcpip have functions of the same names.
 */
#ifndef PEERS_LWIP_H
#define PEERS_LWIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lwip_world {
	void *ctx;
	void (*sent)(void *ctx, const uint8_t *packet, size_t len);                  /* of IP */
	void (*heard)(void *ctx, const uint8_t *octets, size_t len, bool ended);     /* by a user of TCP */
	const uint8_t *our4, *our6, *our_mac;
	uint16_t udp_echo, tcp[2];
};

/* Once. False: lwIP does not do what it is asked. */
bool lwip_world_open(const struct lwip_world *w);

/* As it was opened: no connection, nothing remembered of what came. */
void lwip_world_reset(void);

void lwip_world_in(const uint8_t *packet, size_t len);

/* What it has put off for a moment is sent. */
void lwip_world_later(void);

#endif
