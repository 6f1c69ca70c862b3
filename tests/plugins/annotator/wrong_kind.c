/* SPDX-License-Identifier: Apache-2.0 */
/* Says that it is a filter. In a step's process. */
#define NAME "wrong_kind"
#define QUIET
#define KIND CAIRN_KIND_FILTER
#include "tests/plugins/annotator.h"
