/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the body; zlib's one home. See body.h. */
#include "config.h"

#include "plugins/transport/common/body.h"

#include "plugins/transport/common/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_ZLIB
#include <zlib.h>

bool body_can_compress(void)
{
    return true;
}

static int put(gzFile file, const void *data, size_t bytes)
{
    return bytes == 0 || gzwrite(file, data, (unsigned)bytes) == (int)bytes ? 0 : -1;
}

static int put_text(gzFile file, const char *text)
{
    return put(file, text, strlen(text));
}

static int put_file(gzFile file, const char *path)
{
    char window[64 * 1024];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? 1 : -1;

    while (got > 0) {
        got = read(fd, window, sizeof(window));
        if (got > 0 && put(file, window, (size_t)got) != 0) {
            got = -1;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return got < 0 ? -1 : 0;
}

static int put_part(gzFile file, const char *boundary, const struct form_part *part)
{
    bool is_file = part->value == NULL;
    int failed = gzprintf(file, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", boundary,
                          part->name) <= 0;

    if (is_file) {
        failed |= gzprintf(file, "; filename=\"%s\"\r\nContent-Type: %s", part->filename,
                           part->type) <= 0;
    }
    failed |= put_text(file, "\r\n\r\n");
    failed |= is_file ? put_file(file, part->path) : put_text(file, part->value);
    return failed | put_text(file, "\r\n");
}

static int put_form(gzFile file, const char *boundary, const struct form *form)
{
    int failed = form->failed;

    for (size_t i = 0; i < form->count && failed == 0; i++) {
        failed = put_part(file, boundary, &form->parts[i]);
    }
    return failed != 0 || gzprintf(file, "--%s--\r\n", boundary) <= 0 ? -1 : 0;
}

/* Of letters and digits that no file holds by chance. */
static int make_boundary(char boundary[48])
{
    uint64_t bits[2];

    if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits)) {
        return -1;
    }
    snprintf(boundary, 48, "CairnForm%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
    return 0;
}

/* The compressed form into `fd`, which stays open. */
static int fill(int fd, const char *boundary, const struct form *form)
{
    int second = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    gzFile file = second >= 0 ? gzdopen(second, "wb") : NULL;
    int failed;

    if (file == NULL) {
        if (second >= 0) {
            close(second);
        }
        return -1;
    }
    failed = put_form(file, boundary, form);
    return gzclose(file) != Z_OK || failed != 0 ? -1 : 0;
}

int body_make(const struct form *form, struct body *ret_body)
{
    struct body body = { .fd = scratch_open(form->folder) };
    struct stat status;

    if (body.fd < 0) {
        return -1;
    }
    if (make_boundary(body.boundary) != 0 || fill(body.fd, body.boundary, form) != 0 ||
        fstat(body.fd, &status) != 0 || lseek(body.fd, 0, SEEK_SET) != 0) {
        close(body.fd);
        return -1;
    }
    body.bytes = (uint64_t)status.st_size;
    *ret_body = body;
    return 0;
}

#else

bool body_can_compress(void)
{
    return false;
}

int body_make(const struct form *form, struct body *ret_body)
{
    (void)form, (void)ret_body;
    errno = ENOSYS;
    return -1;
}

#endif
