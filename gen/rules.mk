# libmrg: what generated code calls, and the generated code that belongs to no protocol folder (registries and the like).
# Lazy (=), because the protocol folders name theirs in GENERATED_ELSEWHERE later.
LIBS += mrg
LIB_SRC_mrg = $(wildcard gen/support/*.c) $(filter-out $(GENERATED_ELSEWHERE),$(GEN_C))
LIB_ABOUT_mrg := what generated parsers and builders call
