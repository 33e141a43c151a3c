/*
 * serve.h - bind, open, drop privileges, serve until told to stop.
 */
#ifndef MRG_HTTP_SERVE_H
#define MRG_HTTP_SERVE_H

#include "appliances/http/setup.h"

/* argc, argv: read again by a reload. */
enum outcome serve(struct setup *setup, int argc, char *const argv[]);

#endif
