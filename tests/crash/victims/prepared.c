/* SPDX-License-Identifier: Apache-2.0 */
/* What a program that embeds Cairn does in its threads, when libcairn-threads does not do it. */
#include "tests/crash/victims/victim.h"

#include <cairn/cairn.h>

void prepare_thread(void)
{
    cairn_thread_start();
}
