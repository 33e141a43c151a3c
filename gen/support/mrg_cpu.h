/*
 * mrg_cpu.h - one generated file compiled for several kinds of vectors, the best of which is taken when it is called.
 *
 * By itself a file is compiled for what the compiler is told of (-mavx2, ...), and there is nothing to choose. To have the choice on
 * x86-64, compile it three times and link all three:
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

#include <cpuid.h>

enum mrg_cpu {
	MRG_CPU_UNKNOWN,
	MRG_CPU_LEAST,
	MRG_CPU_SSSE3,
	MRG_CPU_AVX2
};

/* Vectors of 32 octets are there if the processor has them and the system keeps their registers. */
static __attribute__((noinline, cold)) enum mrg_cpu mrg_cpu_look(void)
{
	enum { XMM_AND_YMM = 6 };
	unsigned a, b, c, d, kept;
	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_SSSE3) == 0)
		return MRG_CPU_LEAST;
	if ((c & bit_OSXSAVE) == 0 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & bit_AVX2) == 0)
		return MRG_CPU_SSSE3;
	__asm__("xgetbv" : "=a"(kept), "=d"(d) : "c"(0));
	return (kept & XMM_AND_YMM) == XMM_AND_YMM ? MRG_CPU_AVX2 : MRG_CPU_SSSE3;
}

/* Found out once a file; threads that do so at the same time find the same. */
static inline enum mrg_cpu mrg_cpu(void)
{
	static int known = MRG_CPU_UNKNOWN;
	enum mrg_cpu cpu = (enum mrg_cpu)__atomic_load_n(&known, __ATOMIC_RELAXED);
	if (__builtin_expect(cpu == MRG_CPU_UNKNOWN, 0)) {
		cpu = mrg_cpu_look();
		__atomic_store_n(&known, (int)cpu, __ATOMIC_RELAXED);
	}
	return cpu;
}

/* The function that others call. */
#define MRG_CHOICE(result, name, parameters, arguments) \
	result name##_avx2 parameters; \
	result name##_ssse3 parameters; \
	result name parameters \
	{ \
		switch (mrg_cpu()) { \
		case MRG_CPU_AVX2: return name##_avx2 arguments; \
		case MRG_CPU_SSSE3: return name##_ssse3 arguments; \
		default: return name##_least arguments; \
		} \
	}

#else
#define MRG_CHOICE(result, name, parameters, arguments)
#endif

#endif
