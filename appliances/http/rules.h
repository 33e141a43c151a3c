/*
 * rules.h - what options say of how files are served and what is told of it, wherever the files are: the same in a process and in an image.
 *
 * What it does not do: it opens nothing; it needs no system.
 */
#ifndef MRG_HTTP_RULES_H
#define MRG_HTTP_RULES_H

#include "mrg_rt.h"
#include "protocols/http/files.h"

enum { LISTEN_MAX = 32, RULES_MAX = 256, HOSTS_MAX = 256, RULES_PORT = 80 };

enum access_log { ACCESS_NONE, ACCESS_COMMON, ACCESS_COMBINED };

/* Where the files of a host are. */
struct host_option {
	struct mrg_span name; /* empty: the host that is none of the others */
	const char *place;    /* of a process: a folder, or a packed archive, whichever it turns out to be; of an image: a folder of its archive */
	bool archive;         /* it has to be an archive */
};

struct rules {
	struct mrg_rt_addr listen[LISTEN_MAX];
	size_t listen_count;
	struct mrg_rt_addr metrics; /* family 0: none */
	struct mrg_http_cache_rule cache_rules[RULES_MAX];
	size_t cache_rule_count;
	struct mrg_http_error_page error_pages[RULES_MAX];
	size_t error_page_count;
	struct host_option hosts[HOSTS_MAX]; /* the first is the one without a name */
	size_t host_count;
	struct mrg_span index;
	enum access_log access_log;
};

/* Rows for a table of options (args.h), whose takers get a struct rules. What is taken borrows the values. */
#define RULES_ARGS \
	ARG_TAKES("--listen", rules_take_listen), ARG_TAKES("--vhost", rules_take_vhost), \
	ARG_TAKES("--index", rules_take_index), \
	ARG_TAKES("--error-page", rules_take_error_page), ARG_TAKES("--cache", rules_take_cache), \
	ARG_TAKES("--access-log", rules_take_access_log), ARG_PLACES("--metrics", struct rules, metrics, METRICS_PORT)

bool rules_take_listen(void *ctx, const char *value);
bool rules_take_vhost(void *ctx, const char *value);
bool rules_take_index(void *ctx, const char *value);
bool rules_take_error_page(void *ctx, const char *value);
bool rules_take_cache(void *ctx, const char *value);
bool rules_take_access_log(void *ctx, const char *value);

void rules_init(struct rules *r); /* what counts where no option says otherwise */

/* Of a server; conn_count is for who knows what there is room for. */
extern const struct mrg_http_limits rules_limits;

/* What a library that serves files wants to know of it, which borrows it. */
void rules_to(const struct rules *r, struct mrg_http_files *files);

#endif
