/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share: taking the input apart, files in memory, broken promises. A target
 * gets bytes as a hostile process, file or server would send them; besides what the sanitizers see,
 * it checks with fuzz_require() what the parser's header promises.
 */
#ifndef CAIRN_TESTS_FUZZ_FUZZ_H
#define CAIRN_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry; one per target. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/* The next number or part; zeros and nothing at the end of the input. A part has two bytes of
 * length before it; all that is left when it promises more. */
uint8_t fuzz_byte(struct fuzz_input *input);
uint32_t fuzz_number(struct fuzz_input *input, unsigned bytes);
struct fuzz_input fuzz_part(struct fuzz_input *input);

/* A copy with a NUL behind it, which the caller frees: overruns end in the sanitizer. */
char *fuzz_text(struct fuzz_input part);

/* The bytes as a file in memory; a descriptor that the caller closes. */
int fuzz_file(const uint8_t *data, size_t bytes);

/* A promise of the code under test: aborts, which the fuzzer reports as a finding. */
void fuzz_require(bool kept);
/* The same for a text that is to be accepted: prints why it was not. */
void fuzz_require_accepted(int result, const char *why);

#endif
