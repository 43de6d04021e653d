/* The nat node with `engine: kernel`, on a machine whose NAT is played by the test: flows in lab time, and what is
 * traced of them.
 *
 *     A 10.0.0.2 ─┐
 *     B 10.0.0.3 ─┴─ 10.0.0.1 [NAT] 203.0.113.7 ─── S 198.51.100.1
 */
#include "nodes/nat/nat.h"
#include "nodes/node.h"
#include "nodes/proto/ip.h"
#include "tests/cmocka.h"
#include "tests/nat/fake_knat.h"

#define A IPV4(10, 0, 0, 2)
#define S IPV4(198, 51, 100, 1)

#define EP(address, number) ((struct endpoint){address, number})

extern const struct node_kind nat_kind;

/* ---- the bench ---- */

struct bench {
    struct host host;
    void *settings, *node;
};

static int start(struct bench *b, const char *const *more, struct text *why)
{
    memset(b, 0, sizeof *b);
    timers_init(&b->host.timers);
    b->settings = options_new(nat_kind.options, nat_kind.settings_size);
    assert_non_null(b->settings);
    assert_int_equal(options_set(nat_kind.options, b->settings, SPAN("engine"), SPAN("kernel"), NULL), 0);
    for (; *more; more += 2)
        assert_int_equal(options_set(nat_kind.options, b->settings, span_of(more[0]), span_of(more[1]), NULL), 0);
    return nat_kind.start(&b->host, b->settings, &b->node, why);
}

static struct bench *bench_new(const char *const *more)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    struct bench *b = malloc(sizeof *b);
    assert_non_null(b);
    assert_int_equal(start(b, more, &why), 0);
    return b;
}

static void bench_free(struct bench *b)
{
    nat_kind.stop(b->node);
    assert_int_equal(the_knat.closed, 1);
    assert_int_equal(timers_next(&b->host.timers), NEVER);
    timers_fini(&b->host.timers);
    options_free(nat_kind.options, b->settings);
    free(b);
}

static void pass_time(struct bench *b, lab_time until)
{
    while (timers_next(&b->host.timers) <= until) {
        b->host.now = timers_next(&b->host.timers);
        timers_fire(&b->host.timers, b->host.now);
    }
    b->host.now = until;
}

static const struct host_knat_flow call = {1, IP_UDP, {A, 5060}, {S, 5060}, {PUBLIC, 5060}, {S, 5060}};

static size_t udp(uint8_t *packet, struct endpoint from, struct endpoint to)
{
    const struct ip_build ip = {.src = from.addr, .dst = to.addr, .ttl = 60, .protocol = IP_UDP};
    size_t n = ip_build_udp(packet, 256, &ip, from.port, to.port, SPAN("x"));
    assert_true(n > 0);
    return n;
}

static void pass(unsigned port, struct endpoint from, struct endpoint to)
{
    uint8_t packet[256];
    size_t n = udp(packet, from, to);
    the_knat.events.passed(the_knat.arg, port, packet, n);
}

static void assert_traced(const struct bench *b, const char *text, unsigned times)
{
    unsigned n = 0;
    for (const char *at = b->host.trace; (at = strstr(at, text)); at++)
        n++;
    if (n != times)
        fail_msg("%u times, expected %u: %s\nin:\n%s", n, times, text, b->host.trace);
}

/* ---- time ---- */

