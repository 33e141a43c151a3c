/*
 * inside.h - what the files of runtime/tap share with each other and the tests.
 *
 * What it does not do: it is no interface; mrg_tap.h is.
 */
#ifndef MRG_TAP_INSIDE_H
#define MRG_TAP_INSIDE_H

#include <linux/virtio_net.h>

#include "tap/mrg_tap.h"

/* What is to be done with a frame that is sent, and what was done with one that came.   work may be NULL: nothing. */
struct virtio_net_hdr mrg_tap_header_of(const struct mrg_frame_work *work);
struct mrg_frame_work mrg_tap_work_of(const struct virtio_net_hdr *h);

#endif
