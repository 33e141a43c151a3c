/*
 * What an application is given to serve.
 */
#include "appliances/vm/app.h"

/* Of the image, if it was linked with any (linked.S); weak: else all are NULL. */
extern const uint8_t vm_linked[] __attribute__((weak)), vm_linked_end[] __attribute__((weak));
extern const uint8_t vm_linked_line[] __attribute__((weak)), vm_linked_line_end[] __attribute__((weak));

static bool is_linked(const struct vm_app *a) { return a->boot->initrd.p == NULL && vm_linked != NULL; }

struct mrg_span vm_app_data(const struct vm_app *a)
{
	return is_linked(a) ? (struct mrg_span){ vm_linked, (size_t)(vm_linked_end - vm_linked) }
			    : a->boot->initrd;
}

const char *vm_app_data_name(const struct vm_app *a) { return is_linked(a) ? "linked" : "initrd"; }

struct mrg_span vm_linked_words(const struct vm_boot *boot)
{
	if (boot->initrd.p != NULL)
		return (struct mrg_span){ NULL, 0 };
	return (struct mrg_span){ vm_linked_line, (size_t)(vm_linked_line_end - vm_linked_line) };
}
