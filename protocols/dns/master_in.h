/*
 * master_in.h - what the parts of the master file reader share; nobody else includes it.
 * Reading order: master.c (entries), master_source.c (words), master_control.c ($ entries).
 */
#ifndef MRG_DNS_MASTER_IN_H
#define MRG_DNS_MASTER_IN_H

#include "dns/master.h"
#include "protocols/dns/master.h"

/* master_source.c: words of one entry, through m->text */
void mrg_dns_master_open_(struct mrg_dns_master *m, const struct mrg_dns_master_source *src);
/* The source is not needed any more. */
void mrg_dns_master_done_(const struct mrg_dns_master_source *src);
/* Read the entry up to its end; a parenthesis without end then is its error, whatever else it has. */
void mrg_dns_master_drain_(struct mrg_dns_master *m);
/* Skip what is left of the entry, its line end excluded. */
void mrg_dns_master_skip_(struct mrg_dns_master *m);
/* Take the next line end, or see that there is no more text: false. */
bool mrg_dns_master_line_(struct mrg_dns_master *m, bool *indented);
/* A new entry starts here: nothing looked at, no error. */
void mrg_dns_master_entry_(struct mrg_dns_master *m);

/* master.c */
/* Report text.err, or say `what` about the word taken last.  Both return false. */
bool mrg_dns_master_report_(struct mrg_dns_master *m, const char *field);
bool mrg_dns_master_bad_(struct mrg_dns_master *m, const char *field, const char *what);
/* Type and RDATA (TTL and class before them) of the current owner. */
bool mrg_dns_master_record_(struct mrg_dns_master *m);
/* A whole entry, up to its line end.  False: it was refused, or the reading was stopped. */
bool mrg_dns_master_entry_read_(struct mrg_dns_master *m, bool indented);
/* Set owner or origin from the word taken last. */
bool mrg_dns_master_name_(struct mrg_dns_master *m, const char *field, uint8_t out[static 320], uint8_t *len);
bool mrg_dns_master_ttl_(struct mrg_dns_master *m, uint32_t *ttl);

/* master_control.c */
/* The entry starts with a $ word, which is looked at: do what it says. */
bool mrg_dns_master_control_(struct mrg_dns_master *m);
/* The column in the file of what became the octet `at` of a made entry. */
unsigned mrg_dns_master_made_col_(struct mrg_dns_master *m, const uint8_t *at);

#endif
