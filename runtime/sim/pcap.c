/*
 * Captures of wires.
 */
#include <errno.h>
#include <stdio.h>

#include "pcap.h"
#include "sim/mrg_sim.h"

enum {
	MAGIC_NS = 0x4d3cb2a1, /* as a little-endian file of nanoseconds has it when it is read big-endian */
	ETHERNET = 1,          /* IANA "LINKTYPE" */
	HEADER_MAX = 64        /* bytes; more than a header without its data takes */
};

int mrg_sim_pcap_open(struct mrg_sim_pcap *p, const char *path)
{
	uint8_t header[HEADER_MAX];
	struct mrg_w w;
	FILE *const file = fopen(path, "wb");
	if (file == NULL)
		return errno;
	mrg_w_init(&w, header, sizeof header);
	mrg_pcap_file_header_put(&w, &(struct mrg_pcap_file_header_args){ .magic_number = MAGIC_NS,
					     .minor_version = 4,
					     .snap_len = MRG_PCAP_PCAP_SNAP_MAX,
					     .link = ETHERNET });
	*p = (struct mrg_sim_pcap){ .file = file };
	p->failed = w.st != MRG_OK || fwrite(header, 1, w.len, file) != w.len;
	return 0;
}

void mrg_sim_pcap_see(void *ctx, const struct mrg_sim_seen *f)
{
	struct mrg_sim_pcap *const p = ctx;
	uint8_t record[HEADER_MAX + MRG_PCAP_PCAP_SNAP_MAX];
	struct mrg_w w;
	if (f->arrives != p->arrivals || p->failed)
		return;
	mrg_w_init(&w, record, sizeof record);
	mrg_pcap_record_put(
		&w, &(struct mrg_pcap_record_args){ .seconds = (uint32_t)(f->now_ns / MRG_RT_SECOND_NS),
			    .fraction = (uint32_t)(f->now_ns % MRG_RT_SECOND_NS),
			    .original_length = (uint32_t)f->bytes.len,
			    .packet_data = f->bytes });
	p->failed = w.st != MRG_OK || fwrite(record, 1, w.len, p->file) != w.len;
}

bool mrg_sim_pcap_close(struct mrg_sim_pcap *p)
{
	const bool closed = fclose(p->file) == 0;
	p->file = NULL;
	return closed && !p->failed;
}
