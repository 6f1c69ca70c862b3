/* SPDX-License-Identifier: Apache-2.0 */
/* core/engine/digest.c: libcrypto's digests of files are libmd's. */
#include "core/engine/digest.h"
#include "core/util/text.h"
#include "tests/unit/tap.h"

#include <cairn/cairn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct digest_module cairn_digest;

static int make_file(void)
{
    char path[] = "/tmp/cairn-test-digest-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0);
    unlink(path);
    return fd;
}

static void agrees_with_libmd(void)
{
    static const off_t sizes[] = {
        0, 1, 63, 64, 65, 262143, 262144, 262145, (4 << 20) - 1, 4 << 20, (5 << 20) + 7,
    };
    unsigned char noise[4096];
    int fd = make_file();

    for (size_t i = 0; i < sizeof(noise); i++) {
        noise[i] = (unsigned char)(i * i + 7 * i + 1);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char hex[65], wanted[65];
        off_t middle = sizes[i] / 2;

        CU_ASSERT_EQUAL(ftruncate(fd, sizes[i]), 0);
        CU_ASSERT_EQUAL(pwrite(fd, noise, sizeof(noise), middle), sizeof(noise));
        CU_ASSERT_EQUAL(ftruncate(fd, sizes[i]), 0);
        CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_END), sizes[i]); /* which must not matter */
        CU_ASSERT_EQUAL(cairn_digest.sha256(fd, hex), 0);
        CU_ASSERT_EQUAL(text_sha256_fd(fd, wanted), 0);
        CU_ASSERT_STRING_EQUAL(hex, wanted);
    }
    close(fd);
}

/* FIPS 180-2, example 3. */
static void a_million_letters(void)
{
    static char text[1000000];
    char hex[65];
    int fd = make_file();

    memset(text, 'a', sizeof(text));
    CU_ASSERT_EQUAL(write(fd, text, sizeof(text)), sizeof(text));
    CU_ASSERT_EQUAL(cairn_digest.sha256(fd, hex), 0);
    CU_ASSERT_STRING_EQUAL(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    close(fd);
}

static void a_file_that_cannot_be_read(void)
{
    char hex[65] = "untouched";
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CU_ASSERT_FATAL(folder >= 0);
    errno = 0;
    CU_ASSERT_EQUAL(cairn_digest.sha256(folder, hex), CAIRN_ESYSTEM);
    CU_ASSERT_EQUAL(errno, EISDIR);
    CU_ASSERT_STRING_EQUAL(hex, "untouched");
    close(folder);
}

static const struct tap_test tests[] = {
    { "libcrypto's digests are libmd's", agrees_with_libmd },
    { "a known digest", a_million_letters },
    { "a file that cannot be read", a_file_that_cannot_be_read },
    { NULL, NULL },
};

int main(void)
{
    return tap_run("digest", tests);
}
