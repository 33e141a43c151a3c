/*
 * The serial line COM1 (16550), where there is one; else the port at which Bochs, QEMU (-debugcon), Cloud Hypervisor (--debug-console) and
 * Xen listen for octets, and nobody else minds them.
 */
#include "vm/x86_64/cpu.h"

enum {
	COM1 = 0x3f8,
	DEBUG_PORT = 0xe9,
	THR = COM1,
	DLL = COM1,
	DLM = COM1 + 1,
	IER = COM1 + 1,
	IIR = COM1 + 2,
	FCR = COM1 + 2,
	LCR = COM1 + 3,
	MCR = COM1 + 4,
	LSR = COM1 + 5
};
enum {
	LCR_8N1 = 3,
	LCR_DLAB = 0x80,
	FCR_ON = 7,
	MCR_DTR_RTS = 3,
	LSR_THRE = 0x20,
	LSR_TEMT = 0x40,
	LSR_NONE = 0xff
};
enum { IIR_FIFO = 0xc0, FIFO = 16 };
/* Reads of a register: much longer than a line of 115,200 bits/s takes for what it holds. */
enum { SPINS = 1 << 20 };

static bool absent; /* there is no COM1 */
static bool gone;   /* nobody takes anything there */
static unsigned room,
	fifo; /* octets that are taken before the next look at the line; as many as when it is empty */

void vm_console_init(void)
{
	absent = gone = vm_in8(LSR) == LSR_NONE;
	if (absent)
		return;
	vm_out8(IER, 0);
	vm_out8(LCR, LCR_DLAB);
	vm_out8(DLL, 1);
	vm_out8(DLM, 0);
	vm_out8(LCR, LCR_8N1);
	vm_out8(FCR, FCR_ON);
	vm_out8(MCR, MCR_DTR_RTS);
	fifo = (vm_in8(IIR) & IIR_FIFO) == IIR_FIFO ? FIFO : 1;
}

void vm_console_put(uint8_t octet)
{
	for (unsigned i = 0; !gone && room == 0; i++) {
		room = (vm_in8(LSR) & LSR_THRE) != 0 ? fifo : 0;
		gone = i == SPINS;
	}
	if (absent)
		vm_out8(DEBUG_PORT, octet);
	if (gone)
		return;
	room--;
	vm_out8(THR, octet);
}

void vm_console_flush(void)
{
	for (unsigned i = 0; !gone && i < SPINS && (vm_in8(LSR) & LSR_TEMT) == 0; i++)
		;
}
