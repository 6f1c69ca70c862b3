/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share; see fuzz.h. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint32_t fuzz_number(struct fuzz_input *input, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes && input->left > 0; i++) {
        value |= (uint32_t)*input->at++ << (8 * i);
        input->left--;
    }
    return value;
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
    return (uint8_t)fuzz_number(input, 1);
}

struct fuzz_input fuzz_part(struct fuzz_input *input)
{
    size_t bytes = fuzz_number(input, 2);
    struct fuzz_input part = { input->at, bytes < input->left ? bytes : input->left };

    input->at += part.left;
    input->left -= part.left;
    return part;
}

char *fuzz_text(struct fuzz_input part)
{
    char *text = malloc(part.left + 1);

    fuzz_require(text != NULL);
    if (part.left > 0) {
        memcpy(text, part.at, part.left);
    }
    text[part.left] = '\0';
    return text;
}

int fuzz_file(const uint8_t *data, size_t bytes)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    fuzz_require(fd >= 0);
    while (bytes > 0) {
        ssize_t written = write(fd, data, bytes);

        fuzz_require(written > 0);
        data += written;
        bytes -= (size_t)written;
    }
    fuzz_require(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

void fuzz_require(bool kept)
{
    if (!kept) {
        abort();
    }
}

void fuzz_require_accepted(int result, const char *why)
{
    if (result != 0) {
        fprintf(stderr, "refused: %s\n", why);
        abort();
    }
}
