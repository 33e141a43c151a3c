/*
 * The driver of a virtual machine's network card against a host that does what the bytes say (tests/runtime/vm/hostile.h).
 */
#include "fuzz/fuzz.h"
#include "tests/runtime/vm/hostile.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	(void)hostile_run(p, len);
	return 0;
}
