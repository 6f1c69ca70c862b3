/* SPDX-License-Identifier: Apache-2.0 */
/* Printing of hostile texts and of report fields; see page.h. */
#include "plugins/writer/text/page.h"

#include "plugins/common/utf8.h"

#include <inttypes.h>

void page_text(const struct page *page, const char *text)
{
    const char *place = text;

    while (place != NULL && *place != '\0') {
        uint32_t code = 0;
        size_t length = utf8_sequence(place, SIZE_MAX, &code);

        if (length == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) { /* controls: C0, C1 */
            fprintf(page->stream, "\\x%02x", (unsigned char)*place++);
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
