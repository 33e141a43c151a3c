/* peers_all.c - the subjects of all peers, one program. */
#include "mrg_fuzz.h"

extern const struct mrg_fuzz_subject peer_ldns, peer_knot, peer_http_parser, peer_lwip;

const struct mrg_fuzz_subject *const mrg_fuzz_subjects[] = { &peer_ldns, &peer_knot, &peer_http_parser,
	&peer_lwip, NULL };
