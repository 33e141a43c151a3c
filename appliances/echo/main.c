/*
 * mrg-echo: small services on a TCP/IP of its own. This file is the way in.
 * Reading order: services.h, echo.h, serve.c.
 */
#include "appliances/echo/echo.h"

int main(int argc, char *argv[])
{
	static struct options o;
	enum outcome outcome;
	if (mrg_unix_files_begin() != 0)
		return OUTCOME_SYSTEM; /* with nowhere to say so */
	if (options_read(&o, argc, argv, &outcome))
		outcome = serve(&o);
	return (int)outcome;
}
