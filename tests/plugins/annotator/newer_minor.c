/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a newer minor version of the ABI. In a step's process. */
#define NAME "newer_minor"
#define QUIET
#define MINOR 9
#include "tests/plugins/annotator.h"
