/*
 * The entry of the image, and the ways between the exception levels: all that C can't say.
 *
 * Entered as Linux is (Documentation/arch/arm64/booting.rst): at EL1 or EL2, MMU off, interrupts masked, x0 = address of the device tree.
 * Reading order: vm_image, begin, at_el1, then main.c; below, exceptions (panic.c) and calls (../monitor/calls.c).
 */

#define LINKED_AT 0x40200000		/* image.ld */
#define TEXT_OFFSET 0			/* from a multiple of 2 MiB */
#define RELATIVE 0x403			/* R_AARCH64_RELATIVE */

/* SCTLR_EL1: what is always 1, stacks are aligned, caches, MMU */
#define CONTROL_OFF 0x30d00800
#define CONTROL_ON 0x101d
#define HCR_RW (1 << 31)
#define CPTR_NONE 0x33ff
#define SPSR_EL1H 0x3c5
#define SPSR_EL0 0x2c0			/* debug, IRQ and FIQ are masked, SError is not */

/* MAIR_EL1: 0 is normal memory, 1 a device's registers */
#define MEMORY_KINDS 0x04ff
/* TCR_EL1: 39 bits of TTBR0 in pages of 4 KiB, walked through the caches; no TTBR1 */
#define TRANSLATION (25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23)
/* Blocks of 1 GiB for EL1: a device, and memory that may be executed as long as the start lasts. */
#define BLOCK_DEVICE 0x0060000000000405
#define BLOCK_MEMORY 0x0040000000000701

#define FRAME 304			/* struct vm_frame */
#define FRAME_RECORD 232		/* of a call: x29 and where ring 3 goes on */
#define EC_SVC 0x15

	.macro	address register, symbol
	adrp	\register, \symbol
	add	\register, \register, :lo12:\symbol
	.endm

	.section .text.entry, "ax"
	.globl vm_entry
vm_entry:
	b	begin
	.long	0
	.quad	TEXT_OFFSET
	.quad	vm_image_end - . + 16	/* the image's size */
	.quad	0xa			/* little endian, pages of 4 KiB, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

begin:
	msr	daifset, #0xf
	mov	x19, x0
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	at_el1

	/* From EL2, where there is no more to do. */
	mov	x0, #HCR_RW
	msr	hcr_el2, x0
	mrs	x0, cnthctl_el2
	orr	x0, x0, #3
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #CPTR_NONE
	msr	cptr_el2, x0
	msr	hstr_el2, xzr
	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #24, #4
	cbz	x0, 1f
	mrs	x0, s3_4_c12_c9_5	/* ICC_SRE_EL2: EL1 may use the controller's system registers */
	mov	x1, #9
	orr	x0, x0, x1
	msr	s3_4_c12_c9_5, x0
1:	ldr	x0, =CONTROL_OFF
	msr	sctlr_el1, x0
	mov	x0, #SPSR_EL1H
	msr	spsr_el2, x0
	adr	x0, at_el1
	msr	elr_el2, x0
	eret

at_el1:
	mrs	x20, cntvct_el0
	msr	spsel, #1
	address	x0, vm_vectors
	msr	vbar_el1, x0
	ldr	x0, =CONTROL_OFF
	msr	sctlr_el1, x0
	msr	cpacr_el1, xzr
	isb

	/*
	 * The first 512 GiB at their own addresses, until pages.c has made the true tables: memory from the GiB on in which this image or
	 * the device tree is, devices below.
	 */
	address	x0, vm_image
	cbz	x19, 1f
	cmp	x19, x0
	csel	x0, x19, x0, lo
1:	lsr	x0, x0, #30
	address	x1, vm_first_table
	mov	x2, #0
	ldr	x3, =BLOCK_DEVICE
	ldr	x4, =BLOCK_MEMORY
