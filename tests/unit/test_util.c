/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of core/util: text, time, buffers, files. */
#include "core/util/buf.h"
#include "core/util/fs.h"
#include "core/util/text.h"
#include "core/util/time.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/cairn-test-util-XXXXXX";

static void names_are_escaped(void)
{
    static const struct {
        const char *name, *escaped;
    } cases[] = { { "redis-server", "redis-server" }, { "..", "%2E." }, { ".hidden", "%2Ehidden" },
                  { "a/b c", "a%2Fb%20c" },           { "", "_" },      { "\xc3\xa9", "%C3%A9" } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *escaped = text_escape_name(cases[i].name);

        CU_ASSERT_STRING_EQUAL(escaped, cases[i].escaped);
        free(escaped);
    }
}

static void hostile_bytes_become_printable(void)
{
    char *text = text_printable("a\x01\xff\xc0\x80\xe2\x82\xac\n", 9);

    CU_ASSERT_STRING_EQUAL(text, "a\\x01\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac\n");
    free(text);
    text = text_printable("\xed\xa0\x80", 3); /* a surrogate is not UTF-8 */
    CU_ASSERT_STRING_EQUAL(text, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    free(text);
}

static void nearest_word_is_suggested(void)
{
    static const char *const words[] = { "signals", "spool", "limits", NULL };

    CU_ASSERT_PTR_EQUAL(text_nearest("signal", words), words[0]);
    CU_ASSERT_PTR_EQUAL(text_nearest("spolo", words), words[1]);
    CU_ASSERT_PTR_NULL(text_nearest("transports", words));
    CU_ASSERT_PTR_NULL(text_nearest("zzz", words));
}

static void identifiers_sort_by_time(void)
{
    char first[37], second[37];

    text_uuid7(first);
    usleep(2000);
    text_uuid7(second);
    CU_ASSERT_TRUE(text_is_uuid(first));
    CU_ASSERT_EQUAL(first[14], '7');
    CU_ASSERT_TRUE(strcmp(first, second) < 0);
    CU_ASSERT_FALSE(text_is_uuid("0192-"));
    first[0] = 'Z';
    CU_ASSERT_FALSE(text_is_uuid(first));
}

static void signals_have_names(void)
{
    char buffer[16];

    CU_ASSERT_EQUAL(text_signal_number("SEGV"), SIGSEGV);
    CU_ASSERT_EQUAL(text_signal_number("SIGSYS"), SIGSYS);
    CU_ASSERT_EQUAL(text_signal_number("SIGSIGSEGV"), 0);
    CU_ASSERT_STRING_EQUAL(text_signal_name(SIGSEGV, buffer), "SIGSEGV");
    CU_ASSERT_STRING_EQUAL(text_signal_code(SIGSEGV, SEGV_MAPERR), "SEGV_MAPERR");
    CU_ASSERT_STRING_EQUAL(text_signal_code(SIGABRT, SI_TKILL), "SI_TKILL");
    CU_ASSERT_PTR_NULL(text_signal_code(SIGSEGV, 12345));
    CU_ASSERT_STRING_EQUAL(text_signal_words(SIGABRT, SI_TKILL), "the program called abort()");
}

static void times_round_trip(void)
{
    char text[32];
    uint64_t ns = 0;

    time_format(1795635767123456000ull, text);
    CU_ASSERT_EQUAL(time_parse(text, &ns), 0);
    CU_ASSERT_EQUAL(ns, 1795635767123456000ull);
    CU_ASSERT_EQUAL(text[strlen(text) - 1], 'Z');
    CU_ASSERT_NOT_EQUAL(time_parse("yesterday", &ns), 0);
    CU_ASSERT_NOT_EQUAL(time_parse("2026-11-25T19:42:47+01:00", &ns), 0);
}

static void buffers_keep_their_limit(void)
{
    struct buf buf;
    char *text;

    buf_init(&buf, 10);
    CU_ASSERT_EQUAL(buf_printf(&buf, "%d", 12345), 0);
    CU_ASSERT_EQUAL(buf_text(&buf, "67890"), 0);
    CU_ASSERT_EQUAL(buf_text(&buf, "x"), CAIRN_ETOOLONG);
    CU_ASSERT_EQUAL(buf.failed, CAIRN_ETOOLONG);
    CU_ASSERT_STRING_EQUAL(buf.data, "1234567890");
    CU_ASSERT_PTR_NULL(buf_take(&buf));
    text = buf_take(&buf);
    CU_ASSERT_STRING_EQUAL(text, "");
    free(text);
    buf_finish(&buf);
}

static void sha256_is_right(void)
{
    static char text[1000000]; /* more than is read at once */
    char hex[65], path[256];
    int fd;

    text_sha256("abc", 3, hex); /* FIPS 180-4, example 1 */
    CU_ASSERT_STRING_EQUAL(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    memset(text, 'a', sizeof(text));
    text_sha256(text, sizeof(text), hex); /* example 3 of FIPS 180-2 */
    CU_ASSERT_STRING_EQUAL(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    text_sha256(text, 20001, hex); /* not a multiple of a block */
    CU_ASSERT_STRING_EQUAL(hex, "24e9393cfe95959b84669c585c492578df744208bd974a40c229bca1bd77630e");
    snprintf(path, sizeof(path), "%s/million", scratch);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, sizeof(text)), sizeof(text));
    CU_ASSERT_EQUAL(text_sha256_fd(fd, hex), 0);
    CU_ASSERT_STRING_EQUAL(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    close(fd);
    unlink(path);
}

static void files_are_complete_or_absent(void)
{
    struct error error;
    char *data = NULL;
    size_t bytes = 0;
    int folder = fs_make_directories(scratch, &error);

    CU_ASSERT_FATAL(folder >= 0);
    CU_ASSERT_EQUAL(fs_replace_file(folder, "a", "one", 3, &error), 0);
    CU_ASSERT_EQUAL(fs_replace_file(folder, "a", "two!", 4, &error), 0);
    CU_ASSERT_EQUAL(fs_read_file(folder, "a", 100, &data, &bytes, &error), 0);
    CU_ASSERT_EQUAL(bytes, 4);
    CU_ASSERT_STRING_EQUAL(data, "two!");
    free(data);
    CU_ASSERT_EQUAL(fs_read_file(folder, "a", 3, &data, &bytes, &error), CAIRN_ETOOLONG);
    CU_ASSERT_EQUAL(fs_read_file(folder, "b", 3, &data, &bytes, &error), CAIRN_ENOENT);
    close(folder);
}

static void links_and_fifos_are_refused(void)
{
    struct error error;
    char *data = NULL;
    size_t bytes = 0;
    int folder = fs_make_directories(scratch, &error);

    CU_ASSERT_FATAL(folder >= 0);
    CU_ASSERT_EQUAL(symlinkat("/etc/passwd", folder, "link"), 0);
    CU_ASSERT_EQUAL(mkfifoat(folder, "fifo", 0600), 0);
    CU_ASSERT_EQUAL(fs_read_file(folder, "link", 1 << 20, &data, &bytes, &error), CAIRN_ESYSTEM);
    CU_ASSERT_EQUAL(fs_read_file(folder, "fifo", 1 << 20, &data, &bytes, &error), CAIRN_EFORMAT);
    CU_ASSERT_PTR_NULL(data);
    close(folder);
}

static void files_others_can_change_are_not_trusted(void)
{
    struct error error;
    char path[64];
    int folder = fs_make_directories(scratch, &error);
    int fd = openat(folder, "plugin", O_RDWR | O_CREAT, 0644);

    snprintf(path, sizeof(path), "%s/plugin", scratch);
    CU_ASSERT_TRUE(fs_is_trusted(fd, path, &error));
    CU_ASSERT_EQUAL(fchmod(fd, 0666), 0);
    CU_ASSERT_FALSE(fs_is_trusted(fd, path, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, path));
    CU_ASSERT_EQUAL(fchmod(fd, 0644), 0);
    CU_ASSERT_EQUAL(fchmod(folder, 0777), 0);
    CU_ASSERT_FALSE(fs_is_trusted(fd, path, &error));
    CU_ASSERT_EQUAL(fchmod(folder, 0700), 0);
    close(fd);
    close(folder);
}

static void trees_are_removed_but_links_not_followed(void)
{
    struct error error;
    int top = fs_make_directories(scratch, &error);
    int outer, inner;

    CU_ASSERT_EQUAL(fs_replace_file(top, "kept", "x", 1, &error), 0);
    outer = fs_make_directory(top, "tree", &error);
    inner = fs_make_directory(outer, "inner", &error);
    CU_ASSERT_EQUAL(fs_replace_file(inner, "file", "x", 1, &error), 0);
    CU_ASSERT_EQUAL(symlinkat("../kept", outer, "link"), 0);
    CU_ASSERT_EQUAL(fs_remove_tree(top, "tree", &error), 0);
    CU_ASSERT_EQUAL(faccessat(top, "kept", F_OK, 0), 0);
    CU_ASSERT_NOT_EQUAL(faccessat(top, "tree", F_OK, 0), 0);
    close(inner);
    close(outer);
    close(top);
}

static const struct tap_test tests[] = {
    { "names are escaped", names_are_escaped },
    { "hostile bytes become printable", hostile_bytes_become_printable },
    { "the nearest word is suggested", nearest_word_is_suggested },
    { "identifiers sort by time", identifiers_sort_by_time },
    { "signals have names", signals_have_names },
    { "times round trip", times_round_trip },
    { "buffers keep their limit", buffers_keep_their_limit },
    { "sha256 is right", sha256_is_right },
    { "files are complete or absent", files_are_complete_or_absent },
    { "links and FIFOs are refused", links_and_fifos_are_refused },
    { "files that others can change are not trusted", files_others_can_change_are_not_trusted },
    { "trees are removed, links not followed", trees_are_removed_but_links_not_followed },
    { NULL, NULL },
};

int main(void)
{
    int status;

    if (mkdtemp(scratch) == NULL) {
        return 99;
    }
    status = tap_run("util", tests);
    fs_remove_tree(AT_FDCWD, scratch, NULL);
    return status;
}
