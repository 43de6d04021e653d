/* What few wires do: bursts, profiles, duplicates, corruption, DSCP, TTL, no ICMP. One direction of a wire, packets
 * made by hand, and no packet is ever missing from the books. */
#include "nodes/base/bytes.h"
#include "nodes/proto/ip.h"
#include "sim/engine/profile.h"
#include "sim/engine/wire.h"
#include "tests/cmocka.h"

#include <string.h>

static struct pool *pool;
static struct wire_way way;

static void wire_of(struct wire_spec spec)
{
    pool = pool_new();
    assert_non_null(pool);
    spec.mtu = 1500;
    wire_init(&way, &spec, 1, "alice.home", 0);
}

static void done(void)
{
    uint64_t drops = 0;
    for (size_t i = 0; i < WIRE_FATES; i++)
        drops += way.drops[i];
    assert_int_equal(way.sent, way.delivered + wire_in_flight(&way) + drops);
    assert_int_equal(pool_live(pool), wire_in_flight(&way));
    wire_fini(&way);
    assert_int_equal(pool_live(pool), 0);
    pool_free(pool);
}

static struct packet *udp(uint8_t ttl, uint8_t tos)
{
    struct packet *p = packet_new(pool, 200);
    struct ip_build ip = {.src = IPV4(10, 0, 0, 1), .dst = IPV4(10, 0, 0, 2), .ttl = ttl, .tos = tos};
    p->n = (uint32_t)ip_build_udp(p->data, 200, &ip, 5060, 5061, SPAN("OPTIONS sip:alice@10.0.0.2 SIP/2.0"));
    return p;
}

static struct packet *echo(void)
{
    struct packet *p = packet_new(pool, 100);
    struct ip_build ip = {.src = IPV4(10, 0, 0, 1), .dst = IPV4(10, 0, 0, 2), .ttl = 64};
    p->n = (uint32_t)ip_build_echo(p->data, 100, &ip, ICMP_ECHO, 1, 1, SPAN("ping"));
    return p;
}

static enum wire_fate send(lab_time now, struct packet *p)
{
    enum wire_fate fate = wire_send(&way, now, p);
    if (fate != WIRE_TAKEN)
        packet_release(p);
    return fate;
}

/* The only packet under way. */
static struct packet *through(struct packet *p)
{
    assert_int_equal(send(0, p), WIRE_TAKEN);
    return wire_take(&way);
}

static void view_of(const struct packet *p, struct ip_view *v)
{
    assert_int_equal(ip_parse(p->data, p->n, v), 0); /* its header checksum is right */
}

/* ---- bursts ---- */

static void bursts_lose_packets_in_a_row_at_the_rate_of_the_two_states(void **state)
{
    (void)state;
    enum { PACKETS = 100000 };
    unsigned lost = 0;
    unsigned bursts = 0;
    bool before = false;
    wire_of((struct wire_spec){.burst_begins = 10000, .burst_ends = 190000, .burst_loss = 1000000});
    for (unsigned i = 0; i < PACKETS; i++) {
        bool is_lost = send(i * MS, udp(64, 0)) == WIRE_LOST;
        lost += is_lost;
        bursts += is_lost && !before;
        before = is_lost;
        if (!is_lost)
            packet_release(wire_take(&way));
    }
    assert_in_range(lost, 4500, 5500);              /* 1 / (1 + 19) */
    assert_in_range(lost * 100 / bursts, 475, 580); /* 1 / 19 % = 5.26 packets */
    done();
}

static void the_good_state_has_the_wires_own_loss(void **state)
{
    (void)state;
    unsigned lost = 0;
    wire_of((struct wire_spec){.loss = 1000000, .burst_begins = 500000, .burst_ends = 500000, .burst_loss = 0});
    for (unsigned i = 0; i < 1000; i++)
        lost += send(i, udp(64, 0)) == WIRE_LOST;
    assert_in_range(lost, 420, 580);
    done();
}

static void the_end_of_bursts_ends_one_under_way(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.burst_begins = 1000000, .burst_ends = 0, .burst_loss = 1000000});
    assert_int_equal(send(0, udp(64, 0)), WIRE_LOST);
    wire_set(&way, &(struct wire_spec){.mtu = 1500});
    assert_int_equal(send(1, udp(64, 0)), WIRE_TAKEN);
    done();
}

/* ---- duplicates, corruption ---- */

static void a_duplicate_is_a_packet_of_its_own(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.delay = 5 * MS, .duplicate = 1000000});
    assert_int_equal(send(0, udp(64, 0)), WIRE_TAKEN);
    assert_int_equal(way.sent, 2);
    struct packet *first = wire_take(&way);
    struct packet *second = wire_take(&way);
    assert_ptr_not_equal(first, second);
    assert_int_equal(first->refs, 1);
    assert_int_equal(second->at, 5 * MS);
    assert_int_equal(first->n, second->n);
    assert_memory_equal(first->data, second->data, first->n);
    packet_release(first);
    packet_release(second);
    done();
}

