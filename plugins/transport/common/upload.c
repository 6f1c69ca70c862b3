/* SPDX-License-Identifier: Apache-2.0 */
/* What transports that upload a form do alike; see upload.h. Runs in a step of the sender. */
#include "plugins/transport/common/upload.h"

#include <stdio.h>

int upload_form(struct cairn_transport_args *args, const struct http_options *options,
                const char *url, const struct form *form, enum form_found found,
                const struct verdict_manners *manners)
{
    struct http_answer answer;

    if (found == FORM_FOUND) {
        http_post(options, args->host, url, form, &answer);
        verdict_give(args, &answer, url, manners);
        http_answer_finish(&answer);
    } else if (found == FORM_HAS_NONE) {
        args->outcome = CAIRN_REJECTED;
        snprintf(args->error, sizeof(args->error),
                 "The report has no minidump to upload: its pipeline lacks a writer of that kind.");
    }
    return found == FORM_FAILED ? CAIRN_PLUGIN_FAILED : CAIRN_PLUGIN_OK;
}
