/* SPDX-License-Identifier: Apache-2.0 */
/* Has a library search path relative to itself. In a step's process. */
#define NAME "origin"
#define QUIET
#include "tests/plugins/annotator.h"
