/* SPDX-License-Identifier: Apache-2.0 */
/* Has a summary with a control character. In a step's process. */
#define NAME "bad_text"
#define QUIET
#define SUMMARY "red \x1b[31m text"
#include "tests/plugins/annotator.h"
