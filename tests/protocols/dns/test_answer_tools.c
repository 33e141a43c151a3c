/*
 * What clients of others make of signatures and cookies: dig, kdig and drill ask a server of a few lines over mrg_dns_answer, and say whether they
 * believe it.
 */
#include <arpa/inet.h>
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kit.h"

static struct kit k;
static struct mrg_dns_cookie_secrets secrets;
static uint16_t port;
static pid_t server;

/* "c2VjcmV0IG9mIGEga2V5IQ==" and the like, as the tools want it */
static const char secret[] = "secret of a key!";
#define BASE64 "c2VjcmV0IG9mIGEga2V5IQ=="
static const uint8_t names[3][7] = { "\4k256", "\4k384", "\4k512" };
static const struct mrg_dns_tsig_key keys[3] = {
	{ { names[0], 6 }, MRG_DNS_MAC_ALGORITHM_HMAC_SHA256, { (const uint8_t *)secret, 16 }, 0 },
	{ { names[1], 6 }, MRG_DNS_MAC_ALGORITHM_HMAC_SHA384, { (const uint8_t *)secret, 16 }, 0 },
	{ { names[2], 6 }, MRG_DNS_MAC_ALGORITHM_HMAC_SHA512, { (const uint8_t *)secret, 16 }, 0 },
};
static const struct mrg_dns_tsig_keys table = { keys, 3 };

static void tell_peer(void *ctx, size_t index, struct mrg_rt_addr *out)
{
	(void)index;
	*out = (struct mrg_rt_addr){ .family = 4 };
	memcpy(out->ip, &((const struct sockaddr_in *)ctx)->sin_addr, 4);
}

static noreturn void serve(int fd, int64_t skew)
{
	uint8_t query[4096], reply[4096];
	for (;;) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof from;
		size_t len;
		const ssize_t n = recvfrom(fd, query, sizeof query, 0, (struct sockaddr *)&from, &from_len);
		const struct mrg_dns_asker c = { .via = MRG_DNS_UDP,
			.now_s = (uint64_t)((int64_t)time(NULL) + skew),
			.peer = tell_peer,
			.ctx = &from };
		if (n >= 0 && mrg_dns_answer(&k.server, &c, (struct mrg_span){ query, (size_t)n }, reply,
				      sizeof reply, &len) == MRG_OK)
			(void)!sendto(fd, reply, len, 0, (struct sockaddr *)&from, from_len);
	}
}

/* A server whose clock is some seconds ahead. */
static void start(int64_t skew)
{
	static const char zone[] =
		"@ 60 SOA a b 1 2 3 4 30\n@ 60 NS a\na 60 A 192.0.2.77\nwww 60 A 192.0.2.1\n";
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof at;
	kit_init(&k, 1 << 22);
	ck_assert_int_eq(kit_zone(&k, "example.", zone), MRG_DNS_ZONE_SOUND);
	mrg_dns_cookie_secret_set(&secrets, 0, (const uint8_t *)secret);
	k.server.keys = &table;
	k.server.cookies = &secrets;
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	port = ntohs(at.sin_port);
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0)
		serve(fd, skew);
	close(fd);
}

static void stop(void)
{
	kill(server, SIGKILL);
	ck_assert_int_eq(waitpid(server, NULL, 0), server);
	kit_free(&k);
}

/* What a command says, %u in it being the port. */
static const char *say(const char *command)
{
	static char text[1 << 14];
	char line[400];
	const int n = snprintf(line, sizeof line, command, port);
	ck_assert_int_lt(n, 300);
	strcat(line, " 2>&1");
	FILE *const from = popen(line, "r");
	ck_assert_ptr_nonnull(from);
	const size_t len = fread(text, 1, sizeof text - 1, from);
	text[len] = '\0';
	pclose(from);
	return text;
}

static void expect(const char *command, const char *want, const char * not )
{
	const char *const said = say(command);
	ck_assert_msg(strstr(said, want) != NULL, "%s: no '%s' in:\n%s", command, want, said);
	ck_assert_msg(not == NULL || strstr(said, not ) == NULL, "%s: '%s' in:\n%s", command, not, said);
}

#define DIG "dig @127.0.0.1 -p %u +tries=1 +timeout=20 +nocookie +norec "
#define KDIG "kdig @127.0.0.1 -p %u +retry=0 +timeout=20 +norec "

START_TEST(signatures)
{
	start(0);
	expect(DIG "-y hmac-sha256:k256:" BASE64 " www.example. A", "192.0.2.1", ";; WARNING");
	expect(DIG "-y hmac-sha384:K384:" BASE64 " www.example. A", "192.0.2.1", ";; WARNING");
	expect(DIG "-y hmac-sha512:k512:" BASE64 " no.example. A +dnssec", "NXDOMAIN", ";; WARNING");
	expect(KDIG "-y hmac-sha256:k256:" BASE64 " www.example. A", "192.0.2.1", "WARNING");
	expect(KDIG "-y hmac-sha384:k384:" BASE64 " www.example. TXT", "NOERROR", "WARNING");
	expect(KDIG "-y hmac-sha512:k512:" BASE64 " www.other. A +edns", "REFUSED", "WARNING");
	expect("drill @127.0.0.1 -p %u -y k256:" BASE64 ":hmac-sha256 www.example. A", "192.0.2.1",
		"Could not verify");
	stop();
}
END_TEST

/* No such key, not that secret, and a clock that is wrong: each tool says which. */
START_TEST(wrong_signatures)
{
	start(0);
	expect(DIG "-y hmac-sha256:other:" BASE64 " www.example. A", "BADKEY", "192.0.2.1");
	expect(DIG "-y hmac-sha256:k384:" BASE64 " www.example. A", "BADKEY", "192.0.2.1");
	expect(DIG "-y hmac-sha256:k256:AAAA www.example. A", "BADSIG", "192.0.2.1");
	expect(KDIG "-y hmac-sha256:k256:AAAA www.example. A", "BADSIG", "192.0.2.1");
	expect(KDIG "-y hmac-sha256:other:" BASE64 " www.example. A", "BADKEY", "192.0.2.1");
	stop();
	start(4000);
	expect(DIG "-y hmac-sha256:k256:" BASE64 " www.example. A", "BADTIME", "192.0.2.1");
	expect(KDIG "-y hmac-sha256:k256:" BASE64 " www.example. A", "BADTIME", "192.0.2.1");
	stop();
}
END_TEST

/* Cookies: dig says `good` when its own comes back, and sends the server's the next time. */
START_TEST(cookies)
{
	start(0);
	expect("dig @127.0.0.1 -p %u +tries=1 +timeout=20 +cookie www.example. A", "(good)", NULL);
	expect(KDIG "+cookie www.example. A", "COOKIE: ", "WARNING");
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("answers to tools");
	TCase *const t = tcase_create("tools");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, signatures);
	tcase_add_test(t, wrong_signatures);
	tcase_add_test(t, cookies);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
