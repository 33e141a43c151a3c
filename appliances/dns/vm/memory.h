/*
 * memory.h - what system.h has in a virtual machine: memory out of one area, in blocks that come and go.
 *
 * What it does not do: it takes no memory before memory_area but once and for all.
 */
#ifndef MRG_DNS_VM_MEMORY_H
#define MRG_DNS_VM_MEMORY_H

#include "appliances/vm/app.h"

/* memory_begin - from here on system.h has what this app has.   app   stays in place */
void memory_begin(struct vm_app *app);

/*
 * memory_area - three quarters of what the app's arena has left are for what comes and goes.
 *   most   octets that an arena of unknown size may have, rounded up to a power of two; 0: a quarter of all. Written: how many that are
 * Fails:    false: not even two such arenas fit.
 */
bool memory_area(size_t *most);

#endif
