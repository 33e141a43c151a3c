/*
 * Captures of wires.
 */
#include <errno.h>
#include <stdio.h>

#include "core/mrg_pcap.h"
#include "sim/mrg_sim.h"

int mrg_sim_pcap_open(struct mrg_sim_pcap *p, const char *path)
{
	uint8_t header[MRG_RT_PCAP_BEGIN];
	struct mrg_w w;
	FILE *const file = fopen(path, "wb");
	if (file == NULL)
		return errno;
	mrg_w_init(&w, header, sizeof header);
	mrg_rt_pcap_begin(&w, MRG_RT_PCAP_SNAP);
	*p = (struct mrg_sim_pcap){ .file = file };
	p->failed = w.st != MRG_OK || fwrite(header, 1, w.len, file) != w.len;
	return 0;
}

void mrg_sim_pcap_see(void *ctx, const struct mrg_sim_seen *f)
{
	struct mrg_sim_pcap *const p = ctx;
	uint8_t record[MRG_RT_PCAP_FRAME + MRG_RT_PCAP_SNAP];
	struct mrg_w w;
	if (f->arrives != p->arrivals || p->failed)
		return;
	mrg_w_init(&w, record, sizeof record);
	mrg_rt_pcap_frame(&w, f->now_ns, (uint32_t)f->bytes.len, f->bytes);
	p->failed = w.st != MRG_OK || fwrite(record, 1, w.len, p->file) != w.len;
}

bool mrg_sim_pcap_close(struct mrg_sim_pcap *p)
{
	const bool closed = fclose(p->file) == 0;
	p->file = NULL;
	return closed && !p->failed;
}