static void corruption_changes_one_byte_behind_the_udp_header_and_no_checksum(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.corrupt = 1000000});
    for (unsigned i = 0; i < 200; i++) {
        struct packet *as_sent = udp(64, 0);
        struct packet *p = through(udp(64, 0));
        unsigned changed = 0;
        for (size_t at = 0; at < p->n; at++)
            if (p->data[at] != as_sent->data[at]) {
                changed++;
                assert_true(at >= IP_HEADER + UDP_HEADER);
            }
        assert_int_equal(changed, 1);
        assert_int_equal(way.marks, WIRE_CORRUPTED);
        assert_false(ip_transport_sum_ok(p->data, p->n));
        packet_release(p);
        packet_release(as_sent);
    }
    done();
}

static void a_header_without_payload_is_corrupted_itself_and_less_not_at_all(void **state)
{
    (void)state;
    struct prng stream;
    prng_init(&stream, 1, SPAN("t"), SPAN("corrupt"));
    wire_of((struct wire_spec){.delay = 0});
    struct packet *p = udp(64, 0);
    p->n = IP_HEADER + 4;
    wire_corrupt(p, &stream);
    uint32_t ports = get32(p->data + IP_HEADER);
    assert_true(ports != (5060u << 16 | 5061u));
    p->n = IP_HEADER;
    struct packet *before = packet_twin(p);
    wire_corrupt(p, &stream);
    assert_memory_equal(p->data, before->data, IP_HEADER);
    packet_release(before);
    packet_release(p);
    done();
}

static void a_streams_ratio_moves_nobody_elses_numbers(void **state)
{
    (void)state;
    bool lost[2][400];
    for (unsigned run = 0; run < 2; run++) {
        wire_of((struct wire_spec){.loss = 300000, .ttl = 64, .duplicate = run * 500000, .corrupt = run * 500000});
        for (unsigned i = 0; i < 400; i++)
            lost[run][i] = send(i, udp(64, 0)) == WIRE_LOST;
        done();
    }
    assert_memory_equal(lost[0], lost[1], sizeof lost[0]);
}

/* ---- headers ---- */

static void the_dscp_is_cleared_and_ecn_stays(void **state)
{
    (void)state;
    struct ip_view v;
    wire_of((struct wire_spec){.dscp_clear = true});
    struct packet *p = through(udp(64, 46 << 2 | 1)); /* EF, RFC 3246; ECT(1), RFC 3168 */
    view_of(p, &v);
    assert_int_equal(v.tos, 1);
    packet_release(p);
    done();
}

static void the_ttl_is_set_or_lowered_and_runs_out_silently(void **state)
{
    (void)state;
    struct ip_view v;
    wire_of((struct wire_spec){.ttl = 64});
    struct packet *p = through(udp(3, 0));
    view_of(p, &v);
    assert_int_equal(v.ttl, 64);
    packet_release(p);
    wire_set(&way, &(struct wire_spec){.mtu = 1500, .ttl = -5});
    p = through(udp(64, 0));
    view_of(p, &v);
    assert_int_equal(v.ttl, 59);
    packet_release(p);
    assert_int_equal(send(0, udp(5, 0)), WIRE_TTL);
    assert_int_equal(send(0, udp(6, 0)), WIRE_TAKEN);
    done();
}

static void a_wire_without_icmp_carries_the_rest(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.icmp_off = true});
    assert_int_equal(send(0, echo()), WIRE_ICMP_OFF);
    assert_int_equal(send(0, udp(64, 0)), WIRE_TAKEN);
    assert_string_equal(wire_cause(WIRE_ICMP_OFF), "icmp-off");
    done();
}

static void a_path_mtu_swallows_what_is_larger(void **state)
{
    (void)state;
    enum { size = 28 + sizeof "OPTIONS sip:alice@10.0.0.2 SIP/2.0" - 1 };
    wire_of((struct wire_spec){.path_mtu = size});
    assert_int_equal(send(0, udp(64, 0)), WIRE_TAKEN);
    wire_set(&way, &(struct wire_spec){.mtu = 1500, .path_mtu = size - 1});
    assert_int_equal(send(0, udp(64, 0)), WIRE_TOO_BIG);
    wire_set(&way, &(struct wire_spec){.mtu = 1500});
    assert_int_equal(send(0, udp(64, 0)), WIRE_TAKEN);
    done();
}

/* ---- one late packet ---- */

static void a_late_packet_is_overtaken(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.delay = 10 * MS});
    struct packet *late = udp(1, 0);
    assert_int_equal(wire_send_late(&way, 0, late, 50 * MS), WIRE_TAKEN);
    assert_int_equal(send(5 * MS, udp(2, 0)), WIRE_TAKEN);
    assert_int_equal(wire_next(&way), 15 * MS);
    packet_release(wire_take(&way));
    assert_int_equal(wire_next(&way), 60 * MS);
    done();
}

