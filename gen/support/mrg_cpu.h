/*
 * mrg_cpu.h - one generated file compiled for several kinds of vectors, the best of which is taken when the program starts.
 *
 * By itself a file is compiled for what the compiler is told of (-mavx2, ...), and there is nothing to choose. To have the choice on
 * x86-64 with ELF, whose dynamic linker (or start-up code, in static programs) makes it, compile it three times and link all three:
 *	cc -DMRG_CHOOSE -c x_read.c
 *	cc -DMRG_VECTORS=ssse3 -mssse3 -c x_read.c -o x_read.ssse3.o
 *	cc -DMRG_VECTORS=avx2 -mavx2 -c x_read.c -o x_read.avx2.o
 */
#ifndef MRG_CPU_H
#define MRG_CPU_H

#if defined(MRG_CHOOSE)
#define MRG_FOR(name) name##_least
#elif defined(MRG_VECTORS)
#define MRG_FOR(name) MRG_FOR_VECTORS(name, MRG_VECTORS)
#define MRG_FOR_VECTORS(name, vectors) MRG_JOINED(name, vectors)
#define MRG_JOINED(name, vectors) name##_##vectors
#else
#define MRG_FOR(name) name
#endif

#if defined(MRG_CHOOSE)

#include <stdint.h>

/* This runs while the program is linked, before sanitizers are ready. */
#define MRG_EARLY __attribute__((unused, no_sanitize("address", "undefined")))

enum mrg_cpu { MRG_CPU_LEAST, MRG_CPU_SSSE3, MRG_CPU_AVX2 };

/* Vectors of 32 octets are there if the processor has them and the system keeps their registers. */
static MRG_EARLY enum mrg_cpu mrg_cpu(void)
{
	enum { FEATURES = 1, MORE_FEATURES = 7 };
	enum { C_SSSE3 = 1u << 9, C_OSXSAVE = 1u << 27, B_AVX2 = 1u << 5, KEPT_XMM_YMM = 6 };
	uint32_t a = 0, b, c = 0, d, most;
	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	most = a;
	a = FEATURES;
	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if ((c & C_SSSE3) == 0)
		return MRG_CPU_LEAST;
	if ((c & C_OSXSAVE) == 0 || most < MORE_FEATURES)
		return MRG_CPU_SSSE3;
	a = MORE_FEATURES;
	c = 0;
	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	c = 0;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(c));
	return (b & B_AVX2) != 0 && (a & KEPT_XMM_YMM) == KEPT_XMM_YMM ? MRG_CPU_AVX2 : MRG_CPU_SSSE3;
}

/* The function that others call: an indirect one (STT_GNU_IFUNC), which costs no more than another. */
#define MRG_CHOICE(result, name, parameters)                                                                 \
	result name##_avx2 parameters;                                                                       \
	result name##_ssse3 parameters;                                                                      \
	static MRG_EARLY __typeof__(&name##_least) name##_choice(void)                                       \
	{                                                                                                    \
		const enum mrg_cpu cpu = mrg_cpu();                                                          \
		return cpu == MRG_CPU_AVX2    ? name##_avx2                                                  \
		       : cpu == MRG_CPU_SSSE3 ? name##_ssse3                                                 \
					      : name##_least;                                                \
	}                                                                                                    \
	result name parameters __attribute__((ifunc(#name "_choice")));

#else
#define MRG_CHOICE(result, name, parameters)
#endif

#endif
