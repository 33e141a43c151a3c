/*
 * Paths of trees.
 */
#include "mrg_rt.h"

static bool name_ok(const uint8_t *p, size_t len)
{
	return len != 0 && !(len <= 2u && p[0] == '.' && p[len - 1u] == '.');
}

bool mrg_rt_path_ok(struct mrg_span path)
{
	size_t from = 0; /* where the present name begins */
	if (path.len == 0)
		return true;
	for (size_t i = 0; i < path.len; i++) {
		if (path.p[i] == '\0')
			return false;
		if (path.p[i] != '/')
			continue;
		if (!name_ok(path.p + from, i - from))
			return false;
		from = i + 1u;
	}
	return name_ok(path.p + from, path.len - from);
}
