/*
 * mrg_plan_once.h - memory that others may change, as a `shared` packet is fetched from: each octet of it is to be loaded once at most.
 *
 * What loads of it must be compiled with -fsanitize=thread, MRG_ONCE_FLAGS of the folder's Makefile, and nothing of it may be linked with
 * the library of that sanitizer: the calls that stand before each load come here, and are counted.  Where that is not so (AFL++,
 * libFuzzer, other sanitizers), what is left is that whatever is fetched does not change with the memory.
 */
#ifndef MRG_PLAN_ONCE_H
#define MRG_PLAN_ONCE_H

#include "mrg.h"
#include "mrg_fuzz.h"

#if defined(__SANITIZE_THREAD__)
#define MRG_ONCE_COUNTED true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MRG_ONCE_COUNTED true
#endif
#endif
#ifndef MRG_ONCE_COUNTED
#define MRG_ONCE_COUNTED false
#endif

/* How a packet is fetched (gen/mrg/emit/fuzz_once.py writes these). */
struct mrg_glue_fetch {
	/*
	 * Fetch from[0..in.len); buffers that the packet is given are `in`, the same octets at rest.  *view: the octets that the packet
	 * takes, of the copy.
	 */
	enum mrg_status (*fetch)(const volatile void *from, struct mrg_span in, const uint64_t *args, struct mrg_span *view, struct mrg_reject *rj);
	size_t most;  /* octets that are loaded at most */
	bool counted; /* loads are seen */
};

/*
 * mrg_once_check - fetch a message once more, from shared memory, and see that its octets are loaded once, that nothing else is, and that
 * what was fetched is the message still when the memory is another.
 *   st, used, rj  what the packet's check said of the message
 * Says what is wrong in `r`; else leaves it alone.
 */
void mrg_once_check(const struct mrg_glue_fetch *f, struct mrg_span message, const uint64_t *args, enum mrg_status st, size_t used,
	const struct mrg_reject *rj, struct mrg_fuzz_result *r);

#endif
