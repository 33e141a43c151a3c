/*
 * path.h - the names that a target's path consists of.
 *
 * References: RFC 3986 2.1 (percent-encoding), 3.3 (segments), 5.2.4 (dot segments), 6.2.2.
 *
 * Escapes are decoded before dot segments are looked for, so that `%2e%2e` is one too. A path never leads above the root, and no
 * name has a slash or a NUL in it, however it was written. Empty segments count for nothing.
 */
#ifndef MRG_HTTP_PATH_H
#define MRG_HTTP_PATH_H

#include "mrg.h"

enum { MRG_HTTP_PATH_DEPTH = 64 }; /* names in a path */

/*
 * mrg_http_path_names - the names, decoded, joined by `/`.
 *   path     a path as a request has it: it begins with `/`, or it is empty and means the same as `/` (RFC 9110 4.2.3)
 *   w        where the names go
 *   folder   does it end with a slash, or a dot segment?
 * Returns:  false: no such names (a slash or NUL in one), too many of them, or no room.
 * Cost:     linear in the path.
 */
bool mrg_http_path_names(struct mrg_span path, struct mrg_w *w, bool *folder);

/*
 * mrg_http_path_put_folder - the same path, still encoded, without empty segments and with a slash at its end. What comes out is
 * never taken for the name of a host, as `//name` would be (RFC 3986 4.2).
 */
void mrg_http_path_put_folder(struct mrg_w *w, struct mrg_span path);

#endif
