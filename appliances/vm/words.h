/*
 * words.h - the command line of a virtual machine, as QEMU's -append or Firecracker's boot_args give it: words for the network and the
 * log, then options as on the command line of a process.
 *
 *	ip=10.0.0.2/24	an IPv4 address; repeatable	gw=10.0.0.1	the router to all else		ip=dhcp		ask for both
 *	ip6=2001:db8::2/64	likewise		gw6=fe80::1	likewise
 *	mac=02:00:00:00:00:01	not the card's		mtu=1500	not the card's
 *	ring=1M		keep the last frames, so many bytes of them	snap=256	bytes that are kept of each
 *	log=warn	lines of this level and above: info (as if nothing was said), warn, error
 *	--		all words behind it are options; before it, words that begin with `-` are
 * Words are those of specs/config.mrg: "in quotes" blanks are part of one, `#` begins a comment. What the monitor takes (`tsc=`) and
 * what machines add by themselves (`virtio_mmio.device=`, `pci=`) is passed over wherever it stands, and so are words that are not known,
 * which the log tells of: boot loaders are free with them.
 *
 * What it does not do: it needs no system.
 */
#ifndef MRG_VM_WORDS_H
#define MRG_VM_WORDS_H

#include "appliances/common/net_options.h"

enum { VM_WORDS_MAX = 64 /* options, the program's name included */ };

enum vm_log_level { VM_LOG_INFO, VM_LOG_WARN, VM_LOG_ERROR };

struct vm_words {
	struct net_options net;
	enum vm_log_level log;
	int argc;
	char *argv[VM_WORDS_MAX + 1]; /* as main() has them */
	size_t faults;                /* words that are wrong; the log has told of each */
};

/*
 * vm_words_read - read the words of one or more lines, as if they were one line but that `--` holds for its own only.
 *   arena    for the options, which stay as long as it
 *   program  the first of argv
 * Fails:    false when a word is wrong, or there is no room for them; the log says which.
 */
bool vm_words_read(struct vm_words *w, struct mrg_arena *arena, const char *program, const struct mrg_span *lines, size_t count,
	const struct mrg_rt_log *log);

/*
 * vm_log_shows - is a line of the log of this level or above?
 */
bool vm_log_shows(enum vm_log_level level, struct mrg_span line);

#endif
