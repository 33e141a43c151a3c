/*
 * dnstap.
 * Reading order: messages, control frames, the file, the connection and what its machine does, dnstap_round.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "appliances/dns/dnstap_out.h"
#include "appliances/dns/options.h"
#include "dnstap.h"
#include "iana/dns.h"
#include "protocols/dns/query.h"
#include "unix/mrg_unix.h"

enum {
	DATA = 4 << 20,               /* octets of frames that wait */
	CONTROL = 256,                /* of control frames */
	PAYLOAD = (64 << 10) + 1024,  /* of a message of DNS, with all that is told of it */
	FRAMES = 2 * (PAYLOAD + 1024) /* of those of a query and its reply */
};

static const uint64_t PATIENCE_NS = 5u * MRG_RT_SECOND_NS;
static const uint64_t RETRY_NS = MRG_RT_SECOND_NS / 4u, RETRY_MOST_NS = 16u * MRG_RT_SECOND_NS;

static const char OPTION[] = "--dnstap", SOCKET[] = "unix:";

static struct mrg_span content_type(void) { return MRG_LITERAL("protobuf:dnstap.Dnstap"); }

/* ---- messages ---- */

static void put_number(struct mrg_w *w, enum mrg_dnstap_message_key key, uint64_t value)
{
	struct mrg_dnstap_message_field_build b;
	mrg_dnstap_message_field_begin(w, &b, &(struct mrg_dnstap_message_field_args){ .key = key });
	mrg_protobuf_varint_put(w, value);
	mrg_dnstap_message_field_end(w, &b);
}

static void put_octets(struct mrg_w *w, enum mrg_dnstap_message_key key, struct mrg_span octets)
{
	struct mrg_dnstap_message_field_build b;
	mrg_dnstap_message_field_begin(w, &b, &(struct mrg_dnstap_message_field_args){ .key = key });
	mrg_protobuf_octets_put(w, &(struct mrg_protobuf_octets_args){ .octets = octets });
	mrg_dnstap_message_field_end(w, &b);
}

static void put_time(struct mrg_w *w, enum mrg_dnstap_message_key seconds, enum mrg_dnstap_message_key rest,
	uint64_t unix_ns)
{
	struct mrg_dnstap_message_field_build b;
	put_number(w, seconds, unix_ns / MRG_RT_SECOND_NS);
	mrg_dnstap_message_field_begin(w, &b, &(struct mrg_dnstap_message_field_args){ .key = rest });
	mrg_protobuf_fixed32_put(
		w, &(struct mrg_protobuf_fixed32_args){ .value = (uint32_t)(unix_ns % MRG_RT_SECOND_NS) });
	mrg_dnstap_message_field_end(w, &b);
}

/* An address that is not known is left out; a wildcard is none. */
static void put_address(struct mrg_w *w, const struct mrg_rt_addr *a, enum mrg_dnstap_message_key address)
{
	static const struct mrg_rt_addr any;
	if (a->family != 0 && memcmp(a->ip, any.ip, sizeof any.ip) != 0)
		put_octets(w, address, mrg_rt_addr_octets(a));
}

static void put_ends(struct mrg_w *w, const struct seen *seen)
{
	if (seen->peer.family != 0)
		put_number(w, MRG_DNSTAP_MESSAGE_KEY_SOCKET_FAMILY,
			seen->peer.family == 4 ? MRG_DNSTAP_SOCKET_FAMILY_INET
					       : MRG_DNSTAP_SOCKET_FAMILY_INET6);
	put_number(w, MRG_DNSTAP_MESSAGE_KEY_SOCKET_PROTOCOL,
		seen->via == MRG_DNS_UDP ? MRG_DNSTAP_SOCKET_PROTOCOL_UDP : MRG_DNSTAP_SOCKET_PROTOCOL_TCP);
	put_address(w, &seen->peer, MRG_DNSTAP_MESSAGE_KEY_QUERY_ADDRESS);
	put_address(w, &seen->own, MRG_DNSTAP_MESSAGE_KEY_RESPONSE_ADDRESS);
	if (seen->peer.family != 0)
		put_number(w, MRG_DNSTAP_MESSAGE_KEY_QUERY_PORT, seen->peer.port);
	if (seen->own.family != 0)
		put_number(w, MRG_DNSTAP_MESSAGE_KEY_RESPONSE_PORT, seen->own.port);
}

