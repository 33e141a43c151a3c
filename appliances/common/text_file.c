/* A file of the process's: see text_file.h. */
#include <string.h>

#include "appliances/common/text_file.h"
#include "unix/mrg_unix.h"

const char *text_file_read(struct text_file *t, const char *path)
{
	struct mrg_unix_text text;
	const int err = mrg_unix_text_read(&text, path);
	if (err != 0)
		return strerrordesc_np(err);
	*t = (struct text_file){ .text = { text.p, text.len }, .mapped = text.mapped };
	return NULL;
}

void text_file_close(struct text_file *t)
{
	struct mrg_unix_text text = { (uint8_t *)(uintptr_t)t->text.p, t->text.len, t->mapped };
	mrg_unix_text_close(&text);
}
