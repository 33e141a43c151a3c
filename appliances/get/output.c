/*
 * Octets on their way out of mrg-get. A file is opened when there is something to write, or at the end, so that one that stands there stays
 * when there is no answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "appliances/get/get.h"
#include "http/message.h"
#include "mrg_digits.h"

enum { HEAD_MAX = 128 << 10 }; /* more than the longest head, written anew */

static const char *name_of(const struct output *out)
{
	return out->name != NULL ? out->name : "standard output";
}

static bool ready(struct output *out)
{
	if (out->fd >= 0)
		return true;
	out->fd = out->name == NULL ? STDOUT_FILENO
				    : open(out->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (out->fd < 0)
		complain(name_of(out), "", errno);
	return out->fd >= 0;
}

bool output_octets(struct output *out, struct mrg_span octets)
{
	if (!ready(out))
		return false;
	while (octets.len != 0) {
		const ssize_t n = write(out->fd, octets.p, octets.len);
		if (n < 0 && errno != EINTR) {
			complain(name_of(out), "", errno);
			return false;
		}
		const size_t done = n < 0 ? 0 : (size_t)n;
		octets = (struct mrg_span){ octets.p + done, octets.len - done };
	}
	return true;
}

static void put_status_line(struct mrg_w *w, const struct mrg_http_response *r)
{
	uint8_t room[8]; /* minor version, status */
	struct mrg_w digits;
	mrg_w_init(&digits, room, sizeof room);
	mrg_digits_put(&digits, r->minor, 1);
	mrg_digits_put(&digits, r->status, 3);
	const struct mrg_capture parts[] = {
		mrg_capture_of(MRG_HTTP_HTTP1_STATUS_LINE_MAJOR, MRG_LITERAL("1")),
		mrg_capture_of(MRG_HTTP_HTTP1_STATUS_LINE_MINOR, (struct mrg_span){ room, 1 }),
		mrg_capture_of(MRG_HTTP_HTTP1_STATUS_LINE_STATUS, (struct mrg_span){ room + 1, 3 }),
		mrg_capture_of(MRG_HTTP_HTTP1_STATUS_LINE_REASON, r->reason),
	};
	mrg_http_http1_status_line_put(w, parts, r->reason.len == 0 ? 3 : 4);
}

bool output_head(struct output *out, const struct mrg_http_response *r)
{
	static uint8_t room[HEAD_MAX];
	struct mrg_w w;
	mrg_w_init(&w, room, sizeof room);
	put_status_line(&w, r);
	for (size_t i = 0; i < r->count; i++) {
		const struct mrg_capture parts[] = {
			mrg_capture_of(MRG_HTTP_HTTP1_FIELD_LINE_NAME, r->fields[i].name),
			mrg_capture_of(MRG_HTTP_HTTP1_FIELD_LINE_VALUE, r->fields[i].value),
		};
		mrg_http_http1_field_line_put(&w, parts, r->fields[i].value.len == 0 ? 1 : 2);
	}
	mrg_w_put(&w, MRG_LITERAL("\r\n"));
	return output_octets(out, mrg_w_span(&w, 0));
}

bool output_close(struct output *out)
{
	if (!ready(out))
		return false;
	/* what could not be written may only be known now */
	if (out->name != NULL && close(out->fd) != 0) {
		complain(name_of(out), "", errno);
		return false;
	}
	return true;
}
