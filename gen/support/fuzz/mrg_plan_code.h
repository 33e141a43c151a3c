/*
 * mrg_plan_code.h - the walker as code for the tables of one module: see mrg_plan_inside.h.
 *
 * Included once, by a generated file, that has before it PLAN_MAKES, the tables (`plan_tables`) and declarations of a function for each packet, for each item
 * that stands alone, for the items of each optional, and for each expression, with tables of those; behind it, they are defined by what is here.
 */
#include "mrg_plan_inside.h"
/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "mrg_plan_settle.c"
#include "mrg_plan_walk.c"
#include "mrg_plan_numbers.c"
#include "mrg_plan_lists.c"
#include "mrg_plan_chains.c"
#include "mrg_plan_eval.c"
#include "mrg_plan_choose.c"
/* NOLINTEND(bugprone-suspicious-include) */
