/* SPDX-License-Identifier: Apache-2.0 */
/* Has another magic number. In a step's process. */
#define NAME "wrong_magic"
#define QUIET
#define MAGIC 0x31415926u
#include "tests/plugins/annotator.h"
