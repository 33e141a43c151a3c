/*
 * Capture files of the last frames.
 * Reading order: mrg_unix_tape_write.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/mrg_pcap.h"
#include "unix/mrg_unix.h"
#include "unix/mrg_unix_tape.h"

enum { PIECE = 128 << 10 }; /* bytes that are written at once, the longest frame at least */
_Static_assert((size_t)PIECE >= (size_t)MRG_RT_PCAP_FRAME + (size_t)MRG_TAPE_SNAP_MAX, "a frame fits");

struct out {
	int fd, err;
	off_t at;
	struct mrg_w w;
};

uint64_t mrg_unix_ahead_ns(void)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * MRG_RT_SECOND_NS + (uint64_t)t.tv_nsec - mrg_unix_now_ns();
}

int mrg_unix_tape_open(const char *path, int *fd)
{
	struct stat st;
	*fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, S_IRUSR | S_IWUSR);
	if (*fd < 0)
		return errno;
	if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	(void)close(*fd);
	*fd = -1;
	return EINVAL;
}

static void flush(struct out *o)
{
	for (size_t done = 0; done < o->w.len && o->err == 0;) {
		const ssize_t n = pwrite(o->fd, o->w.p + done, o->w.len - done, o->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			o->err = n < 0 ? errno : EIO;
			break;
		}
		done += (size_t)n;
		o->at += n;
	}
	o->w.len = 0;
}

int mrg_unix_tape_write(int fd, const struct mrg_tape *t)
{
	uint8_t piece[PIECE];
	const uint64_t ahead_ns = mrg_unix_ahead_ns();
	struct out o = { .fd = fd };
	struct mrg_tape_at at;
	struct mrg_tape_frame f;
	if (ftruncate(fd, 0) != 0)
		return errno;
	mrg_w_init(&o.w, piece, sizeof piece);
	mrg_rt_pcap_begin(&o.w, t->snap);
	for (mrg_tape_first(t, &at); mrg_tape_next(t, &at, &f);) {
		if (o.w.cap - o.w.len < MRG_RT_PCAP_FRAME + f.kept.len)
			flush(&o);
		mrg_rt_pcap_frame(&o.w, ahead_ns + f.at_ns, f.len, f.kept);
	}
	flush(&o);
	if (o.err != 0)
		(void)!ftruncate(fd, 0); /* half a capture would look like a whole one */
	return o.err;
}
