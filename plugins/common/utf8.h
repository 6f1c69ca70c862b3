/* SPDX-License-Identifier: Apache-2.0 */
/* Reading UTF-8 in texts that may be anything. Runs in a step of the engine. */
#ifndef CAIRN_PLUGINS_COMMON_UTF8_H
#define CAIRN_PLUGINS_COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the sequence at `text`, of which `bytes` bytes are left, and its code point; 0 when
 * it is not valid: overlong, a surrogate, beyond U+10FFFF, cut (RFC 3629). */
size_t utf8_sequence(const char *text, size_t bytes, uint32_t *ret_code);

#endif
