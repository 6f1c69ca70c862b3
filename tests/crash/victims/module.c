/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object that the victim loads, once or three thousand times as files of their own. */

void module_loaded(void);

__attribute__((constructor)) static void module_constructor(void)
{
    module_loaded();
}
