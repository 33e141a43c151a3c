/* What Python needs of the headers' macros and records. */
#include "mrg_text.h"

extern void __gcov_dump(void);
extern void __gcov_reset(void);

void coverage_dump(void) { __gcov_dump(); }

/* A record's tokens from one line, with room for the record. */
size_t coverage_text_size(void) { return sizeof(struct mrg_text); }

/* Where the token stands that an error is about, from 1; 0: there is none. */
unsigned coverage_text_column(const struct mrg_text *t) { return t->err.what != NULL ? t->err.col : 0; }
