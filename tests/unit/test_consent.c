/* SPDX-License-Identifier: Apache-2.0 */
/* What answers come to, which files are answers at all, and a preview's bytes, which are hostile.
 */
#include "core/plugin/preview.h"
#include "core/report/consent.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "cairn-consent 1\n"
#define WHEN "2026-11-25T20:29:05.000000Z"

/* ---- Verdicts ---- */

static void put(struct consent_file *file, enum consent_answer answer, const char *application)
{
    struct consent_entry *entry = &file->entries[file->count];

    if (answer != CONSENT_NONE) {
        *entry = (struct consent_entry){ .class = CONSENT_NETWORK, .answer = answer, .when = WHEN };
        snprintf(entry->application, sizeof(entry->application), "%s", application);
        file->count++;
    }
}

static enum consent_verdict judge(const struct consent *consent, const char *application,
                                  bool required)
{
    enum consent_verdict verdict = CONSENT_ALLOWED;
    struct error why = { 0, "" };

    CU_ASSERT_EQUAL(consent_judge(consent, CONSENT_NETWORK, application, required, &verdict, &why),
                    0);
    CU_ASSERT_EQUAL(why.text[strlen(why.text) - 1], '.');
    return verdict;
}

static void test_verdicts(void)
{
    /* By the machine's answer, the user's answer. */
    static const enum consent_verdict expected[3][3] = {
        { CONSENT_MISSING, CONSENT_ALLOWED, CONSENT_DENIED },
        { CONSENT_ALLOWED, CONSENT_ALLOWED, CONSENT_DENIED },
        { CONSENT_DENIED, CONSENT_DENIED, CONSENT_DENIED },
    };
    struct consent *consent = calloc(1, sizeof(*consent));

    CU_ASSERT_PTR_NOT_NULL_FATAL(consent);
    for (int machine = 0; machine < 3; machine++) {
        for (int user = 0; user < 3; user++) {
            enum consent_verdict implied = expected[machine][user];

            memset(consent, 0, sizeof(*consent));
            consent->machine.machine = true;
            put(&consent->machine, machine, "");
            put(&consent->user, user, "");
            CU_ASSERT_EQUAL(judge(consent, "shop", true), expected[machine][user]);
            implied = implied == CONSENT_MISSING ? CONSENT_ALLOWED : implied;
            CU_ASSERT_EQUAL(judge(consent, NULL, false), implied);
        }
    }
    consent_destroy(consent);
}

static void test_applications(void)
{
    struct consent *consent = calloc(1, sizeof(*consent));

    CU_ASSERT_PTR_NOT_NULL_FATAL(consent);
    put(&consent->user, CONSENT_REFUSED, "");
    put(&consent->user, CONSENT_GIVEN, "shop");
    CU_ASSERT_EQUAL(judge(consent, "shop", true), CONSENT_ALLOWED);
    CU_ASSERT_EQUAL(judge(consent, "shop2", true), CONSENT_DENIED);
    CU_ASSERT_EQUAL(judge(consent, NULL, true), CONSENT_DENIED);
    put(&consent->machine, CONSENT_REFUSED, "shop");
    CU_ASSERT_EQUAL(judge(consent, "shop", true), CONSENT_DENIED);
    CU_ASSERT_PTR_NULL(consent_find(&consent->user, CONSENT_DISK, "shop"));
    consent_destroy(consent);
}

/* A file that cannot be used allows nothing; one that cannot be read now has no verdict. */
static void test_states(void)
{
    struct consent *consent = calloc(1, sizeof(*consent));
    enum consent_verdict verdict = CONSENT_DENIED;
    struct error why = { 0, "" };

    CU_ASSERT_PTR_NOT_NULL_FATAL(consent);
    consent->user.state = error_set(&consent->user.error, CAIRN_EFORMAT, "It is no such file.");
    CU_ASSERT_EQUAL(judge(consent, "shop", false), CONSENT_MISSING);
    put(&consent->machine, CONSENT_GIVEN, "");
    CU_ASSERT_EQUAL(judge(consent, "shop", false), CONSENT_MISSING);
    consent->user.state = error_set(&consent->user.error, CAIRN_ESYSTEM, "Not now.");
    CU_ASSERT_EQUAL(consent_judge(consent, CONSENT_NETWORK, "shop", false, &verdict, &why),
                    CAIRN_ESYSTEM);
    CU_ASSERT_EQUAL(verdict, CONSENT_DENIED);
    consent->machine.entries[0].answer = CONSENT_REFUSED;
    CU_ASSERT_EQUAL(judge(consent, "shop", false), CONSENT_DENIED);
    consent_destroy(consent);
}

