/* SPDX-License-Identifier: Apache-2.0 */
/* Printing of hostile texts and of report fields; see page.h. */
#include "plugins/writer/text/page.h"

#include <inttypes.h>

static int is_scalar(uint32_t point, uint32_t least)
{
    return point >= least && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

/* The length of the UTF-8 sequence at `text` if it is well formed (RFC 3629) and not a control
 * character of C1; else 0. */
static size_t sequence(const unsigned char *text)
{
    static const struct {
        unsigned char mask, lead, bytes;
        uint32_t least;
    } forms[] = { { 0xe0, 0xc0, 2, 0xa0 }, { 0xf0, 0xe0, 3, 0x800 }, { 0xf8, 0xf0, 4, 0x10000 } };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        uint32_t point = text[0] & (unsigned char)~forms[i].mask;
        size_t place = 1;

        if ((text[0] & forms[i].mask) != forms[i].lead) {
            continue;
        }
        while (place < forms[i].bytes && (text[place] & 0xc0) == 0x80) {
            point = point << 6 | (text[place++] & 0x3fu);
        }
        return place == forms[i].bytes && is_scalar(point, forms[i].least) ? place : 0;
    }
    return 0;
}

void page_text(const struct page *page, const char *text)
{
    const unsigned char *place = (const unsigned char *)text;

    while (place != NULL && *place != '\0') {
        size_t length = *place >= 0x20 && *place < 0x7f ? 1 : sequence(place);

        if (length == 0) {
            fprintf(page->stream, "\\x%02x", *place++);
        } else {
            fwrite(place, 1, length, page->stream);
            place += length;
        }
    }
}

void page_value(const struct page *page, const struct cairn_value *value)
{
    switch (value->type) {
    case CAIRN_VALUE_STRING:
        page_text(page, value->string);
        break;
    case CAIRN_VALUE_INTEGER:
        fprintf(page->stream, "%" PRId64, value->integer);
        break;
    case CAIRN_VALUE_DOUBLE:
        fprintf(page->stream, "%.15g", value->number);
        break;
    case CAIRN_VALUE_BOOL:
        fputs(value->boolean ? "true" : "false", page->stream);
        break;
    case CAIRN_VALUE_UINT64:
        fprintf(page->stream, "0x%016" PRIx64, value->uint64);
        break;
    default:
        break;
    }
}

const char *page_get(const struct page *page, const char *path)
{
    struct cairn_value value;

    return page->host->get(page->host, page->report, path, &value) &&
                   value.type == CAIRN_VALUE_STRING
               ? value.string
               : NULL;
}

void page_line(const struct page *page, const char *label, const char *path)
{
    struct cairn_value value;

    if (page->host->get(page->host, page->report, path, &value)) {
        fprintf(page->stream, "%-13s", label);
        page_value(page, &value);
        fputc('\n', page->stream);
    }
}
