/* SPDX-License-Identifier: Apache-2.0 */
/* Calls itself something else than its file. In a step's process. */
#define NAME "another_name"
#define QUIET
#include "tests/plugins/annotator.h"
