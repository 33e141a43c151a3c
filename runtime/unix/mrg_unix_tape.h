/*
 * mrg_unix_tape.h - what is on a tape (core/mrg_tape.h), as a capture file.
 *
 * References: draft-ietf-opsawg-pcap.
 *
 * What it does not do: it opens nothing, since who records may have given up the right to do so; the caller does at the beginning.
 *
 * Use:
 *	mrg_unix_tape_open("last.pcap", &fd);	before privileges are dropped
 *	...
 *	mrg_unix_tape_write(fd, &tape);		again and again: the file has the last frames then
 */
#ifndef MRG_UNIX_TAPE_H
#define MRG_UNIX_TAPE_H

#include "core/mrg_tape.h"

/* mrg_unix_ahead_ns - what the time since 1970 is more than that of mrg_unix_now_ns, now. */
uint64_t mrg_unix_ahead_ns(void);

/*
 * mrg_unix_tape_open - a file for captures, which others may not read; what it has stays until something is written.
 * Fails:    what open says; EINVAL when it is no ordinary file.
 */
int mrg_unix_tape_open(const char *path, int *fd);

/*
 * mrg_unix_tape_write - the file has what is on the tape, and nothing else.   Fails: what ftruncate and pwrite say; the file is empty then.
 */
int mrg_unix_tape_write(int fd, const struct mrg_tape *t);

#endif
