/* A prober and servers that are not as they should be; a network without NATs. The test plays the server: it answers
 * each request as it is told, without any NAT unless it makes one up. */
#include "nodes/node.h"
#include "nodes/proto/stun.h"

#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind prober_kind;

static const struct endpoint server = {IPV4(203, 0, 113, 10), 3478}, other = {IPV4(198, 51, 100, 10), 3479};

struct rig {
    struct host *host;
    void *settings, *node;
};

static void rig_start(struct rig *r, const char *lifetime)
{
    char room[128];
    struct text why = text_on(room, sizeof room);
    r->host = fake_new("on", IPV4(192, 168, 1, 20), NULL, 0);
    r->settings = options_new(prober_kind.options, prober_kind.settings_size);
    assert_int_equal(options_set(prober_kind.options, r->settings, SPAN("server"), SPAN("203.0.113.10"), &why), 0);
    assert_int_equal(options_set(prober_kind.options, r->settings, SPAN("lifetime"), span_of(lifetime), &why), 0);
    assert_int_equal(prober_kind.start(r->host, r->settings, &r->node, &why), 0);
}

static void rig_stop(struct rig *r)
{
    prober_kind.stop(r->node);
    assert_int_equal(fake_open_sockets(r->host), 0);
    options_free(prober_kind.options, r->settings);
    fake_free(r->host);
}

/* The request that was sent last. */
static struct stun_msg last_request(const struct rig *r)
{
    struct stun_msg msg;
    const struct fake_datagram *d = fake_last(r->host);
    assert_non_null(d);
    assert_int_equal(stun_parse(span_make(d->data, d->n), &msg), 0);
    assert_int_equal(msg.class, STUN_REQUEST);
    return msg;
}

struct reply {
    struct endpoint from; /* port 0: as the request demands */
    struct endpoint mapped, xor_mapped;
    struct endpoint other;
    uint16_t error;
};

static void answer(struct rig *r, struct reply reply)
{
    uint8_t room[256];
    struct stun_writer w;
    struct stun_msg request = last_request(r);
    struct endpoint to = fake_last(r->host)->from;
    struct endpoint from = fake_last(r->host)->to;
    if (request.change & STUN_CHANGE_ADDR)
        from.addr = other.addr;
    if (request.change & STUN_CHANGE_PORT)
        from.port = other.port;
    stun_begin(&w, room, sizeof room, reply.error ? STUN_ERROR : STUN_SUCCESS, &request.id);
    if (reply.error)
        stun_put_error(&w, reply.error, SPAN("No"));
    if (reply.mapped.port)
        stun_put_endpoint(&w, STUN_MAPPED_ADDRESS, reply.mapped);
    if (reply.xor_mapped.port)
        stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, reply.xor_mapped);
    if (reply.other.port)
        stun_put_endpoint(&w, STUN_OTHER_ADDRESS, reply.other);
    fake_deliver(r->host, reply.from.port ? reply.from : from, to, 60, stun_end(&w));
}

/* As behind one NAT with the public address 192.0.2.7 that keeps ports. */
static void answer_mapped(struct rig *r, struct endpoint others)
{
    struct endpoint mapped = {IPV4(192, 0, 2, 7), fake_last(r->host)->from.port};
    answer(r, (struct reply){.mapped = mapped, .xor_mapped = mapped, .other = others});
}

static size_t done_with(const struct rig *r, const char *what)
{
    return fake_traced(r->host, "\"state\":\"done\"", what);
}

/* RFC 8489 §6.2.1: at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms; failed at 39500 ms. */
static void silence_6_2_1(void **state)
{
    static const lab_time times[] = {0, 500 * MS, 1500 * MS, 3500 * MS, 7500 * MS, 15500 * MS, 31500 * MS};
    struct rig r;
    (void)state;
    rig_start(&r, "yes");
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (times[i])
            fake_advance(r.host, times[i] - 1);
        assert_int_equal(r.host->sent_n, i + (i == 0));
        fake_advance(r.host, times[i]);
        assert_int_equal(r.host->sent_n, i + 1);
    }
    fake_advance(r.host, 39500 * MS - 1);
    assert_int_equal(fake_traced(r.host, "\"ev\":\"nat-probe\"", "failed"), 0);
    fake_advance(r.host, 39500 * MS);
    assert_int_equal(r.host->sent_n, 7);
    assert_int_equal(fake_traced(r.host, "\"state\":\"failed\"", "the server does not answer"), 1);
    assert_int_equal(fake_open_sockets(r.host), 0);
    rig_stop(&r);
}

