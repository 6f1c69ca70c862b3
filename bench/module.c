/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object of the least size, copied under many names: what the victim loads. */
int bench_module(void);
static int value = 7;
int bench_module(void)
{
    return value++;
}
