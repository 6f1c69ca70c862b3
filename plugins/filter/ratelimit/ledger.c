/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's file is text: a first line with its version, then a line per key with the key, the
 * number dropped, the latest time, when the one that waits is due, its id or "-", and the times
 * kept. Runs in a step of the engine.
 */
#include "plugins/filter/ratelimit/ledger.h"

#include "plugins/common/fd.h"

#include <cairn/plugin.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER "cairn-ratelimit 1\n"

/* ---- Reading ---- */

/* One number and the blank behind it. 0 or -1. */
static int take(const char **text, int base, uint64_t *ret_number)
{
    char *end;

    errno = 0;
    *ret_number = strtoull(*text, &end, base);
    if (end == *text || errno != 0 || **text == '-' || **text == '+' || **text == ' ') {
        return -1;
    }
    *text = end + (*end == ' ');
    return 0;
}

static int take_time(const char **text, int64_t *ret_time)
{
    uint64_t number;

    if (take(text, 10, &number) != 0 || number > INT64_MAX) {
        return -1;
    }
    *ret_time = (int64_t)number;
    return 0;
}

/* A report's id, or "-" for none. */
static int take_id(const char **text, char ret_id[LEDGER_ID_BYTES + 1])
{
    size_t bytes = strcspn(*text, " ");

    if ((bytes != 1 || **text != '-') &&
        (bytes != LEDGER_ID_BYTES || strspn(*text, "0123456789abcdef-") != bytes)) {
        return -1;
    }
    if (bytes == LEDGER_ID_BYTES) {
        memcpy(ret_id, *text, bytes);
        ret_id[bytes] = '\0';
    }
    *text += bytes + ((*text)[bytes] == ' ');
    return 0;
}

/* A line of the file; false when it is none. */
static int parse_line(const char *line, struct ledger_entry *ret_entry)
{
    struct ledger_entry *entry = ret_entry;

    memset(entry, 0, sizeof(*entry));
    if (take(&line, 16, &entry->key) != 0 || take(&line, 10, &entry->dropped) != 0 ||
        take_time(&line, &entry->latest) != 0 || take_time(&line, &entry->due) != 0 ||
        take_id(&line, entry->waiting) != 0) {
        return 0;
    }
    while (entry->count < LEDGER_MAX_KEPT && *line != '\0') {
        if (take_time(&line, &entry->kept[entry->count]) != 0) {
            return 0;
        }
        entry->count++;
    }
    return *line == '\0';
}

static void parse(struct ledger *ledger, char *text)
{
    char *rest = text + strlen(HEADER), *line;

    if (strncmp(text, HEADER, strlen(HEADER)) != 0) {
        return;
    }
    while (ledger->count < LEDGER_MAX_ENTRIES && (line = strsep(&rest, "\n")) != NULL) {
        ledger->count += (size_t)parse_line(line, &ledger->entries[ledger->count]);
    }
}

int ledger_read(struct ledger *ledger, int fd)
{
    char *text = malloc(CAIRN_STATE_MAX_BYTES + 1);
    ssize_t bytes = text != NULL ? fd_read(fd, text, CAIRN_STATE_MAX_BYTES, 0) : -1;

    ledger->count = 0;
    if (bytes >= 0) {
        text[bytes] = '\0';
        parse(ledger, text);
    }
    free(text);
    return bytes >= 0 ? 0 : -1;
}

/* ---- Writing ---- */

static void print_entry(FILE *stream, const struct ledger_entry *entry)
{
    fprintf(stream, "%016" PRIx64 " %" PRIu64 " %" PRId64 " %" PRId64 " %s", entry->key,
            entry->dropped, entry->latest, entry->due,
            entry->waiting[0] != '\0' ? entry->waiting : "-");
    for (size_t i = 0; i < entry->count; i++) {
        fprintf(stream, " %" PRId64, entry->kept[i]);
    }
    fputc('\n', stream);
}

/* All at once: a step that is ended meanwhile leaves the old content or most of the new. */
static int replace(int fd, const char *text, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t written = pwrite(fd, text + done, bytes - done, (off_t)done);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return -1;
        }
        done += (size_t)written;
    }
    return ftruncate(fd, (off_t)bytes);
}

int ledger_write(const struct ledger *ledger, int fd)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    int result = -1;

    if (stream == NULL) {
        return -1;
    }
    fputs(HEADER, stream);
    for (size_t i = 0; i < ledger->count; i++) {
        print_entry(stream, &ledger->entries[i]);
    }
    if (fclose(stream) == 0) {
        result = replace(fd, text, bytes);
    }
    free(text);
    return result;
}

/* ---- Entries ---- */

struct ledger_entry *ledger_find(struct ledger *ledger, uint64_t key)
{
    struct ledger_entry *entry = NULL;

    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->entries[i].key == key) {
            return &ledger->entries[i];
        }
        if (entry == NULL || ledger->entries[i].latest < entry->latest) {
            entry = &ledger->entries[i];
        }
    }
    if (ledger->count < LEDGER_MAX_ENTRIES) {
        entry = &ledger->entries[ledger->count++];
    }
    memset(entry, 0, sizeof(*entry));
    entry->key = key;
    return entry;
}

void ledger_admit(struct ledger_entry *entry, int64_t now)
{
    if (entry->waiting[0] == '\0' || entry->due > now) {
        return;
    }
    entry->waiting[0] = '\0';
    entry->dropped = 0; /* it said how many */
    if (entry->count < LEDGER_MAX_KEPT) {
        entry->kept[entry->count++] = entry->due;
    }
}

void ledger_forget(struct ledger_entry *entry, int64_t now, int64_t period)
{
    size_t count = 0;

    for (size_t i = 0; i < entry->count; i++) {
        int64_t distance = now > entry->kept[i] ? now - entry->kept[i] : entry->kept[i] - now;

        if (distance < period) {
            entry->kept[count++] = entry->kept[i];
        }
    }
    entry->count = count;
}
