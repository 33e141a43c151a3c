/*
 * Capture files, by what specs/pcap.mrg says of them.
 */
#include "pcap.h"
#include "core/mrg_pcap.h"

enum {
	MAGIC_NS = 0x4d3cb2a1, /* as a little-endian file of nanoseconds has it when it is read big-endian */
	ETHERNET = 1           /* IANA "LINKTYPE" */
};

_Static_assert((size_t)MRG_RT_PCAP_SNAP == (size_t)MRG_PCAP_PCAP_SNAP_MAX, "what the specification says");

void mrg_rt_pcap_begin(struct mrg_w *w, uint32_t snap)
{
	mrg_pcap_file_header_put(w,
		&(struct mrg_pcap_file_header_args){
			.magic_number = MAGIC_NS, .minor_version = 4, .snap_len = snap, .link = ETHERNET });
}

void mrg_rt_pcap_frame(struct mrg_w *w, uint64_t at_ns, uint32_t len, struct mrg_span kept)
{
	mrg_pcap_record_put(
		w, &(struct mrg_pcap_record_args){ .seconds = (uint32_t)(at_ns / MRG_RT_SECOND_NS),
			   .fraction = (uint32_t)(at_ns % MRG_RT_SECOND_NS),
			   .original_length = len,
			   .packet_data = kept });
}