/* ---- profiles ---- */

static struct profile_row rows[8];

static size_t parsed(const char *text, unsigned *line, const char **why)
{
    return profile_parse(span_of(text), rows, 8, line, why);
}

static void a_profile_is_read_line_by_line(void **state)
{
    (void)state;
    unsigned line;
    const char *why;
    assert_int_equal(
        parsed("time,delay,loss\n# evening\r\n\n0s,20ms,0%\r\n 10s , 180ms , 2.5% \n1min,0,300ppm", &line, &why), 3);
    assert_int_equal(rows[1].at, 10 * SEC);
    assert_int_equal(rows[1].delay, 180 * MS);
    assert_int_equal(rows[1].loss, 25000);
    assert_int_equal(rows[2].at, 60 * SEC);
    assert_int_equal(rows[2].loss, 300);
}

static void a_wrong_profile_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line;
    } wrong[] = {{"", 0},
                 {"# nothing\n", 0},
                 {"0s,20ms", 1},
                 {"0s,20ms,0%\n5,20ms,0%", 2},
                 {"0s,never,0%", 1},
                 {"0s,20ms,101%", 1},
                 {"1s,20ms,0%", 1},
                 {"0s,1ms,0%\n2s,1ms,0%\n2s,1ms,0%", 3},
                 {"0,1ms,0\n1s,0,0\n2s,0,0\n3s,0,0\n4s,0,0\n5s,0,0\n6s,0,0\n7s,0,0\n8s,0,0", 9}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        unsigned line = 77;
        const char *why = NULL;
        assert_int_equal(parsed(wrong[i].text, &line, &why), 0);
        assert_int_equal(line, wrong[i].line);
        assert_non_null(why);
    }
}

static const struct profile_row three[] = {{0, 10 * MS, 0}, {10 * SEC, 50 * MS, 0}, {20 * SEC, 5 * MS, 1000000}};

static void a_wire_follows_its_profile_and_holds_the_last_line(void **state)
{
    (void)state;
    const struct profile profile = {"p", three, 3, false};
    wire_of((struct wire_spec){.delay = 99 * MS, .profile = &profile});
    send(0, udp(64, 0));
    assert_int_equal(wire_next(&way), 10 * MS);
    packet_release(wire_take(&way));
    send(10 * SEC, udp(64, 0));
    assert_int_equal(wire_next(&way), 10 * SEC + 50 * MS);
    packet_release(wire_take(&way));
    assert_int_equal(send(3600 * SEC, udp(64, 0)), WIRE_LOST);
    wire_set(&way, &(struct wire_spec){.mtu = 1500, .delay = 99 * MS});
    send(3601 * SEC, udp(64, 0));
    assert_int_equal(wire_next(&way), 3601 * SEC + 99 * MS);
    done();
}

static void a_looped_profile_begins_again_at_its_last_line(void **state)
{
    (void)state;
    const struct profile profile = {"p", three, 3, true};
    size_t row = 0;
    assert_ptr_equal(profile_at(&profile, 19 * SEC, &row), &three[1]);
    assert_ptr_equal(profile_at(&profile, 20 * SEC, &row), &three[0]);
    assert_ptr_equal(profile_at(&profile, 30 * SEC, &row), &three[1]);
    assert_ptr_equal(profile_at(&profile, 3600 * SEC + 11 * SEC, &row), &three[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bursts_lose_packets_in_a_row_at_the_rate_of_the_two_states),
        cmocka_unit_test(the_good_state_has_the_wires_own_loss),
        cmocka_unit_test(the_end_of_bursts_ends_one_under_way),
        cmocka_unit_test(a_duplicate_is_a_packet_of_its_own),
        cmocka_unit_test(corruption_changes_one_byte_behind_the_udp_header_and_no_checksum),
        cmocka_unit_test(a_header_without_payload_is_corrupted_itself_and_less_not_at_all),
        cmocka_unit_test(a_streams_ratio_moves_nobody_elses_numbers),
        cmocka_unit_test(the_dscp_is_cleared_and_ecn_stays),
        cmocka_unit_test(the_ttl_is_set_or_lowered_and_runs_out_silently),
        cmocka_unit_test(a_wire_without_icmp_carries_the_rest),
        cmocka_unit_test(a_path_mtu_swallows_what_is_larger),
        cmocka_unit_test(a_late_packet_is_overtaken),
        cmocka_unit_test(a_profile_is_read_line_by_line),
        cmocka_unit_test(a_wrong_profile_says_where),
        cmocka_unit_test(a_wire_follows_its_profile_and_holds_the_last_line),
        cmocka_unit_test(a_looped_profile_begins_again_at_its_last_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