/* What there is to tell of a query, and of its reply unless that is empty. */
struct told {
	const struct seen *seen;
	struct mrg_span query, reply;
	uint64_t query_unix_ns, reply_unix_ns;
};

/* All but updates is told as questions are: dnstap.proto has no types for NOTIFY and transfers. */
static bool is_update(struct mrg_span query)
{
	struct mrg_dns_query q;
	return mrg_dns_query_question(query, &q) == MRG_DNS_VERDICT_NOTIMP &&
	       mrg_dns_header_opcode(&q.header) == MRG_DNS_OPCODE_UPDATE;
}

static void put_message(struct mrg_w *w, const struct told *t)
{
	const bool replied = t->reply.len != 0, update = is_update(t->query);
	struct mrg_dnstap_message_build b;
	mrg_dnstap_message_begin(w, &b, &(struct mrg_dnstap_message_args){ 0 });
	put_number(w, MRG_DNSTAP_MESSAGE_KEY_TYPE,
		replied ? (update ? MRG_DNSTAP_MESSAGE_TYPE_UPDATE_RESPONSE
				  : MRG_DNSTAP_MESSAGE_TYPE_AUTH_RESPONSE)
			: (update ? MRG_DNSTAP_MESSAGE_TYPE_UPDATE_QUERY
				  : MRG_DNSTAP_MESSAGE_TYPE_AUTH_QUERY));
	put_ends(w, t->seen);
	put_time(w, MRG_DNSTAP_MESSAGE_KEY_QUERY_TIME_SEC, MRG_DNSTAP_MESSAGE_KEY_QUERY_TIME_NSEC,
		t->query_unix_ns);
	if (replied) {
		put_time(w, MRG_DNSTAP_MESSAGE_KEY_RESPONSE_TIME_SEC,
			MRG_DNSTAP_MESSAGE_KEY_RESPONSE_TIME_NSEC, t->reply_unix_ns);
		put_octets(w, MRG_DNSTAP_MESSAGE_KEY_RESPONSE_MESSAGE, t->reply);
	} else {
		put_octets(w, MRG_DNSTAP_MESSAGE_KEY_QUERY_MESSAGE, t->query);
	}
	mrg_dnstap_message_end(w, &b);
}

static void put_field(struct mrg_w *w, enum mrg_dnstap_key key, struct mrg_span octets)
{
	struct mrg_dnstap_payload_field_build b;
	mrg_dnstap_payload_field_begin(w, &b, &(struct mrg_dnstap_payload_field_args){ .key = key });
	mrg_protobuf_octets_put(w, &(struct mrg_protobuf_octets_args){ .octets = octets });
	mrg_dnstap_payload_field_end(w, &b);
}

static void put_payload(struct mrg_w *w, const struct dnstap *t, const struct told *told)
{
	struct mrg_dnstap_payload_build b;
	struct mrg_dnstap_payload_field_build field;
	struct mrg_dnstap_payload_field_message_build message;
	mrg_dnstap_payload_begin(w, &b, &(struct mrg_dnstap_payload_args){ 0 });
	if (t->identity.len != 0)
		put_field(w, MRG_DNSTAP_KEY_IDENTITY, t->identity);
	put_field(w, MRG_DNSTAP_KEY_VERSION, MRG_LITERAL(DNS_VERSION));
	mrg_dnstap_payload_field_begin(
		w, &field, &(struct mrg_dnstap_payload_field_args){ .key = MRG_DNSTAP_KEY_MESSAGE });
	mrg_dnstap_payload_field_message_begin(
		w, &message, &(struct mrg_dnstap_payload_field_message_args){ 0 });
	put_message(w, told);
	mrg_dnstap_payload_field_message_end(w, &message);
	mrg_dnstap_payload_field_end(w, &field);
	mrg_dnstap_payload_field_begin(
		w, &field, &(struct mrg_dnstap_payload_field_args){ .key = MRG_DNSTAP_KEY_TYPE });
	mrg_protobuf_varint_put(w, MRG_DNSTAP_KIND_MESSAGE);
	mrg_dnstap_payload_field_end(w, &field);
	mrg_dnstap_payload_end(w, &b);
}