/* RFC 4787 REQ-6: outbound packets keep a mapping; inbound ones do not, unless the lab says so. */
static void rfc4787_req6_a_flow_ends_when_its_last_outbound_packet_is_old(void **state)
{
    (void)state;
    struct bench *b = bench_new((const char *const[]){"udp timeout", "60s", NULL});
    the_knat.events.created(the_knat.arg, &call);
    pass_time(b, 40 * SEC);
    pass(INSIDE, EP(A, 5060), EP(S, 5060));
    pass_time(b, 70 * SEC);
    pass(OUTSIDE, EP(S, 5060), EP(A, 5060));
    pass_time(b, 100 * SEC - 2);
    assert_int_equal(the_knat.ended, 0);
    pass_time(b, 100 * SEC - 1);
    assert_int_equal(the_knat.ended, 1);
    assert_traced(b, "expired", 0);
    pass_time(b, 100 * SEC);
    assert_int_equal(the_knat.ended, 1);
    assert_int_equal(the_knat.last.id, 1);
    assert_traced(b, "{\"t\":100000000000,\"ev\":\"mapping\",\"state\":\"expired\"", 1);
    bench_free(b);
}

/* As to farend's own engine (tests/nat/test_nat_udp.c): what is over is told of first, and then what is new. */
static void rfc4787_req5_a_packet_at_the_deadline_is_too_late(void **state)
{
    (void)state;
    struct bench *b = bench_new((const char *const[]){"udp timeout", "60s", NULL});
    the_knat.events.created(the_knat.arg, &call);
    pass_time(b, 60 * SEC - 1);
    assert_int_equal(the_knat.ended, 1);
    the_knat.events.ended(the_knat.arg, &call); /* the machine's word that it did */
    assert_traced(b, "removed", 0);
    b->host.now = 60 * SEC;
    uint8_t packet[256];
    size_t n = udp(packet, EP(S, 5060), EP(PUBLIC, 5060));
    the_knat.events.dropped(the_knat.arg, HOST_KNAT_NO_MAPPING, packet, n);
    assert_traced(b, "{\"t\":60000000000,\"ev\":\"mapping\",\"state\":\"expired\"", 1);
    assert_traced(b, "\"cause\":\"no-mapping\"", 1);
    the_knat.events.created(the_knat.arg, &call);
    pass_time(b, 90 * SEC);
    assert_traced(b, "created", 2);
    assert_traced(b, "expired", 1);
    bench_free(b);
}

static void inbound_packets_keep_it_when_they_shall(void **state)
{
    (void)state;
    struct bench *b = bench_new((const char *const[]){"udp timeout", "60s", "refresh", "both", NULL});
    the_knat.events.created(the_knat.arg, &call);
    pass_time(b, 50 * SEC);
    pass(OUTSIDE, EP(S, 5060), EP(A, 5060));
    pass_time(b, 110 * SEC - 2);
    assert_int_equal(the_knat.ended, 0);
    pass_time(b, 110 * SEC);
    assert_int_equal(the_knat.ended, 1);
    bench_free(b);
}

static void an_unanswered_flow_has_its_own_timeout(void **state)
{
    (void)state;
    struct bench *b = bench_new((const char *const[]){"udp timeout", "180s", "udp unreplied timeout", "30s", NULL});
    the_knat.events.created(the_knat.arg, &call);
    pass_time(b, 30 * SEC);
    assert_int_equal(the_knat.ended, 1);

    the_knat.events.created(the_knat.arg, &call);
    pass(OUTSIDE, EP(S, 5060), EP(A, 5060));
    pass(INSIDE, EP(A, 5060), EP(S, 5060));
    pass_time(b, 30 * SEC + 180 * SEC - 2);
    assert_int_equal(the_knat.ended, 1);
    pass_time(b, 30 * SEC + 180 * SEC);
    assert_int_equal(the_knat.ended, 2);
    bench_free(b);
}

