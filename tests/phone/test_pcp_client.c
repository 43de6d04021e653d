/* A PCP client as a machine: RFC 6887, by section. The test is the server, and its clock. */
#include "nodes/phone/pcp_client.h"

#include "tests/cmocka.h"

#define SERVER_FACE ((struct endpoint){IPV4(203, 0, 113, 7), 6000})

struct rig {
    struct pcp_client client;
    lab_time now;
    unsigned sent, told[PCP_CLIENT_EXPIRED + 1];
    uint8_t last[PCP_MAX]; /* the last request */
    size_t n;
    struct pcp_msg asked; /* the same */
    struct endpoint before;
};

static void send(void *arg, struct span bytes)
{
    struct rig *r = arg;
    r->sent++;
    memcpy(r->last, bytes.p, bytes.n);
    r->n = bytes.n;
    assert_int_equal(pcp_read_request(bytes, &r->asked), 0);
}

static void told(void *arg, enum pcp_client_news news, struct endpoint before)
{
    struct rig *r = arg;
    r->told[news]++;
    r->before = before;
}

static const struct pcp_client_wish wish = {
    .op = PCP_MAP, .protocol = 17, .inside = {IPV4(192, 168, 1, 20), 5060}, .lifetime = 3600};

static void begin(struct rig *r, lab_time check)
{
    static const struct pcp_client_events events = {send, told};
    struct prng rng;
    memset(r, 0, sizeof *r);
    r->now = 100 * SEC;
    prng_init(&rng, 1, SPAN("alice"), SPAN("pcp"));
    pcp_client_init(&r->client, &rng, check, &events, r);
    assert_int_equal(pcp_client_deadline(&r->client), NEVER);
    pcp_client_ask(&r->client, &wish, r->now);
    assert_int_equal(r->sent, 1);
}

/* To the next deadline; how long that took. */
static lab_time step(struct rig *r)
{
    lab_time before = r->now;
    r->now = pcp_client_deadline(&r->client);
    assert_true(r->now > before && r->now != NEVER);
    pcp_client_expire(&r->client, r->now);
    return r->now - before;
}

static bool answer(struct rig *r, enum pcp_result result, uint32_t lifetime, uint32_t epoch, struct endpoint face)
{
    uint8_t bytes[PCP_MAX];
    const struct pcp_msg m = {.result = (uint8_t)result, .lifetime = lifetime, .epoch = epoch, .external = face};
    size_t n = pcp_write_response(bytes, sizeof bytes, span_make(r->last, r->n), &m);
    assert_true(n > 0);
    return pcp_client_heard(&r->client, span_make(bytes, n), r->now);
}

static void between(lab_time t, lab_time low, lab_time high)
{
    if (t < low || t > high)
        fail_msg("%lld is not between %lld and %lld", (long long)t, (long long)low, (long long)high);
}

/* ---- §8.1.1 ---- */

static void s8_1_1_retransmissions(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, 0);
    lab_time last = step(&r);
    between(last, 2700 * MS, 3300 * MS);
    for (unsigned i = 0; i < 7; i++) {
        lab_time next = step(&r);
        between(next, last * 2 - last / 5, last * 2 + last / 5);
        last = next;
    }
    for (unsigned i = 0; i < 20; i++) {
        assert_memory_equal(r.asked.nonce.bytes, r.client.nonce.bytes, PCP_NONCE);
        last = step(&r);
    }
    between(last, 1024 * SEC - 1024 * SEC / 10, 1024 * SEC + 1024 * SEC / 10); /* MRT, and no end (MRC 0, MRD 0) */
    assert_int_equal(r.told[PCP_CLIENT_SILENT], 1);
}

/* ---- §11.2.1 ---- */

static void s11_2_1_renewals(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, 0);
    assert_true(answer(&r, PCP_SUCCESS, 3600, 9, SERVER_FACE));
    assert_int_equal(r.told[PCP_CLIENT_GRANTED], 1);
    lab_time granted = r.now;
    step(&r);
    between(r.now - granted, 1800 * SEC, 2250 * SEC);
    assert_true(endpoint_equal(r.asked.external, SERVER_FACE)); /* what it has is what it would like */
    step(&r);
    between(r.now - granted, 2700 * SEC, 2925 * SEC);
    step(&r);
    between(r.now - granted, 3150 * SEC, 3262 * SEC + 500 * MS);
    lab_time last = r.now;
    unsigned sent = r.sent;
    while (!r.told[PCP_CLIENT_EXPIRED]) {
        between(step(&r), 4 * SEC, 3600 * SEC);
        sent = r.sent;
    }
    assert_int_equal(r.now - granted, 3600 * SEC);
    assert_true(last < r.now && sent < 14);
    between(step(&r), 2700 * MS, 3300 * MS); /* it asks as in the beginning */
}

static void s11_2_1_a_renewal_counts_from_its_answer(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, 0);
    answer(&r, PCP_SUCCESS, 3600, 9, SERVER_FACE);
    step(&r);
    answer(&r, PCP_SUCCESS, 3600, 9 + (uint32_t)((r.now - 100 * SEC) / SEC), SERVER_FACE);
    assert_int_equal(r.told[PCP_CLIENT_RENEWED], 1);
    between(step(&r), 1800 * SEC, 2250 * SEC);
}

