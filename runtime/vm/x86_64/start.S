/*
 * The entry of the image, and the ways between the rings: all that C can't say.
 *
 * Entered as the PVH boot ABI has it: 32-bit protected mode, flat segments, no paging, interrupts off, ebx = address of the start info.
 * Reading order: vm_entry, long_mode, then main.c; below, exceptions and interrupts (cpu.c) and calls (../monitor/calls.c).
 */

/* Selectors, in the order that SYSCALL and SYSRET want (AMD64 APM 2, 6.1.1); the table is in cpu.c. */
#define CODE0 0x08
#define DATA0 0x10

#define CR0_PE (1 << 0)
#define CR0_MP (1 << 1)
#define CR0_NE (1 << 5)
#define CR0_PG (1 << 31)
#define CR4_PAE (1 << 5)
#define CR4_OSFXSR (1 << 9)
#define CR4_OSXMMEXCPT (1 << 10)
#define MSR_EFER 0xc0000080
#define EFER_SCE (1 << 0)
#define EFER_LME (1 << 8)
#define EFER_NXE (1 << 11)
#define CPUID_EXTENDED 0x80000001
#define EDX_NX (1 << 20)
#define EDX_LM (1 << 29)
#define PTE_PRESENT_WRITE 3
#define PTE_LARGE 0x80

#define COM1 0x3f8
#define DEBUG_EXIT 0x501
#define EXIT_BOOT 64

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, 18			/* name and description sizes, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad vm_entry

	.section .text.entry, "ax"
	.code32
	.globl vm_entry
vm_entry:
	cli
	cld
	mov	$vm_stack_top, %esp
	rdtsc
	mov	%eax, vm_entered
	mov	%edx, vm_entered + 4
	mov	%ebx, %ebp

	mov	$(CPUID_EXTENDED & 0x80000000), %eax
	cpuid
	cmp	$CPUID_EXTENDED, %eax
	jb	no_long_mode
	mov	$CPUID_EXTENDED, %eax
	cpuid
	and	$(EDX_LM | EDX_NX), %edx
	cmp	$(EDX_LM | EDX_NX), %edx
	jne	no_long_mode

	/* The first 4 GiB at their own addresses, in large pages, until pages.c has made the true tables. */
	mov	$vm_first_tables, %edi
	lea	4096 + PTE_PRESENT_WRITE(%edi), %eax
	mov	%eax, (%edi)
	xor	%ecx, %ecx
1:	lea	8192 + PTE_PRESENT_WRITE(%edi), %eax
	mov	%ecx, %edx
	shl	$12, %edx
	add	%edx, %eax
	mov	%eax, 4096(%edi, %ecx, 8)
	inc	%ecx
	cmp	$4, %ecx
	jb	1b
	xor	%ecx, %ecx
	mov	$(PTE_PRESENT_WRITE | PTE_LARGE), %eax
2:	mov	%eax, 8192(%edi, %ecx, 8)
	add	$(2 << 20), %eax
	inc	%ecx
	cmp	$2048, %ecx
	jb	2b

	mov	$(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
	mov	%eax, %cr4
	mov	%edi, %cr3
	mov	$MSR_EFER, %ecx
	mov	$(EFER_SCE | EFER_LME | EFER_NXE), %eax
	xor	%edx, %edx
	wrmsr
	mov	$(CR0_PE | CR0_MP | CR0_NE | CR0_PG), %eax
	mov	%eax, %cr0
	lgdt	first_gdt_pointer
	ljmp	$CODE0, $long_mode

	.code64
long_mode:
	mov	$DATA0, %eax
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%ebp, %edi
	xor	%ebp, %ebp
	call	vm_monitor

	/* Without long mode, or without pages that can't be executed: say so and end. The line may not be there; then nobody hears. */
	.code32
no_long_mode:
	mov	$no_long_mode_text, %esi
	mov	$no_long_mode_len, %ecx
	mov	$COM1, %edx
	rep outsb
	mov	$DEBUG_EXIT, %edx
	mov	$EXIT_BOOT, %al
	out	%al, %dx
	lidt	no_idt
	ud2

	.section .rodata.entry, "a"
	.balign 8
first_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* code, ring 0, 64 bits */
	.quad	0x00cf93000000ffff	/* data, ring 0 */
first_gdt_pointer:
	.word	. - first_gdt - 1
	.long	first_gdt
no_idt:
	.word	0
	.long	0
no_long_mode_text:
	.ascii	"level=fatal event=boot why=processor-without-long-mode-or-nx\n"
	.set	no_long_mode_len, . - no_long_mode_text

/* ---- exceptions and interrupts ---- */

	.section .text.traps, "ax"
	.code64
	/* One stub of 16 octets each: those that have no error code push a zero in its place. */
	.globl vm_trap_stubs
	.balign 16
vm_trap_stubs:
	.set	vector, 0
	.rept	96
	.balign 16
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	push	$0
	.endif
	push	$vector
	jmp	trapped
	.set	vector, vector + 1
	.endr

trapped:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	call	vm_trap			/* the processor had aligned the stack; 22 words are on it */
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

/* ---- calls ---- */

	/* From ring 3: rcx its rip, r11 its flags; interrupts are off (MSR_FMASK). */
	.globl vm_syscall
vm_syscall:
	mov	%rsp, vm_user_rsp(%rip)
	mov	$vm_stack_top, %esp
	push	vm_user_rsp(%rip)
	push	%rcx			/* with rbp a frame, as though ring 3 had made a call, for backtraces */
	push	%rbp
	mov	%rsp, %rbp
	push	%r11
	push	%rdi
	push	%rsi
	push	%rdx
	push	%r8
	push	%r9
	push	%r10
	mov	%rcx, %r9
	mov	%rax, %r8
	mov	%r10, %rcx
	call	vm_call_do
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdx
	pop	%rsi
	pop	%rdi
	pop	%r11
	pop	%rbp
	pop	%rcx
	pop	%rsp
	sysretq

	/* vm_enter(rip, rsp, argument): ring 3 for the first time, with nothing of ours in its registers. */
	.globl vm_enter
vm_enter:
	mov	%rdi, %rcx
	mov	%rsi, %rsp
	mov	%rdx, %rdi
	mov	$2, %r11d		/* flags: the bit that is always 1 */
	xor	%eax, %eax
	xor	%ebx, %ebx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	sysretq

	.bss
	.balign 8
	.globl vm_user_rsp
vm_user_rsp:
	.skip	8
	.section .sealed, "aw"
	.balign 8
	.globl vm_entered
vm_entered:
	.quad	0
	.section .note.GNU-stack, "", @progbits
