/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module that digests large files, <libexec>/cairn-digest.so. libcrypto computes SHA-256 with
 * whatever the processor has for it, several times faster than libmd; but it has 5 MB, and small
 * files are done before it is loaded. digest_load.c has engine_digest() ask it. [engine]
 */
#ifndef CAIRN_CORE_ENGINE_DIGEST_H
#define CAIRN_CORE_ENGINE_DIGEST_H

/* The module, and the one thing that it exports. */
#define DIGEST_MODULE "cairn-digest.so"
#define DIGEST_SYMBOL "cairn_digest"

struct digest_module {
    char version[32]; /* PACKAGE_VERSION: it is good for the engine that was built with it */
    /* Lowercase SHA-256 of a whole file from offset 0. 0, CAIRN_ESYSTEM with errno, or
     * CAIRN_EUNSUPPORTED if the library refuses. */
    int (*sha256)(int fd, char ret_hex[65]);
};

#endif
