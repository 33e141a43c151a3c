/* For tests that feed on captures: see capture.h. */
#include "tests/protocols/tcpip/capture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iana/net.h"
#include "net/ip6.h"
#include "net/link.h"
#include "pcap.h"
#include "pcapng.h"

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcaplinktype: those that carry IP */
enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IP4 = 228,
	LINK_IP6 = 229,
	LINK_SLL2 = 276
};

enum { FAMILY_LEN = 4, INTERFACES_MAX = 64, DEPTH_MAX = 4, FILE_MAX_LEN = 64 << 20 };

static struct mrg_span behind(struct mrg_span s, size_t len)
{
	return (struct mrg_span){ s.p + len, s.len - len };
}

/* ---- formats ---- */

static unsigned read_pcap(struct capture_frame f, struct mrg_span bytes, const struct mrg_pcap_file_header *h,
	capture_fn *each, void *ctx)
{
	const uint32_t magic = mrg_pcap_file_header_magic_number(h);
	const uint8_t big = magic == 0xa1b2c3d4u || magic == 0xa1b23c4du;
	struct mrg_pcap_record r;
	f.link = mrg_pcap_file_header_link_type(h);
	bytes = behind(bytes, mrg_pcap_file_header_span(h).len);
	while (mrg_pcap_record_check(bytes, big, &r, NULL) == MRG_OK) {
		f.number++;
		f.data = mrg_pcap_record_packet_data(&r);
		f.wire_len = mrg_pcap_record_original_length(&r);
		each(ctx, &f);
		bytes = behind(bytes, mrg_pcap_record_span(&r).len);
	}
	return f.number;
}

struct interfaces {
	uint32_t link[INTERFACES_MAX];
	unsigned count;
};

/* Returns: whether the block has a frame. */
static bool read_block(struct capture_frame *f, struct interfaces *of, const struct mrg_pcapng_block *b)
{
	struct mrg_pcapng_interface_description i;
	struct mrg_pcapng_enhanced_packet e;
	struct mrg_pcapng_simple_packet s;
	if (mrg_pcapng_block_body_as_interface_description(b, &i) && of->count < INTERFACES_MAX)
		of->link[of->count++] = mrg_pcapng_interface_description_link_type(&i);
	if (mrg_pcapng_block_body_as_enhanced_packet(b, &e) &&
		mrg_pcapng_enhanced_packet_interface_id(&e) < of->count) {
		f->link = of->link[mrg_pcapng_enhanced_packet_interface_id(&e)];
		f->data = mrg_pcapng_enhanced_packet_packet_data(&e);
		f->wire_len = mrg_pcapng_enhanced_packet_original_length(&e);
		return true;
	}
	if (!mrg_pcapng_block_body_as_simple_packet(b, &s) || of->count == 0)
		return false;
	f->link = of->link[0];
	f->data = mrg_pcapng_simple_packet_packet_data(&s);
	f->wire_len = mrg_pcapng_simple_packet_original_length(&s);
	if (f->data.len > f->wire_len)
		f->data.len = f->wire_len; /* padding */
	return true;
}

static unsigned read_pcapng(struct capture_frame f, struct mrg_span bytes, capture_fn *each, void *ctx)
{
	struct interfaces of = { .count = 0 };
	struct mrg_pcapng_section s;
	struct mrg_pcapng_block b;
	uint8_t big = 0;
	for (;;) {
		if (mrg_pcapng_section_check(bytes, &s, NULL) == MRG_OK) {
			big = mrg_pcapng_section_big(&s) != 0;
			of.count = 0;
			bytes = behind(bytes, mrg_pcapng_section_span(&s).len);
			continue;
		}
		if (mrg_pcapng_block_check(bytes, big, &b, NULL) != MRG_OK)
			return f.number;
		if (read_block(&f, &of, &b)) {
			f.number++;
			each(ctx, &f);
		}
		bytes = behind(bytes, mrg_pcapng_block_span(&b).len);
	}
}

