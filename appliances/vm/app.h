/*
 * app.h - what every application of a virtual machine begins with: its words, the loop, the network card, our own TCP/IP on that.
 *
 * What it does not do: it makes no ends.
 *
 * Use:
 *	void vm_main(const struct vm_boot *boot)
 *	{
 *		static struct vm_app app;
 *		enum outcome outcome = vm_app_open(&app, boot, "mrg-echo");
 *		if (outcome == OUTCOME_OK && open_services(app.stack)) outcome = vm_app_run(&app);
 *		vm_app_end(outcome);
 *	}
 */
#ifndef MRG_VM_APP_H
#define MRG_VM_APP_H

#include "appliances/common/args.h"
#include "appliances/common/net_shown.h"
#include "appliances/common/net_up.h"
#include "appliances/vm/words.h"
#include "vm/loop.h"

struct vm_app {
	const struct vm_boot *boot;
	struct mrg_arena arena;       /* all memory of the machine; what is left is the application's */
	struct vm_words words;
	struct vm_loop loop;
	struct vm_net card;
	struct mrg_tcpip_limits limits; /* set by vm_app_open as the memory allows */
	struct mrg_tcpip *stack;
	struct mrg_tcpip_if *on;
	struct net_shown shown;         /* of this stack, for a page of figures (page.h) */
	struct vm_turn turn;            /* set by the user: called each turn of the loop; turn.turn is NULL: nothing is */
	struct net_up up; /* private */
};

/*
 * vm_app_open - everything up to the stack with its addresses.   program   for messages
 * About half of the memory goes to the stack and the card; where it is little, more: they need 1.1 MiB at least.
 * Fails:    OUTCOME_USAGE for words that are wrong, OUTCOME_ADDRESS for a card that can't be had, OUTCOME_SYSTEM when memory does not do;
 *           the log says why.
 */
enum outcome vm_app_open(struct vm_app *a, const struct vm_boot *boot, const char *program);

/*
 * vm_app_run - say that it is ready, and serve for ever.   Returns: OUTCOME_SYSTEM when the card had to be given up, which was said.
 */
enum outcome vm_app_run(struct vm_app *a);

/*
 * vm_app_unix_s - the time of day for handlers, seconds since 1970; 0 when nobody has told the machine.   ctx    the app
 */
uint64_t vm_app_unix_s(void *ctx);

/*
 * vm_app_figures - counters of the card and the stack, for a page of figures.
 */
void vm_app_figures(const struct vm_app *a, struct mrg_w *w);

/*
 * vm_app_data - what it is to serve: the initrd where the machine has one, else what is linked into the image (linked.S). Ring 3 can
 * only read it. p is NULL when there is neither.
 * vm_app_data_name - which of the two, for messages.
 */
struct mrg_span vm_app_data(const struct vm_app *a);
const char *vm_app_data_name(const struct vm_app *a);

/*
 * vm_linked_words - words that are linked into the image, which go with what is linked: none where there is an initrd. Those of the
 * command line come behind them.
 */
struct mrg_span vm_linked_words(const struct vm_boot *boot);

/*
 * vm_app_end - write what waits to be written, and end the machine.
 */
_Noreturn void vm_app_end(enum outcome outcome);

/*
 * Lines below this level are not written; say.c. Those that only inform wait: vm_log_more writes one of them and says whether there was
 * one, vm_log_all writes all.
 */
void vm_log_from(enum vm_log_level level);
bool vm_log_more(void);
void vm_log_all(void);

#endif
