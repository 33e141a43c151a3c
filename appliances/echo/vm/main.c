/*
 * mrg-echo as a virtual machine: TCP 7 and UDP 7 echo, TCP 9 discards, TCP 19 sends characters, TCP 2000 says "bye".
 */
#include "appliances/echo/services.h"
#include "appliances/vm/app.h"

enum { PORT_ECHO = 7, PORT_DISCARD = 9, PORT_CHARGEN = 19, PORT_BYE = 2000 };

static struct vm_app app;
static struct streams streams;
static struct datagram_echo echo;

static bool listen_at(uint16_t port, enum service kind)
{
	struct mrg_rt_addr four = { .family = 4, .port = port }, six = { .family = 6, .port = port };
	return mrg_tcpip_listen(app.stack, &four, &streams.user[kind]) != NULL &&
	       mrg_tcpip_listen(app.stack, &six, &streams.user[kind]) != NULL;
}

static bool open_services(void)
{
	struct mrg_rt_addr four = { .family = 4, .port = PORT_ECHO },
			   six = { .family = 6, .port = PORT_ECHO };
	streams_init(&streams, &app.arena, app.limits.conn_count);
	datagram_echo_init(&echo);
	return listen_at(PORT_ECHO, SERVICE_ECHO) && listen_at(PORT_DISCARD, SERVICE_DISCARD) &&
	       listen_at(PORT_CHARGEN, SERVICE_CHARGEN) && listen_at(PORT_BYE, SERVICE_BYE) &&
	       mrg_tcpip_udp_bind(app.stack, &four, &echo.user) != NULL &&
	       mrg_tcpip_udp_bind(app.stack, &six, &echo.user) != NULL;
}

void vm_main(const struct vm_boot *boot)
{
	enum outcome outcome = vm_app_open(&app, boot, "mrg-echo");
	if (outcome == OUTCOME_OK)
		outcome = open_services() ? vm_app_run(&app) : OUTCOME_SYSTEM;
	vm_app_end(outcome);
}
