/* Letters between threads: see mail.h. */
#include <errno.h>

#include "appliances/dns/mail.h"

enum { ALIGN = 64 };

size_t mail_memory(void) { return LETTERS_MAX * (sizeof(struct letter) + ALIGN); }

int mail_init(struct mail *m, struct mrg_arena *arena)
{
	uint8_t *const p = mrg_arena_get(arena, mail_memory(), ALIGN);
	if (p == NULL)
		return ENOMEM;
	m->arena = (struct mrg_arena){ .p = p, .cap = mail_memory() };
	mrg_rt_pool_init(&m->pool, &m->arena, sizeof(struct letter), LETTERS_MAX);
	m->to_manager.first = m->to_manager.last = NULL;
	atomic_init(&m->to_manager.any, false);
	return pthread_mutex_init(&m->lock, NULL);
}

struct letter *mail_take(struct mail *m)
{
	pthread_mutex_lock(&m->lock);
	struct letter *const l = mrg_rt_pool_get(&m->pool);
	pthread_mutex_unlock(&m->lock);
	if (l != NULL)
		l->settings = NULL;
	return l;
}

void mail_give(struct mail *m, struct letter *l)
{
	if (l->settings != NULL)
		settings_drop(l->settings);
	pthread_mutex_lock(&m->lock);
	mrg_rt_pool_put(&m->pool, l);
	pthread_mutex_unlock(&m->lock);
}

void mail_post(struct mail *m, struct letters *to, struct letter *l)
{
	pthread_mutex_lock(&m->lock);
	l->next = NULL;
	if (to->last != NULL)
		to->last->next = l;
	else
		to->first = l;
	to->last = l;
	atomic_store_explicit(&to->any, true, memory_order_relaxed);
	pthread_mutex_unlock(&m->lock);
}

struct letter *mail_next(struct mail *m, struct letters *from)
{
	if (!atomic_load_explicit(&from->any, memory_order_relaxed))
		return NULL; /* who posts wakes the loop afterwards, which orders the two */
	pthread_mutex_lock(&m->lock);
	struct letter *const l = from->first;
	if (l != NULL) {
		from->first = l->next;
		if (l->next == NULL)
			from->last = NULL;
	}
	atomic_store_explicit(&from->any, from->first != NULL, memory_order_relaxed);
	pthread_mutex_unlock(&m->lock);
	return l;
}
