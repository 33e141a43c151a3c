LIBS += mrg-http
LIB_SRC_mrg-http := $(wildcard protocols/http/*.c) $(filter $G/http/%.c,$(GEN_C))
LIB_ABOUT_mrg-http := HTTP/1.1 messages, connections and files
LIB_NEEDS_mrg-http := mrg mrg-rt-unix
GENERATED_ELSEWHERE += $G/http/%.c
# What programs outside may include; the other headers are for this folder only.
PUBLIC_H += $(patsubst %,protocols/http/%.h,fields request response body url client reply server files path date condition range coding)
