/*
 * mrg_fuzz_find.c - a find: made smaller, and kept as files that say all of it.
 *
 * The loop calls these after a handler came back from a crash, so they may do what handlers may not.
 */
#include "mrg_fuzz_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	TRIES = 20000,      /* of smaller inputs, for one find */
	TRIES_HANGING = 12, /* when each may take hang_ms */
	WAYS = 4096,        /* of a subject's own, a round */
	PATH = 1024
};

uint64_t mrg_fuzz_hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3ull;
	return h;
}

static bool hangs(const struct mrg_fuzz_find *f) { return strncmp(f->result.key, "hang", 4) == 0; }

struct shrinking {
	struct mrg_fuzz_find *f;
	unsigned left; /* tries */
};

/* Whether bytes[0..len) is the same find; then it is the find's input from now on. */
static bool same_find(struct shrinking *s, const uint8_t *bytes, size_t len)
{
	struct mrg_fuzz_find *const f = s->f;
	struct mrg_fuzz_result result;
	if (s->left == 0)
		return false;
	s->left--;
	const bool crashed = mrg_fuzz_once(f->subject, f->guard, f->mode, bytes, len, &result);
	if (result.verdict != MRG_FUZZ_WRONG || strcmp(result.key, f->result.key) != 0)
		return false;
	if (len != 0)
		memmove(f->in, bytes, len);
	f->len = len;
	f->result = result;
	if (crashed)
		f->crash = mrg_fuzz_catcher.crash;
	return true;
}

/* The subject's i-th way; what befalls it there makes it none. */
static size_t smaller(const struct mrg_fuzz_find *f, size_t i)
{
	size_t len = 0;
	if (sigsetjmp(mrg_fuzz_catcher.back, 1) != 0)
		return 0;
	mrg_fuzz_enter(MRG_FUZZ_IN_SMALLER);
	len = f->subject->smaller(f->subject->ctx, i, f->in, f->len, f->trial, f->subject->len_max);
	mrg_fuzz_leave();
	return len;
}

/* One way after the other; after one that was taken, the same number is another. */
static bool shrink_by_subject(struct shrinking *s)
{
	struct mrg_fuzz_find *const f = s->f;
	bool any = false;
	size_t at = 0;
	if (f->subject->smaller == NULL)
		return false;
	for (unsigned n = 0; n < WAYS && s->left != 0; n++) {
		const size_t len = smaller(f, at);
		if (len == 0)
			break;
		const bool less = len < f->len || (len == f->len && memcmp(f->trial, f->in, len) != 0);
		if (less && same_find(s, f->trial, len))
			any = true;
		else
			at++;
	}
	return any;
}

/* Pieces left out: halves, quarters, ... single octets. */
static bool shrink_by_pieces(struct shrinking *s)
{
	struct mrg_fuzz_find *const f = s->f;
	bool any = false;
	for (size_t n = f->len; n != 0; n /= 2)
		for (size_t at = 0; at < f->len && s->left != 0;) {
			const size_t out = n < f->len - at ? n : f->len - at;
			memcpy(f->trial, f->in, at);
			memcpy(f->trial + at, f->in + at + out, f->len - at - out);
			if (same_find(s, f->trial, f->len - out))
				any = true;
			else
				at += out;
		}
	return any;
}

/* Octets that need not be what they are become 0. */
static bool shrink_by_octets(struct shrinking *s)
{
	struct mrg_fuzz_find *const f = s->f;
	bool any = false;
	for (size_t i = 0; i < f->len && s->left != 0; i++) {
		if (f->in[i] == 0)
			continue;
		memcpy(f->trial, f->in, f->len);
		f->trial[i] = 0;
		any = same_find(s, f->trial, f->len) || any;
	}
	return any;
}

void mrg_fuzz_find_shrink(struct mrg_fuzz_find *f)
{
	struct shrinking s = { f, hangs(f) ? TRIES_HANGING : TRIES };
	memcpy(f->other, f->in, f->len);
	f->tried = true;
	f->again = same_find(&s, f->other, f->len);
	if (!f->again)
		return;
	/* The subject may give ways in a circle, so the number of rounds is bounded by that of tries. */
	for (bool any = true; any && s.left != 0;) {
		any = shrink_by_subject(&s);
		any = shrink_by_pieces(&s) || any;
		any = shrink_by_octets(&s) || any;
	}
}

