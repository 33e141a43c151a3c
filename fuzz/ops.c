/* ops.c - counts what is run of libraries that were compiled to tell of it (-fsanitize-coverage=trace-pc). */
#include "fuzz/subject.h"

uint64_t fuzz_ops;

void __sanitizer_cov_trace_pc(void);
/* Who measures coverage has one of his own. */
__attribute__((weak)) void __sanitizer_cov_trace_pc(void) { fuzz_ops++; }
