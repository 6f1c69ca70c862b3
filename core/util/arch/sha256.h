/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core of SHA-256 by the processor's own instructions, where it has some: several times as fast
 * as any other code, which decides how long a report with gigabytes in it takes. In the engine and
 * whoever else computes digests of files.
 */
#ifndef CAIRN_CORE_UTIL_ARCH_SHA256_H
#define CAIRN_CORE_UTIL_ARCH_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64

/* Takes `count` blocks of SHA256_BLOCK bytes into the state. False, with nothing done, where the
 * processor cannot. */
bool arch_sha256_blocks(uint32_t state[8], const unsigned char *blocks, size_t count);

#endif
