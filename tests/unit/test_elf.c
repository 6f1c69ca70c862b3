/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of a plugin's bytes: what it finds in a real file, what it refuses, and that no cut or
 * changed file can hurt it. */
#include "core/plugin/elf.h"
#include "core/util/fs.h"
#include "tests/unit/plugins.h"
#include "tests/unit/tap.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MUTATIONS 20000

struct file {
    char path[PATH_MAX + 64];
    char *bytes;
    size_t size;
    int fd; /* a copy in memory, to be changed */
};

static void file_init(struct file *file, const char *name)
{
    snprintf(file->path, sizeof(file->path), "%s/annotator/%s.so", plugins_use(), name);
    CU_ASSERT_EQUAL_FATAL(
        fs_read_file(AT_FDCWD, file->path, 1 << 24, &file->bytes, &file->size, NULL), 0);
    file->fd = memfd_create("plugin", MFD_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(fs_write_all(file->fd, file->bytes, file->size), 0);
}

static void file_finish(struct file *file)
{
    close(file->fd);
    free(file->bytes);
}

static void check_symbol(const char *name)
{
    struct elf_image image;
    struct cairn_plugin entry;
    uint64_t address, bytes;
    struct file file;

    file_init(&file, name);
    CU_ASSERT_EQUAL_FATAL(elf_read(file.fd, file.path, &image, NULL), 0);
    CU_ASSERT_TRUE_FATAL(elf_object(&image, "cairn_plugin_entry", &address, &bytes));
    CU_ASSERT_EQUAL(bytes, sizeof(entry));
    CU_ASSERT_TRUE_FATAL(elf_copy(&image, address, &entry, sizeof(entry)));
    const char *text = elf_text(&image, (uint64_t)(uintptr_t)entry.name, 64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, name);
    CU_ASSERT_FALSE(elf_object(&image, "cairn_plugin_entr", &address, &bytes));
    CU_ASSERT_FALSE(elf_object(&image, "", &address, &bytes));
    elf_finish(&image);
    file_finish(&file);
}

static void test_symbols(void)
{
    check_symbol("good");
    check_symbol("sysv");
    check_symbol("relr");
}

static void test_note(void)
{
    struct elf_image image;
    const unsigned char *note;
    size_t bytes;
    struct file file;

    file_init(&file, "good");
    CU_ASSERT_EQUAL_FATAL(elf_read(file.fd, file.path, &image, NULL), 0);
    CU_ASSERT_TRUE_FATAL(elf_note(&image, "Cairn", CAIRN_NOTE_TYPE, &note, &bytes));
    CU_ASSERT_EQUAL(bytes, 12 + 8);
    CU_ASSERT_STRING_EQUAL((const char *)note + 12, "good");
    CU_ASSERT_FALSE(elf_note(&image, "Cairn", 99, &note, &bytes));
    CU_ASSERT_FALSE(elf_note(&image, "Cairns", CAIRN_NOTE_TYPE, &note, &bytes));
    elf_finish(&image);
    file_finish(&file);
}

static void check_refused(int fd, const char *path, int code, const char *why)
{
    struct error error = { 0, "" };
    struct elf_image image;

    CU_ASSERT_EQUAL(elf_read(fd, path, &image, &error), code);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, why));
}

/* Writes another tag over the first dynamic entry of the given one. */
static bool change_tag(struct file *file, int64_t from, int64_t to)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;

    memcpy(&header, file->bytes, sizeof(header));
    for (size_t i = 0; i < header.e_phnum; i++) {
        memcpy(&segment, file->bytes + header.e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type != PT_DYNAMIC) {
            continue;
        }
        for (size_t at = segment.p_offset; at < segment.p_offset + segment.p_filesz; at += 16) {
            if (memcmp(file->bytes + at, &from, sizeof(from)) == 0) {
                return pwrite(file->fd, &to, sizeof(to), (off_t)at) == (ssize_t)sizeof(to);
            }
        }
    }
    return false;
}

