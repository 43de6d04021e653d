/* SB-4, as a table: which phones may send their media to each other past the SBC. */
#include "nodes/sbc/sbc_near.h"
#include "tests/cmocka.h"

#define CARRIER IPV4(203, 0, 113, 7)
#define OTHER   IPV4(203, 0, 113, 8)

struct row {
    const char *what;
    struct sbc_place a, b;
    bool direct, automatic; /* what the policies say; relay always says no */
};

static const struct row rows[] = {
    {"two phones of one home", {CARRIER, IPV4(192, 168, 1, 20)}, {CARRIER, IPV4(192, 168, 1, 21)}, true, true},
    {"two homes behind one carrier", {CARRIER, IPV4(192, 168, 1, 20)}, {CARRIER, IPV4(192, 168, 2, 20)}, true, false},
    {"two homes, the same number", {CARRIER, IPV4(192, 168, 1, 20)}, {CARRIER, IPV4(192, 168, 1, 20)}, true, false},
    {"two NATs", {CARRIER, IPV4(192, 168, 1, 20)}, {OTHER, IPV4(192, 168, 1, 21)}, false, false},
    {"nothing known of one", {CARRIER, IPV4(192, 168, 1, 20)}, {CARRIER, 0}, false, false},
    {"the callee not registered here", {CARRIER, IPV4(192, 168, 1, 20)}, {0, 0}, false, false},
};

static void the_table_of_sb_4(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        if (sbc_near(SBC_SAME_NAT_RELAY, r->a, r->b) || sbc_near(SBC_SAME_NAT_DIRECT, r->a, r->b) != r->direct ||
            sbc_near(SBC_SAME_NAT_AUTO, r->a, r->b) != r->automatic ||
            sbc_near(SBC_SAME_NAT_AUTO, r->b, r->a) != r->automatic)
            fail_msg("%s", r->what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_of_sb_4)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
