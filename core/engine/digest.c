/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of large files by OpenSSL's libcrypto, whose one home this is; see digest.h. Of libcrypto
 * only the digest is used: no file of its configuration is read, nothing is left to do at the
 * process's end. Runs in the engine's own process, from files that it holds open. [engine]
 */
#include "config.h"

#include "core/engine/digest.h"

#include <cairn/cairn.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#define PIECE_BYTES  (256 * 1024)
#define SHA256_BYTES 32

/* 0, or why the whole file is not in the digest. */
static int add_file(EVP_MD_CTX *context, int fd)
{
    static unsigned char piece[PIECE_BYTES]; /* the engine has one thread */
    off_t offset = 0;

    for (;;) {
        ssize_t got = pread(fd, piece, sizeof(piece), offset);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? 0 : CAIRN_ESYSTEM;
        }
        if (EVP_DigestUpdate(context, piece, (size_t)got) != 1) {
            return CAIRN_EUNSUPPORTED;
        }
        offset += got;
    }
}

static int sha256(int fd, char ret_hex[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int bytes = 0;
    EVP_MD_CTX *context = NULL;
    int result = CAIRN_EUNSUPPORTED;

    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) == 1) {
        context = EVP_MD_CTX_new();
    }
    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1) {
        result = add_file(context, fd);
    }
    if (result == 0 &&
        (EVP_DigestFinal_ex(context, digest, &bytes) != 1 || bytes != SHA256_BYTES)) {
        result = CAIRN_EUNSUPPORTED;
    }
    EVP_MD_CTX_free(context);
    for (unsigned int i = 0; result == 0 && i < SHA256_BYTES; i++) {
        snprintf(ret_hex + (size_t)i * 2, 3, "%02x", digest[i]);
    }
    return result;
}

/* ---- The module ---- */

extern const struct digest_module cairn_digest;

__attribute__((visibility("default"))) const struct digest_module cairn_digest = {
    .version = PACKAGE_VERSION,
    .sha256 = sha256,
};
