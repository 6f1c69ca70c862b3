/* SPDX-License-Identifier: Apache-2.0 */
/* Is linked with packed relative relocations, if the linker can. In a step's process. */
#define NAME "relr"
#define QUIET
#include "tests/plugins/annotator.h"
