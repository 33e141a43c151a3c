/*
 * protocols/http/url: RFC 9110 4.2, RFC 3986.
 */
#include <check.h>
#include <string.h>

#include "guard.h"
#include "protocols/http/url.h"

static struct mrg_http_url u;

static enum mrg_status read_text(const char *text)
{
	memset(&u, 0xa5, sizeof u);
	return mrg_http_url_read(guarded(text_of(text)), &u);
}

static bool is(struct mrg_span s, const char *text) { return mrg_span_eq(s, text_of(text)); }

START_TEST(good_ones)
{
	static const struct {
		const char *text, *scheme, *authority, *host;
		unsigned port;
		const char *target;
	} urls[] = {
		{ "http://a", "http", "a", "a", 80, "/" },
		{ "http://a/", "http", "a", "a", 80, "/" },
		{ "HTTP://A.example:8080/b/c%20d?e=f&g", "HTTP", "A.example:8080", "A.example", 8080,
			"/b/c%20d?e=f&g" },
		{ "http://127.0.0.1:65535?q", "http", "127.0.0.1:65535", "127.0.0.1", 65535, "/?q" },
		{ "http://[2001:db8::1]:1/x?", "http", "[2001:db8::1]:1", "[2001:db8::1]", 1, "/x?" },
		{ "http://a:/", "http", "a:", "a", 80, "/" },
		{ "http://a:00080/", "http", "a:00080", "a", 80, "/" },
		{ "https://a%41/..//b/", "https", "a%41", "a%41", 80, "/..//b/" },
	};
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		uint8_t room[100];
		struct mrg_w w;
		ck_assert_int_eq(read_text(urls[i].text), MRG_OK);
		ck_assert(is(u.scheme, urls[i].scheme));
		ck_assert(is(u.authority, urls[i].authority));
		ck_assert(is(u.host, urls[i].host));
		ck_assert_uint_eq(u.port, urls[i].port);
		mrg_w_init(&w, room, sizeof room);
		mrg_http_url_target_put(&w, &u);
		ck_assert_int_eq(w.st, MRG_OK);
		ck_assert(is(mrg_w_span(&w, 0), urls[i].target));
	}
}
END_TEST

START_TEST(bad_ones)
{
	static const struct {
		const char *text, *why;
	} urls[] = {
		{ "", "not scheme://" },
		{ "a", "not scheme://" },
		{ "/a", "not scheme://" },
		{ "//a/", "not scheme://" },
		{ "http:a", "not scheme://" },
		{ "http:/a", "not scheme://" },
		{ "1http://a", "not scheme://" },
		{ "http:///x", "not scheme://" },
		{ "http://u@a/", "not scheme://" },
		{ "http://u:p@a/", "not scheme://" },
		{ "http://a/b c", "not scheme://" },
		{ "http://a/#b", "not scheme://" },
		{ "http://a/%", "not scheme://" },
		{ "http://a/%4", "not scheme://" },
		{ "http://a/\r\nX: y", "not scheme://" },
		{ "http://a b/", "not scheme://" },
		{ "http://:80/", "the host is empty" },
		{ "http://a:0/", "the port is not" },
		{ "http://a:65536/", "the port is not" },
		{ "http://a:99999999999999999999/", "the port is not" },
		{ "http://a:8x/", "no host and port" },
		{ "http://a:80:80/", "no host and port" },
		{ "http://::1/", "no host and port" },
		{ "http://[::1/", "no host and port" },
		{ "http://[::1]x/", "no host and port" },
		{ "http://[:::]/", "no host and port" },
		{ "http://[]/", "no host and port" },
	};
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		MUST_SAY(read_text(urls[i].text) == MRG_E_VALUE, "<%s> is taken", urls[i].text);
		MUST_SAY(strncmp((const char *)u.why.p, urls[i].why, strlen(urls[i].why)) == 0, "<%s>: %.*s",
			urls[i].text, (int)u.why.len, (const char *)u.why.p);
	}
}
END_TEST

START_TEST(no_room)
{
	uint8_t room[4];
	struct mrg_w w;
	ck_assert_int_eq(read_text("http://a/bcde"), MRG_OK);
	mrg_w_init(&w, room, sizeof room);
	mrg_http_url_target_put(&w, &u);
	ck_assert_int_eq(w.st, MRG_E_SPACE);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http URLs");
	TCase *const t = tcase_create("url");
	tcase_add_test(t, good_ones);
	tcase_add_test(t, bad_ones);
	tcase_add_test(t, no_room);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