/* ---- Files ---- */

static int read_text(const char *path, const char *text, struct consent_file *file)
{
    FILE *out = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fputs(text, out);
    fclose(out);
    return consent_read(path, false, file);
}

static void test_files(void)
{
    static const struct {
        const char *text;
        int result;
        size_t count;
    } rows[] = {
        { HEAD, 0, 0 },
        { HEAD "# a word to people\n\ndisk given " WHEN " me\n", 0, 1 },
        { HEAD "disk given " WHEN " me\nnetwork refused " WHEN " me my%20shop\n", 0, 2 },
        { HEAD "  disk   given  " WHEN " me  \n", 0, 1 },
        { "", CAIRN_EFORMAT, 0 },
        { "cairn-consent 2\n", CAIRN_EFORMAT, 0 },
        { HEAD "disk given " WHEN " me", CAIRN_EFORMAT, 0 },
        { HEAD "disk given " WHEN "\n", CAIRN_EFORMAT, 0 },
        { HEAD "disk given yesterday me\n", CAIRN_EFORMAT, 0 },
        { HEAD "disk none " WHEN " me\n", CAIRN_EFORMAT, 0 },
        { HEAD "heap given " WHEN " me\n", CAIRN_EFORMAT, 0 },
        { HEAD "disk given " WHEN " me shop again\n", CAIRN_EFORMAT, 0 },
        { HEAD "disk given " WHEN " me my%2gshop\n", CAIRN_EFORMAT, 0 },
        { HEAD "disk given " WHEN " me\ndisk refused " WHEN " me\n", CAIRN_EFORMAT, 0 },
    };
    struct consent_file *file = calloc(1, sizeof(*file));
    char path[] = "/tmp/cairn-consent-XXXXXX";
    int fd = mkstemp(path);

    CU_ASSERT_TRUE_FATAL(fd >= 0 && file != NULL);
    close(fd);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(read_text(path, rows[i].text, file), rows[i].result);
        CU_ASSERT_EQUAL(file->count, rows[i].count);
        CU_ASSERT_EQUAL(file->state, rows[i].result);
    }
    CU_ASSERT_EQUAL(read_text(path, rows[2].text, file), 0);
    CU_ASSERT_STRING_EQUAL(file->entries[1].application, "my shop");
    unlink(path);
    CU_ASSERT_EQUAL(consent_read(path, true, file), 0);
    CU_ASSERT_EQUAL(file->count, 0);
    free(file);
}

