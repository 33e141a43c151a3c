/*
 * site.h - for tests of protocols/http: a site of made-up files, and what it answers.
 */
#ifndef TESTS_HTTP_SITE_H
#define TESTS_HTTP_SITE_H

#include "heads.h"
#include "protocols/http/files.h"
#include "tree.h"

#define SITE_DATE "Sun, 09 Sep 2001 01:46:40 GMT" /* of all files that say nothing else */
#define SITE_BEFORE "Sun, 09 Sep 2001 01:46:39 GMT"
#define SITE_AFTER "Sun, 09 Sep 2001 01:46:41 GMT"
static const uint64_t site_now_s = 1700000000;

/* The first host's files, those of `other.example`, and how they are served; may be changed between site_start and the first request. */
extern struct tree site, site_other;
extern struct mrg_http_files site_files;

/*
 * index.html a.txt b.txt(hidden) empty.txt empty.bin(hidden) big.bin(hidden, 100,000 octets) sub/index.html sub/c d.txt no/x.txt
 * dir/index.html/x style.css(.br .gz) gz.js(.gz) old.js(older .gz .br) odd.js(.gz is a folder, .br is forbidden)
 * forbidden.txt busy.txt dateless.txt future.txt ancient.txt
 */
void site_start(void);
void site_stop(void); /* every file that was opened is closed again */

/*
 * The answer to one request with `Host: a` and these field lines; it lives until site_stop. GET is asked as HEAD, too, and must have the
 * same head; unless there is a Range, which HEAD does not have.
 */
const struct answer *site_get(const char *target, const char *fields);
const struct answer *site_ask(const char *method, const char *target, const char *fields);

/* The same for a whole head. */
const struct answer *site_send(const char *head, bool to_head);

#endif
