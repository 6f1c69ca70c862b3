/* SPDX-License-Identifier: Apache-2.0 */
/* Is of a kind that does not exist. In a step's process. */
#define NAME "unknown_kind"
#define QUIET
#define KIND 77
#include "tests/plugins/annotator.h"