static void put_frame(struct mrg_w *w, const struct dnstap *t, const struct told *told)
{
	struct mrg_w payload;
	mrg_w_init(&payload, t->payload, PAYLOAD);
	put_payload(&payload, t, told);
	mrg_w_fail(w, payload.st);
	mrg_fstrm_data_put(w, &(struct mrg_fstrm_data_args){ .payload = mrg_w_span(&payload, 0) });
}

void dnstap_put(struct dnstap *t, const struct seen *seen, struct mrg_span query, struct mrg_span reply,
	uint64_t unix_ns, uint64_t reply_unix_ns)
{
	struct told told = {
		.seen = seen, .query = query, .query_unix_ns = unix_ns, .reply_unix_ns = reply_unix_ns
	};
	struct mrg_w w;
	mrg_w_init(&w, t->frames, FRAMES);
	put_frame(&w, t, &told);
	told.reply = reply;
	if (reply.len != 0)
		put_frame(&w, t, &told);
	if (w.st == MRG_OK)
		sink_put(&t->data, mrg_w_span(&w, 0));
	else
		sink_lose(&t->data);
}

/* ---- control frames ---- */

static void put_control(struct sink *s, enum mrg_fstrm_control_type type, bool about)
{
	uint8_t b[MRG_FSTRM_CONTROL_SIZE_MAX];
	struct mrg_w w;
	struct mrg_fstrm_control_build control;
	struct mrg_fstrm_control_body_build body;
	mrg_w_init(&w, b, sizeof b);
	mrg_fstrm_control_begin(&w, &control, &(struct mrg_fstrm_control_args){ 0 });
	mrg_fstrm_control_body_begin(&w, &body, &(struct mrg_fstrm_control_body_args){ .type = type });
	if (about) {
		mrg_fstrm_control_body_fields_add(&w, &body);
		mrg_fstrm_control_field_put(&w, &(struct mrg_fstrm_control_field_args){
							.type = MRG_FSTRM_CONTROL_FIELD_TYPE_CONTENT_TYPE,
							.octets = content_type() });
	}
	mrg_fstrm_control_body_end(&w, &body);
	mrg_fstrm_control_end(&w, &control);
	sink_put(s, mrg_w_span(&w, 0));
}

/* Who names no content type takes any. */
static bool takes_ours(const struct mrg_fstrm_control_body *body)
{
	struct mrg_fstrm_control_body_fields_it it = mrg_fstrm_control_body_fields(body);
	struct mrg_fstrm_control_field field;
	bool any = true;
	while (mrg_fstrm_control_body_fields_next(&it, &field)) {
		if (mrg_fstrm_control_field_type(&field) != MRG_FSTRM_CONTROL_FIELD_TYPE_CONTENT_TYPE)
			continue;
		any = false;
		if (mrg_span_eq(mrg_fstrm_control_field_octets(&field), content_type()))
			return true;
	}
	return any;
}

/* ---- the file ---- */

static int open_file(struct dnstap *t)
{
	const int err = sink_open(t->data.name, O_TRUNC, &t->data.fd);
	if (err == 0)
		put_control(&t->data, MRG_FSTRM_CONTROL_TYPE_START, true);
	return err;
}

static void end_file(struct dnstap *t)
{
	if (!t->ended)
		put_control(&t->data, MRG_FSTRM_CONTROL_TYPE_STOP, false);
	t->ended = true;
}

