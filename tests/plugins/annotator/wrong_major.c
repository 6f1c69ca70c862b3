/* SPDX-License-Identifier: Apache-2.0 */
/* Is of another major version of the ABI. In a step's process. */
#define NAME "wrong_major"
#define QUIET
#define MAJOR 7
#include "tests/plugins/annotator.h"