2:	cmp	x2, x0
	csel	x5, x3, x4, lo
	orr	x5, x5, x2, lsl #30
	str	x5, [x1, x2, lsl #3]
	add	x2, x2, #1
	cmp	x2, #512
	b.lo	2b
	dsb	sy
	mov	x2, #0
3:	add	x5, x1, x2		/* nothing older of it is in a cache */
	dc	ivac, x5
	add	x2, x2, #16
	cmp	x2, #4096
	b.lo	3b
	dsb	sy

	ldr	x0, =MEMORY_KINDS
	msr	mair_el1, x0
	mrs	x2, id_aa64mmfr0_el1
	and	x2, x2, #7		/* how wide physical addresses are */
	mov	x3, #5
	cmp	x2, x3
	csel	x2, x2, x3, lo
	ldr	x0, =TRANSLATION
	orr	x0, x0, x2, lsl #32
	msr	tcr_el1, x0
	msr	ttbr0_el1, x1
	tlbi	vmalle1
	ic	iallu
	dsb	sy
	isb
	ldr	x0, =(CONTROL_OFF | CONTROL_ON)
	msr	sctlr_el1, x0
	isb

	/* What is only memory begins as zero. */
	address	x0, vm_boot_page
	address	x1, vm_monitor_bss_end
	bl	clear
	address	x0, vm_bss
	address	x1, vm_bss_end
	bl	clear

	/* Addresses within the image that are data. */
	address	x0, vm_image
	ldr	x1, =LINKED_AT
	sub	x1, x0, x1
	address	x2, vm_rela
	address	x3, vm_rela_end
4:	cmp	x2, x3
	b.hs	5f
	ldp	x4, x5, [x2], #16
	ldr	x6, [x2], #8
	cmp	w5, #RELATIVE
	b.ne	4b
	add	x6, x6, x1
	str	x6, [x4, x1]
	b	4b

5:	address	x0, vm_stack_top
	mov	sp, x0
	address	x0, vm_entered
	str	x20, [x0]
	mov	x0, x19
	mov	x29, #0
	mov	x30, #0
	bl	vm_monitor

clear:
	cmp	x0, x1
	b.hs	6f
	stp	xzr, xzr, [x0], #16
	b	clear
6:	ret

	.ltorg

/* ---- exceptions ---- */

	.section .text.traps, "ax"
	/* In the monitor itself: perhaps its stack has ended, so this is on another. */
	.macro	in_monitor kind
	.balign	0x80
	msr	tpidr_el1, x0
	mov	x0, sp
	msr	tpidrro_el0, x0
	address	x0, vm_trap_stack_top
	mov	sp, x0
	sub	sp, sp, #FRAME
	mrs	x0, tpidr_el1
	stp	x0, x1, [sp]
	mrs	x1, tpidrro_el0
	mov	x0, #\kind
	b	trapped
	.endm

	.macro	in_ring3 kind
	.balign	0x80
	sub	sp, sp, #FRAME
	stp	x0, x1, [sp]
	mrs	x1, sp_el0
	mov	x0, #\kind
	b	trapped
	.endm

	.balign	0x800
	.globl vm_vectors
vm_vectors:
	in_monitor 0			/* with the stack of EL0 */
	in_monitor 1
	in_monitor 2
	in_monitor 3
	in_monitor 0
	in_monitor 1
	in_monitor 2
	in_monitor 3

	.balign	0x80
	sub	sp, sp, #FRAME
	stp	x16, x17, [sp, #16 * 8]
	mrs	x16, esr_el1
	lsr	x17, x16, #26
	cmp	x17, #EC_SVC
	b.eq	call
	ldp	x16, x17, [sp, #16 * 8]
	stp	x0, x1, [sp]
	mrs	x1, sp_el0
	mov	x0, #0
	b	trapped
	in_ring3 1
	in_ring3 2
	in_ring3 3
	in_ring3 0			/* of 32 bits, which nothing is */
	in_ring3 1
	in_ring3 2
	in_ring3 3
	.balign	0x80

	/* x0 the kind, x1 the stack that was in use; both of then are saved. None comes back. */
trapped:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	stp	x30, x1, [sp, #240]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [sp, #256]
	mrs	x2, esr_el1
	mrs	x3, far_el1
	stp	x2, x3, [sp, #272]
	str	x0, [sp, #288]
	mov	x0, sp
	mov	x29, #0
	mov	x30, #0
	bl	vm_trap

/* ---- calls ---- */

	/* From ring 3: x8 the number, x0 to x3 the arguments; what C may change is kept, so that nothing of ours is seen. */
call:
	stp	x1, x2, [sp, #8]
	stp	x3, x4, [sp, #24]
	stp	x5, x6, [sp, #40]
	stp	x7, x8, [sp, #56]
	stp	x9, x10, [sp, #72]
	stp	x11, x12, [sp, #88]
	stp	x13, x14, [sp, #104]
	str	x15, [sp, #120]
	stp	x18, x30, [sp, #144]
	mrs	x16, sp_el0
	address	x17, vm_user_rsp
	str	x16, [x17]
	mrs	x5, elr_el1
	stp	x29, x5, [sp, #FRAME_RECORD]	/* as though ring 3 had made a call, for backtraces */
	add	x29, sp, #FRAME_RECORD
	mov	x4, x8
	bl	vm_call_do
	ldp	x1, x2, [sp, #8]
	ldp	x3, x4, [sp, #24]
	ldp	x5, x6, [sp, #40]
	ldp	x7, x8, [sp, #56]
	ldp	x9, x10, [sp, #72]
	ldp	x11, x12, [sp, #88]
	ldp	x13, x14, [sp, #104]
	ldr	x15, [sp, #120]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x30, [sp, #144]
	ldr	x29, [sp, #FRAME_RECORD]
	add	sp, sp, #FRAME
	eret

	/* vm_enter(pc, sp, argument): ring 3 for the first time, with nothing of ours in its registers. */
	.globl vm_enter
vm_enter:
	msr	elr_el1, x0
	msr	sp_el0, x1
	mov	x0, #SPSR_EL0
	msr	spsr_el1, x0
	address	x0, vm_stack_top
	mov	sp, x0
	mov	x0, x2
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, #0
	.endr
	eret

/* ---- what only instructions do ---- */

	/* vm_tables_take(root, control): through a moment without the MMU, since entries of two sizes must not be known for one address. */
	.globl vm_tables_take
vm_tables_take:
	dsb	sy
	ldr	x2, =CONTROL_OFF
	msr	sctlr_el1, x2
	isb
	msr	ttbr0_el1, x0
	tlbi	vmalle1
	dsb	sy
	isb
	msr	sctlr_el1, x1
	isb
	ret

	/* vm_firmware(function, argument, smc) */
	.globl vm_firmware
vm_firmware:
	cbnz	w2, 1f
	hvc	#0
	ret
1:	smc	#0
	ret

	/* vm_semihosting(operation, parameters) */
	.globl vm_semihosting
vm_semihosting:
	hlt	#0xf000
	ret
	.ltorg

	.bss
	.balign	8
	.globl vm_user_rsp
vm_user_rsp:
	.skip	8
	.section .sealed, "aw"
	.balign	8
	.globl vm_entered
vm_entered:
	.quad	0
	.section .note.GNU-stack, "", @progbits
