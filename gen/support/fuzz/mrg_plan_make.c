/* The walker as a whole: it reads, notes decisions, and makes.  See mrg_plan_inside.h. */
#define PLAN_PART static
/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "mrg_plan_settle.c"
#include "mrg_plan_walk.c"
#include "mrg_plan_numbers.c"
#include "mrg_plan_lists.c"
#include "mrg_plan_chains.c"
#include "mrg_plan_eval.c"
#include "mrg_plan_choose.c"
/* NOLINTEND(bugprone-suspicious-include) */
