/*
 * hostile.h - for tests and fuzzers of runtime/vm: a host that does to a network card's driver what a string of bytes says.
 *
 * What it does not do: it writes only where a host of virtio 1.2 may: rings, and buffers that are lent to it.
 */
#ifndef TESTS_VM_HOSTILE_H
#define TESTS_VM_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What came of it. */
struct hostile_end {
	bool refused;       /* the driver did not take the card */
	bool gone;          /* or gave it up */
	uint64_t frames_in, frames_out, bad; /* bad: all that was counted as such */
};

/*
 * hostile_run - a driver, and a host that does what the bytes say until they end. The calling test ends when the driver does what it
 * must not: a frame that lies outside the buffers or in another one, more work than there are buffers, a kick after the end.
 */
struct hostile_end hostile_run(const uint8_t *p, size_t len);

#endif