/* §15: no server is believed for more than a day. */
static void s15_a_lifetime_is_a_day_at_most(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, 0);
    answer(&r, PCP_SUCCESS, UINT32_MAX, 9, SERVER_FACE);
    between(step(&r), 12 * HOUR, 15 * HOUR);
}

/* ---- §8.3 ---- */

static void s8_3_answers_to_others_are_ignored(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, 0);
    r.last[24] ^= 1; /* the nonce */
    assert_false(answer(&r, PCP_SUCCESS, 3600, 9, SERVER_FACE));
    r.last[24] ^= 1;
    r.last[41] ^= 1; /* the port */
    assert_false(answer(&r, PCP_SUCCESS, 3600, 9, SERVER_FACE));
    r.last[41] ^= 1;
    assert_false(pcp_client_heard(&r.client, span_make(r.last, r.n), r.now));
    assert_true(answer(&r, PCP_SUCCESS, 3600, 9, SERVER_FACE));
}

static void s8_3_a_refusal_holds_for_its_lifetime(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, 0);
    assert_true(answer(&r, PCP_ADDRESS_MISMATCH, 1800, 9, SERVER_FACE));
    assert_int_equal(r.told[PCP_CLIENT_REFUSED], 1);
    assert_int_equal(r.client.result, PCP_ADDRESS_MISMATCH);
    assert_int_equal(step(&r), 1800 * SEC);
    assert_int_equal(r.sent, 2);
    answer(&r, PCP_NO_RESOURCES, 0, 1809, SERVER_FACE);
    assert_int_equal(step(&r), 30 * SEC);
}

/* ---- §8.5, §14.1 ---- */

static void s8_5_the_epoch_goes_on_with_the_clock(void **state)
{
    static const struct {
        int32_t epoch; /* after 1600 s, from 5000 on */
        bool fits;
    } table[] = {{6600, true}, {6602, true},  {6708, true},  {6709, false},
                 {6498, true}, {6497, false}, {4998, false}, {0, false}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct rig r;
        begin(&r, 1600 * SEC);
        answer(&r, PCP_SUCCESS, 86400, 5000, SERVER_FACE);
        assert_int_equal(step(&r), 1600 * SEC);
        assert_int_equal(r.asked.opcode, PCP_ANNOUNCE);
        assert_true(answer(&r, PCP_SUCCESS, 0, (uint32_t)table[i].epoch, SERVER_FACE));
        if (r.told[PCP_CLIENT_LOST] != !table[i].fits)
            fail_msg("epoch %d", table[i].epoch);
    }
}

static void s14_1_what_was_lost_is_asked_for_again(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, 30 * SEC);
    answer(&r, PCP_SUCCESS, 3600, 5000, SERVER_FACE);
    step(&r);
    answer(&r, PCP_SUCCESS, 0, 3, SERVER_FACE);
    between(step(&r), 0, 5 * SEC);
    assert_int_equal(r.asked.opcode, PCP_MAP);
    assert_true(endpoint_equal(r.asked.external, SERVER_FACE));
    answer(&r, PCP_SUCCESS, 3600, 6, (struct endpoint){IPV4(203, 0, 113, 7), 6001});
    assert_int_equal(r.told[PCP_CLIENT_GRANTED], 2);
    assert_true(endpoint_equal(r.before, SERVER_FACE));
}

/* The answer that tells of the loss has made the mapping anew. */
static void s8_5_a_renewal_restores_what_was_lost(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, 0);
    answer(&r, PCP_SUCCESS, 3600, 5000, SERVER_FACE);
    step(&r);
    answer(&r, PCP_SUCCESS, 3600, 1, SERVER_FACE);
    assert_int_equal(r.told[PCP_CLIENT_LOST], 1);
    assert_int_equal(r.told[PCP_CLIENT_GRANTED], 2);
    between(step(&r), 1800 * SEC, 2250 * SEC);
}

static void another_wish_has_another_nonce(void **state)
{
    struct rig r;
    struct pcp_client_wish other = wish;
    (void)state;
    begin(&r, 0);
    struct pcp_nonce nonce = r.asked.nonce;
    other.op = PCP_PEER;
    other.peer = (struct endpoint){IPV4(203, 0, 113, 10), 5060};
    pcp_client_ask(&r.client, &other, r.now);
    assert_false(pcp_nonce_equal(&nonce, &r.asked.nonce));
    assert_true(endpoint_equal(r.asked.peer, other.peer));
    assert_true(answer(&r, PCP_SUCCESS, 600, 1, SERVER_FACE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s8_1_1_retransmissions),
        cmocka_unit_test(s11_2_1_renewals),
        cmocka_unit_test(s11_2_1_a_renewal_counts_from_its_answer),
        cmocka_unit_test(s15_a_lifetime_is_a_day_at_most),
        cmocka_unit_test(s8_3_answers_to_others_are_ignored),
        cmocka_unit_test(s8_3_a_refusal_holds_for_its_lifetime),
        cmocka_unit_test(s8_5_the_epoch_goes_on_with_the_clock),
        cmocka_unit_test(s14_1_what_was_lost_is_asked_for_again),
        cmocka_unit_test(s8_5_a_renewal_restores_what_was_lost),
        cmocka_unit_test(another_wish_has_another_nonce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
