/* Reads a reading, then refuses a cut one; exit status 0 when both went as they should. */
#include "own.h"

int main(void)
{
	const uint8_t bytes[] = { 2, 1, 0xca, 0xfe };
	struct mrg_own_reading reading;
	struct mrg_reject why;

	if (mrg_own_reading_check((struct mrg_span){ bytes, sizeof bytes }, &reading, &why) != MRG_OK)
		return 1;
	if (mrg_own_reading_kind(&reading) != MRG_OWN_KIND_TEMPERATURE)
		return 2;
	if (mrg_own_reading_body(&reading).len != 2 || mrg_own_reading_body(&reading).p[1] != 0xfe)
		return 3;
	if (mrg_own_reading_check((struct mrg_span){ bytes, 3 }, &reading, &why) == MRG_OK)
		return 4;
	return why.site == NULL ? 5 : 0;
}