/* RFC 5382 REQ-5: established connections live long, closed ones do not. */
static void rfc5382_req5_tcp_has_two_timeouts(void **state)
{
    enum { FIN_ACK = 0x11, ACK = 0x10, FLAGS_AT = IP_HEADER + 13, SIZE = IP_HEADER + 20 };
    struct host_knat_flow flow = call;
    uint8_t out[256];
    uint8_t in[256];
    (void)state;
    flow.protocol = IP_TCP;
    struct bench *b = bench_new((const char *const[]){NULL});
    udp(out, EP(A, 5060), EP(S, 5060));
    udp(in, EP(S, 5060), EP(A, 5060));
    memset(out + IP_HEADER + 4, 0, 16);
    memset(in + IP_HEADER + 4, 0, 16);
    out[9] = in[9] = IP_TCP;
    out[3] = in[3] = SIZE;
    the_knat.events.created(the_knat.arg, &flow);
    in[FLAGS_AT] = out[FLAGS_AT] = ACK;
    the_knat.events.passed(the_knat.arg, OUTSIDE, in, SIZE);
    the_knat.events.passed(the_knat.arg, INSIDE, out, SIZE);
    pass_time(b, 124 * MINUTE - 2);
    assert_int_equal(the_knat.ended, 0);
    in[FLAGS_AT] = out[FLAGS_AT] = FIN_ACK;
    the_knat.events.passed(the_knat.arg, OUTSIDE, in, SIZE);
    the_knat.events.passed(the_knat.arg, INSIDE, out, SIZE);
    pass_time(b, 128 * MINUTE - 1);
    assert_int_equal(the_knat.ended, 1);
    bench_free(b);
}

/* ---- drops ---- */

static void a_mapped_port_filters_and_others_have_no_mapping(void **state)
{
    uint8_t packet[256];
    (void)state;
    struct bench *b = bench_new((const char *const[]){NULL});
    the_knat.events.created(the_knat.arg, &call);
    size_t n = udp(packet, EP(S, 99), EP(PUBLIC, 5060));
    the_knat.events.dropped(the_knat.arg, HOST_KNAT_NO_MAPPING, packet, n);
    n = udp(packet, EP(S, 99), EP(PUBLIC, 5061));
    the_knat.events.dropped(the_knat.arg, HOST_KNAT_NO_MAPPING, packet, n);
    n = udp(packet, EP(A, 99), EP(PUBLIC, 5060));
    the_knat.events.dropped(the_knat.arg, HOST_KNAT_NO_HAIRPIN, packet, n);
    assert_traced(b, "\"cause\":\"filtered\",\"packet\":\"udp 198.51.100.1:99 > 203.0.113.7:5060\"", 1);
    assert_traced(b, "\"cause\":\"no-mapping\",\"packet\":\"udp 198.51.100.1:99 > 203.0.113.7:5061\"", 1);
    assert_traced(b, "\"cause\":\"no-hairpin\"", 1);
    bench_free(b);
}

/* ---- commands ---- */

static void reboot_forgets_in_silence_and_flush_tells(void **state)
{
    struct host_knat_flow other = call;
    (void)state;
    struct bench *b = bench_new((const char *const[]){NULL});
    the_knat.events.created(the_knat.arg, &call);
    nat_kind.command(b->node, SPAN("reboot"));
    assert_int_equal(the_knat.flushed, 1);
    assert_traced(b, "\"ev\":\"reboot\",\"mappings\":1}", 1);
    the_knat.events.ended(the_knat.arg, &call); /* as the kernel tells of what was flushed */
    assert_traced(b, "\"removed\"", 0);

    other.id = 2;
    the_knat.events.created(the_knat.arg, &other);
    nat_kind.command(b->node, SPAN("flush"));
    assert_int_equal(the_knat.flushed, 2);
    assert_traced(b, "\"state\":\"removed\"", 1);
    bench_free(b);
}

static void settings_change_while_it_runs(void **state)
{
    (void)state;
    struct bench *b = bench_new((const char *const[]){NULL});
    assert_false(the_knat.rules.hairpin);
    nat_kind.command(b->node, SPAN("set hairpin yes"));
    assert_true(the_knat.rules.hairpin);
    nat_kind.command(b->node, SPAN("set udp timeout 10s"));
    the_knat.events.created(the_knat.arg, &call);
    pass_time(b, 10 * SEC);
    assert_int_equal(the_knat.ended, 1);
    nat_kind.command(b->node, SPAN("set filtering endpoint-independent"));
    nat_kind.command(b->node, SPAN("dance"));
    assert_traced(b, "\"ev\":\"bad-command\",\"line\":\"set filtering endpoint-independent\"", 1);
    assert_traced(b, "\"reason\":\"a nat understands reboot, flush and set\"", 1);
    bench_free(b);
}

