/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer means for the report: delivered, again later, or refused for good. Understands the
 * bodies of Backtrace, of Breakpad's and Crashpad's collectors and of Antenna. Runs in a step of
 * the sender; the body is hostile.
 */
#ifndef CAIRN_PLUGINS_TRANSPORT_COMMON_VERDICT_H
#define CAIRN_PLUGINS_TRANSPORT_COMMON_VERDICT_H

#include "plugins/transport/common/http.h"

struct verdict_manners {
    bool text_is_id;              /* a short text body is the report's id at the server */
    const char *unavailable_hint; /* what 503 may mean besides; NULL: nothing */
};

/* Fills outcome, response_code, retry_after, server_id and error of `args`. `url` is what the
 * request went to: its secrets are kept out of the error text. */
void verdict_give(struct cairn_transport_args *args, const struct http_answer *answer,
                  const char *url, const struct verdict_manners *manners);

#endif
