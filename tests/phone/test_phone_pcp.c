/* A phone that leaves its mapping to its router: when it asks for what, and when it registers anew. The test plays
 * both. */
#include "nodes/node.h"
#include "nodes/proto/pcp.h"
#include "nodes/proto/sip_build.h"
#include "nodes/proto/sip_msg.h"

#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind phone_kind;

static const struct endpoint proxy = {IPV4(203, 0, 113, 10), 5060}, router = {IPV4(192, 168, 1, 1), 5351},
                             local = {IPV4(192, 168, 1, 20), 5060}, face = {IPV4(203, 0, 113, 7), 5060};

struct rig {
    struct host *host;
    void *settings, *node;
};

static void set(struct rig *r, const char *name, const char *value)
{
    assert_int_equal(options_set(phone_kind.options, r->settings, span_of(name), span_of(value), NULL), 0);
}

static void rig_start(struct rig *r, const char *pcp)
{
    char room[128];
    struct text why = text_on(room, sizeof room);
    r->host = fake_new("on", local.addr, NULL, 0);
    r->settings = options_new(phone_kind.options, phone_kind.settings_size);
    set(r, "line", "101");
    set(r, "proxy", "203.0.113.10");
    set(r, "pcp", pcp);
    set(r, "pcp server", "192.168.1.1");
    assert_null(phone_kind.conflict(r->settings, &why));
    assert_int_equal(phone_kind.start(r->host, r->settings, &r->node, &why), 0);
}

static void rig_stop(struct rig *r)
{
    phone_kind.stop(r->node);
    assert_int_equal(fake_open_sockets(r->host), 0);
    options_free(phone_kind.options, r->settings);
    fake_free(r->host);
}

/* Answers the last datagram, a REGISTER. */
static void register_ok(struct rig *r)
{
    char room[4096];
    struct text t = text_on(room, sizeof room);
    static struct sip_msg msg;
    const struct fake_datagram *d = fake_last(r->host);
    assert_true(endpoint_equal(d->to, proxy));
    assert_int_equal(sip_parse(span_make(d->data, d->n), &msg, NULL), 0);
    sip_put_response(&t, &msg, 200, (struct span){0}, SPAN("registrar"), d->from);
    text_str(&t, "Contact: <sip:101@192.168.1.20:5060>;expires=3600\r\n");
    sip_put_end(&t);
    assert_true(fake_deliver(r->host, proxy, local, 60, text_span(&t)));
}

/* The last datagram, a request to the router. */
static struct pcp_msg asked(const struct rig *r)
{
    struct pcp_msg m;
    const struct fake_datagram *d = fake_last(r->host);
    assert_true(endpoint_equal(d->to, router));
    assert_int_equal(pcp_read_request(span_make(d->data, d->n), &m), 0);
    return m;
}

static void answer(struct rig *r, struct endpoint from, struct endpoint outside)
{
    uint8_t bytes[PCP_MAX];
    const struct fake_datagram *d = fake_last(r->host);
    const struct pcp_msg m = {.lifetime = 3600, .epoch = 9, .external = outside};
    size_t n = pcp_write_response(bytes, sizeof bytes, span_make(d->data, d->n), &m);
    assert_true(fake_deliver(r->host, from, d->from, 64, span_make(bytes, n)));
}

static size_t news(const struct rig *r, const char *state)
{
    char text[64];
    snprintf(text, sizeof text, "\"state\":\"%s\"", state);
    return fake_traced(r->host, "\"ev\":\"pcp\"", text);
}

static void peer_asks_for_the_registrar_once_registered(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "peer");
    assert_int_equal(r.host->sent_n, 1);
    register_ok(&r);
    assert_int_equal(r.host->sent_n, 2);
    struct pcp_msg m = asked(&r);
    assert_int_equal(m.opcode, PCP_PEER);
    assert_int_equal(m.client, local.addr);
    assert_int_equal(m.internal, 5060);
    assert_int_equal(m.lifetime, 3600);
    assert_true(endpoint_equal(m.peer, proxy));
    answer(&r, router, face);
    assert_int_equal(news(&r, "granted"), 1);
    rig_stop(&r);
}

static void map_asks_at_once(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "map");
    assert_int_equal(r.host->sent_n, 2); /* the request, and REGISTER */
    register_ok(&r);
    assert_int_equal(r.host->sent_n, 2);
    fake_advance(r.host, 4 * SEC);
    assert_int_equal(asked(&r).opcode, PCP_MAP);
    rig_stop(&r);
}

/* §8.3: the answer comes from whom was asked. */
static void an_answer_of_somebody_else_is_none(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "peer");
    register_ok(&r);
    answer(&r, (struct endpoint){router.addr, 5352}, face);
    assert_int_equal(news(&r, "granted"), 0);
    rig_stop(&r);
}

static void another_face_makes_it_register_anew(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "peer");
    register_ok(&r);
    answer(&r, router, face);
    fake_advance(r.host, 2250 * SEC);
    assert_true(endpoint_equal(asked(&r).external, face));
    size_t before = r.host->sent_n;
    answer(&r, router, face);
    assert_int_equal(news(&r, "renewed") + news(&r, "granted"), 2);
    assert_int_equal(r.host->sent_n, before);
    fake_advance(r.host, r.host->now + 1);
    answer(&r, router, (struct endpoint){face.addr, 7000});
    assert_int_equal(r.host->sent_n, before + 1);
    assert_non_null(strstr(fake_last(r.host)->data, "REGISTER "));
    rig_stop(&r);
}

static void what_does_not_go_together(void **state)
{
    static const char *const wrong[][2] = {{"transport", "tcp"}, {"outbound support", "yes"}, {"pcp server", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char room[256];
        struct text why = text_on(room, sizeof room);
        struct rig r = {.settings = options_new(phone_kind.options, phone_kind.settings_size)};
        set(&r, "line", "101");
        set(&r, "proxy", "203.0.113.10");
        set(&r, "pcp", "map");
        if (wrong[i][1]) {
            set(&r, "pcp server", "192.168.1.1");
            set(&r, wrong[i][0], wrong[i][1]);
        }
        assert_string_equal(phone_kind.conflict(r.settings, &why), "pcp");
        options_free(phone_kind.options, r.settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_asks_for_the_registrar_once_registered),
        cmocka_unit_test(map_asks_at_once),
        cmocka_unit_test(an_answer_of_somebody_else_is_none),
        cmocka_unit_test(another_face_makes_it_register_anew),
        cmocka_unit_test(what_does_not_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
