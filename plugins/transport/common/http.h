/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One POST of a form over HTTP or HTTPS with libcurl: certificates are verified, TLS is 1.2 or
 * newer, redirects are not followed, every wait is bounded, the answer is cut at 64 KiB. Texts made
 * here never hold the URL's path, query or credentials: tokens live there. A preview takes the same
 * way up to the transfer. Runs in a step of the sender or of `cairn show`.
 */
#ifndef CAIRN_PLUGINS_TRANSPORT_COMMON_HTTP_H
#define CAIRN_PLUGINS_TRANSPORT_COMMON_HTTP_H

#include "plugins/transport/common/form.h"

#include <cairn/plugin.h>
#include <stdbool.h>

#define HTTP_MAX_ANSWER (64u * 1024)

/* The options that all transports over HTTP have; a member of their configuration structure. */
struct http_options {
    const char *proxy, *proxy_credentials, *ca_file;
    uint64_t connect_timeout, stall_timeout; /* microseconds */
    int32_t compress;                        /* enum http_compression */
};

enum http_compression { HTTP_COMPRESS_NONE, HTTP_COMPRESS_GZIP };
extern const char *const http_compressions[];

/* Their rows in a plugin's option table; `compress_` is that option's default. */
/* clang-format off */
#define HTTP_OPTION_ROWS(config_, member_, compress_)                                        \
    { .name = "proxy",                                                                       \
      .type = CAIRN_OPTION_STRING,                                                           \
      .offset = offsetof(config_, member_.proxy),                                            \
      .help = "The proxy, such as http://proxy:3128; else http_proxy and its kin count." },  \
    { .name = "proxy_credentials",                                                           \
      .type = CAIRN_OPTION_SECRET,                                                           \
      .offset = offsetof(config_, member_.proxy_credentials),                                \
      .help = "User and password for the proxy, as user:password." },                        \
    { .name = "ca_file",                                                                     \
      .type = CAIRN_OPTION_PATH,                                                             \
      .offset = offsetof(config_, member_.ca_file),                                          \
      .help = "PEM file of the authorities to trust instead of the system's." },             \
    { .name = "connect_timeout",                                                             \
      .type = CAIRN_OPTION_DURATION,                                                         \
      .offset = offsetof(config_, member_.connect_timeout),                                  \
      .default_text = "15s",                                                                 \
      .min = 100000,                                                                         \
      .max = 3600000000,                                                                     \
      .help = "How long connecting may take." },                                             \
    { .name = "stall_timeout",                                                               \
      .type = CAIRN_OPTION_DURATION,                                                         \
      .offset = offsetof(config_, member_.stall_timeout),                                    \
      .default_text = "30s",                                                                 \
      .min = 1000000,                                                                        \
      .max = 3600000000,                                                                     \
      .help = "Give up when less than 100 bytes a second have moved for so long." },         \
    { .name = "compress",                                                                    \
      .type = CAIRN_OPTION_ENUM,                                                             \
      .offset = offsetof(config_, member_.compress),                                         \
      .default_text = compress_,                                                             \
      .choices = http_compressions,                                                          \
      .help = "none, or gzip: the body goes with Content-Encoding: gzip, which not every "   \
              "collector understands." }
/* clang-format on */

/* Judges those options in check(). */
int http_check(const struct cairn_host *host, const struct http_options *options);

struct http_answer {
    int code;   /* the status; 0: there was no whole answer, and `error` says why */
    bool shown; /* nothing was sent: what would have been was shown instead */
    bool cut;   /* the body was longer than HTTP_MAX_ANSWER */
    char *body; /* NUL-terminated; may be NULL when empty */
    size_t bytes;
    uint64_t retry_after; /* microseconds, 0 if the server named none */
    char server[192];     /* host and port, for texts */
    char error[512];      /* a whole sentence */
};

/* Sends it, or shows it where somebody wants a preview. */
void http_post(const struct http_options *options, const struct cairn_host *host, const char *url,
               const struct form *form, struct http_answer *ret_answer);
void http_answer_finish(struct http_answer *answer);

/* Replaces in `text` what of `url` may be a token: credentials, parts of path and query. */
void http_redact(char *text, const char *url);

#endif
