/*
 * A command line: a table of options, each with the function that takes its value, or with the place for it.
 * Reading order: numbers, unknown options, args_read.
 */
#include "appliances/common/args.h"
#include "appliances/common/say.h"

enum { NAME_MAX_LEN = 20 };

bool args_number(const char *program, const char *option, const char *value, unsigned least, unsigned most,
	unsigned *out)
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
	say(program, ": ", option, " ", value, ": expected a number, ", buffer, NULL);
	return false;
}

bool args_address(const char *program, const char *option, const char *value, uint16_t default_port,
	struct mrg_rt_addr *out)
{
	if (mrg_rt_addr_read(value, default_port, out))
		return true;
	say(program, ": ", option, " ", value,
		": not an address; expected like 192.0.2.1:53 or [2001:db8::1]:53", NULL);
	return false;
}

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

static bool has_help(const struct args *args)
{
	for (size_t i = 0; i < args->count; i++)
		if (strcmp(args->table[i].name, "--help") == 0)
			return true;
	return false;
}

static void say_unknown(const struct args *args, const char *arg, size_t len)
{
	const char *nearest = NULL;
	unsigned best = 4; /* letters apart, from which on it is no likely slip */
	for (size_t i = 0; i < args->count && len <= NAME_MAX_LEN; i++) {
		const unsigned d = distance(arg, len, args->table[i].name);
		if (d < best) {
			best = d;
			nearest = args->table[i].name;
		}
	}
	if (nearest != NULL)
		say(args->program, ": unknown option '", arg, "' (did you mean '", nearest, "'?)", NULL);
	else if (has_help(args))
		say(args->program, ": unknown option '", arg, "'; see ", args->program, " --help", NULL);
	else
		say(args->program, ": unknown option '", arg, "'", NULL);
}

static const struct arg *find(const struct args *args, const char *text, size_t len)
{
	for (size_t i = 0; i < args->count; i++)
		if (strlen(args->table[i].name) == len && memcmp(args->table[i].name, text, len) == 0)
			return &args->table[i];
	say_unknown(args, text, len);
	return NULL;
}

/* Print a text that was asked for. */
static enum outcome print(const char *text)
{
	char buffer[256];
	struct text_out o;
	out_init(&o, SAY_STDOUT, buffer, sizeof buffer);
	out_str(&o, text);
	return out_flush(&o) ? OUTCOME_OK : OUTCOME_SYSTEM;
}

/* Put a value, or that the option is there, in its place. */
static bool place(const struct args *args, const struct arg *arg, void *ctx, const char *value)
{
	void *const at = (char *)ctx + arg->at;
	switch (arg->kind) {
	case ARG_SET: *(bool *)at = true; break;
	case ARG_STRING: *(const char **)at = value; break;
	case ARG_NUMBER: return args_number(args->program, arg->name, value, arg->least, arg->most, at);
	case ARG_ADDRESS: return args_address(args->program, arg->name, value, (uint16_t)arg->most, at);
	default: return arg->take(ctx, value);
	}
	return true;
}

static bool take(const struct args *args, const struct arg *arg, void *ctx, const char *value)
{
	if (arg->has_value == (value == NULL)) {
		say(args->program, ": ", arg->name, arg->has_value ? " needs a value" : " takes no value",
			NULL);
		return false;
	}
	return place(args, arg, ctx, value);
}

bool args_take(const struct args *args, void *ctx, const char *name, const char *value)
{
	const struct arg *const arg = find(args, name, strlen(name));
	if (arg == NULL)
		return false;
	if (arg->text == NULL)
		return take(args, arg, ctx, value);
	say(args->program, ": ", name, " is for command lines", NULL);
	return false;
}

bool args_read(const struct args *args, void *ctx, int argc, char *const argv[], enum outcome *outcome)
{
	*outcome = OUTCOME_USAGE;
	for (int i = 1; i < argc; i++) {
		const char *const equals = strncmp(argv[i], "--", 2) == 0 ? strchr(argv[i], '=') : NULL;
		const struct arg *const arg =
			find(args, argv[i], equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i]));
		if (arg == NULL)
			return false;
		if (arg->text != NULL) {
			*outcome = print(arg->text);
			return false;
		}
		if (!take(args, arg, ctx, equals != NULL ? equals + 1 : arg->has_value ? argv[++i] : NULL))
			return false;
	}
	return true;
}
