/* SPDX-License-Identifier: Apache-2.0 */
/* Error text; see error.h. Every process but the crashed one. */
#include "core/util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int code, const char *format, ...)
{
    va_list arguments;

    if (error != NULL) {
        error->code = code;
        va_start(arguments, format);
        vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
    }
    return code;
}

int error_errno(struct error *error, int code, int number, const char *format, ...)
{
    va_list arguments;
    size_t used;

    if (error == NULL) {
        return code;
    }
    error->code = code;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    used = strlen(error->text);
    /* strerrordesc_np() answers a static string, unlike strerror(), and never takes a lock. */
    const char *words = strerrordesc_np(number);
    snprintf(error->text + used, sizeof(error->text) - used, ": %s.",
             words != NULL ? words : "unknown error");
    return code;
}
