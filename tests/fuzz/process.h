/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that is made of the fuzzer's input, in the place of core/capture's own: its arena,
 * which gives every piece an allocation of its own so that the sanitizer sees an overrun of one
 * byte, and fails where the input says so; its memory; its notes and files.
 */
#ifndef CAIRN_TESTS_FUZZ_PROCESS_H
#define CAIRN_TESTS_FUZZ_PROCESS_H

#include "core/capture/parts.h"
#include "tests/fuzz/fuzz.h"

#define PROCESS_MEMORY 0x400000u /* where its memory begins */

/* `fail_at`: the number of the allocation that fails, 0 for none. `memory` is borrowed. */
void process_begin(struct capture *capture, unsigned fail_at, struct fuzz_input memory);
/* A file of /proc; the content is copied. */
void process_add_file(struct capture *capture, const char *name, struct fuzz_input content);
void process_finish(struct capture *capture);

#endif
