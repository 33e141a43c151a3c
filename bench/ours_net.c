/* bench/ours_net.c - small headers through generated code: see ours_net.h. */
#include "bench/ours_net.h"

#include "elf.h"
#include "ip4.h"
#include "tcp.h"

struct bench_reading ours_ip4_check(const uint8_t *p, size_t len)
{
	struct mrg_ip4_header h;
	bool ok = mrg_ip4_header_check((struct mrg_span){ p, len }, &h, NULL) == MRG_OK;

	return (struct bench_reading){ ok, ok ? h.len : 0 };
}

struct bench_reading ours_ip4(const uint8_t *p, size_t len)
{
	struct mrg_ip4_header h;

	if (mrg_ip4_header_check((struct mrg_span){ p, len }, &h, NULL) != MRG_OK)
		return (struct bench_reading){ false, 0 };
	uint64_t s = (uint64_t)mrg_ip4_header_version(&h) + mrg_ip4_header_ihl(&h) + mrg_ip4_header_dscp(&h);
	s += (uint64_t)mrg_ip4_header_ecn(&h) + mrg_ip4_header_total_len(&h) + mrg_ip4_header_id(&h);
	s += (uint64_t)mrg_ip4_header_reserved(&h) + mrg_ip4_header_df(&h) + mrg_ip4_header_mf(&h);
	s += (uint64_t)mrg_ip4_header_frag(&h) + mrg_ip4_header_ttl(&h) + mrg_ip4_header_proto(&h);
	s += (uint64_t)mrg_ip4_header_csum(&h) + mrg_ip4_header_src(&h) + mrg_ip4_header_dst(&h);
	return (struct bench_reading){ true, s + mrg_ip4_header_options(&h).len };
}

static uint64_t sack(const struct mrg_tcp_sack *v)
{
	struct mrg_tcp_sack_blocks_it it = mrg_tcp_sack_blocks(v);
	struct mrg_tcp_sack_block b;
	uint64_t s = mrg_tcp_sack_len(v);

	while (mrg_tcp_sack_blocks_next(&it, &b))
		s += (uint64_t)mrg_tcp_sack_block_left(&b) + mrg_tcp_sack_block_right(&b);
	return s;
}

static uint64_t option(const struct mrg_tcp_option *o)
{
	struct mrg_tcp_mss mss;
	struct mrg_tcp_window_scale scale;
	struct mrg_tcp_sack_permitted permitted;
	struct mrg_tcp_sack blocks;
	struct mrg_tcp_timestamps ts;
	struct mrg_tcp_unknown unknown;
	uint64_t s = mrg_tcp_option_kind(o);

	if (mrg_tcp_option_body_as_mss(o, &mss))
		return s + mrg_tcp_mss_len(&mss) + mrg_tcp_mss_mss(&mss);
	if (mrg_tcp_option_body_as_window_scale(o, &scale))
		return s + mrg_tcp_window_scale_len(&scale) + mrg_tcp_window_scale_shift(&scale);
	if (mrg_tcp_option_body_as_sack_permitted(o, &permitted))
		return s + mrg_tcp_sack_permitted_len(&permitted);
	if (mrg_tcp_option_body_as_sack(o, &blocks))
		return s + sack(&blocks);
	if (mrg_tcp_option_body_as_timestamps(o, &ts))
		return s + mrg_tcp_timestamps_len(&ts) + mrg_tcp_timestamps_value(&ts) +
		       mrg_tcp_timestamps_echo(&ts);
	if (mrg_tcp_option_body_as_unknown(o, &unknown))
		return s + mrg_tcp_unknown_len(&unknown) + mrg_tcp_unknown_data(&unknown).len;
	return s;
}

struct bench_reading ours_tcp_check(const uint8_t *p, size_t len)
{
	struct mrg_tcp_header h;
	bool ok = mrg_tcp_header_check((struct mrg_span){ p, len }, &h, NULL) == MRG_OK;

	return (struct bench_reading){ ok, ok ? h.len : 0 };
}

struct bench_reading ours_tcp(const uint8_t *p, size_t len)
{
	struct mrg_tcp_header h;
	struct mrg_tcp_option o;

	if (mrg_tcp_header_check((struct mrg_span){ p, len }, &h, NULL) != MRG_OK)
		return (struct bench_reading){ false, 0 };
	uint64_t s =
		(uint64_t)mrg_tcp_header_src_port(&h) + mrg_tcp_header_dst_port(&h) + mrg_tcp_header_seq(&h);
	s += (uint64_t)mrg_tcp_header_ack_no(&h) + mrg_tcp_header_data_off(&h) + mrg_tcp_header_reserved(&h);
	s += (uint64_t)mrg_tcp_header_cwr(&h) + mrg_tcp_header_ece(&h) + mrg_tcp_header_urg(&h) +
	     mrg_tcp_header_ack(&h);
	s += (uint64_t)mrg_tcp_header_psh(&h) + mrg_tcp_header_rst(&h) + mrg_tcp_header_syn(&h) +
	     mrg_tcp_header_fin(&h);
	s += (uint64_t)mrg_tcp_header_window(&h) + mrg_tcp_header_csum(&h) + mrg_tcp_header_urgent(&h);
	struct mrg_tcp_header_options_it it = mrg_tcp_header_options(&h);
	while (mrg_tcp_header_options_next(&it, &o))
		s += option(&o);
	return (struct bench_reading){ true, s };
}

struct bench_reading ours_elf_check(const uint8_t *p, size_t len)
{
	struct mrg_elf_header h;
	bool ok = mrg_elf_header_check((struct mrg_span){ p, len }, &h, NULL) == MRG_OK;

	return (struct bench_reading){ ok, ok ? h.len : 0 };
}

struct bench_reading ours_elf(const uint8_t *p, size_t len)
{
	struct mrg_elf_header h;

	if (mrg_elf_header_check((struct mrg_span){ p, len }, &h, NULL) != MRG_OK)
		return (struct bench_reading){ false, 0 };
	uint64_t s = (uint64_t)mrg_elf_header_magic(&h) + mrg_elf_header_class(&h) + mrg_elf_header_data(&h);
	s += (uint64_t)mrg_elf_header_ident_version(&h) + mrg_elf_header_osabi(&h) +
	     mrg_elf_header_abi_version(&h);
	s += (uint64_t)mrg_elf_header_pad(&h) + mrg_elf_header_pad_more(&h) + mrg_elf_header_type(&h);
	s += (uint64_t)mrg_elf_header_machine(&h) + mrg_elf_header_version(&h) + mrg_elf_header_entry(&h);
	s += mrg_elf_header_phoff(&h) + mrg_elf_header_shoff(&h) + mrg_elf_header_flags(&h);
	s += (uint64_t)mrg_elf_header_ehsize(&h) + mrg_elf_header_phentsize(&h) + mrg_elf_header_phnum(&h);
	s += (uint64_t)mrg_elf_header_shentsize(&h) + mrg_elf_header_shnum(&h) + mrg_elf_header_shstrndx(&h);
	return (struct bench_reading){ true, s };
}
