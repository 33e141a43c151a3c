/*
 * appliances/vm: the words of a machine's command line.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "appliances/vm/words.h"

static struct vm_words w;
static char lines[4096];
static size_t len;

static void keep(void *ctx, struct mrg_span line)
{
	(void)ctx;
	ck_assert_uint_lt(line.len, sizeof lines - len);
	memcpy(lines + len, line.p, line.len);
	len += line.len;
	lines[len] = '\0';
}

/* From memory that ends where the line ends. */
static bool take(const char *line, size_t room)
{
	static const struct mrg_rt_log log = { .line = keep };
	static uint8_t memory[1 << 16];
	struct mrg_arena arena = { memory, 0, room };
	memset(memory, 0, sizeof memory);
	const size_t n = strlen(line);
	uint8_t *const copy = malloc(n + (n == 0));
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, line, n);
	len = 0;
	lines[0] = '\0';
	const bool good =
		vm_words_read(&w, &arena, "app", &(struct mrg_span){ n != 0 ? copy : NULL, n }, 1, &log);
	free(copy);
	ck_assert(good == (w.faults == 0));
	return good;
}

static bool read_all(const char *line) { return take(line, 1 << 16); }

START_TEST(words_of_the_network)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	ck_assert(read_all(
		"ip=10.0.0.2/24 gw=10.0.0.1  ip6=2001:db8::2/64 gw6=fe80::1 mac=02:00:00:00:00:07 mtu=1400 ip=10.1.0.2/16"));
	ck_assert_uint_eq(w.net.address_count, 3);
	ck_assert_str_eq(mrg_rt_addr_host_str(&w.net.address[0].ip, text), "10.0.0.2");
	ck_assert_uint_eq(w.net.address[0].prefix_len, 24);
	ck_assert_str_eq(mrg_rt_addr_host_str(&w.net.address[1].ip, text), "2001:db8::2");
	ck_assert_uint_eq(w.net.address[2].prefix_len, 16);
	ck_assert_str_eq(mrg_rt_addr_host_str(&w.net.router, text), "10.0.0.1");
	ck_assert_str_eq(mrg_rt_addr_host_str(&w.net.router6, text), "fe80::1");
	ck_assert(w.net.has_mac && w.net.mac[5] == 7 && w.net.mtu == 1400 && !w.net.dhcp);
	ck_assert(w.log == VM_LOG_INFO && w.argc == 1);
	ck_assert_str_eq(w.argv[0], "app");
	ck_assert_ptr_null(w.argv[1]);
	ck_assert_str_eq(lines, "");
	ck_assert(read_all("ip=dhcp"));
	ck_assert(w.net.dhcp && w.net.address_count == 0);
	ck_assert(read_all(""));
	ck_assert(!w.net.dhcp && w.net.address_count == 0 && w.argc == 1);
}
END_TEST

START_TEST(words_of_others)
{
	ck_assert(read_all(
		"tsc=2000000000 ip=dhcp -- --zone \"a b=c\" virtio_mmio.device=512@0xfeb00e00:12 pci=off log=x\n--"));
	ck_assert(w.net.dhcp);
	ck_assert_int_eq(w.argc, 5);
	ck_assert_str_eq(w.argv[1], "--zone");
	ck_assert_str_eq(w.argv[2], "a b=c");
	ck_assert_str_eq(w.argv[3], "log=x");
	ck_assert_str_eq(w.argv[4], "--");
	ck_assert_str_eq(lines, "");
	ck_assert(read_all("--listen=[::]:53 console=ttyS0 log=error reboot=k -v # ip=x"));
	ck_assert_int_eq(w.argc, 3);
	ck_assert_str_eq(w.argv[1], "--listen=[::]:53");
	ck_assert_str_eq(w.argv[2], "-v");
	ck_assert(w.log == VM_LOG_ERROR);
	ck_assert_str_eq(lines,
		"level=warn event=word_unknown word=\"console=ttyS0\"\nlevel=warn event=word_unknown word=\"reboot=k\"\n");
}
END_TEST

