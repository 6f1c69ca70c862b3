/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands of `cairn` share: help, errors, starting Cairn's programs, the spool. */
#include "tools/tool.h"

#include "core/config/config.h"
#include "core/util/paths.h"
#include "core/util/text.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int tool_help(const struct tool *tool)
{
    printf("usage: cairn %s %s\n%s\n\n%s", tool->name, tool->synopsis, tool->summary, tool->help);
    return EX_OK;
}

int tool_usage(const struct tool *tool, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "cairn %s: ", tool->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nusage: cairn %s %s\n", tool->name, tool->synopsis);
    return EX_USAGE;
}

int tool_bad_option(const struct tool *tool, int option, char *const *argv)
{
    const char *given = argv[optind - 1];

    /* Behind the first letter of several, getopt_long() has not gone on yet. */
    if (optopt != 0 && strncmp(given, "--", 2) != 0) {
        return tool_usage(tool,
                          option == ':' ? "The option -%c needs a value."
                                        : "-%c is not an option of this command.",
                          optopt);
    }
    return tool_usage(tool,
                      option == ':' ? "The option %s needs a value."
                                    : "%s is not an option of this command, or takes no value.",
                      given);
}

int tool_fail(const struct tool *tool, int code, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "cairn %s: ", tool->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}

void tool_print_value(const struct cairn_value *value)
{
    switch (value->type) {
    case CAIRN_VALUE_STRING:
        puts(value->string);
        break;
    case CAIRN_VALUE_INTEGER:
        printf("%" PRId64 "\n", value->integer);
        break;
    case CAIRN_VALUE_DOUBLE:
        printf("%.15g\n", value->number);
        break;
    case CAIRN_VALUE_BOOL:
        puts(value->boolean != 0 ? "true" : "false");
        break;
    case CAIRN_VALUE_UINT64:
        printf("0x%" PRIx64 "\n", value->uint64);
        break;
    default:
        puts("-");
    }
}

void tool_write_json(FILE *out, const char *text, size_t bytes)
{
    fputc('"', out);
    for (size_t i = 0, step; i < bytes; i += step) {
        uint32_t code = 0;

        step = text_utf8(text + i, bytes - i, &code);
        if (step == 0) {
            fputs("\\ufffd", out);
            step = 1;
        } else if (code < ' ' || (code >= 0x7f && code < 0xa0)) {
            fprintf(out, "\\u%04x", (unsigned)code); /* a terminal might obey it */
        } else {
            if (code == '"' || code == '\\') {
                fputc('\\', out);
            }
            fwrite(text + i, 1, step, out);
        }
    }
    fputc('"', out);
}

void tool_print_json(const char *text)
{
    if (text != NULL) {
        tool_write_json(stdout, text, strlen(text));
    } else {
        fputs("null", stdout);
    }
}

int tool_exec(const struct tool *tool, const char *program, char **argv)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", paths_libexec(), program);
    fflush(stdout);
    execv(path, argv);
    return tool_fail(tool, errno == ENOENT ? EX_SOFTWARE : EX_OSERR, "%s cannot be started: %s.",
                     path, strerror(errno));
}

/* engine.spool of a configuration, without looking at its plugins; the default one where nothing is
 * installed. */
static int configured_spool(const char *path, char *buffer, size_t capacity)
{
    struct config_request request = { .path = path, .fd = -1 };
    struct config_problems problems;
    struct config *config = NULL;
    struct buf text;
    int result;

    config_problems_init(&problems);
    result = config_load_layers(&request, &config, &problems);
    if (result == CAIRN_ENOENT && path == NULL) {
        result = paths_default_spool(buffer, capacity) != NULL ? 0 : CAIRN_ETOOLONG;
    } else if (result != 0) {
        buf_init(&text, 64 * 1024);
        config_print_problems(config, &problems, &text);
        fputs(text.data != NULL ? text.data : "", stderr);
        buf_finish(&text);
    } else if (!text_copy(buffer, capacity, config->spool)) {
        result = CAIRN_ETOOLONG;
    }
    config_destroy(config);
    config_problems_finish(&problems);
    return result;
}

const char *tool_spool(const struct tool *tool, const char *spool, const char *config,
                       int *ret_code)
{
    static char path[PATH_MAX];
    int result;

    if (spool != NULL) {
        if (realpath(spool, path) == NULL) {
            *ret_code = tool_fail(tool, EX_NOINPUT, "The spool %s cannot be opened: %s.", spool,
                                  strerror(errno));
            return NULL;
        }
        return path;
    }
    result = configured_spool(config, path, sizeof(path));
    if (result == CAIRN_ETOOLONG) {
        *ret_code = tool_fail(tool, error_exit_code(result),
                              "It is not known where reports are; name the spool by --spool.");
        return NULL;
    }
    if (result != 0) {
        *ret_code = error_exit_code(result);
        return NULL;
    }
    return path;
}
