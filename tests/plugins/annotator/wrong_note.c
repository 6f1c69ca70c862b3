/* SPDX-License-Identifier: Apache-2.0 */
/* Has an identity note that disagrees with its descriptor. In a step's process. */
#define NAME "wrong_note"
#define QUIET
#include "tests/plugins/annotator.h"

CAIRN_PLUGIN_NOTE(CAIRN_KIND_WRITER, "wrong_note");
