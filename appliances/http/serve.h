/*
 * serve.h - bind, open, drop privileges, serve until told to stop.
 */
#ifndef MRG_HTTP_SERVE_H
#define MRG_HTTP_SERVE_H

#include "appliances/http/options.h"

enum outcome serve(const struct options *o);

#endif
