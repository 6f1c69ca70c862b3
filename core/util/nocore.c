/* SPDX-License-Identifier: Apache-2.0 */
/* No core file of ourselves; see nocore.h. Engine and sender. */
#include "core/util/nocore.h"

#include <sys/resource.h>

void nocore(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max != 0) {
        limit.rlim_cur = 1;
        (void)setrlimit(RLIMIT_CORE, &limit); /* below the hard limit: cannot fail */
    }
}
