/*
 * Functions of <string.h> that the reading of options calls, where there is no C library. Their prototypes are the compiler's system's.
 */
#include <string.h>

#include "mrg.h"

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s; /* as the standard has it: from const to not */
		if (*s == '\0')
			return NULL;
	}
}

int strcmp(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t len)
{
	for (; len != 0; len--, a++, b++)
		if (*a != *b || *a == '\0')
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

size_t strnlen(const char *s, size_t most)
{
	size_t n = 0;
	while (n < most && s[n] != '\0')
		n++;
	return n;
}

size_t strcspn(const char *s, const char *none)
{
	size_t n = 0;
	while (s[n] != '\0' && strchr(none, s[n]) == NULL)
		n++;
	return n;
}

char *strpbrk(const char *s, const char *any)
{
	s += strcspn(s, any);
	return *s != '\0' ? (char *)(uintptr_t)s : NULL;
}
