/* SPDX-License-Identifier: Apache-2.0 */
/* Says that its descriptor is larger than its symbol. In a step's process. */
#define NAME "wrong_size"
#define QUIET
#define SIZE 2000
#include "tests/plugins/annotator.h"