/* No NAT: the filter is looked at, for it may be a firewall's; nothing turns round, nothing is forgotten. */
static void no_nat_4_3(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "yes");
    for (int i = 0; i < 5; i++) {
        struct endpoint local = fake_last(r.host)->from;
        answer(&r, (struct reply){.mapped = local, .xor_mapped = local, .other = other});
    }
    assert_int_equal(done_with(&r, "\"translated\":\"no\",\"mapping\":\"endpoint-independent\",\"filtering\":"
                                   "\"endpoint-independent\",\"keeps_ports\":\"yes\",\"alg\":\"no\"}"),
                     1);
    assert_int_equal(r.host->sent_n, 5);
    rig_stop(&r);
}

/* §4.3: without OTHER-ADDRESS these tests cannot be run; hairpinning can. */
static void a_server_with_one_address(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "no");
    answer_mapped(&r, (struct endpoint){0});
    answer_mapped(&r, (struct endpoint){0});
    answer_mapped(&r, (struct endpoint){0});
    assert_true(endpoint_equal(fake_last(r.host)->to, (struct endpoint){IPV4(192, 0, 2, 7), 40001}));
    const struct fake_datagram *d = fake_last(r.host);
    fake_deliver(r.host, (struct endpoint){IPV4(192, 0, 2, 7), 40003}, (struct endpoint){IPV4(192, 168, 1, 20), 40001},
                 60, span_make(d->data, d->n));
    assert_int_equal(done_with(&r, "\"translated\":\"yes\",\"hairpin\":\"yes\",\"keeps_ports\":\"yes\""), 1);
    assert_int_equal(done_with(&r, "\"mapping\""), 0);
    assert_int_equal(done_with(&r, "\"filtering\""), 0);
    rig_stop(&r);
}

/* A server that passes CHANGE-REQUEST over answers from where it was asked: that tells nothing of the filter. */
static void an_answer_from_the_wrong_place(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "no");
    answer_mapped(&r, other); /* mapping I, II, filtering I */
    answer_mapped(&r, other);
    answer_mapped(&r, other);
    assert_int_equal(last_request(&r).change, STUN_CHANGE_ADDR | STUN_CHANGE_PORT);
    struct endpoint mapped = {IPV4(192, 0, 2, 7), 40002};
    answer(&r, (struct reply){.from = server, .mapped = mapped, .xor_mapped = mapped, .other = other});
    assert_int_equal(last_request(&r).change, 0);
    answer_mapped(&r, other);
    answer_mapped(&r, other);
    fake_advance(r.host, HOUR);
    assert_int_equal(done_with(&r, "\"mapping\":\"endpoint-independent\",\"hairpin\":\"no\""), 1);
    rig_stop(&r);
}

static void a_server_that_refuses(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "yes");
    answer(&r, (struct reply){.error = 500});
    assert_int_equal(fake_traced(r.host, "\"state\":\"failed\"", "the server answers with an error"), 1);
    prober_kind.command(r.node, SPAN("probe")); /* and again, when its user wants it */
    answer_mapped(&r, other);
    prober_kind.command(r.node, SPAN("probe"));
    assert_int_equal(fake_traced(r.host, "\"ev\":\"bad-command\"", "a probe is under way"), 1);
    prober_kind.command(r.node, SPAN("guess"));
    assert_int_equal(fake_traced(r.host, "\"ev\":\"bad-command\"", "understands probe"), 1);
    rig_stop(&r);
}

