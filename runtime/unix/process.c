/*
 * The process: who it runs as, the signals it takes, its threads, its log, its limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "unix/mrg_unix.h"

enum { STACK = 256 << 10 }; /* bytes of address space of a worker's stack; only what it uses becomes memory */

/* ---- users ---- */

/* Decimal digits up to `stop`; moves *s behind the stop. */
static bool take_id(const char **s, char stop, uint32_t *out)
{
	uint64_t v = 0;
	const char *p = *s;
	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10u + (uint64_t)(*p - '0');
		if (v >= UINT32_MAX) /* (uid_t)-1 means "unchanged" to the kernel */
			return false;
	}
	if (p == *s || *p != stop)
		return false;
	*s = p + (stop != '\0');
	*out = (uint32_t)v;
	return true;
}

static bool user_of_numbers(const char *name, struct mrg_unix_user *out)
{
	const char *s = name;
	uint32_t uid, gid;
	if (take_id(&s, '\0', &uid)) {
		*out = (struct mrg_unix_user){ uid, uid };
		return true;
	}
	if (!take_id(&s, ':', &uid) || !take_id(&s, '\0', &gid))
		return false;
	*out = (struct mrg_unix_user){ uid, gid };
	return true;
}

/* One line of passwd(5): name:password:uid:gid:... */
static bool user_of_line(const char *line, const char *name, size_t name_len, struct mrg_unix_user *out)
{
	uint32_t uid, gid;
	if (strncmp(line, name, name_len) != 0 || line[name_len] != ':')
		return false;
	const char *s = line + name_len + 1;
	while (*s != ':' && *s != '\n' && *s != '\0')
		s++;
	if (*s++ != ':' || !take_id(&s, ':', &uid) || !take_id(&s, ':', &gid))
		return false;
	*out = (struct mrg_unix_user){ uid, gid };
	return true;
}

int mrg_unix_user_find(const char *name, struct mrg_unix_user *out)
{
	struct mrg_unix_text passwd;
	if (user_of_numbers(name, out))
		return 0;
	int err = mrg_unix_text_read(&passwd, "/etc/passwd");
	if (err != 0)
		return err;
	const char *line = (const char *)passwd.p;
	err = ENOENT;
	while (line != NULL && *line != '\0' && err != 0) {
		if (user_of_line(line, name, strlen(name), out))
			err = 0;
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	mrg_unix_text_close(&passwd);
	return err;
}

int mrg_unix_user_become(const struct mrg_unix_user *u)
{
	if (setgroups(0, NULL) != 0 || setresgid(u->gid, u->gid, u->gid) != 0 ||
		setresuid(u->uid, u->uid, u->uid) != 0)
		return errno;
	if (u->uid != 0 && setuid(0) == 0)
		return EPERM; /* the way back must be closed */
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

/* ---- signals ---- */

int mrg_unix_signals_open(int *fd)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR2);
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	if (sigaction(SIGPIPE, &ignore, NULL) != 0 || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return errno;
	*fd = signalfd(-1, &set, SFD_CLOEXEC);
	return *fd >= 0 ? 0 : errno;
}

int mrg_unix_signals_wait(int fd, enum mrg_unix_signal *out)
{
	struct signalfd_siginfo info;
	ssize_t n;
	do
		n = mrg_unix_read(fd, &info, sizeof info);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof info)
		return n < 0 ? errno : EIO;
	*out = info.ssi_signo == SIGHUP    ? MRG_UNIX_RELOAD
	       : info.ssi_signo == SIGUSR2 ? MRG_UNIX_RECORD
					   : MRG_UNIX_STOP;
	return 0;
}

static void take_signal(struct mrg_unix_watch *w, struct mrg_unix_loop *l, uint32_t events)
{
	struct mrg_unix_signals *const s =
		(struct mrg_unix_signals *)(void *)((char *)w - offsetof(struct mrg_unix_signals, watch));
	enum mrg_unix_signal signal = MRG_UNIX_STOP;
	(void)l;
	(void)events;
	if (mrg_unix_signals_wait(w->fd, &signal) == 0)
		s->take(s->ctx, signal);
}

int mrg_unix_signals_serve(struct mrg_unix_signals *s, struct mrg_unix_loop *l, int fd)
{
	s->watch = (struct mrg_unix_watch){ .ready = take_signal, .fd = fd };
	return mrg_unix_watch_set(l, &s->watch, EPOLL_CTL_ADD, EPOLLIN);
}

bool mrg_unix_signals_stop(void)
{
	sigset_t set;
	return sigpending(&set) == 0 && (sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGINT) == 1);
}

/* ---- threads ---- */

static void *run_thread(void *arg)
{
	const struct mrg_unix_thread *const t = arg;
	t->run(t->ctx);
	return NULL;
}

int mrg_unix_thread_start(struct mrg_unix_thread *t, void (*run)(void *ctx), void *ctx)
{
	pthread_attr_t attr;
	t->run = run;
	t->ctx = ctx;
	int err = pthread_attr_init(&attr);
	if (err != 0)
		return err;
	err = pthread_attr_setstacksize(&attr, STACK);
	if (err == 0)
		err = pthread_create(&t->id, &attr, run_thread, t);
	(void)pthread_attr_destroy(&attr);
	return err;
}

void mrg_unix_thread_join(struct mrg_unix_thread *t) { (void)pthread_join(t->id, NULL); }

int mrg_unix_bell_open(struct mrg_unix_bell *b)
{
	b->fd = eventfd(0, EFD_CLOEXEC);
	return b->fd >= 0 ? 0 : errno;
}

void mrg_unix_bell_ring(struct mrg_unix_bell *b)
{
	const uint64_t one = 1;
	(void)!mrg_unix_write(b->fd, &one, sizeof one); /* waits only when 2^64 rings were not heard */
}

void mrg_unix_bell_wait(struct mrg_unix_bell *b)
{
	uint64_t rings;
	(void)!mrg_unix_read(b->fd, &rings,
		sizeof rings); /* interrupted, it is heard early: who waits looks at what it waits for */
}

void mrg_unix_bell_close(struct mrg_unix_bell *b) { (void)close(b->fd); }

/* ---- log ---- */

void mrg_unix_log_line(void *ctx, struct mrg_span line)
{
	static const char key[] = "time=";
	const int fd = *(const int *)ctx;
	char stamp[MRG_RT_TIME_TEXT], whole[sizeof key + sizeof stamp + MRG_RT_LINE_MAX];
	struct timespec now = { 0 };
	(void)clock_gettime(CLOCK_REALTIME, &now);
	struct mrg_w w;
	mrg_w_init(&w, whole, sizeof whole);
	mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)key, sizeof key - 1 });
	mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)mrg_rt_time_str((uint64_t)now.tv_sec, stamp),
			      sizeof stamp - 1 });
	mrg_w_u8(&w, ' ');
	mrg_w_put(&w, line);
	(void)!mrg_unix_write(fd, whole, w.len); /* there is nowhere to report a failure to */
}

/* ---- files ---- */

int mrg_unix_files_begin(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
			open("/dev/null", O_RDWR) != fd) /* the lowest free one is taken */
			return errno;
	return 0;
}

size_t mrg_unix_files_max(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 1024;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 1024;
	return r.rlim_cur > SIZE_MAX ? SIZE_MAX : (size_t)r.rlim_cur;
}
