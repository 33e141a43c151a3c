/*
 * The command line: a table of options, each with the function that takes its value.
 * Reading order: the help text, the takers, the table, options_read.
 */
#include "appliances/common/conf.h"
#include "appliances/common/sandbox.h"
#include "appliances/common/say.h"
#include "appliances/http/options.h"

static const char HELP[] =
	"usage: mrg-http --listen ADDRESS:PORT --root FOLDER [options]\n"
	"\n"
	"Serves the files of a folder, or of an archive that mrg-pack has made, by HTTP/1.1.\n"
	"\n"
	"  --listen ADDRESS:PORT   where to serve; repeatable. IPv6 as [::1]:8080; without :PORT it is 80\n" NET_HELP
	"  --root FOLDER           the files\n"
	"  --archive FILE          the same, packed into one file\n"
	"  --vhost NAME=PLACE      other files for requests to the host NAME, a folder or an archive; repeatable\n"
	"  --index NAME            the file that stands for its folder (index.html)\n"
	"  --error-page STATUS=PATH  the file to send with a status, such as 404=404.html; repeatable\n"
	"  --cache PATTERN=VALUE   Cache-Control of what fits: `*` any, `*.css` by end, `assets/*` by begin; repeatable,\n"
	"                          the first that fits counts\n"
	"  --access-log FORMAT     a line for each answer on standard output: common, combined or none (none)\n"
	"  --metrics ADDRESS:PORT  serve figures for Prometheus there, as /metrics\n"
	"  --workers N             threads that serve (1)\n"
	"  --user NAME             become this user after binding when started as root (nobody); also UID or UID:GID\n" SANDBOX_HELP
	"  --config FILE           more options: a line for each, without dashes, `listen 127.0.0.1:8080`\n"
	"  --check                 see whether everything is there, and end\n"
	"  --help, --version       print this, or the version, and end\n"
	"\n"
	"Signals: HUP reads the configuration and opens folders and archives again; TERM and INT end it when what was asked has been answered.\n"
	"\n"
	"Exit status: 0 ended as asked; 1 a folder, an archive or the configuration is not right; 2 wrong usage; 3 an address cannot be listened on;\n"
	"4 anything else that the system refused.\n";

static const char PROGRAM[] = "mrg-http";
static const char VERSION[] = "mrg-http 0.1.0\n";

/* ---- values: each says itself what is wrong with one ---- */

static bool take_net(void *ctx, const char *value)
{
	struct options *const o = ctx;
	return net_read(PROGRAM, value, &o->net);
}

static bool take_place(struct options *o, const char *option, const char *value, bool archive)
{
	if (o->rules.hosts[0].place != NULL) {
		say("mrg-http: ", option, " ", value, ": the files are to be in ", o->rules.hosts[0].place,
			" already", NULL);
		return false;
	}
	o->rules.hosts[0] = (struct host_option){ .place = value, .archive = archive };
	return true;
}

static bool take_root(void *ctx, const char *value) { return take_place(ctx, "--root", value, false); }

static bool take_archive(void *ctx, const char *value) { return take_place(ctx, "--archive", value, true); }

static bool take_sandbox(void *ctx, const char *value)
{
	struct options *const o = ctx;
	(void)value;
	o->sandbox = true;
	return sandbox_possible(PROGRAM);
}

static bool take_config(void *ctx, const char *value);

/* ---- the table ---- */

static const struct arg table[] = {
	RULES_ARGS,
	ARG_TAKES("--net", take_net),
	ARG_TAKES("--root", take_root),
	ARG_TAKES("--archive", take_archive),
	ARG_COUNTS("--workers", struct options, workers, 1, WORKERS_MAX),
	ARG_SAYS("--user", struct options, user),
	ARG_DOES("--sandbox", take_sandbox),
	ARG_TAKES("--config", take_config),
	ARG_SETS("--check", struct options, check),
	ARG_PRINTS("--help", HELP),
	ARG_PRINTS("--version", VERSION),
};

static const struct args args = { PROGRAM, table, sizeof table / sizeof table[0] };

static bool take_config(void *ctx, const char *value)
{
	struct options *const o = ctx;
	if (o->in_file) {
		say("mrg-http: --config ", value, ": one configuration can't name another", NULL);
		return false;
	}
	o->in_file = true;
	static const struct conf conf = { .args = &args };
	const bool read = conf_read(&conf, o, o->arena, value, &o->faults);
	o->in_file = false;
	return read && o->faults == 0;
}

static bool check_whole(const struct options *o)
{
	if (o->rules.hosts[0].place == NULL)
		say("mrg-http: no --root FOLDER and no --archive FILE; see mrg-http --help", NULL);
	else if (o->rules.listen_count == 0 && o->net.kind == NET_NONE && !o->check)
		say("mrg-http: no --listen ADDRESS:PORT; see mrg-http --help", NULL);
	else if (o->workers != 1 && o->net.kind != NET_NONE)
		say("mrg-http: --net has one worker, not --workers", NULL);
	else
		return true;
	return false;
}

bool options_read(
	struct options *o, struct mrg_arena *arena, int argc, char *const argv[], enum outcome *outcome)
{
	*o = (struct options){ .workers = 1, .arena = arena };
	rules_init(&o->rules);
	if (args_read(&args, o, argc, argv, outcome)) {
		*outcome = OUTCOME_USAGE;
		if (o->rules.listen_count == 0 && o->net.kind != NET_NONE)
			o->rules.listen_count = net_listen(o->rules.listen, RULES_PORT);
		return check_whole(o);
	}
	if (o->faults != 0)
		*outcome = OUTCOME_INPUT;
	return false;
}
