/* ITU-T G.711: values of its tables 1a to 2b, and what holds for every code and sample. */
#include "nodes/proto/g711.h"

#include "tests/cmocka.h"

#include <stdlib.h>

static void ulaw_values_of_table_2(void **state)
{
    (void)state;
    assert_int_equal(g711_decode(G711_ULAW, 0x80), 32124); /* 8031 of 14 bits */
    assert_int_equal(g711_decode(G711_ULAW, 0x00), -32124);
    assert_int_equal(g711_decode(G711_ULAW, 0xff), 0);
    assert_int_equal(g711_decode(G711_ULAW, 0xfe), 8);
    assert_int_equal(g711_decode(G711_ULAW, 0xef), 132);
    assert_int_equal(g711_encode(G711_ULAW, 0), 0xff);
    assert_int_equal(g711_encode(G711_ULAW, 32767), 0x80);
    assert_int_equal(g711_encode(G711_ULAW, -32768), 0x00);
}

static void alaw_values_of_table_1(void **state)
{
    (void)state;
    assert_int_equal(g711_decode(G711_ALAW, 0xaa), 32256); /* 4032 of 13 bits */
    assert_int_equal(g711_decode(G711_ALAW, 0x2a), -32256);
    assert_int_equal(g711_decode(G711_ALAW, 0xd5), 8);
    assert_int_equal(g711_decode(G711_ALAW, 0x55), -8);
    assert_int_equal(g711_decode(G711_ALAW, 0xd5 ^ 0x10), 264);
    assert_int_equal(g711_encode(G711_ALAW, 0), 0xd5);
    assert_int_equal(g711_encode(G711_ALAW, -1), 0x55);
    assert_int_equal(g711_encode(G711_ALAW, 32767), 0xaa);
    assert_int_equal(g711_encode(G711_ALAW, -32768), 0x2a);
}

static void every_code_survives_decoding_and_encoding(void **state)
{
    (void)state;
    for (int code = 0; code < 256; code++) {
        uint8_t expected = code == 0x7f ? 0xff : (uint8_t)code; /* µ-law has a minus zero */
        assert_int_equal(g711_encode(G711_ULAW, g711_decode(G711_ULAW, (uint8_t)code)), expected);
        assert_int_equal(g711_encode(G711_ALAW, g711_decode(G711_ALAW, (uint8_t)code)), code);
    }
}

/* The step of a segment grows with the magnitude: the error stays below 1/16 of it, or below the smallest steps. */
static void every_sample_is_near_its_code(void **state)
{
    (void)state;
    for (int law = G711_ULAW; law <= G711_ALAW; law++)
        for (int sample = -32768; sample <= 32767; sample++) {
            int heard = g711_decode((enum g711_law)law, g711_encode((enum g711_law)law, (int16_t)sample));
            int allowed = abs(sample) / 16 > 16 ? abs(sample) / 16 : 16;
            if (abs(heard - sample) > allowed)
                fail_msg("law %d: %d was heard as %d", law, sample, heard);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ulaw_values_of_table_2),
        cmocka_unit_test(alaw_values_of_table_1),
        cmocka_unit_test(every_code_survives_decoding_and_encoding),
        cmocka_unit_test(every_sample_is_near_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
