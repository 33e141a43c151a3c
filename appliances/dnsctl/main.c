/*
 * mrg-dnsctl: asks a running mrg-dns, over the socket of its --control. What can be asked is in appliances/dns/control.h: a line of words
 * goes there, text comes back, whose last line says whether it was done.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "appliances/common/args.h"
#include "appliances/common/say.h"
#include "unix/mrg_unix.h"

static const char PROGRAM[] = "mrg-dnsctl";

static const char HELP[] =
	"usage: mrg-dnsctl [--control SOCKET] COMMAND\n"
	"\n"
	"Asks a running mrg-dns that was started with --control SOCKET (/run/mrg-dns/control).\n"
	"\n"
	"  status               a line for each zone: its name, serial number, records, where they are from\n"
	"  reload [ZONE]        read the configuration and all zones again, or one zone\n"
	"  dump ZONE            print its records, one a line\n"
	"  write ZONE [FILE]    write them to a file, of that name or its own\n"
	"  write                write all zones that have changed and have primaries to their own\n"
	"  transfer ZONE        ask its primary for it now\n"
	"  stats                print the figures of --metrics\n"
	"  --help, --version    print this, or the version, and end\n"
	"\n"
	"Exit status: 0 done; 1 it could not be done, which is said; 2 wrong usage; 4 nobody answers.\n";

enum { LINE_MAX_LEN = 4096, PAGE = 1 << 16, LAST_MAX = 300 /* octets of the last line that are looked at */ };

/* The end of what came; the last line of it is not for standard output. */
struct answer {
	struct text_out out;
	char tail[LAST_MAX]; /* from the last line feed that something follows on */
	size_t tail_len;
	bool broken; /* the output can't be written */
};

/* Print what came but for its last line, which is kept. */
static void take(struct answer *a, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (a->tail_len == sizeof a->tail || (a->tail_len != 0 && a->tail[a->tail_len - 1] == '\n')) {
			out_span(&a->out, (struct mrg_span){ (const uint8_t *)a->tail, a->tail_len });
			a->tail_len = 0;
		}
		a->tail[a->tail_len++] = p[i];
	}
}

static int send_all(int fd, const char *p, size_t len)
{
	while (len != 0) {
		const ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int receive_all(int fd, struct answer *a)
{
	static char page[PAGE];
	for (;;) {
		const ssize_t n = recv(fd, page, sizeof page, 0);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			take(a, page, (size_t)n);
	}
}

/* What the last line says. */
static enum outcome judge(struct answer *a)
{
	static const char error[] = "error: ";
	if (!out_flush(&a->out)) {
		say(PROGRAM, ": standard output: cannot be written", NULL);
		return OUTCOME_SYSTEM;
	}
	if (a->tail_len != 0 && a->tail[a->tail_len - 1] == '\n')
		a->tail_len--;
	a->tail[a->tail_len] = '\0';
	if (strcmp(a->tail, "ok") == 0)
		return OUTCOME_OK;
	if (strncmp(a->tail, error, sizeof error - 1) == 0)
		say(PROGRAM, ": ", a->tail + sizeof error - 1, NULL);
	else
		say(PROGRAM, ": the answer breaks off", NULL);
	return OUTCOME_INPUT;
}

static enum outcome ask(const char *socket, const char *line, size_t len)
{
	static char buffer[PAGE];
	static struct answer a;
	int fd;
	int err = mrg_unix_local_connect(socket, &fd);
	out_init(&a.out, STDOUT_FILENO, buffer, sizeof buffer);
	if (err == 0)
		err = send_all(fd, line, len);
	if (err == 0)
		err = receive_all(fd, &a);
	if (err == 0)
		return judge(&a);
	say(PROGRAM, ": ", socket, ": ", strerrordesc_np(err), NULL);
	return OUTCOME_SYSTEM;
}

/* The words with blanks between them, and a newline; 0: too long. */
static size_t join(char *const words[], int count, char out[LINE_MAX_LEN])
{
	struct mrg_w w;
	mrg_w_init(&w, out, LINE_MAX_LEN);
	for (int i = 0; i < count; i++) {
		mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)words[i], strlen(words[i]) });
		mrg_w_u8(&w, i + 1 < count ? ' ' : '\n');
	}
	return w.st == MRG_OK ? w.len : 0;
}

struct options {
	const char *control;
};

int main(int argc, char *argv[])
{
	static const struct arg table[] = {
		ARG_SAYS("--control", struct options, control),
		ARG_PRINTS("--help", HELP),
		ARG_PRINTS("--version", "mrg-dnsctl 0.1.0\n"),
	};
	static const struct args args = { PROGRAM, table, sizeof table / sizeof table[0] };
	static char line[LINE_MAX_LEN];
	struct options o = { .control = "/run/mrg-dns/control" };
	enum outcome outcome;
	int first = 1;
	while (first < argc && strncmp(argv[first], "--", 2) == 0)
		first += strcmp(argv[first], "--control") == 0 ? 2 : 1;
	if (first > argc)
		first = argc;
	if (mrg_unix_files_begin() != 0)
		return OUTCOME_SYSTEM;
	if (!args_read(&args, &o, first, argv, &outcome))
		return (int)outcome;
	const size_t len = join(argv + first, argc - first, line);
	if (len == 0) {
		say(PROGRAM, argc == first ? ": no command; see mrg-dnsctl --help" : ": too many words",
			NULL);
		return OUTCOME_USAGE;
	}
	return (int)ask(o.control, line, len);
}
