/*
 * mrg-get: what is at a URL. This file is the way in.
 * Reading order: the help text, options.c, fetch.c, output.c.
 */
#include <stdio.h>

#include "appliances/get/get.h"

static const char HELP[] =
	"usage: mrg-get [OPTION]... URL...\n"
	"\n"
	"Fetches what is at each http URL, and writes it to standard output. URLs of one server in a row share a connection.\n"
	"\n"
	"  -o FILE              write to FILE instead\n"
	"  -i                   write the heads of the answers, too\n"
	"  -I                   only the heads: ask by HEAD\n"
	"  -H 'Name: value'     one more field; may be given again\n"
	"  -d DATA, -d @FILE    send this, by POST\n"
	"  -X METHOD            ask by METHOD\n"
	"  --http1.0            ask as HTTP/1.0\n"
	"  --at ADDRESS[:PORT]  connect there, wherever the URL points; a server that is known by a name needs it\n"
	"  --max-time SECONDS   for everything together, such as 0.5\n"
	"  --help, --version    print this, or the version, and end\n"
	"\n"
	"Hosts are addresses, such as 127.0.0.1 or [::1], or localhost; other names need --at.\n"
	"\n"
	"Exit status: 0 done; 1 the server answered with a status of 400 or more; 2 wrong usage; 3 no connection; 4 too slow;\n"
	"5 no answer, or one that is cut short or breaks the protocol's rules; 6 an error of the system.\n";

static const char VERSION[] = "mrg-get " GET_VERSION "\n";

int main(int argc, char *argv[])
{
	static struct options o;
	if (mrg_unix_files_begin() != 0)
		return SYSTEM;
	if (!options_read(&o, argc, argv))
		return USAGE;
	if (o.help || o.version) {
		(void)fputs(o.help ? HELP : VERSION, stdout);
		return fflush(stdout) == 0 ? DONE : SYSTEM;
	}
	return fetch_all(&o);
}
