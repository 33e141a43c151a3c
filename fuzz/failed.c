/*
 * A check of the tests' helpers that did not hold (Check's ck_assert and ck_abort_msg), where Check does not run: the end.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
	va_list args;
	fprintf(stderr, "%s:%d: %s ", file, line, expr);
	va_start(args, msg);
	if (msg != NULL)
		vfprintf(stderr, msg, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
