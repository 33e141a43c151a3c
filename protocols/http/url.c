/*
 * URLs, by the grammar of targets.
 */
#include "http/target.h"
#include "mrg_digits.h"
#include "protocols/http/framing.h"
#include "protocols/http/url.h"

enum { CAPTURES = 4, PORT_DEFAULT = 80 };

static enum mrg_status refuse(struct mrg_http_url *u, struct mrg_span why)
{
	u->why = why;
	return MRG_E_VALUE;
}

static enum mrg_status take_authority(struct mrg_http_url *u)
{
	struct mrg_capture c[2];
	size_t count, at;
	unsigned code;
	uint64_t port = PORT_DEFAULT;
	if (mrg_http_target_host_read(u->authority, c, 2, &count, &at, &code) != MRG_OK)
		return refuse(u, MRG_LITERAL("no host and port (RFC 9110 4.2.1)"));
	for (size_t i = 0; i < count; i++) {
		if (c[i].what == MRG_HTTP_TARGET_HOST_HOST)
			u->host = mrg_http_span_(&c[i]);
		else
			port = mrg_digits_dec(mrg_http_span_(&c[i]));
	}
	if (u->host.len == 0)
		return refuse(u, MRG_LITERAL("the host is empty (RFC 9110 4.2.1)"));
	if (port == 0 || port > UINT16_MAX)
		return refuse(u, MRG_LITERAL("the port is not in 1 to 65535 (RFC 9293 3.1)"));
	u->port = (uint16_t)port;
	return MRG_OK;
}

enum mrg_status mrg_http_url_read(struct mrg_span in, struct mrg_http_url *out)
{
	struct mrg_capture c[CAPTURES];
	size_t count, at;
	unsigned code;
	*out = (struct mrg_http_url){ .port = PORT_DEFAULT };
	if (mrg_http_target_absolute_read(in, c, CAPTURES, &count, &at, &code) != MRG_OK)
		return refuse(out, MRG_LITERAL("not scheme://host:port/path?query (RFC 9110 4.2)"));
	out->scheme = mrg_http_span_(&c[0]);
	out->authority = mrg_http_span_(&c[1]);
	out->rest.p = out->authority.p + out->authority.len;
	out->rest.len = in.len - mrg_off(in, out->rest.p);
	return take_authority(out);
}

void mrg_http_url_target_put(struct mrg_w *w, const struct mrg_http_url *u)
{
	size_t at;
	unsigned code;
	if (mrg_http_target_origin_check(u->rest, &at, &code) != MRG_OK) /* no path: RFC 9112 3.2.1 */
		mrg_w_put(w, MRG_LITERAL("/"));
	mrg_w_put(w, u->rest);
}