bool mrg_fuzz_make_folder(const char *folder)
{
	char path[PATH];
	if ((size_t)snprintf(path, sizeof path, "%s", folder) >= sizeof path) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (char *p = path + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(path, 0777);
			*p = '/';
		}
	return mkdir(path, 0777) == 0 || errno == EEXIST;
}

static FILE *file_in(const char *folder, const char *name)
{
	char path[PATH];
	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
		return NULL;
	return fopen(path, "wb");
}

/* Nothing that was tried says that its input alone is not enough. */
static bool by_input(const struct mrg_fuzz_find *f)
{
	return f->again || (!f->tried && (f->crash.signal == 0 || f->crash.where == MRG_FUZZ_IN_RUN));
}

/* How to have it again: by the input alone, or by all cases up to it. */
static void put_options(const struct mrg_fuzz_find *f, const char *file, FILE *to)
{
	static const char *const modes[] = { "", " --end", " --begin" };
	(void)fprintf(to, "-s '%s' --hang %u", f->subject->name, f->options->hang_ms);
	if (by_input(f))
		(void)fprintf(to, "%s --repro '%s'\n", modes[f->mode], file);
	else {
		(void)fprintf(to, "%s -S %llu -E %llu", modes[f->options->mode],
			(unsigned long long)f->options->seed, (unsigned long long)f->exec);
		if (f->options->exhaust)
			(void)fprintf(to, " --exhaust %zu --exhaust-cases %llu", f->options->exhaust_octets,
				(unsigned long long)f->options->exhaust_cases);
		if (f->options->replay != NULL)
			(void)fprintf(to, " --replay '%s'", f->options->replay);
		(void)fputc('\n', to);
	}
}

static void put_why(const struct mrg_fuzz_find *f, const char *folder, FILE *to)
{
	char file[PATH + 16];
	(void)snprintf(file, sizeof file, "%s/input.bin", folder);
	(void)fprintf(to, "subject: %s\nkey: %s\nwhy: %s\n", f->subject->name, f->result.key, f->result.why);
	(void)fprintf(to, "input: %zu octets that %s at a page that is not there\n", f->len,
		f->mode == MRG_FUZZ_BEGIN ? "begin" : "end");
	(void)fprintf(to, "found: seed %llu, case %llu\n", (unsigned long long)f->options->seed,
		(unsigned long long)f->exec);
	(void)fprintf(to, "again by itself: %s\nrepro: ", f->again ? "yes" : f->tried ? "no" : "not tried");
	(void)fprintf(to, "'%s' ", f->options->program);
	put_options(f, file, to);
	if (f->crash.signal != 0) {
		(void)fprintf(to, "stack:\n");
		mrg_fuzz_catch_stack(&f->crash, to);
	}
}

/* Text of a subject in a comment, of which it must not be the end. */
static void put_comment(const char *text, FILE *to)
{
	for (char last = '\0'; *text != '\0'; last = *text++)
		(void)fputc((last == '*' && *text == '/') || (unsigned char)*text < ' ' ? '.' : *text, to);
}

/* To be run from anywhere; another program may be given, built from sources that were changed since. */
static void put_repro(const struct mrg_fuzz_find *f, FILE *to)
{
	(void)fprintf(to,
		"#!/bin/sh\n# repro.sh [PROGRAM]: by another program than the one that found it\n# %s: ",
		f->subject->name);
	put_comment(f->result.key, to);
	(void)fputc('\n', to);
	(void)fprintf(to, "cd \"$(dirname \"$0\")\" && exec \"${1:-%s}\" ", f->options->program);
	put_options(f, "input.bin", to);
}

static void put_octets(const struct mrg_fuzz_find *f, FILE *to)
{
	/* C has no arrays of nothing. */
	(void)fprintf(to, "static const uint8_t input[%zu] = {", f->len == 0 ? 1 : f->len);
	for (size_t i = 0; i < f->len; i++)
		(void)fprintf(to, "%s0x%02x,", i % 16 == 0 ? "\n\t" : " ", f->in[i]);
	(void)fprintf(to, "%s\n};\n", f->len == 0 ? " 0" : "");
}

