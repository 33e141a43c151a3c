/* Datagrams with queries: see answers.h. */
#include "appliances/dns/answers.h"

enum { TOGETHER = 16 /* queries whose memory is fetched at once */ };

void answers_batch(const struct mrg_dns_server *s, struct mrg_dgram *d, size_t count)
{
	struct mrg_dns_asked asked[TOGETHER];
	for (size_t from = 0; from < count; from += TOGETHER) {
		const size_t n = count - from < TOGETHER ? count - from : (size_t)TOGETHER;
		for (size_t i = 0; i < n; i++)
			mrg_dns_answer_begin(s, d[from + i].in, &asked[i]);
		for (size_t i = 0; i < n; i++)
			mrg_dns_answer_look(&asked[i]);
		for (size_t i = 0; i < n; i++) {
			struct mrg_dgram *const one = &d[from + i];
			if (mrg_dns_answer_finish(
				    &asked[i], MRG_DNS_UDP, one->out, one->out_cap, &one->out_len) != MRG_OK)
				one->out_len = 0;
		}
	}
}