static void test_refusals(void)
{
    struct file file;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    check_refused(fd, "exe", CAIRN_EPLUGIN, "it is a program");
    close(fd);
    fd = memfd_create("text", MFD_CLOEXEC);
    CU_ASSERT_EQUAL(ftruncate(fd, 100), 0);
    check_refused(fd, "text", CAIRN_EFORMAT, "not an ELF file");
    close(fd);
    file_init(&file, "executable_stack");
    check_refused(file.fd, file.path, CAIRN_EPLUGIN, "executable stack");
    file_finish(&file);
    file_init(&file, "origin");
    check_refused(file.fd, file.path, CAIRN_EPLUGIN, "$ORIGIN");
    file_finish(&file);
    file_init(&file, "good");
    CU_ASSERT_TRUE(change_tag(&file, DT_RELACOUNT, DT_TEXTREL));
    check_refused(file.fd, file.path, CAIRN_EPLUGIN, "-fPIC");
    file_finish(&file);
    file_init(&file, "good");
    CU_ASSERT_TRUE(change_tag(&file, DT_SYMTAB, DT_DEBUG));
    check_refused(file.fd, file.path, CAIRN_EFORMAT, "no dynamic symbols");
    file_finish(&file);
}

/* Whatever comes of it, it ends. Returns whether the plugin could be described. */
static bool try_it(const struct file *file)
{
    struct plugin_facts *facts = NULL;
    struct error error = { 0, "" };
    int result = plugin_describe(file->fd, file->path, &facts, &error);

    CU_ASSERT_EQUAL(result == 0, facts != NULL);
    CU_ASSERT_EQUAL(result == 0, error.text[0] == '\0');
    plugin_facts_destroy(facts);
    return result == 0;
}

static void test_truncation(void)
{
    struct file file;
    size_t usable = 0;

    file_init(&file, "good");
    CU_ASSERT_TRUE(try_it(&file));
    for (size_t bytes = file.size; bytes-- > 0;) {
        CU_ASSERT_EQUAL(ftruncate(file.fd, (off_t)bytes), 0);
        usable += try_it(&file);
    }
    /* Sections and debug information at the end are not needed. */
    CU_ASSERT(usable > 0 && usable < file.size);
    file_finish(&file);
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* One to eight changed bytes or words, half of them among the headers and tables at the start. */
static void mutate(struct file *file, uint64_t *state)
{
    static const uint64_t words[] = { 0, 1, UINT64_MAX, INT64_MAX, UINT64_C(1) << 32, 0xffff };
    unsigned count = next_random(state) % 8 + 1;

    for (unsigned i = 0; i < count; i++) {
        size_t room = next_random(state) % 2 == 0 && file->size > 2048 ? 2048 : file->size - 8;
        off_t at = next_random(state) % room;
        uint64_t word = words[next_random(state) % 6];
        unsigned char byte = (unsigned char)next_random(state);
        ssize_t written = next_random(state) % 2 == 0 ? pwrite(file->fd, &byte, 1, at)
                                                      : pwrite(file->fd, &word, 8, at & ~7);
        CU_ASSERT(written > 0);
    }
}

static void test_mutation(void)
{
    static const char *const names[] = { "good", "sysv", "relr", "wrong_note" };
    uint64_t state = 42;
    size_t usable = 0;

    for (size_t n = 0; n < 4; n++) {
        struct file file;
        file_init(&file, names[n]);
        for (int i = 0; i < MUTATIONS / 4; i++) {
            mutate(&file, &state);
            usable += try_it(&file);
            CU_ASSERT_EQUAL(pwrite(file.fd, file.bytes, file.size, 0), (ssize_t)file.size);
        }
        file_finish(&file);
    }
    CU_ASSERT(usable > 0 && usable < MUTATIONS);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "finds the descriptor by either hash", test_symbols },
        { "finds the identity note", test_note },
        { "refuses what no plugin may be", test_refusals },
        { "survives every truncation", test_truncation },
        { "survives random changes", test_mutation },
        { NULL, NULL },
    };

    return tap_run("elf", tests);
}
