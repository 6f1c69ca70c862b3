/* SPDX-License-Identifier: Apache-2.0 */
/* Is linked with the old kind of symbol hash only. In a step's process. */
#define NAME "sysv"
#define QUIET
#include "tests/plugins/annotator.h"
