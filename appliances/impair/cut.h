/*
 * cut.h - frames as the kernel hands them over become frames as they are on a cable: with checksums, and no longer than they may be.
 *
 * References: RFC 9293 section 3.1, RFC 791 section 3.1, RFC 8200 section 3; virtio 1.2 section 5.1.6.2, which says what segments of one frame are to be like.
 *
 * What it does not do: it cuts nothing but TCP, directly behind the header of IP.
 */
#ifndef MRG_IMPAIR_CUT_H
#define MRG_IMPAIR_CUT_H

#include "mrg_rt.h"

/*
 * cut_frame - hand on what the frame would be on a cable; its checksum is completed in place.
 *   each    gets one frame at a time, good during the call
 * Fails:    false when it should be cut and can't be; nothing is handed on then.
 */
bool cut_frame(struct mrg_frame *f, void *ctx, void (*each)(void *ctx, struct mrg_span frame));

#endif
