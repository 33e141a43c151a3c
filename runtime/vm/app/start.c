/*
 * Ring 3 begins here.
 */
#include "vm/vm.h"

extern uintptr_t vm_app_guard, __stack_chk_guard;

/* The canary of the stack: the monitor writes it before anything here runs, then nobody. */
uintptr_t __stack_chk_guard __attribute__((section(".vm.guard")));
extern uintptr_t vm_app_guard __attribute__((alias("__stack_chk_guard")));

#if defined(__aarch64__)
#define UNDEFINED "udf #0"
#else
#define UNDEFINED "ud2"
#endif

/* No frame, no other instruction: the monitor knows this one by its address. */
__asm__(".pushsection .text.vm_app_smashed, \"ax\"\n"
	".globl __stack_chk_fail, vm_app_smashed\n"
	"__stack_chk_fail:\n"
	"vm_app_smashed:\n"
	"	" UNDEFINED "\n"
	".popsection\n");

/* A function that is chosen when the program starts (mrg_cpu.h): where its address goes, and who knows it. */
struct rela {
	uint64_t offset, info;
	uint64_t addend;
};
extern const struct rela __rela_iplt_start[], __rela_iplt_end[];

/* NOLINTBEGIN(performance-no-int-to-ptr) */
static void choose(void)
{
	for (const struct rela *r = __rela_iplt_start; r < __rela_iplt_end; r++)
		*(uint64_t *)(uintptr_t)r->offset = ((uint64_t(*)(void))(uintptr_t)r->addend)();
}
/* NOLINTEND(performance-no-int-to-ptr) */

_Noreturn void vm_app_start(const struct vm_boot *boot);
_Noreturn void vm_app_start(const struct vm_boot *boot)
{
	choose();
	vm_main(boot);
	vm_exit(VM_EXIT_OK);
}

/* Where there is no driver of its kind. */
extern const uint64_t vm_features_none;
const uint64_t vm_features_none = 0;
extern const uint64_t vm_features_of_net __attribute__((weak, alias("vm_features_none")));
