/* SPDX-License-Identifier: Apache-2.0 */
/* Reading UTF-8; see utf8.h. Runs in a step of the engine. */
#include "plugins/common/utf8.h"

static int is_scalar(uint32_t code, uint32_t least)
{
    return code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

size_t utf8_sequence(const char *text, size_t bytes, uint32_t *ret_code)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least; /* what fewer bytes can hold is overlong */
    } forms[] = {
        { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
    };
    const unsigned char *byte = (const unsigned char *)text;

    for (size_t more = 0; more < sizeof(forms) / sizeof(forms[0]); more++) {
        uint32_t code = byte[0] & (unsigned char)~forms[more].mask;
        size_t place = 1;

        if ((byte[0] & forms[more].mask) != forms[more].lead) {
            continue;
        }
        while (place <= more && place < bytes && (byte[place] & 0xc0) == 0x80) {
            code = code << 6 | (byte[place++] & 0x3fu);
        }
        if (place <= more || !is_scalar(code, forms[more].least)) {
            return 0;
        }
        *ret_code = code;
        return place;
    }
    return 0;
}
