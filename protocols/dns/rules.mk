LIBS += mrg-dns
LIB_SRC_mrg-dns := $(wildcard protocols/dns/*.c) $(filter $G/dns/%.c,$(GEN_C))
LIB_ABOUT_mrg-dns := DNS messages, master files, zones and answers
LIB_NEEDS_mrg-dns := mrg mrg-rt-unix
GENERATED_ELSEWHERE += $G/dns/%.c
# What programs outside may include; the other headers are for this folder only.
PUBLIC_H += $(patsubst %,protocols/dns/%.h,answer asker catalog client cookie query db history notify rate refresh secondary update zone zone_change zone_diff zone_stored zonemd master stream transfer_in transfer_out tsig)
