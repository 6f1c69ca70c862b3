/* SPDX-License-Identifier: Apache-2.0 */
/* What would be sent, for people and as JSON; see show_sent.h. Runs in a user's shell. */
#include "tools/show_sent.h"

#include "core/util/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- For people ---------------------------------------------------------------------------- */

static void print_printable(const char *text, size_t bytes)
{
    char *printable = text_printable(text, bytes);

    fputs(printable != NULL ? printable : "", stdout);
    free(printable);
}

static void print_file(const struct sent_part *sent)
{
    char *const *texts = sent->part->texts;

    printf("%" PRIu64 " bytes", sent->bytes);
    if (texts[PREVIEW_TYPE] != NULL) {
        fputs(", ", stdout);
        print_printable(texts[PREVIEW_TYPE], strlen(texts[PREVIEW_TYPE]));
    }
    if (texts[PREVIEW_FILENAME] != NULL) {
        fputs(", named ", stdout);
        print_printable(texts[PREVIEW_FILENAME], strlen(texts[PREVIEW_FILENAME]));
    }
    printf("\n      sha256 %s", sent->sha256);
    if (texts[PREVIEW_PATH] != NULL) {
        fputs("\n      ", stdout);
        print_printable(texts[PREVIEW_PATH], strlen(texts[PREVIEW_PATH]));
    }
    if (sent->packed != NULL) {
        printf("\n      packed; \"%s -dc\" shows what is in it", sent->packed);
    }
}

static void print_kind(const struct sent_part *parts, size_t count, enum cairn_preview_kind kind,
                       const char *title)
{
    for (size_t i = 0; i < count; i++) {
        const struct preview_part *part = parts[i].part;
        int pad = 24 - (int)strlen(part->texts[PREVIEW_NAME]);

        if (part->kind != kind) {
            continue;
        }
        printf("%s  ", title);
        print_printable(part->texts[PREVIEW_NAME], strlen(part->texts[PREVIEW_NAME]));
        printf("%*s ", pad > 0 ? pad : 0, "");
        if (kind == CAIRN_PREVIEW_FILE) {
            print_file(&parts[i]);
        } else {
            print_printable(part->data, part->bytes);
        }
        putchar('\n');
        title = "";
    }
}

void show_sent_text(const struct sent_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct preview_part *part = parts[i].part;

        if (part->kind == CAIRN_PREVIEW_TARGET) {
            print_printable(part->texts[PREVIEW_NAME], strlen(part->texts[PREVIEW_NAME]));
            putchar(' ');
            print_printable(part->data, part->bytes);
            putchar('\n');
        }
    }
    print_kind(parts, count, CAIRN_PREVIEW_HEADER, "\nHeaders\n");
    print_kind(parts, count, CAIRN_PREVIEW_FIELD, "\nFields\n");
    print_kind(parts, count, CAIRN_PREVIEW_FILE, "\nFiles\n");
}

/* ---- As JSON ------------------------------------------------------------------------------- */

static void write_text(FILE *out, const char *text)
{
    if (text != NULL) {
        tool_write_json(out, text, strlen(text));
    } else {
        fputs("null", out);
    }
}

static void write_target(FILE *out, const struct sent_part *parts, size_t count)
{
    const struct preview_part *target = NULL;

    for (size_t i = 0; i < count && target == NULL; i++) {
        target = parts[i].part->kind == CAIRN_PREVIEW_TARGET ? parts[i].part : NULL;
    }
    fputs(",\n  \"method\": ", out);
    write_text(out, target != NULL ? target->texts[PREVIEW_NAME] : NULL);
    fputs(",\n  \"target\": ", out);
    write_text(out, target != NULL ? target->data : NULL);
}

static void write_file(FILE *out, const struct sent_part *sent)
{
    static const struct {
        const char *key;
        enum preview_text text;
    } keys[] = { { "filename", PREVIEW_FILENAME },
                 { "type", PREVIEW_TYPE },
                 { "path", PREVIEW_PATH } };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        fprintf(out, ", \"%s\": ", keys[i].key);
        write_text(out, sent->part->texts[keys[i].text]);
    }
    fprintf(out, ", \"bytes\": %" PRIu64 ", \"sha256\": \"%s\", \"packed\": ", sent->bytes,
            sent->sha256);
    write_text(out, sent->packed);
}

static void write_kind(FILE *out, const struct sent_part *parts, size_t count,
                       enum cairn_preview_kind kind, const char *key)
{
    const char *separator = "";

    fprintf(out, ",\n  \"%s\": [", key);
    for (size_t i = 0; i < count; i++) {
        const struct preview_part *part = parts[i].part;

        if (part->kind != kind) {
            continue;
        }
        fprintf(out, "%s\n    {\"name\": ", separator);
        write_text(out, part->texts[PREVIEW_NAME]);
        if (kind == CAIRN_PREVIEW_FILE) {
            write_file(out, &parts[i]);
        } else {
            fputs(", \"value\": ", out);
            tool_write_json(out, part->data, part->bytes);
        }
        if (parts[i].stored[0] != '\0') {
            fprintf(out, ", \"stored\": \"%s\"", parts[i].stored);
        }
        fputc('}', out);
        separator = ",";
    }
    fputs(separator[0] != '\0' ? "\n  ]" : "]", out);
}

void show_sent_json(FILE *out, const struct config_instance *instance,
                    const struct sent_part *parts, size_t count)
{
    fprintf(out, "{\n  \"transport\": \"%s\",\n  \"plugin\": \"%s\"", instance->id,
            instance->plugin);
    write_target(out, parts, count);
    write_kind(out, parts, count, CAIRN_PREVIEW_HEADER, "headers");
    write_kind(out, parts, count, CAIRN_PREVIEW_FIELD, "fields");
    write_kind(out, parts, count, CAIRN_PREVIEW_FILE, "files");
    fputs("\n}\n", out);
}
