/* mrg_fuzz_run.c - the program that is the in-process runner of mrg_fuzz_subjects. */
#include "mrg_fuzz_again.h"

int main(int argc, char **argv) { return mrg_fuzz_main(mrg_fuzz_subjects, argc, argv); }
