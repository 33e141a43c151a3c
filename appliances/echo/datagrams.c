/*
 * Datagrams that are sent back, and those that say what to do.
 */
#include "appliances/echo/services.h"

/* ---- echo ---- */

enum { PORT_ECHO = 7, PORT_DAYTIME = 13, PORT_QUOTE = 17, PORT_CHARGEN = 19 };

/* What comes from such a port is an answer: two services that answer everything would go on for ever. */
static bool answers_all(uint16_t port)
{
	return port == PORT_ECHO || port == PORT_DAYTIME || port == PORT_QUOTE || port == PORT_CHARGEN;
}

static void echo(struct datagram_echo *t, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t index)
{
	struct mrg_rt_addr peer, asked;
	e->ops->peer(e, index, &peer);
	if (answers_all(peer.port)) {
		t->counts.looped++;
		return;
	}
	if (d->in.len != 0 && d->in.len <= d->out_cap) {
		memcpy(d->out, d->in.p, d->in.len);
		d->out_len = d->in.len;
		t->counts.out++;
		return;
	}
	e->ops->asked(e, index, &asked);
	if (e->ops->send(e, &asked, &peer, d->in) == MRG_IO_OK)
		t->counts.out++; /* nothing at all, or more than there is room for */
}

static void echo_batch(void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	struct datagram_echo *const t = ctx;
	(void)now_ns;
	t->counts.in += count;
	for (size_t i = 0; i < count; i++)
		echo(t, e, &d[i], i);
}

void datagram_echo_init(struct datagram_echo *d)
{
	*d = (struct datagram_echo){ .user = { .ctx = d, .batch = echo_batch } };
}

/* ---- what to do ---- */

static bool space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The next word; empty at the end. */
static struct mrg_span word_of(struct mrg_span *text)
{
	while (text->len != 0 && space(*text->p))
		*text = (struct mrg_span){ text->p + 1, text->len - 1u };
	struct mrg_span word = { text->p, 0 };
	while (word.len < text->len && !space(word.p[word.len]))
		word.len++;
	*text = (struct mrg_span){ text->p + word.len, text->len - word.len };
	return word;
}

/* An address without brackets, and its port. */
static bool read_address(struct mrg_span ip, struct mrg_span port, struct mrg_rt_addr *out)
{
	char text[2 * MRG_RT_ADDR_TEXT_MAX];
	const bool six = ip.len != 0 && memchr(ip.p, ':', ip.len) != NULL && ip.p[0] != '[';
	struct mrg_w w;
	mrg_w_init(&w, text, sizeof text);
	mrg_w_put(&w, six ? MRG_LITERAL("[") : MRG_LITERAL(""));
	mrg_w_put(&w, ip);
	mrg_w_put(&w, six ? MRG_LITERAL("]:") : MRG_LITERAL(":"));
	mrg_w_put(&w, port);
	mrg_w_u8(&w, '\0');
	return w.st == MRG_OK && mrg_rt_addr_read(text, 0, out) && out->port != 0;
}

static const char *obey(struct datagram_control *t, struct mrg_span text)
{
	struct mrg_rt_addr to;
	const struct mrg_span verb = word_of(&text), ip = word_of(&text), port = word_of(&text),
			      more = word_of(&text);
	if (!mrg_span_eq(verb, MRG_LITERAL("connect")))
		return "expected: connect ADDRESS PORT";
	if (more.len != 0 || !read_address(ip, port, &to))
		return "no address with a port";
	return t->connect(t->ctx, &to);
}

static void control_batch(
	void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	struct datagram_control *const t = ctx;
	(void)e;
	(void)now_ns;
	t->counts.in += count;
	for (size_t i = 0; i < count; i++) {
		const char *const why = obey(t, d[i].in);
		struct mrg_w w;
		mrg_w_init(&w, d[i].out, d[i].out_cap);
		mrg_w_put(&w, why == NULL ? MRG_LITERAL("ok") : MRG_LITERAL("error: "));
		if (why != NULL)
			mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)why, strlen(why) });
		mrg_w_put(&w, MRG_LITERAL("\n"));
		d[i].out_len = w.st == MRG_OK ? w.len : 0;
		t->counts.out += d[i].out_len != 0;
	}
}

void datagram_control_init(struct datagram_control *d)
{
	d->user = (struct mrg_dgram_user){ .ctx = d, .batch = control_batch };
}
