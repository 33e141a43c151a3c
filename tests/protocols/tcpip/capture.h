/*
 * capture.h - for tests that feed on captures: the frames of pcap and pcapng files, and what each carries.
 *
 * The folder is CAPTURES, or ../shared/captures; tests pass without it.
 */
#ifndef TESTS_TCPIP_CAPTURE_H
#define TESTS_TCPIP_CAPTURE_H

#include "mrg.h"

struct capture_frame {
	const char *file;      /* its name */
	unsigned number;       /* from 1 */
	uint32_t link;         /* LINKTYPE */
	struct mrg_span data;
	size_t wire_len;       /* more than data.len: it was cut when it was captured */
};

typedef void capture_fn(void *ctx, const struct capture_frame *f);

/* The frames of a file's bytes, until they end or are damaged.   Returns: how many. */
unsigned capture_read(const char *file, struct mrg_span bytes, capture_fn *each, void *ctx);
/* The frames of all captures of the folder, file by file in order of names.   Returns: how many files. */
unsigned captures_each(capture_fn *each, void *ctx);

/* What an Ethernet without tags would carry.  Fails: false, of another link type, tagged, or damaged. */
bool capture_carried(const struct capture_frame *f, uint16_t *type, struct mrg_span *packet);

#endif
