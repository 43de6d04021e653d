/* The routing table of sbc_route.h, row by row. */
#include "nodes/sbc/sbc_route.h"
#include "tests/cmocka.h"

struct row {
    const char *what;
    struct sbc_question q;
    enum sbc_way way;
    unsigned status;
};

#define OUT .from = SBC_OUTSIDE
#define IN  .from = SBC_INSIDE

static const struct row rows[] = {
    {"a registered phone calls", {OUT, .flow_registered = true, .for_us = true}, SBC_TO_PBX, 0},
    {"a stranger calls", {OUT, .for_us = true}, SBC_REFUSED, 403},
    {"PH-4: a registered phone calls by another connection",
     {OUT, .caller_registered = true, .for_us = true},
     SBC_TO_PBX,
     0},
    {"it calls the world", {OUT, .caller_registered = true}, SBC_REFUSED, 403},
    {"it preloads a route (SB-9)",
     {OUT, .caller_registered = true, .for_us = true, .preloaded = true},
     SBC_REFUSED,
     403},
    {"a stranger calls an open SBC", {OUT, .open = true, .for_us = true}, SBC_TO_PBX, 0},
    {"an open SBC is no relay to the world", {OUT, .open = true}, SBC_REFUSED, 403},
    {"a phone calls the world", {OUT, .flow_registered = true}, SBC_REFUSED, 403},
    {"a phone preloads a route (SB-9)",
     {OUT, .flow_registered = true, .for_us = true, .preloaded = true},
     SBC_REFUSED,
     403},
    {"a phone hangs up", {OUT, .in_dialog = true, .token = SBC_TOKEN_GOOD, .preloaded = true}, SBC_ALONG_ROUTE, 0},
    {"a forged token from outside",
     {OUT, .in_dialog = true, .token = SBC_TOKEN_BAD, .flow_registered = true, .for_us = true},
     SBC_REFUSED,
     403},
    {"a token alone makes no dialog", {OUT, .token = SBC_TOKEN_GOOD, .for_us = true}, SBC_REFUSED, 403},
    {"the PBX calls a phone", {IN, .token = SBC_TOKEN_GOOD, .flow_registered = true}, SBC_TO_FLOW, 0},
    {"RFC 5626 5.3.1: a token of somebody else", {IN, .token = SBC_TOKEN_BAD}, SBC_REFUSED, 403},
    {"RFC 5626 5.3.1: the flow is gone", {IN, .token = SBC_TOKEN_GOOD}, SBC_REFUSED, 430},
    {"RFC 5626 5.3.1: the connection is gone, in a dialog too",
     {IN, .in_dialog = true, .token = SBC_TOKEN_GOOD, .flow_registered = true, .flow_gone = true},
     SBC_REFUSED,
     430},
    {"in a dialog the flow is tried", {IN, .in_dialog = true, .token = SBC_TOKEN_GOOD}, SBC_TO_FLOW, 0},
    {"the PBX names nobody", {IN, .for_us = true}, SBC_REFUSED, 404},
};

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sbc_decision d = sbc_route(&rows[i].q);
        if (d.way != rows[i].way || d.status != rows[i].status)
            fail_msg("%s: way %d, status %u", rows[i].what, (int)d.way, d.status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