unsigned capture_read(const char *file, struct mrg_span bytes, capture_fn *each, void *ctx)
{
	const struct capture_frame f = { .file = file };
	struct mrg_pcap_file_header h;
	if (mrg_pcap_file_header_check(bytes, &h, NULL) == MRG_OK)
		return read_pcap(f, bytes, &h, each, ctx);
	return read_pcapng(f, bytes, each, ctx);
}

/* ---- files ---- */

static void read_file(const char *path, const char *name, capture_fn *each, void *ctx)
{
	FILE *const in = fopen(path, "rb");
	if (in == NULL)
		return;
	uint8_t *const p = malloc(FILE_MAX_LEN);
	const size_t len = fread(p, 1, FILE_MAX_LEN, in);
	fclose(in);
	(void)capture_read(name, (struct mrg_span){ p, len }, each, ctx);
	free(p);
}

static bool is_capture(const char *name)
{
	const char *const end = strrchr(name, '.');
	return end != NULL && (strcmp(end, ".pcap") == 0 || strcmp(end, ".pcapng") == 0);
}

/* Folders that wait to be read are a list: names come in order within each. */
static unsigned read_folder(const char *path, unsigned depth, capture_fn *each, void *ctx);

static unsigned read_entry(const char *folder, const char *name, unsigned depth, capture_fn *each, void *ctx)
{
	char path[4096];
	if (name[0] == '.')
		return 0;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (!is_capture(name))
		return depth < DEPTH_MAX ? read_folder(path, depth + 1, each, ctx) : 0;
	read_file(path, name, each, ctx);
	return 1;
}

static unsigned read_folder(const char *path, unsigned depth, capture_fn *each, void *ctx)
{
	struct dirent **all = NULL;
	unsigned files = 0;
	const int count = scandir(path, &all, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		files += read_entry(path, all[i]->d_name, depth, each, ctx);
		free(all[i]);
	}
	free(all);
	return files;
}

unsigned captures_each(capture_fn *each, void *ctx)
{
	const char *const folder = getenv("CAPTURES");
	return read_folder(folder != NULL ? folder : "../shared/captures", 0, each, ctx);
}

/* ---- what a frame carries ---- */

/* An IP packet by its version, where nothing else says it. */
static bool by_version(struct mrg_span in, uint16_t *type, struct mrg_span *packet)
{
	*packet = in;
	if (in.len == 0)
		return false;
	*type = in.p[0] >> 4 == 6 ? MRG_NET_ETHER_TYPE_IPV6 : MRG_NET_ETHER_TYPE_IPV4;
	return in.p[0] >> 4 == 6 || in.p[0] >> 4 == 4;
}

bool capture_carried(const struct capture_frame *f, uint16_t *type, struct mrg_span *packet)
{
	struct mrg_net_ethernet e;
	struct mrg_net_linux_sll s;
	struct mrg_net_linux_sll2 s2;
	struct mrg_net_vlan_tag tag;
	switch (f->link) {
	case LINK_ETHERNET:
		if (mrg_net_ethernet_check(f->data, &e, NULL) != MRG_OK)
			return false;
		*type = mrg_net_ethernet_type(&e);
		*packet = mrg_net_ethernet_payload(&e);
		struct mrg_net_ethernet_tags_it it = mrg_net_ethernet_tags(&e);
		return !mrg_net_ethernet_tags_next(&it, &tag);
	case LINK_SLL:
		if (mrg_net_linux_sll_check(f->data, &s, NULL) != MRG_OK)
			return false;
		*type = mrg_net_linux_sll_protocol(&s);
		*packet = mrg_net_linux_sll_payload(&s);
		return true;
	case LINK_SLL2:
		if (mrg_net_linux_sll2_check(f->data, &s2, NULL) != MRG_OK)
			return false;
		*type = mrg_net_linux_sll2_protocol(&s2);
		*packet = mrg_net_linux_sll2_payload(&s2);
		return true;
	case LINK_NULL:
	case LINK_LOOP:
		return f->data.len >= FAMILY_LEN && by_version(behind(f->data, FAMILY_LEN), type, packet);
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
	case LINK_IP4:
	case LINK_IP6: return by_version(f->data, type, packet);
	default: return false;
	}
}