START_TEST(words_that_are_wrong)
{
	static const struct {
		const char *line, *said;
	} all[] = {
		{ "ip=", "word=ip why=\"expected ADDRESS/LENGTH" },
		{ "ip=10.0.0.2", "word=ip why=\"expected ADDRESS/LENGTH" },
		{ "ip=10.0.0.2/33", "word=ip why=\"expected" },
		{ "ip=dhcpx", "word=ip why=\"expected" },
		{ "ip=2001:db8::1/64", "word=ip why=\"expected" },
		{ "ip6=10.0.0.2/24", "word=ip6 why=\"expected" },
		{ "gw=10.0.0.1", "word=gw why=\"is of no use" },
		{ "gw=fe80::1", "word=gw why=\"expected" },
		{ "mtu=100", "word=mtu why=\"expected" },
		{ "mac=03:00:00:00:00:01", "word=mac why=\"expected" },
		{ "log=loud", "word=\"log=loud\" why=\"expected info, warn or error\"" },
		{ "\"ip=dhcp", "why=\"the quote has no end\"" },
		{ "ip=1 ip=2", "word=ip why=" },
		{ "ip=00000000000000000000000000000000000000000000000000000000000000000000000000000000010.0.0.2/24",
			"why=\"too long\"" },
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		ck_assert_msg(!read_all(all[i].line), "%s", all[i].line);
		ck_assert_msg(strstr(lines, all[i].said) != NULL, "%s: %s", all[i].line, lines);
		ck_assert_ptr_nonnull(strstr(lines, "level=error event=word_wrong"));
	}
	ck_assert_uint_eq(w.faults, 1);
	ck_assert(!read_all("ip=1 ip=2 log=3"));
	ck_assert_uint_eq(w.faults, 3);
}
END_TEST

START_TEST(too_many_and_too_much)
{
	static char line[1000];
	for (unsigned i = 0; i < 64; i++)
		memcpy(line + 3 * i, "-x ", 4);
	ck_assert(!read_all(line));
	ck_assert_ptr_nonnull(strstr(lines, "too many options"));
	ck_assert_int_eq(w.argc, VM_WORDS_MAX);
	ck_assert_ptr_null(w.argv[VM_WORDS_MAX]);
	ck_assert(!take("--zone", 8));
	ck_assert_ptr_nonnull(strstr(lines, "too little memory"));
}
END_TEST

/* Every octet, every beginning: an answer, and nothing beyond the end is read. */
START_TEST(any_line)
{
	static const char sample[] = "ip=10.0.0.2/24 gw=10.0.0.1 -- \"a b\" ip=dhcp log=warn # x";
	char line[sizeof sample];
	for (size_t i = 0; i < sizeof sample; i++) {
		for (unsigned octet = 1; octet < 256; octet++) {
			memcpy(line, sample, sizeof sample);
			line[i] = (char)octet;
			if (i == sizeof sample - 1)
				line[i] = '\0';
			(void)read_all(line);
		}
		line[i] = '\0';
		(void)read_all(line);
	}
}
END_TEST

/* Those that are linked into an image, then those of the loader. */
START_TEST(two_lines)
{
	static const struct mrg_rt_log log = { .line = keep };
	static uint8_t memory[1 << 12];
	struct mrg_arena arena = { memory, 0, sizeof memory };
	const struct mrg_span both[] = { MRG_LITERAL("log=warn -- --zone example.org"),
		MRG_LITERAL("ip=10.0.0.2/24 log=error -- ip=dhcp") };
	ck_assert(vm_words_read(&w, &arena, "app", both, 2, &log));
	ck_assert_int_eq(w.argc, 4);
	ck_assert_str_eq(w.argv[2], "example.org");
	ck_assert_str_eq(w.argv[3], "ip=dhcp");
	ck_assert_int_eq(w.log, VM_LOG_ERROR);
	ck_assert_uint_eq(w.net.address_count, 1);
}
END_TEST

START_TEST(levels)
{
	static const struct mrg_span info = MRG_LITERAL("level=info event=x\n"),
				     warn = MRG_LITERAL("level=warn event=x\n"),
				     error = MRG_LITERAL("level=error event=x\n"),
				     fatal = MRG_LITERAL("level=fatal event=x\n");
	ck_assert(vm_log_shows(VM_LOG_INFO, info) && vm_log_shows(VM_LOG_INFO, warn));
	ck_assert(!vm_log_shows(VM_LOG_WARN, info) && vm_log_shows(VM_LOG_WARN, warn) &&
		  vm_log_shows(VM_LOG_WARN, error));
	ck_assert(!vm_log_shows(VM_LOG_ERROR, warn) && vm_log_shows(VM_LOG_ERROR, error) &&
		  vm_log_shows(VM_LOG_ERROR, fatal));
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("vm_words");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, words_of_the_network);
	tcase_add_test(t, words_of_others);
	tcase_add_test(t, words_that_are_wrong);
	tcase_add_test(t, too_many_and_too_much);
	tcase_add_test(t, any_line);
	tcase_add_test(t, two_lines);
	tcase_add_test(t, levels);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
