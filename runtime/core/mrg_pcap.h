/*
 * mrg_pcap.h - capture files of Ethernet frames, with times in nanoseconds (specs/pcap.mrg), into a writer.
 *
 * References: draft-ietf-opsawg-pcap.
 *
 * What it does not do: it opens no file. sim/ and unix/ do.
 */
#ifndef MRG_PCAP_FILE_H
#define MRG_PCAP_FILE_H

#include "mrg_rt.h"

enum {
	MRG_RT_PCAP_BEGIN = 24, /* bytes of the file's header */
	MRG_RT_PCAP_FRAME = 16, /* bytes before each frame */
	MRG_RT_PCAP_SNAP = 0x40000 /* bytes of the longest frame that readers take */
};

/*
 * mrg_rt_pcap_begin - the file's header.   snap    bytes that are kept of a frame at most, up to MRG_RT_PCAP_SNAP
 * mrg_rt_pcap_frame - a frame of `len` bytes, the first of which are `kept`.   at_ns    since 1970
 */
void mrg_rt_pcap_begin(struct mrg_w *w, uint32_t snap);
void mrg_rt_pcap_frame(struct mrg_w *w, uint64_t at_ns, uint32_t len, struct mrg_span kept);

#endif
