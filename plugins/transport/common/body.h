/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form as one multipart/form-data body, compressed by gzip into a file, so that its length is
 * known before it is sent: not every server takes bodies without one. Runs in a step of the sender.
 */
#ifndef CAIRN_PLUGINS_TRANSPORT_COMMON_BODY_H
#define CAIRN_PLUGINS_TRANSPORT_COMMON_BODY_H

#include "plugins/transport/common/form.h"

struct body {
    int fd; /* at its beginning; -1: there is none */
    uint64_t bytes;
    char boundary[48];
};

/* Whether bodies can be compressed: not if built without zlib. */
bool body_can_compress(void);

/* 0, or -1 with errno set. */
int body_make(const struct form *form, struct body *ret_body);

#endif
