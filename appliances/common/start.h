/*
 * start.h - what servers do before they serve: addresses, users; and what they say when they can't.
 */
#ifndef MRG_COMMON_START_H
#define MRG_COMMON_START_H

#include "appliances/common/args.h"
#include "mrg_rt.h"

extern const char DEFAULT_USER[]; /* whom a server becomes that root has started */

/* `program: doing what: why`, on standard error; the outcome is OUTCOME_SYSTEM. */
enum outcome refused(const char *program, const char *doing, const char *what, int err);

/* The same for an address, the value of that option (`--listen `), that can't be listened on; the outcome is OUTCOME_ADDRESS. */
enum outcome bind_refused(const char *program, const char *option, const struct mrg_rt_addr *a, const char *kind, int err);

/*
 * drop_privileges - become `user`, or DEFAULT_USER when that is NULL and root has started the program.
 *   dropped   is it another user now?
 */
enum outcome drop_privileges(const char *program, const char *user, bool *dropped);

#endif
