/* SPDX-License-Identifier: Apache-2.0 */
/* Is linked with an executable stack. In a step's process. */
#define NAME "executable_stack"
#define QUIET
#include "tests/plugins/annotator.h"
