/* SPDX-License-Identifier: Apache-2.0 */
/* What transports that upload a form do alike once it is filled. Runs in a step of the sender. */
#ifndef CAIRN_PLUGINS_TRANSPORT_COMMON_UPLOAD_H
#define CAIRN_PLUGINS_TRANSPORT_COMMON_UPLOAD_H

#include "plugins/transport/common/form.h"
#include "plugins/transport/common/http.h"
#include "plugins/transport/common/verdict.h"

/* Sends the form, if a minidump was found for it, and gives the verdict. The status of the call. */
int upload_form(struct cairn_transport_args *args, const struct http_options *options,
                const char *url, const struct form *form, enum form_found found,
                const struct verdict_manners *manners);

#endif
