/*
 * Text on the console.
 */
#include "vm/monitor/inside.h"

void vm_say(const char *text)
{
	for (; *text != '\0'; text++)
		vm_console_put((uint8_t)*text);
}

void vm_say_hex(uint64_t value)
{
	unsigned shift = 60;
	while (shift != 0 && value >> shift == 0)
		shift -= 4;
	vm_say("0x");
	for (;; shift -= 4) {
		vm_console_put((uint8_t) "0123456789abcdef"[value >> shift & 15u]);
		if (shift == 0)
			return;
	}
}

void vm_say_number(uint64_t value)
{
	char digits[21];
	size_t at = sizeof digits - 1;
	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + value % 10u);
	while ((value /= 10u) != 0);
	vm_say(digits + at);
}
