/* bench/hand/elf.c - the ELF header by hand: see net.h. */
#include "bench/hand/load.h"
#include "bench/hand/net.h"

#define MAX_FILE 0x1000000000000u

bool hand_elf_check(const uint8_t *p, size_t len, struct hand_view *out)
{
	if (len < HAND_ELF_SIZE)
		return false;
	/* octets 0..6 and 8..15 are constants: two words, the OS apart */
	if (be64(p) >> 8 != 0x7f454c46020101u || (p[7] != 0 && p[7] != 3) || le64(p + 8) != 0)
		return false;
	uint64_t entry = le64(p + 24), phoff = le64(p + 32), shoff = le64(p + 40);
	unsigned phnum = le16(p + 56), shnum = le16(p + 60);
	/* type 1..4, machine 62, version 1 */
	if ((le16(p + 16) - 1u) > 3u || le16(p + 18) != 62u || le32(p + 20) != 1u)
		return false;
	if (entry > MAX_FILE || phoff > MAX_FILE || shoff > MAX_FILE || ((phoff | shoff) & 7u))
		return false;
	if (le32(p + 48) != 0 || le16(p + 52) != 64u || le16(p + 54) != 56u || le16(p + 58) != 64u)
		return false;
	if ((phoff < HAND_ELF_SIZE && phnum) || (shoff < HAND_ELF_SIZE && shnum) ||
		(le16(p + 62) >= shnum && shnum))
		return false;
	*out = (struct hand_view){ p, HAND_ELF_SIZE };
	return true;
}