/* ---- starting ---- */

static void the_rules_are_the_settings(void **state)
{
    (void)state;
    struct bench *b = bench_new((const char *const[]){
        "ports", "random", "mapping", "address-and-port-dependent", "port range", "2000-2999", "sip alg", "kernel",
        "forward.web.port", "80", "forward.web.to", "10.0.0.2:8080", "forward.web.proto", "tcp", NULL});
    assert_int_equal(the_knat.rules.inside, INSIDE);
    assert_int_equal(the_knat.rules.outside, OUTSIDE);
    assert_int_equal(the_knat.rules.public_addr, PUBLIC);
    assert_int_equal(the_knat.rules.low, 2000);
    assert_int_equal(the_knat.rules.high, 2999);
    assert_true(the_knat.rules.random);
    assert_true(the_knat.rules.sip_alg);
    assert_int_equal(the_knat.rules.forwards_n, 1);
    assert_int_equal(the_knat.rules.forwards[0].protocol, IP_TCP);
    assert_true(endpoint_equal(the_knat.rules.forwards[0].inside, EP(A, 8080)));
    bench_free(b);
}

static void the_public_address_is_the_first_of_the_pool(void **state)
{
    (void)state;
    struct bench *b = bench_new((const char *const[]){"public", "203.0.113.9", NULL});
    assert_int_equal(the_knat.rules.public_addr, PUBLIC + 2);
    bench_free(b);
}

static void presets_that_linux_can_do(void **state)
{
    static const char *const presets[] = {"home-router", "linux", "symmetric-firewall", "port-restricted"};
    (void)state;
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        struct bench *b = bench_new((const char *const[]){"preset", presets[i], NULL});
        assert_int_equal(the_knat.rules.random, i == 2);
        nat_kind.command(b->node, SPAN("set udp unreplied timeout 10s"));
        assert_traced(b, "bad-command", 0);
        the_knat.events.created(the_knat.arg, &call);
        pass_time(b, 10 * SEC);
        assert_int_equal(the_knat.ended, 1);
        bench_free(b);
    }
}

static void assert_conflict(const char *const *settings, const char *setting, const char *sentence)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    struct bench b;
    assert_int_equal(start(&b, settings, &why), FE_ERANGE);
    assert_string_equal(buf, sentence);
    assert_string_equal(nat_kind.conflict(b.settings, &why), setting);
    options_free(nat_kind.options, b.settings);
    timers_fini(&b.host.timers);
}

static void what_of_a_preset_linux_cannot_do_is_said(void **state)
{
    (void)state;
    assert_conflict((const char *const[]){"preset", "full-cone", NULL}, "preset",
                    "filtering: Linux filters by flows; expected address-and-port-dependent, or engine: farend");
    assert_conflict((const char *const[]){"preset", "linux", "ports", "sequential", NULL}, "ports",
                    "Linux gives no sequential ports; expected preserve or random, or engine: farend");
}

static void a_list_of_public_addresses_is_a_conflict(void **state)
{
    (void)state;
    assert_conflict((const char *const[]){"public", "203.0.113.8", "public", "203.0.113.9", NULL}, "public",
                    "engine: kernel gives Linux one address; expected one, or engine: farend");
}

