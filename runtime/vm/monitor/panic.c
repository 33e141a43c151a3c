/*
 * The end: one line that says why. What is no exception has the same fields, so that one reader does for all.
 */
#include "vm/monitor/inside.h"

enum { BACKTRACE_MAX = 16 };

static bool dying;

struct build_note {
	uint32_t name_len, len, type;
	char name[4];
	uint8_t id[20];
};
extern const struct build_note vm_build_id_note;

const uint8_t *vm_build_id(size_t *len)
{
	*len = vm_build_id_note.len < sizeof vm_build_id_note.id ? vm_build_id_note.len
								 : sizeof vm_build_id_note.id;
	return vm_build_id_note.id;
}

static void say_build(void)
{
	size_t len;
	const uint8_t *const id = vm_build_id(&len);
	vm_say(" build=");
	for (size_t i = 0; i < len; i++) {
		vm_console_put((uint8_t) "0123456789abcdef"[id[i] >> 4]);
		vm_console_put((uint8_t) "0123456789abcdef"[id[i] & 15]);
	}
	vm_say("\n");
}

static void say_hex(const char *key, uint64_t value)
{
	vm_say(key);
	vm_say_hex(value);
}

static void say_word(const char *key, const char *word)
{
	if (word == NULL)
		return;
	vm_say(key);
	vm_say(word);
}

static bool is_code(uint64_t at)
{
	return (at >= vm_at(vm_image) && at < vm_at(vm_monitor_rodata)) ||
	       (at >= vm_at(vm_text) && at < vm_at(vm_rodata));
}

static const uint64_t *words_at(uint64_t at)
{
	return (const uint64_t *)(uintptr_t)at;
} /* NOLINT(performance-no-int-to-ptr) */

/*
 * The chain of frames, as long as it stays on the stacks: each is a pointer to the next and where that goes on. A function that calls none
 * may have no frame; then its caller is in a register, or what is on top of the stack.
 */
static void say_backtrace(const struct vm_fault *f)
{
	say_hex(" backtrace=", f->rip);
	vm_user_open();
	const bool top = f->link == 0 && vm_in_stack(f->rsp) && f->rsp != f->rbp;
	const uint64_t link = top ? words_at(f->rsp)[0] : f->link;
	if (is_code(link))
		say_hex(",", link);
	uint64_t rbp = f->rbp;
	for (unsigned i = 1; i < BACKTRACE_MAX && vm_in_stack(rbp) && is_code(words_at(rbp)[1]); i++) {
		say_hex(",", words_at(rbp)[1]);
		rbp = words_at(rbp)[0];
	}
	vm_user_close();
}

_Noreturn void vm_panic(const struct vm_fault *f)
{
	/* A fault of the panic itself ends the machine without another word. */
	if (dying)
		vm_halt(VM_EXIT_PANIC);
	dying = true;
	vm_say("level=fatal event=panic cause=");
	vm_say(f->cause);
	say_word(" access=", f->access);
	say_word(" what=", f->what);
	vm_say(" vector=");
	if (f->has_vector)
		vm_say_number(f->vector);
	else
		vm_say("none");
	say_hex(" error=", f->error);
	say_hex(" rip=", f->rip);
	say_hex(" cr2=", f->address);
	say_hex(" rsp=", f->rsp);
	vm_say(" ring=");
	vm_say_number(f->ring);
	say_backtrace(f);
	say_build();
	vm_halt(VM_EXIT_PANIC);
}

_Noreturn void vm_bad_call(const char *what, uint64_t rip)
{
	/* Past our own frames to the caller's. */
	uint64_t rbp = vm_at(__builtin_frame_address(0));
	while (rbp >= vm_at(vm_stack) && rbp < vm_at(vm_stack_top) && vm_in_stack(rbp) &&
		words_at(rbp)[0] > rbp)
		rbp = words_at(rbp)[0];
	vm_panic(&(struct vm_fault){
		.cause = "bad-call", .what = what, .rip = rip, .rsp = vm_user_rsp, .rbp = rbp, .ring = 3 });
}

/* For the compiler's checks. */
_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
	const uint64_t here = vm_at(__builtin_frame_address(0));
	vm_panic(&(struct vm_fault){ .cause = "stack-smashed",
		.rip = vm_at(__builtin_return_address(0)),
		.rsp = here,
		.rbp = here });
}

_Noreturn void vm_boot_fails(const char *why)
{
	vm_say("level=fatal event=boot why=");
	vm_say(why);
	say_build();
	vm_halt(VM_EXIT_BOOT);
}
