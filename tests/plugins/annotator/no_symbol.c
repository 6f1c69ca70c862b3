/* SPDX-License-Identifier: Apache-2.0 */
/* Exports its descriptor under another name. In a step's process. */
#define NAME "no_symbol"
#define QUIET
#define ENTRY some_other_entry
#include "tests/plugins/annotator.h"
