/* words.h - command lines and configuration files of appliances as a subject. */
#ifndef FUZZ_WORDS_H
#define FUZZ_WORDS_H

#include "fuzz/subject.h"

extern const struct mrg_fuzz_subject appliance_words;

#endif
