/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error text: a code and one or more whole sentences, in a buffer of fixed size so that running out
 * of memory can be reported too; and the exit code that a program then has. Every process but the
 * crashed one.
 */
#ifndef CAIRN_CORE_UTIL_ERROR_H
#define CAIRN_CORE_UTIL_ERROR_H

#include <cairn/cairn.h>

struct error {
    int code; /* CAIRN_E… */
    char text[1024];
};

/* Sets code and text (a whole sentence that names the value at fault) and returns `code`.
 * `error` may be NULL. */
int error_set(struct error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with ": strerror(number)." appended; `format` has no full stop. */
int error_errno(struct error *error, int code, int number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The exit code of a program that ends with this error (sysexits.h); 0 for 0. */
int error_exit_code(int code);

#endif
