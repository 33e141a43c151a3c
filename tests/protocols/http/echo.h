/*
 * echo.h - for tests of protocols/http: a handler that writes down what it is told, and answers by what the path says.
 *
 * It takes bodies, unless the query is `now`; then it answers at once. The path:
 *   /text/N     N octets in the room for text         /memory/N  N octets in memory
 *   /hidden/N   a file of N octets, not in memory     /visible/N  the same in memory
 *   /parts/N    N parts of all four kinds by turns    /pieces/N  N parts in memory, each of a size that is rather copied
 *   /status/N   this status, without a body           /bodied/N  this status, with a body that it may not have
 *   /stop/N     no more than N octets of the body are wanted
 *   /close      the connection ends                   /fields/N  a field with a value of N octets
 *   /line       a field with a line end in it
 *   /own?now    something is left behind, though it is answered already
 * Any other is answered with the target, the length of the body and the body.
 */
#ifndef TESTS_HTTP_ECHO_H
#define TESTS_HTTP_ECHO_H

#include "protocols/http/server.h"
#include "tree.h"

extern const struct mrg_http_handler echo;

/* What it was told: "head GET / |", "body", "finish 5:hello |", "end 3:hel |", "log 200 |" */
extern char echo_events[1 << 20];

extern struct tree echo_tree;
extern unsigned echo_pieces; /* of bodies that it was given */

void echo_start(void);
void echo_forget(void); /* what it was told so far */

/* All that began has ended, and all files are closed. */
void echo_stop(void);

#endif
