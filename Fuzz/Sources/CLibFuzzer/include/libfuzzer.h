// libFuzzer's own entry for programs that have a main() of their own (compiler-rt, lib/fuzzer/FuzzerInterface.h does not
// declare it; FuzzerMain.cpp calls it in the same way).

#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test_one_input)(const uint8_t *bytes, size_t count));