static bool file_round(struct dnstap *t, bool ending)
{
	if (ending)
		end_file(t);
	sink_said(&t->data, sink_flush(&t->data));
	sink_forget(&t->data);
	return ending && sink_waiting(&t->data) == 0;
}

/* The old one is whole; what it does not take at once is lost to it, and of no use to the new one. */
void dnstap_reopen(struct dnstap *t)
{
	if (t->socket != NULL || !sink_moved(&t->data))
		return;
	(void)file_round(t, true);
	(void)close(t->data.fd);
	t->data.len = t->data.from = t->data.kept = 0;
	t->ended = false;
	sink_said(&t->data, open_file(t));
}

/* ---- the connection ---- */

/* The next attempt, which comes later than this one did. */
static void retry_later(struct dnstap *t)
{
	t->retry_at_ns = t->now_ns + t->retry_ns;
	t->retry_ns = t->retry_ns < RETRY_MOST_NS ? 2u * t->retry_ns : RETRY_MOST_NS;
}

/* What was not taken whole goes to the next one. */
static void disconnect(struct dnstap *t)
{
	(void)close(t->data.fd);
	t->data.fd = t->control.fd = -1;
	t->data.from = t->data.kept;
	t->control.len = t->control.from = t->control.kept = 0;
	t->in_len = 0;
	retry_later(t);
}

void mrg_fstrm_sender_do_ready(const struct mrg_fstrm_sender *m, void *ctx)
{
	struct dnstap *const t = ctx;
	(void)m;
	put_control(&t->control, MRG_FSTRM_CONTROL_TYPE_READY, true);
}

void mrg_fstrm_sender_do_start(const struct mrg_fstrm_sender *m, void *ctx)
{
	struct dnstap *const t = ctx;
	(void)m;
	put_control(&t->control, MRG_FSTRM_CONTROL_TYPE_START, true);
	t->retry_ns = RETRY_NS;
	sink_said(&t->data, 0);
}

void mrg_fstrm_sender_do_stop(const struct mrg_fstrm_sender *m, void *ctx)
{
	struct dnstap *const t = ctx;
	(void)m;
	put_control(&t->control, MRG_FSTRM_CONTROL_TYPE_STOP, false);
}

void mrg_fstrm_sender_do_close(const struct mrg_fstrm_sender *m, void *ctx)
{
	(void)m;
	disconnect(ctx);
}

void mrg_fstrm_sender_set_patience(const struct mrg_fstrm_sender *m, void *ctx)
{
	struct dnstap *const t = ctx;
	(void)m;
	mrg_rt_timer_set(t->timers, &t->patience, t->now_ns + PATIENCE_NS);
}

void mrg_fstrm_sender_cancel_patience(const struct mrg_fstrm_sender *m, void *ctx)
{
	struct dnstap *const t = ctx;
	(void)m;
	mrg_rt_timer_cancel(t->timers, &t->patience);
}

static void out_of_patience(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct dnstap *const t = (struct dnstap *)(void *)((char *)timer - offsetof(struct dnstap, patience));
	t->now_ns = now_ns;
	sink_said(&t->data, ETIMEDOUT);
	(void)mrg_fstrm_sender_on_patience(&t->sender, t);
}

static void give_up(struct dnstap *t, int why)
{
	sink_said(&t->data, why);
	(void)mrg_fstrm_sender_on_abort(&t->sender, t);
}

static void connect_again(struct dnstap *t)
{
	int fd;
	if (t->now_ns < t->retry_at_ns)
		return;
	const int err = mrg_unix_local_connect_now(t->socket, &fd);
	if (err != 0) {
		sink_said(&t->data, err);
		retry_later(t);
		return;
	}
	t->data.fd = t->control.fd = fd;
	(void)mrg_fstrm_sender_on_open(&t->sender, t);
}