static void test_record(void)
{
    struct consent_file *file = calloc(1, sizeof(*file));
    char folder[] = "/tmp/cairn-consent-XXXXXX", path[64], name[256];
    struct error error = { 0, "" };

    CU_ASSERT_TRUE_FATAL(file != NULL && mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/consent", folder);
    setenv("CAIRN_CONSENT", path, 1);
    memset(name, ' ', sizeof(name) - 1);
    name[255] = '\0';
    CU_ASSERT_EQUAL(consent_record(false, CONSENT_DISK, CONSENT_GIVEN, name, &error), 0);
    CU_ASSERT_EQUAL(consent_record(false, CONSENT_DISK, CONSENT_REFUSED, name, &error), 0);
    CU_ASSERT_EQUAL(consent_record(false, CONSENT_NETWORK, CONSENT_GIVEN, NULL, &error), 0);
    CU_ASSERT_EQUAL(consent_read(path, false, file), 0);
    CU_ASSERT_EQUAL(file->count, 2);
    CU_ASSERT_STRING_EQUAL(file->entries[0].application, name);
    CU_ASSERT_EQUAL(file->entries[0].answer, CONSENT_REFUSED);
    CU_ASSERT_EQUAL(consent_record(false, CONSENT_DISK, CONSENT_NONE, name, &error), 0);
    CU_ASSERT_EQUAL(consent_read(path, false, file), 0);
    CU_ASSERT_EQUAL(file->count, 1);
    unlink(path);
    rmdir(folder);
    free(file);
}

/* ---- Previews ---- */

struct options {
    const char *token;
};
static const struct cairn_option table[] = {
    { .name = "token", .type = CAIRN_OPTION_SECRET, .offset = offsetof(struct options, token) },
    { .name = NULL },
};
static const struct options values = { "5ec7e75ec7e7" };
static const struct config_instance instance = { .table = table, .options = (void *)&values };

static size_t append(unsigned char *at, uint32_t kind, const char *name, const char *path,
                     const char *data, size_t bytes)
{
    struct preview_record record = { .kind = kind, .data_bytes = bytes };
    size_t used = sizeof(record);

    for (int i = 0; i < PREVIEW_TEXTS; i++) {
        record.text_bytes[i] = PREVIEW_ABSENT;
    }
    record.text_bytes[PREVIEW_NAME] = (uint32_t)strlen(name);
    memcpy(at + used, name, strlen(name));
    used += strlen(name);
    if (path != NULL) {
        record.text_bytes[PREVIEW_PATH] = (uint32_t)strlen(path);
        memcpy(at + used, path, strlen(path));
        used += strlen(path);
    }
    memcpy(at, &record, sizeof(record));
    memcpy(at + used, data, bytes);
    return used + bytes;
}

static size_t make(unsigned char bytes[1024])
{
    size_t used = append(bytes, CAIRN_PREVIEW_TARGET, "POST", NULL, "http://a/5ec7e75ec7e7", 21);

    used += append(bytes + used, CAIRN_PREVIEW_FIELD, "key", NULL, "a 5ec7e75ec7e7 b", 16);
    used += append(bytes + used, CAIRN_PREVIEW_FILE, "dump", "/a/b", "", 0);
    return used + append(bytes + used, CAIRN_PREVIEW_FILE, "blob", NULL, "5ec7e75ec7e7\0x", 14);
}

static int read_bytes(const unsigned char *bytes, size_t count, struct preview *preview)
{
    int fd = memfd_create("preview", MFD_CLOEXEC), result;
    struct error error = { 0, "" };

    CU_ASSERT_TRUE_FATAL(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
    result = preview_read(fd, &instance, preview, &error);
    close(fd);
    return result;
}

static void test_preview(void)
{
    struct preview preview = { NULL, 0 };
    unsigned char bytes[1024];
    size_t count = make(bytes);

    CU_ASSERT_EQUAL_FATAL(read_bytes(bytes, count, &preview), 0);
    CU_ASSERT_EQUAL_FATAL(preview.count, 4);
    CU_ASSERT_STRING_EQUAL(preview.parts[0].data, "http://a/(hidden)");
    CU_ASSERT_STRING_EQUAL(preview.parts[1].data, "a (hidden) b");
    CU_ASSERT_EQUAL(preview.parts[1].bytes, 12);
    CU_ASSERT_STRING_EQUAL(preview.parts[2].texts[PREVIEW_PATH], "/a/b");
    CU_ASSERT_PTR_NULL(preview.parts[2].texts[PREVIEW_TYPE]);
    CU_ASSERT_EQUAL(preview.parts[3].bytes, 14); /* a file is shown as it is */
    CU_ASSERT_EQUAL(memcmp(preview.parts[3].data, "5ec7e75ec7e7\0x", 14), 0);
    preview_finish(&preview);
    CU_ASSERT_EQUAL(read_bytes(bytes, count - 1, &preview), CAIRN_EFORMAT);
    CU_ASSERT_EQUAL(read_bytes(bytes, 0, &preview), 0);
    CU_ASSERT_EQUAL(preview.count, 0);
}

static void test_mutations(void)
{
    unsigned char bytes[1024], changed[1024];
    size_t count = make(bytes), understood = 0;

    srand(4711);
    for (int round = 0; round < 5000; round++) {
        struct preview preview = { NULL, 0 };

        memcpy(changed, bytes, count);
        for (int i = 0; i < 3; i++) {
            changed[(size_t)rand() % count] = (unsigned char)rand();
        }
        if (read_bytes(changed, count, &preview) == 0) {
            understood++;
            preview_finish(&preview);
        }
    }
    CU_ASSERT_TRUE(understood > 0 && understood < 5000);
}

static const struct tap_test tests[] = {
    { "verdicts by machine, user and setting", test_verdicts },
    { "answers for one application go first", test_applications },
    { "files that cannot be used, or not now", test_states },
    { "which files are answers", test_files },
    { "answers are recorded", test_record },
    { "a preview's parts, without secrets", test_preview },
    { "previews that lie", test_mutations },
    { NULL, NULL },
};

int main(void)
{
    return tap_run("consent", tests);
}
