/*
 * The command line of mrg-get.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliances/get/get.h"

enum { OLD = 256, AT, MAX_TIME, HELP, VERSION };

static const struct option LONG[] = {
	{ "http1.0", no_argument, NULL, OLD },
	{ "at", required_argument, NULL, AT },
	{ "max-time", required_argument, NULL, MAX_TIME },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ NULL, 0, NULL, 0 },
};

static const double SECONDS_MAX = 1e9;

void complain(const char *a, const char *b, int err)
{
	(void)fprintf(stderr, "mrg-get: %s%s%s%s%s\n", a, *b != '\0' ? ": " : "", b, err != 0 ? ": " : "",
		err != 0 ? strerror(err) : "");
}

static struct mrg_span span_of(const char *p, size_t len)
{
	return (struct mrg_span){ (const uint8_t *)p, len };
}

/* Blanks around a value are no part of it (RFC 9110 5.5). */
static struct mrg_span trimmed(const char *text)
{
	text += strspn(text, " \t");
	size_t len = strlen(text);
	while (len != 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	return span_of(text, len);
}

static bool take_field(struct options *o, const char *text)
{
	const char *const colon = strchr(text, ':');
	if (colon == NULL) {
		complain(text, "expected 'Name: value'", 0);
		return false;
	}
	const struct mrg_http_field_line f = { .name = span_of(text, (size_t)(colon - text)),
		.value = trimmed(colon + 1) };
	if (mrg_span_eq_nocase(f.name, MRG_LITERAL("Host"))) {
		o->host = f.value;
		return true;
	}
	if (o->field_count == FIELDS_MAX) {
		complain(text, "too many fields", 0);
		return false;
	}
	o->fields[o->field_count++] = f;
	return true;
}

static bool take_data(struct options *o, const char *text)
{
	o->has_data = true;
	if (text[0] != '@') {
		/* only read, as what comes from a file is; the structure serves both */
		o->data.len = strlen(text);
		memcpy(&o->data.p, &text, sizeof o->data.p);
		return true;
	}
	const int err = mrg_unix_text_read(&o->data, text + 1);
	if (err != 0)
		complain(text + 1, "", err);
	return err == 0;
}

static bool take_time(struct options *o, const char *text)
{
	char *end;
	const double seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds > 0 && seconds <= SECONDS_MAX)) {
		complain("--max-time", "expected seconds, such as 0.5 or 30", 0);
		return false;
	}
	o->max_ns = (uint64_t)(seconds * (double)MRG_RT_SECOND_NS);
	return true;
}

static bool take_address(struct options *o, const char *text)
{
	/* without a port: that of the URL */
	if (mrg_rt_addr_read(text, 0, &o->at))
		return true;
	complain(text, "expected an address, such as 127.0.0.1:8080 or [::1]", 0);
	return false;
}

static bool take(struct options *o, int option, const char *value)
{
	switch (option) {
	case 'o': o->output = value; return true;
	case 'i': o->with_head = true; return true;
	case 'I': o->only_head = true; return true;
	case 'H': return take_field(o, value);
	case 'd': return take_data(o, value);
	case 'X': o->method = value; return true;
	case OLD: o->old = true; return true;
	case AT: return take_address(o, value);
	case MAX_TIME: return take_time(o, value);
	case HELP: o->help = true; return true;
	case VERSION: o->version = true; return true;
	default: return false; /* getopt_long has said it */
	}
}

static bool fit_together(const struct options *o)
{
	const char *wrong = NULL;
	if (o->url_count == 0)
		wrong = "no URL; see mrg-get --help";
	else if (o->only_head && o->has_data)
		wrong = "-I and -d don't go together";
	else if (o->only_head && o->method != NULL && strcmp(o->method, "HEAD") != 0)
		wrong = "-I and -X don't go together";
	if (wrong != NULL)
		complain(wrong, "", 0);
	return wrong == NULL;
}

bool options_read(struct options *o, int argc, char *argv[])
{
	static char name[] = "mrg-get"; /* what getopt_long begins its messages with */
	int option;
	if (argc == 0)
		return false;
	argv[0] = name;
	while ((option = getopt_long(argc, argv, "o:iIH:d:X:", LONG, NULL)) != -1)
		if (!take(o, option, optarg))
			return false;
	o->urls = argv + optind;
	o->url_count = (size_t)(argc - optind);
	return o->help || o->version || fit_together(o);
}
