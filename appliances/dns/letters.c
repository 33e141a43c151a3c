/* From a worker to the manager, and back: see letters.h. */
#include "appliances/dns/letters.h"
#include "appliances/dns/seeing.h"
#include "appliances/dns/worker.h"

/* NULL: there is nobody, or as many as may be are under way. */
static struct letter *new_letter(const struct worker *w, enum letter_kind kind)
{
	struct letter *const l = w->control->manager_loop != NULL ? mail_take(&w->control->mail) : NULL;
	if (l != NULL)
		l->kind = kind;
	return l;
}

static void post(const struct worker *w, struct letter *l)
{
	mail_post(&w->control->mail, &w->control->mail.to_manager, l);
	mrg_unix_loop_wake(w->control->manager_loop);
}

void letters_notified(void *worker, const struct mrg_dns_notify *n, const struct mrg_rt_addr *peer)
{
	const struct worker *const w = worker;
	struct letter *const l = new_letter(w, LETTER_NOTIFY);
	if (l == NULL)
		return; /* as if it were lost: it is told again, or found out by asking */
	l->zone = n->zone;
	l->peer = *peer;
	l->has_serial = n->has_serial;
	l->serial = n->serial;
	post(w, l);
}

bool letters_update(void *worker, struct mrg_span message, const struct mrg_dns_name_flat *zone,
	const struct mrg_dns_auth *auth, const struct reply_to *to)
{
	struct worker *const w = worker;
	struct letter *const l = new_letter(w, LETTER_UPDATE);
	if (l == NULL)
		return false;
	l->zone = *zone;
	l->settings = w->db->settings;
	settings_keep(l->settings);
	l->worker = w;
	l->since_ns = w->loop.now_ns;
	l->end = to->end;
	l->ticket = to->ticket;
	l->peer = *to->peer;
	if (to->end != NULL)
		to->end->ops->asked(to->end, to->index, &l->asked);
	l->auth = *auth;
	l->len = message.len;
	memcpy(l->message, message.p, message.len);
	post(w, l);
	return true;
}

void letters_answer(struct worker *w, struct letter *l, uint64_t now_ns)
{
	const struct mrg_span reply = { l->reply, l->reply_len };
	const struct sight sight = {
		.end = l->end, .peer = &l->peer, .message = { l->message, l->len }, .reply = reply
	};
	if (l->end == NULL)
		(void)mrg_dns_streams_reply(&w->streams, l->ticket, reply, now_ns);
	else if (reply.len != 0 && !w->draining)
		(void)l->end->ops->send(l->end, &l->asked, &l->peer, reply);
	seeing_granted(w, &sight, l->since_ns);
	mail_give(&w->control->mail, l);
}
