/* SPDX-License-Identifier: Apache-2.0 */
/* Error text, and exit codes; see error.h. Every process but the crashed one. */
#include "core/util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

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

int error_exit_code(int code)
{
    static const struct {
        int code, exit;
    } exits[] = {
        { CAIRN_EINVAL, EX_USAGE },    { CAIRN_ESYSTEM, EX_OSERR },
        { CAIRN_ECONFIG, EX_CONFIG },  { CAIRN_ETIMEOUT, EX_TEMPFAIL },
        { CAIRN_EBUSY, EX_TEMPFAIL },  { CAIRN_ENOENT, EX_NOINPUT },
        { CAIRN_EFORMAT, EX_DATAERR }, { CAIRN_EPLUGIN, EX_CONFIG },
        { CAIRN_EPERM, EX_NOPERM },    { CAIRN_ENOSPACE, EX_CANTCREAT },
        { CAIRN_ENOMEM, EX_OSERR },
    };

    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
        if (exits[i].code == code) {
            return exits[i].exit;
        }
    }
    return code == 0 ? EX_OK : EX_SOFTWARE;
}
