/* RFC 5626 §5.2: only the SBC that made a token takes it. */
#include "nodes/base/error.h"
#include "nodes/sbc/sbc_token.h"
#include "tests/cmocka.h"

static const struct sip_flow flow = {SIP_UDP, 3, {IPV4(203, 0, 113, 7), 49152}, 0};

static void keys(struct sbc_token_key *mine, struct sbc_token_key *other)
{
    struct prng rng;
    prng_init(&rng, 1, SPAN("sbc"), SPAN("flow tokens"));
    sbc_token_key_init(mine, &rng);
    sbc_token_key_init(other, &rng);
}

static void a_token_names_its_flow(void **state)
{
    (void)state;
    struct sbc_token_key mine, other;
    char token[SBC_TOKEN_MAX + 1];
    struct sip_flow read;
    keys(&mine, &other);
    sbc_token_make(&mine, flow, token);
    assert_int_equal(strlen(token), 34);
    assert_memory_equal(token, "cb007107c00023", 14);
    assert_int_equal(sbc_token_read(&mine, span_of(token), &read), 0);
    assert_true(sip_flow_equal(read, flow));
}

static void by_the_first_socket_it_is_short(void **state)
{
    (void)state;
    struct sbc_token_key mine, other;
    char token[SBC_TOKEN_MAX + 1];
    struct sip_flow read;
    keys(&mine, &other);
    struct sip_flow first = sip_flow_to(0, flow.remote);
    sbc_token_make(&mine, first, token);
    assert_int_equal(strlen(token), 32);
    assert_memory_equal(token, "cb007107c000", 12);
    assert_int_equal(sbc_token_read(&mine, span_of(token), &read), 0);
    assert_true(sip_flow_equal(read, first));
}

static void on_a_stream_it_names_the_connection(void **state)
{
    (void)state;
    struct sbc_token_key mine, other;
    char token[SBC_TOKEN_MAX + 1];
    struct sip_flow read;
    keys(&mine, &other);
    struct sip_flow stream = {SIP_TLS, 0, flow.remote, 0x1a7};
    sbc_token_make(&mine, stream, token);
    assert_int_equal(strlen(token), SBC_TOKEN_MAX);
    assert_memory_equal(token, "cb007107c0006000000000000001a7", 30);
    assert_int_equal(sbc_token_read(&mine, span_of(token), &read), 0);
    assert_true(sip_flow_equal(read, stream));
}

static void any_changed_digit_is_refused(void **state)
{
    (void)state;
    struct sbc_token_key mine, other;
    char token[SBC_TOKEN_MAX + 1];
    struct sip_flow read;
    keys(&mine, &other);
    sbc_token_make(&mine, flow, token);
    for (size_t i = 0; i < strlen(token); i++) {
        char kept = token[i];
        token[i] = kept == '0' ? '1' : '0';
        assert_int_equal(sbc_token_read(&mine, span_of(token), &read), FE_EREFUSED);
        token[i] = kept;
    }
}

static void another_key_and_other_forms_are_refused(void **state)
{
    (void)state;
    struct sbc_token_key mine, other;
    char token[SBC_TOKEN_MAX + 1];
    struct sip_flow read;
    keys(&mine, &other);
    sbc_token_make(&mine, flow, token);
    assert_int_equal(sbc_token_read(&other, span_of(token), &read), FE_EREFUSED);
    assert_int_equal(sbc_token_read(&mine, SPAN(""), &read), FE_ESYNTAX);
    assert_int_equal(sbc_token_read(&mine, SPAN("alice"), &read), FE_ESYNTAX);
    assert_int_equal(sbc_token_read(&mine, span_make(token, strlen(token) - 1), &read), FE_ESYNTAX);
    token[3] = 'G';
    assert_int_equal(sbc_token_read(&mine, span_of(token), &read), FE_ESYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_names_its_flow),
        cmocka_unit_test(by_the_first_socket_it_is_short),
        cmocka_unit_test(on_a_stream_it_names_the_connection),
        cmocka_unit_test(any_changed_digit_is_refused),
        cmocka_unit_test(another_key_and_other_forms_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
