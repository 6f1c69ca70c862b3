/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of libcairn: error codes and the version. [signal-safe] */
#include "config.h"

#include <cairn/cairn.h>

const char *cairn_strerror(int error)
{
    switch (error) {
    case CAIRN_OK:
        return "no error";
#define ERROR_TEXT(name, number, text)                                                             \
    case name:                                                                                     \
        return text;
        CAIRN_ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
    default:
        return "an error of an unknown code";
    }
}

const char *cairn_version(void)
{
    return PACKAGE_VERSION;
}
