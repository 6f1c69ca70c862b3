/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by the SHA extensions of x86-64; see arch/sha256.h. The names of the working variables
 * and the constants are those of FIPS 180-4; the instructions keep A, B, E, F in one register, the
 * other four in a second one, and do two rounds at a time. On other machines there is nothing here.
 */
#include "core/util/arch/sha256.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

#define SHA_LEAF 7 /* of CPUID; and the bit in EBX there */
#define SHA_BIT  (1u << 29)
#define ROUNDS   64

static const uint32_t constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* Asked once: under a hypervisor the question itself takes its time. Whoever has these instructions
 * has SSE4.1, too. */
static bool has_instructions(void)
{
    static int known; /* 0: not yet, else 1 or 2 */
    unsigned a, b, c, d;

    if (__atomic_load_n(&known, __ATOMIC_RELAXED) == 0) {
        bool has = __get_cpuid_count(SHA_LEAF, 0, &a, &b, &c, &d) != 0 && (b & SHA_BIT) != 0;

        __atomic_store_n(&known, has ? 2 : 1, __ATOMIC_RELAXED);
    }
    return __atomic_load_n(&known, __ATOMIC_RELAXED) == 2;
}

/* Four words of the message schedule, from the 16 before them, of which `w` has four each. */
__attribute__((target("sha,sse4.1"))) static __m128i next_words(const __m128i w[4], unsigned t)
{
    __m128i last = w[(t + 3) % 4], before = w[(t + 2) % 4];
    __m128i sum = _mm_sha256msg1_epu32(w[t % 4], w[(t + 1) % 4]);

    return _mm_sha256msg2_epu32(_mm_add_epi32(sum, _mm_alignr_epi8(last, before, 4)), last);
}

__attribute__((target("sha,sse4.1"))) static void take(__m128i *abef, __m128i *cdgh,
                                                       const unsigned char *block)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i one = *abef, other = *cdgh, w[4];

    for (unsigned t = 0; t < ROUNDS / 4; t++) {
        const __m128i *words = (const __m128i *)(block + (size_t)16 * t);
        __m128i sum;

        w[t % 4] = t < 4 ? _mm_shuffle_epi8(_mm_loadu_si128(words), swap) : next_words(w, t);
        sum = _mm_loadu_si128((const __m128i *)(constants + (size_t)4 * t));
        sum = _mm_add_epi32(sum, w[t % 4]);
        other = _mm_sha256rnds2_epu32(other, one, sum);
        one = _mm_sha256rnds2_epu32(one, other, _mm_shuffle_epi32(sum, 0x0e));
    }
    *abef = _mm_add_epi32(*abef, one);
    *cdgh = _mm_add_epi32(*cdgh, other);
}

__attribute__((target("sha,sse4.1"))) static void
take_all(uint32_t state[8], const unsigned char *blocks, size_t count)
{
    uint32_t feba[4] = { state[5], state[4], state[1], state[0] };
    uint32_t hgdc[4] = { state[7], state[6], state[3], state[2] };
    __m128i abef = _mm_loadu_si128((const __m128i *)feba);
    __m128i cdgh = _mm_loadu_si128((const __m128i *)hgdc);

    for (size_t i = 0; i < count; i++) {
        take(&abef, &cdgh, blocks + i * SHA256_BLOCK);
    }
    _mm_storeu_si128((__m128i *)feba, abef);
    _mm_storeu_si128((__m128i *)hgdc, cdgh);
    for (size_t i = 0; i < 2; i++) {
        state[i] = feba[3 - i];
        state[2 + i] = hgdc[3 - i];
        state[4 + i] = feba[1 - i];
        state[6 + i] = hgdc[1 - i];
    }
}

bool arch_sha256_blocks(uint32_t state[8], const unsigned char *blocks, size_t count)
{
    if (!has_instructions()) {
        return false;
    }
    take_all(state, blocks, count);
    return true;
}

#else

bool arch_sha256_blocks(uint32_t state[8], const unsigned char *blocks, size_t count)
{
    (void)state, (void)blocks, (void)count;
    return false;
}

#endif
