/*
 * Rights that a process gives up for good: new ones, files, TCP, capabilities, others' sight of it.
 * Reading order: mrg_unix_walls_raise, then upwards.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unix/mrg_unix_sandbox.h"

/* Kernel headers may be older than the kernel: what Landlock knows is written out here (linux/landlock.h). */
enum { VERSION = 1 << 0 /* LANDLOCK_CREATE_RULESET_VERSION */ };

struct ruleset {
	uint64_t files, tcp,
		scopes; /* what is refused, since no rule allows it; the kernel takes zeros for what it doesn't know */
};

static struct ruleset all_of(unsigned version)
{
	enum {
		FILES = (1 << 13) - 1,
		REFER = 1 << 13,
		TRUNCATE = 1 << 14,
		IOCTL = 1 << 15,
		TCP = 1 << 1 | 1 << 0,
		SCOPES = 1 << 1 | 1 << 0 /* abstract Unix sockets, signals */
	};
	struct ruleset r = { .files = FILES };
	r.files |= version >= 2 ? REFER : 0;
	r.files |= version >= 3 ? TRUNCATE : 0;
	r.tcp = version >= 4 ? TCP : 0;
	r.files |= version >= 5 ? IOCTL : 0;
	r.scopes = version >= 6 ? SCOPES : 0;
	return r;
}

int mrg_unix_walls_landlock(unsigned *version)
{
	const long known = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, VERSION);
	*version = known > 0 ? (unsigned)known : 0;
	if (known <= 0)
		return 0; /* ENOSYS: built without; EOPNOTSUPP: not among those chosen at boot */
	const struct ruleset all = all_of(*version);
	const long fd = syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	if (fd < 0)
		return errno;
	const int err = syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0 ? 0 : errno;
	(void)close((int)fd);
	return err;
}

static int limit(int what, bool as_it_is)
{
	struct rlimit r = { 0, 0 };
	if (as_it_is && getrlimit((__rlimit_resource_t)what, &r) != 0)
		return errno;
	r.rlim_max = r.rlim_cur;
	return setrlimit((__rlimit_resource_t)what, &r) == 0 ? 0 : errno;
}

static int limits(void)
{
	int err = limit(RLIMIT_CORE, false);
	if (err == 0)
		err = limit(RLIMIT_NOFILE, true);
	return err;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { .effective = 0 } };
	return syscall(SYS_capset, &head, none) == 0 ? 0 : errno;
}

static int no_new_rights(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno; }

static int not_traced(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : errno; }

int mrg_unix_walls_raise(struct mrg_unix_walls *out)
{
	const struct {
		const char *name;
		int (*raise)(void);
	} steps[] = { { "PR_SET_NO_NEW_PRIVS", no_new_rights }, { "PR_SET_DUMPABLE", not_traced },
		{ "setrlimit", limits }, { "capset", drop_capabilities } };
	*out = (struct mrg_unix_walls){ .failed = NULL };
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		const int err = steps[i].raise();
		if (err != 0) {
			out->failed = steps[i].name;
			return err;
		}
	}
	const int err = mrg_unix_walls_landlock(&out->landlock);
	out->failed = err != 0 ? "Landlock" : NULL;
	return err;
}

const char *mrg_unix_sandbox_why_not(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	return "this build has sanitizers, which need more of the system";
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
	return "this build has sanitizers, which need more of the system";
#else
	return NULL;
#endif
#else
	return NULL;
#endif
}
