/*
 * The monitor's calls, in the table that the drivers take.
 */
#include "vm/net.h"

const struct vm_calls vm_calls_monitor = { .queue = vm_queue,
	.start = vm_start,
	.kick = vm_kick,
	.wait = vm_wait,
	.write = vm_write,
	.now = vm_now };
