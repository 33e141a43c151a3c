/*
 * An application that does nothing: what is left is the size of the runtime.
 */
#include "vm/vm.h"

void vm_main(const struct vm_boot *boot) { (void)boot; }