/* RFC 5780 §3.6: an ALG that looks for addresses in payloads finds the plain one, not the one that is XORed. */
static void an_alg_3_6(void **state)
{
    struct rig r;
    struct endpoint seen = {IPV4(192, 0, 2, 7), 40001}, rewritten = {IPV4(192, 168, 1, 20), 40001};
    (void)state;
    rig_start(&r, "no");
    answer(&r, (struct reply){.mapped = rewritten, .xor_mapped = seen});
    answer_mapped(&r, (struct endpoint){0});
    answer_mapped(&r, (struct endpoint){0});
    fake_advance(r.host, HOUR);
    assert_int_equal(done_with(&r, "\"alg\":\"yes\""), 1);
    rig_stop(&r);
}

static void moved_ports_are_seen(void **state)
{
    struct rig r;
    struct endpoint moved = {IPV4(192, 0, 2, 7), 1024};
    (void)state;
    rig_start(&r, "no");
    answer_mapped(&r, (struct endpoint){0});
    answer_mapped(&r, (struct endpoint){0});
    answer(&r, (struct reply){.xor_mapped = moved}); /* of the second socket only */
    fake_advance(r.host, HOUR);
    assert_int_equal(done_with(&r, "\"keeps_ports\":\"no\""), 1);
    rig_stop(&r);
}

/* Forgeries and leftovers: another transaction, another socket, garbage. None ends the question. */
static void only_its_own_answer_counts(void **state)
{
    struct rig r;
    uint8_t room[64];
    struct stun_writer w;
    struct stun_id wrong = {{9}};
    struct endpoint asker = {IPV4(192, 168, 1, 20), 40001}, idle = {IPV4(192, 168, 1, 20), 40002};
    (void)state;
    rig_start(&r, "no");
    struct stun_id right = last_request(&r).id;
    stun_begin(&w, room, sizeof room, STUN_SUCCESS, &wrong);
    stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, asker);
    fake_deliver(r.host, server, asker, 60, stun_end(&w));
    fake_deliver(r.host, server, asker, 60, SPAN("hello"));
    stun_begin(&w, room, sizeof room, STUN_SUCCESS, &right);
    stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, asker);
    fake_deliver(r.host, server, idle, 60, stun_end(&w));
    assert_int_equal(r.host->drops, 3);
    assert_int_equal(r.host->sent_n, 1);
    fake_deliver(r.host, server, asker, 60, stun_end(&w));
    assert_int_equal(r.host->sent_n, 2);
    rig_stop(&r);
}

/* A mapping that outlives the search: the limit is told as such. */
static void a_lifetime_beyond_the_limit(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "yes");
    answer_mapped(&r, (struct endpoint){0});
    answer_mapped(&r, (struct endpoint){0});
    answer_mapped(&r, (struct endpoint){0});
    fake_advance(r.host, MINUTE); /* no hairpin */
    for (lab_time silence = 16 * SEC; silence < 4 * HOUR; silence *= 2) {
        lab_time lasts = silence < 2 * HOUR ? silence : 2 * HOUR;
        uint8_t room[64];
        struct stun_writer w;
        answer_mapped(&r, (struct endpoint){0});
        answer_mapped(&r, (struct endpoint){0});
        size_t before = r.host->sent_n;
        fake_advance(r.host, r.host->now + lasts - 1);
        assert_int_equal(r.host->sent_n, before); /* nobody disturbs the silence */
        fake_advance(r.host, r.host->now + 1);
        assert_int_equal(last_request(&r).response_port, 40001);
        struct stun_id id = last_request(&r).id;
        stun_begin(&w, room, sizeof room, STUN_SUCCESS, &id);
        stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, (struct endpoint){IPV4(192, 0, 2, 7), 40003});
        fake_deliver(r.host, server, (struct endpoint){IPV4(192, 168, 1, 20), 40001}, 60, stun_end(&w));
    }
    assert_int_equal(done_with(&r, "\"lifetime_over\":7200"), 1);
    assert_int_equal(done_with(&r, "\"lifetime\":"), 0);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_6_2_1),
        cmocka_unit_test(no_nat_4_3),
        cmocka_unit_test(a_server_with_one_address),
        cmocka_unit_test(an_answer_from_the_wrong_place),
        cmocka_unit_test(a_server_that_refuses),
        cmocka_unit_test(an_alg_3_6),
        cmocka_unit_test(moved_ports_are_seen),
        cmocka_unit_test(only_its_own_answer_counts),
        cmocka_unit_test(a_lifetime_beyond_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
