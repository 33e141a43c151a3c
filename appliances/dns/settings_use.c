/* Who uses settings, in processes and in virtual machines: see settings.h. */
#include "appliances/dns/settings.h"
#include "appliances/dns/system.h"

void settings_keep(struct settings *s) { atomic_fetch_add_explicit(&s->users, 1, memory_order_relaxed); }

void settings_drop(struct settings *s)
{
	if (atomic_fetch_sub_explicit(&s->users, 1, memory_order_acq_rel) != 1)
		return;
	struct mrg_arena arena = s->arena; /* which s lies in */
	system_arena_close(&arena);
}
