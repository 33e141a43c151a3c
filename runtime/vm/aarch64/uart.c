/*
 * The serial line: a PL011 (DDI 0183) or an 8250.
 */
#include "vm/aarch64/cpu.h"

enum { UARTDR = 0x00, UARTFR = 0x18, UARTLCR_H = 0x2c, UARTCR = 0x30 };
enum { FR_BUSY = 1 << 3, FR_FULL = 1 << 5, LCR_8_FIFO = 0x70, CR_ON_SEND = 0x101 };
enum { THR = 0, LSR = 5, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
/* Reads of a register: much longer than a line of 115,200 bits/s takes for what it holds. */
enum { SPINS = 1 << 20 };
enum { QEMU_AT = 0x09000000 }; /* its `virt` */

static uint64_t at VM_SEALED;
static bool pl011 VM_SEALED;
static bool gone; /* there is none, or nobody takes anything */

static bool is_full(void)
{
	return pl011 ? (vm_read32(at + UARTFR) & FR_FULL) != 0 : (vm_read8(at + LSR) & LSR_THRE) == 0;
}
static bool is_busy(void)
{
	return pl011 ? (vm_read32(at + UARTFR) & FR_BUSY) != 0 : (vm_read8(at + LSR) & LSR_TEMT) == 0;
}

void vm_console_init(const struct vm_tree *t)
{
	at = t == NULL ? QEMU_AT : t->uart.at;
	pl011 = t == NULL || t->uart_kind == MRG_DTB_COMPATIBLE_PL011;
	gone = t != NULL && t->uart.len == 0;
	if (gone || t == NULL || !pl011)
		return;
	vm_write32(at + UARTLCR_H, LCR_8_FIFO);
	vm_write32(at + UARTCR, CR_ON_SEND);
}

void vm_console_put(uint8_t octet)
{
	for (unsigned i = 0; !gone && is_full(); i++)
		gone = i == SPINS;
	if (gone)
		return;
	if (pl011)
		vm_write32(at + UARTDR, octet);
	else
		*(volatile uint8_t *)(uintptr_t)(at + THR) = octet; /* NOLINT(performance-no-int-to-ptr) */
}

void vm_console_flush(void)
{
	for (unsigned i = 0; !gone && i < SPINS && is_busy(); i++)
		;
}