static void what_linux_cannot_do_is_said(void **state)
{
    static const char *const wrong[][4] = {
        {"mapping", "address-dependent"},
        {"ports", "sequential"},
        {"ports", "random"},
        {"mapping", "address-and-port-dependent"},
        {"filtering", "endpoint-independent"},
        {"parity", "yes"},
        {"quota", "10"},
        {"contiguity", "yes"},
        {"block size", "64"},
        {"reuse delay", "10s"},
        {"reserve", "203.0.113.9"},
        {"pooling", "arbitrary"},
        {"dmz", "10.0.0.2"},
        {"overload", "yes"},
        {"hairpin source", "internal"},
        {"unsolicited syn", "hold"},
        {"refuse", "prohibited"},
        {"mss clamp", "1400"},
        {"boot leak", "1s"},
        {"pcp", "yes"},
        {"untranslated", "198.51.100.0/24"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char buf[256];
        struct text why = text_on(buf, sizeof buf);
        struct bench b;
        assert_int_equal(start(&b, wrong[i], &why), FE_ERANGE);
        assert_non_null(strstr(buf, "Linux"));
        why = text_on(buf, sizeof buf);
        assert_string_equal(nat_kind.conflict(b.settings, &why), wrong[i][0]);
        options_free(nat_kind.options, b.settings);
        timers_fini(&b.host.timers);
    }
}

/* The lab's checker is told before anything runs: also of what farend's own engine refuses. */
static void what_does_not_go_together_is_a_conflict(void **state)
{
    static const char *const wrong[][3] = {{"overload", "yes", "overload"},
                                           {"pcp most lifetime", "60s", "pcp least lifetime"},
                                           {"block size", "32768", "block size"},
                                           {"sip alg", "kernel", "sip alg"}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char buf[256];
        struct text why = text_on(buf, sizeof buf);
        void *settings = options_new(nat_kind.options, nat_kind.settings_size);
        assert_non_null(settings);
        assert_int_equal(options_set(nat_kind.options, settings, span_of("port range"), span_of("1024-2047"), NULL), 0);
        assert_int_equal(options_set(nat_kind.options, settings, span_of(wrong[i][0]), span_of(wrong[i][1]), NULL), 0);
        assert_string_equal(nat_kind.conflict(settings, &why), wrong[i][2]);
        assert_true(buf[0] != ' ' && strlen(buf) > 20);
        options_free(nat_kind.options, settings);
    }
}

static void a_machine_without_one_is_a_failed_start(void **state)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    struct bench b;
    (void)state;
    assert_int_equal(start(&b, (const char *const[]){NULL}, &why), 0);
    nat_kind.stop(b.node);
    b.host.refuses = true;
    assert_int_equal(nat_kind.start(&b.host, b.settings, &b.node, &why), FE_EREFUSED);
    assert_string_equal(buf, "there is none");
    options_free(nat_kind.options, b.settings);
    timers_fini(&b.host.timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc4787_req6_a_flow_ends_when_its_last_outbound_packet_is_old),
        cmocka_unit_test(rfc4787_req5_a_packet_at_the_deadline_is_too_late),
        cmocka_unit_test(inbound_packets_keep_it_when_they_shall),
        cmocka_unit_test(an_unanswered_flow_has_its_own_timeout),
        cmocka_unit_test(rfc5382_req5_tcp_has_two_timeouts),
        cmocka_unit_test(a_mapped_port_filters_and_others_have_no_mapping),
        cmocka_unit_test(reboot_forgets_in_silence_and_flush_tells),
        cmocka_unit_test(settings_change_while_it_runs),
        cmocka_unit_test(the_rules_are_the_settings),
        cmocka_unit_test(the_public_address_is_the_first_of_the_pool),
        cmocka_unit_test(presets_that_linux_can_do),
        cmocka_unit_test(what_of_a_preset_linux_cannot_do_is_said),
        cmocka_unit_test(a_list_of_public_addresses_is_a_conflict),
        cmocka_unit_test(what_linux_cannot_do_is_said),
        cmocka_unit_test(what_does_not_go_together_is_a_conflict),
        cmocka_unit_test(a_machine_without_one_is_a_failed_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
