/*
 * The command line: a table of options, each with the function that takes its value.
 * Reading order: the help text, the takers, the table, options_read.
 */
#include <unistd.h>

#include "appliances/dns/options.h"
#include "appliances/dns/say.h"
#include "dns/name_text.h"

static const char HELP[] =
	"usage: mrg-dns --listen ADDRESS:PORT --zone ORIGIN=FILE [options]\n"
	"\n"
	"An authoritative DNS server: answers for the zones in the files, over UDP and TCP.\n"
	"\n"
	"  --listen ADDRESS:PORT   where to answer; repeatable. IPv6 as [::1]:5353; without :PORT it is 53\n"
	"  --zone ORIGIN=FILE      a zone and its master file; repeatable\n"
	"  --workers N             threads that answer (1)\n"
	"  --user NAME             become this user after binding when started as root (nobody); also UID or UID:GID\n"
	"  --udp-max N             largest UDP reply in octets, 512 to 65535 (1232)\n"
	"  --version-text TEXT     answer to CH TXT version.bind and version.server (refused)\n"
	"  --identity TEXT         answer to CH TXT id.server and hostname.bind (refused)\n"
	"  --nsid TEXT             name server identifier, RFC 5001 (not sent)\n"
	"  --check                 read the zones, report errors as FILE:LINE:COLUMN, and end\n"
	"  --print                 read the zones, print their records one a line, and end\n"
	"  --help, --version       print this, or the version, and end\n"
	"\n"
	"Signals: HUP reads the zones again, and keeps the old ones if there is an error; TERM and INT end it when\n"
	"what was asked has been answered.\n"
	"\n"
	"Exit status: 0 ended as asked; 1 an error in a zone; 2 wrong usage; 3 an address cannot be listened on;\n"
	"4 anything else that the system refused.\n";

static const char VERSION[] = "mrg-dns 0.1.0\n";

static struct mrg_span span_of(const char *s) { return (struct mrg_span){ (const uint8_t *)s, strlen(s) }; }

/* ---- values: each says itself what is wrong with one ---- */

static bool take_listen(struct options *o, const char *value)
{
	if (o->listen_count == LISTEN_MAX) {
		say("mrg-dns: too many --listen", NULL);
		return false;
	}
	if (!mrg_rt_addr_read(value, 53, &o->listen[o->listen_count])) {
		say("mrg-dns: --listen ", value,
			": not an address; expected like 192.0.2.1:53 or [2001:db8::1]:53", NULL);
		return false;
	}
	o->listen_count++;
	return true;
}

static bool take_zone(struct options *o, const char *value)
{
	static const uint8_t root[1] = { 0 };
	struct zone_option *const z = &o->zones[o->zone_count];
	const char *const equals = strchr(value, '=');
	if (equals == NULL || equals == value || equals[1] == '\0') {
		say("mrg-dns: --zone ", value, ": expected ORIGIN=FILE", NULL);
		return false;
	}
	struct mrg_text t;
	struct mrg_w w;
	const struct mrg_span origin = { (const uint8_t *)value, (size_t)(equals - value) };
	mrg_text_line(&t, origin, (struct mrg_span){ root, sizeof root });
	mrg_w_init(&w, z->origin, sizeof z->origin);
	if (mrg_dns_name_from_text(&t, &w, NULL) != MRG_OK || !mrg_text_end(&t)) {
		char why[200];
		say("mrg-dns: --zone ", value, ": ", mrg_text_message(&t, why, sizeof why), NULL);
		return false;
	}
	z->origin_len = w.len;
	z->file = equals + 1;
	o->zone_count++;
	return true;
}

/* A decimal number in least..most. */
static bool take_number(const char *option, const char *value, unsigned least, unsigned most, unsigned *out)
{
	unsigned v = 0;
	const char *p = value;
	for (; *p >= '0' && *p <= '9' && v <= most; p++)
		v = v * 10u + (unsigned)(*p - '0');
	if (p != value && *p == '\0' && v >= least && v <= most) {
		*out = v;
		return true;
	}
	char buffer[100];
	struct text_out text;
	out_init(&text, -1, buffer, sizeof buffer - 1);
	out_num(&text, least);
	out_str(&text, " to ");
	out_num(&text, most);
	buffer[text.w.len] = '\0';
	say("mrg-dns: ", option, " ", value, ": expected a number, ", buffer, NULL);
	return false;
}

static bool take_workers(struct options *o, const char *value)
{
	unsigned n;
	if (!take_number("--workers", value, 1, WORKERS_MAX, &n))
		return false;
	o->workers = n;
	return true;
}

static bool take_udp_max(struct options *o, const char *value)
{
	unsigned n;
	if (!take_number("--udp-max", value, 512, UINT16_MAX, &n))
		return false;
	o->udp_max = (uint16_t)n;
	return true;
}

static bool take_user(struct options *o, const char *value)
{
	o->user = value;
	return true;
}

static bool take_text(const char *option, const char *value, struct mrg_span *out)
{
	*out = span_of(value);
	if (out->len <= UINT8_MAX) /* a character string, RFC 1035 3.3 */
		return true;
	say("mrg-dns: ", option, ": longer than 255 octets", NULL);
	return false;
}

