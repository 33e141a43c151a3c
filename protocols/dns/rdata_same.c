/* Are two RDATA the same?  See rdata_same.h. */
#include "protocols/dns/rdata_same.h"

#include "dns/rr.h"
#include "iana/dns.h"

static const struct mrg_span nothing; /* that names could point into */

static unsigned one(struct mrg_dns_name v, struct mrg_span *out)
{
	out[0] = mrg_dns_name_span(&v);
	return 1;
}

static unsigned two(struct mrg_dns_name v, struct mrg_dns_name w, struct mrg_span *out)
{
	one(v, out);
	return 1 + one(w, out + 1);
}

static unsigned plain(struct mrg_dns_plain_name v, struct mrg_span *out)
{
	out[0] = mrg_dns_plain_name_span(&v);
	return 1;
}

unsigned mrg_dns_rdata_names(uint16_t type, struct mrg_span rdata, struct mrg_span out[MRG_DNS_RDATA_NAMES])
{
	struct mrg_dns_mx mx;
	struct mrg_dns_soa soa;
	struct mrg_dns_minfo minfo;
	struct mrg_dns_rp rp;
	struct mrg_dns_afsdb afsdb;
	struct mrg_dns_srv srv;
	struct mrg_dns_kx kx;
	struct mrg_dns_rt rt;
	struct mrg_dns_px px;
	struct mrg_dns_naptr naptr;
	struct mrg_dns_sig sig;
	struct mrg_dns_rrsig rrsig;
	switch (type) {
	case MRG_DNS_TYPE_NS:
	case MRG_DNS_TYPE_MD:
	case MRG_DNS_TYPE_MF:
	case MRG_DNS_TYPE_CNAME:
	case MRG_DNS_TYPE_MB:
	case MRG_DNS_TYPE_MG:
	case MRG_DNS_TYPE_MR:
	case MRG_DNS_TYPE_PTR:
	case MRG_DNS_TYPE_DNAME: out[0] = rdata; return 1; /* nothing else */
	case MRG_DNS_TYPE_MX:
		return mrg_dns_mx_check(rdata, nothing, &mx, NULL) == MRG_OK
			       ? one(mrg_dns_mx_exchange(&mx), out)
			       : 0;
	case MRG_DNS_TYPE_SOA:
		return mrg_dns_soa_check(rdata, nothing, &soa, NULL) == MRG_OK
			       ? two(mrg_dns_soa_mname(&soa), mrg_dns_soa_rname(&soa), out)
			       : 0;
	case MRG_DNS_TYPE_MINFO:
		return mrg_dns_minfo_check(rdata, nothing, &minfo, NULL) == MRG_OK
			       ? two(mrg_dns_minfo_rmailbx(&minfo), mrg_dns_minfo_emailbx(&minfo), out)
			       : 0;
	case MRG_DNS_TYPE_RP:
		return mrg_dns_rp_check(rdata, nothing, &rp, NULL) == MRG_OK
			       ? two(mrg_dns_rp_mbox(&rp), mrg_dns_rp_txt(&rp), out)
			       : 0;
	case MRG_DNS_TYPE_AFSDB:
		return mrg_dns_afsdb_check(rdata, nothing, &afsdb, NULL) == MRG_OK
			       ? one(mrg_dns_afsdb_hostname(&afsdb), out)
			       : 0;
	case MRG_DNS_TYPE_SRV:
		return mrg_dns_srv_check(rdata, nothing, &srv, NULL) == MRG_OK
			       ? one(mrg_dns_srv_target(&srv), out)
			       : 0;
	case MRG_DNS_TYPE_KX:
		return mrg_dns_kx_check(rdata, &kx, NULL) == MRG_OK ? plain(mrg_dns_kx_exchanger(&kx), out)
								    : 0;
	case MRG_DNS_TYPE_RT:
		return mrg_dns_rt_check(rdata, nothing, &rt, NULL) == MRG_OK
			       ? one(mrg_dns_rt_intermediate(&rt), out)
			       : 0;
	case MRG_DNS_TYPE_PX:
		return mrg_dns_px_check(rdata, nothing, &px, NULL) == MRG_OK
			       ? two(mrg_dns_px_map822(&px), mrg_dns_px_mapx400(&px), out)
			       : 0;
	case MRG_DNS_TYPE_NAPTR:
		return mrg_dns_naptr_check(rdata, nothing, &naptr, NULL) == MRG_OK
			       ? one(mrg_dns_naptr_replacement(&naptr), out)
			       : 0;
	case MRG_DNS_TYPE_SIG:
		return mrg_dns_sig_check(rdata, nothing, &sig, NULL) == MRG_OK
			       ? one(mrg_dns_sig_signer(&sig), out)
			       : 0;
	case MRG_DNS_TYPE_RRSIG:
		return mrg_dns_rrsig_check(rdata, &rrsig, NULL) == MRG_OK
			       ? plain(mrg_dns_rrsig_signer(&rrsig), out)
			       : 0;
	default: return 0;
	}
}

bool mrg_dns_rdata_same(uint16_t type, struct mrg_span a, struct mrg_span b)
{
	struct mrg_span names[MRG_DNS_RDATA_NAMES];
	if (mrg_span_eq(a, b))
		return true;
	if (!mrg_span_eq_nocase(a, b))
		return false;
	const unsigned count = mrg_dns_rdata_names(type, a, names);
	size_t done = 0;
	for (unsigned i = 0; i < count;
		i++) { /* length octets are no letters, so b has its names where a has them */
		const size_t at = (size_t)(names[i].p - a.p);
		if (at > done && memcmp(a.p + done, b.p + done, at - done) != 0)
			return false;
		done = at + names[i].len;
	}
	return done == a.len || memcmp(a.p + done, b.p + done, a.len - done) == 0;
}