static void put_test(const struct mrg_fuzz_find *f, FILE *to)
{
	(void)fprintf(to, "/*\n * %s: ", f->subject->name);
	put_comment(f->result.key, to);
	(void)fprintf(to, "\n * ");
	put_comment(f->result.why, to);
	(void)fprintf(to,
		"\n *\n * Found by seed %llu, case %llu.  Fails as long as that is so; to be linked with what defines\n"
		" * mrg_fuzz_subjects, with mrg_fuzz_again.c and mrg_fuzz_guard.c.\n */\n",
		(unsigned long long)f->options->seed, (unsigned long long)f->exec);
	(void)fprintf(to, "#include <check.h>\n#include <stdlib.h>\n\n#include \"mrg_fuzz_again.h\"\n\n");
	put_octets(f, to);
	(void)fprintf(to,
		"\nSTART_TEST(found)\n{\n\tstruct mrg_fuzz_result result;\n"
		"\tconst bool good = mrg_fuzz_again(\"%s\", input, %zu, &result);\n"
		"\tck_assert_msg(good, \"%%s: %%s\", result.key, result.why);\n}\nEND_TEST\n\n",
		f->subject->name, f->len);
	(void)fprintf(to,
		"int main(void)\n{\n\tSuite *const s = suite_create(\"%s\");\n\tTCase *const t = tcase_create(\"found\");\n"
		"\ttcase_add_test(t, found);\n\tsuite_add_tcase(s, t);\n\tSRunner *const r = srunner_create(s);\n"
		"\tsrunner_run_all(r, CK_NORMAL);\n\tconst int failed = srunner_ntests_failed(r);\n\tsrunner_free(r);\n"
		"\treturn failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;\n}\n",
		f->subject->name);
}

/* What `show` says; it reads an input that has been fatal to `run`, so what befalls it is caught as well. */
static void put_shown(const struct mrg_fuzz_find *f, FILE *to)
{
	if (sigsetjmp(mrg_fuzz_catcher.back, 1) != 0) {
		(void)fprintf(to, "\n(showing it ends as badly)\n");
		return;
	}
	const uint8_t *const in = mrg_fuzz_place(f->guard, f->mode, f->in, f->len);
	mrg_fuzz_enter(MRG_FUZZ_IN_RUN);
	f->subject->show(f->subject->ctx, in, f->len, to);
	mrg_fuzz_leave();
}

/* at: where it is written; folder: where it will be. */
static bool put_file(const struct mrg_fuzz_find *f, const char *at, const char *folder, const char *name)
{
	FILE *const to = file_in(at, name);
	if (to == NULL)
		return false;
	if (strcmp(name, "input.bin") == 0)
		(void)fwrite(f->in, 1, f->len, to);
	else if (strcmp(name, "input.txt") == 0)
		put_shown(f, to);
	else if (strcmp(name, "why.txt") == 0)
		put_why(f, folder, to);
	else if (strcmp(name, "repro.sh") == 0) {
		put_repro(f, to);
		(void)fchmod(fileno(to), 0755);
	} else
		put_test(f, to);
	return fclose(to) == 0;
}

bool mrg_fuzz_find_keep(const struct mrg_fuzz_find *f, char *folder, size_t cap)
{
	static const char *const names[] = { "input.txt", "why.txt", "repro.sh", "test.c", "input.bin" };
	char last[PATH + 64], at[PATH + 32];
	const int len = snprintf(folder, cap, "%s/%s-%08llx", f->options->folder, f->subject->name,
		(unsigned long long)(mrg_fuzz_hash(f->result.key) & 0xffffffffu));
	if ((size_t)len >= cap || (size_t)len >= PATH)
		return false;
	(void)snprintf(last, sizeof last, "%s/input.bin", folder);
	if (access(last, F_OK) == 0)
		return true; /* known from an earlier run */
	/* Others may keep the same at the same time: a folder comes to its name as a whole. */
	(void)snprintf(at, sizeof at, "%s.%ld", folder, (long)getpid());
	if (!mrg_fuzz_make_folder(at))
		return false;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		/* What does not come of an input alone is no test. */
		if ((by_input(f) || strcmp(names[i], "test.c") != 0) && !put_file(f, at, folder, names[i]))
			return false;
	if (rename(at, folder) == 0)
		return true;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(last, sizeof last, "%s/%s", at, names[i]);
		(void)unlink(last);
	}
	return rmdir(at) == 0;
}