static bool take_version_text(struct options *o, const char *value)
{
	return take_text("--version-text", value, &o->version);
}

static bool take_identity(struct options *o, const char *value)
{
	return take_text("--identity", value, &o->identity);
}

static bool take_nsid(struct options *o, const char *value) { return take_text("--nsid", value, &o->nsid); }

static bool take_check(struct options *o, const char *value)
{
	(void)value;
	o->check = true;
	return true;
}

static bool take_print(struct options *o, const char *value)
{
	(void)value;
	o->print = true;
	return true;
}

/* ---- the table ---- */

static const struct option {
	const char *name;
	bool (*take)(struct options *o, const char *value); /* NULL: the text is printed and that is all */
	bool has_value;
	const char *text;
} table[] = {
	{ "--listen", take_listen, true, NULL },
	{ "--zone", take_zone, true, NULL },
	{ "--workers", take_workers, true, NULL },
	{ "--user", take_user, true, NULL },
	{ "--udp-max", take_udp_max, true, NULL },
	{ "--version-text", take_version_text, true, NULL },
	{ "--identity", take_identity, true, NULL },
	{ "--nsid", take_nsid, true, NULL },
	{ "--check", take_check, false, NULL },
	{ "--print", take_print, false, NULL },
	{ "--help", NULL, false, HELP },
	{ "--version", NULL, false, VERSION },
};

enum { TABLE_LEN = sizeof table / sizeof table[0], NAME_MAX_LEN = 20 };

/* Letters to insert, remove or change to make b out of a; both of at most NAME_MAX_LEN. */
static unsigned distance(const char *a, size_t a_len, const char *b)
{
	unsigned row[NAME_MAX_LEN + 1];
	const size_t b_len = strlen(b);
	for (unsigned j = 0; j <= b_len; j++)
		row[j] = j;
	for (unsigned i = 0; i < a_len; i++) {
		unsigned corner = row[0];
		row[0] = i + 1u;
		for (unsigned j = 0; j < b_len; j++) {
			const unsigned change = corner + (a[i] != b[j]);
			const unsigned other = 1u + (row[j] < row[j + 1] ? row[j] : row[j + 1]);
			corner = row[j + 1];
			row[j + 1] = change < other ? change : other;
		}
	}
	return row[b_len];
}

static void say_unknown(const char *arg, size_t len)
{
	const char *nearest = NULL;
	unsigned best = 4; /* letters apart, from which on it is no likely slip */
	for (size_t i = 0; i < TABLE_LEN && len <= NAME_MAX_LEN; i++) {
		const unsigned d = distance(arg, len, table[i].name);
		if (d < best) {
			best = d;
			nearest = table[i].name;
		}
	}
	if (nearest != NULL)
		say("mrg-dns: unknown option '", arg, "' (did you mean '", nearest, "'?)", NULL);
	else
		say("mrg-dns: unknown option '", arg, "'; see mrg-dns --help", NULL);
}

static const struct option *find(const char *arg, size_t len)
{
	for (size_t i = 0; i < TABLE_LEN; i++)
		if (strlen(table[i].name) == len && memcmp(table[i].name, arg, len) == 0)
			return &table[i];
	say_unknown(arg, len);
	return NULL;
}

static bool check_whole(const struct options *o)
{
	if (o->zone_count == 0)
		say("mrg-dns: no --zone ORIGIN=FILE; see mrg-dns --help", NULL);
	else if (o->listen_count == 0 && !o->check && !o->print)
		say("mrg-dns: no --listen ADDRESS:PORT; see mrg-dns --help", NULL);
	else
		return true;
	return false;
}

/* Print a text that was asked for. */
static enum outcome print(const char *text)
{
	char buffer[256];
	struct text_out o;
	out_init(&o, STDOUT_FILENO, buffer, sizeof buffer);
	out_str(&o, text);
	return out_flush(&o) ? OUTCOME_OK : OUTCOME_SYSTEM;
}

bool options_read(
	struct options *o, struct mrg_arena *arena, int argc, char *const argv[], enum outcome *outcome)
{
	*o = (struct options){ .workers = 1, .user = NULL, .udp_max = 1232 };
	*outcome = OUTCOME_USAGE;
	o->zones = mrg_arena_get(arena, (size_t)argc * sizeof *o->zones, _Alignof(struct zone_option));
	if (o->zones == NULL) {
		say("mrg-dns: too many arguments", NULL);
		return false;
	}
	for (int i = 1; i < argc; i++) {
		const char *const equals = strncmp(argv[i], "--", 2) == 0 ? strchr(argv[i], '=') : NULL;
		const struct option *const opt =
			find(argv[i], equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i]));
		if (opt == NULL)
			return false;
		if (opt->text != NULL) {
			*outcome = print(opt->text);
			return false;
		}
		const char *const value = equals != NULL ? equals + 1 : opt->has_value ? argv[++i] : NULL;
		if (opt->has_value == (value == NULL)) {
			say("mrg-dns: ", opt->name, opt->has_value ? " needs a value" : " takes no value",
				NULL);
			return false;
		}
		if (!opt->take(o, value))
			return false;
	}
	return check_whole(o);
}
