/* SPDX-License-Identifier: Apache-2.0 */
/* A report's identity: a UUID of version 7 (RFC 9562), made by the monitor when it takes a crash.
 */
#ifndef CAIRN_CORE_MONITOR_UUID_H
#define CAIRN_CORE_MONITOR_UUID_H

#define UUID_TEXT_BYTES 37

struct uuid {
    unsigned char bytes[16]; /* in the order of the text */
    char text[UUID_TEXT_BYTES];
};

void uuid_make(struct uuid *ret_uuid);

#endif