/* Is that what the connection waits for? */
static bool take_control(struct dnstap *t, const struct mrg_fstrm_control *c)
{
	const struct mrg_fstrm_control_body body = mrg_fstrm_control_body(c);
	switch (mrg_fstrm_control_body_type(&body)) {
	case MRG_FSTRM_CONTROL_TYPE_ACCEPT:
		return mrg_fstrm_sender_on_accept(&t->sender, t, takes_ours(&body)) == MRG_STEP_TAKEN;
	case MRG_FSTRM_CONTROL_TYPE_FINISH:
		return mrg_fstrm_sender_on_finish(&t->sender, t) == MRG_STEP_TAKEN;
	default: return false;
	}
}

/* One frame comes at a time: the next one only when something was said to this one. */
static void listen_to(struct dnstap *t)
{
	struct mrg_fstrm_control c;
	const ssize_t n = recv(t->data.fd, t->in + t->in_len, sizeof t->in - t->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		give_up(t, n == 0 ? ECONNRESET : errno);
		return;
	}
	t->in_len += (size_t)n;
	const enum mrg_status st = mrg_fstrm_control_check((struct mrg_span){ t->in, t->in_len }, &c, NULL);
	if (st == MRG_MORE)
		return;
	t->in_len = 0;
	if (st != MRG_OK || !take_control(t, &c))
		give_up(t, EPROTO);
}

/* Frames that were taken whole are wanted no more. */
static void forget_whole(struct sink *s)
{
	struct mrg_fstrm_data frame;
	while (s->kept < s->from &&
		mrg_fstrm_data_check((struct mrg_span){ s->p + s->kept, s->from - s->kept }, &frame, NULL) ==
			MRG_OK)
		s->kept += frame.len;
}

static void send_on(struct dnstap *t)
{
	int err = sink_flush(&t->control);
	sink_forget(&t->control);
	if (err == 0 && t->sender.state == MRG_FSTRM_SENDER_SENDING && sink_waiting(&t->control) == 0) {
		err = sink_flush(&t->data);
		forget_whole(&t->data);
	}
	if (err != 0)
		give_up(t, err);
}

static bool connection_round(struct dnstap *t, bool ending)
{
	if (t->data.fd < 0 && !ending)
		connect_again(t);
	if (t->data.fd >= 0)
		listen_to(t);
	if (t->data.fd >= 0)
		send_on(t);
	if (ending && sink_waiting(&t->data) == 0 &&
		mrg_fstrm_sender_on_end(&t->sender, t) == MRG_STEP_TAKEN && t->data.fd >= 0)
		send_on(t);
	return ending && t->data.fd < 0;
}

/* ---- the whole ---- */

bool dnstap_round(struct dnstap *t, bool ending, uint64_t now_ns)
{
	t->now_ns = now_ns;
	return t->socket != NULL ? connection_round(t, ending) : file_round(t, ending);
}

size_t dnstap_memory(void) { return DATA + CONTROL + PAYLOAD + FRAMES; }

const char *dnstap_socket(const char *value)
{
	return strncmp(value, SOCKET, sizeof SOCKET - 1) == 0 ? value + sizeof SOCKET - 1 : NULL;
}

int dnstap_open(struct dnstap *t, struct mrg_arena *arena, struct mrg_rt_timers *timers, const char *value,
	struct mrg_span identity)
{
	*t = (struct dnstap){ .socket = dnstap_socket(value),
		.identity = identity,
		.timers = timers,
		.patience = { .fire = out_of_patience },
		.retry_ns = RETRY_NS };
	t->payload = mrg_arena_get(arena, PAYLOAD, 1);
	t->frames = mrg_arena_get(arena, FRAMES, 1);
	if (!sink_init(&t->data, arena, DATA, OPTION, value) ||
		!sink_init(&t->control, arena, CONTROL, OPTION, value) || t->payload == NULL ||
		t->frames == NULL)
		return ENOMEM;
	mrg_fstrm_sender_begin(&t->sender);
	return t->socket != NULL ? 0 : open_file(t);
}
