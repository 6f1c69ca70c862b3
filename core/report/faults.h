/* SPDX-License-Identifier: Apache-2.0 */
/* The text of faults.json, see core/plugin/faults.h; only core/report knows JSON. */
#ifndef CAIRN_CORE_REPORT_FAULTS_H
#define CAIRN_CORE_REPORT_FAULTS_H

#include <stddef.h>

/* How many faults in a row `key` has in this text with that identity, or with any if it is NULL.
 * Text that is not what we write has none. */
unsigned report_json_faults(const char *text, size_t bytes, const char *key, const char *identity);

/* The same text with another count; 0 takes the entry out. The caller frees it; NULL: no memory. */
char *report_json_set_faults(const char *text, size_t bytes, const char *key, const char *identity,
                             unsigned count);

#endif
