/* Two phones on a path that loses, repeats and overtakes, whose users press any key at any time: nothing breaks, and
 * when the path is well again and everybody has hung up, a new call works. */
#include "tests/media/fake_net.h"
#include "tests/phone/phone_rig.h"

static struct rig_phone alice, bob;
static struct prng dice;
static bool stormy;

static const char *const keys[] = {"answer", "hang up", "cancel",   "reject",     "hold",
                                   "resume", "report",  "register", "unregister", "set media ttl 3"};

static void storm(struct net_packet *p)
{
    if (!stormy)
        return;
    p->at += (lab_time)prng_below(&dice, 300) * MS;
    if (prng_chance(&dice, 300000))
        p->at = NEVER;
}

static void press_any(struct rig_phone *phone, const char *other)
{
    uint64_t key = prng_below(&dice, 2 * sizeof keys / sizeof *keys);
    char call[16];
    struct text t = text_on(call, sizeof call);
    text_str(&t, "call ");
    text_str(&t, other);
    rig_tell(phone, key < sizeof keys / sizeof *keys ? keys[key] : call);
}

/* Lines of the trace are of no interest here, and many. */
static void forget_trace(void)
{
    for (size_t i = 0; i < net.lines_n; i++)
        free(net.lines[i]);
    net.lines_n = 0;
}

static void run_storm(uint64_t seed)
{
    const char *const a[] = {"line=101", "proxy=10.0.0.2", "keep-alive=options", "transaction timer=4s", NULL};
    const char *const b[] = {"line=102", "proxy=10.0.0.1", "answer=manual", "ring timeout=5s", NULL};
    prng_init(&dice, seed, SPAN("storm"), SPAN("test"));
    net_begin(20 * MS);
    net.path = storm;
    rig_start(&alice, "alice", IPV4(10, 0, 0, 1), a);
    rig_start(&bob, "bob", IPV4(10, 0, 0, 2), b);
    stormy = true;
    for (int i = 0; i < 60; i++) {
        press_any(&alice, "102");
        press_any(&bob, "101");
        net_run(net.now + (lab_time)prng_below(&dice, 3000) * MS);
        forget_trace();
    }
}

static void calm_down(void)
{
    stormy = false;
    rig_tell(&alice, "hang up");
    rig_tell(&bob, "hang up");
    net_run(net.now + 5 * MINUTE);
    rig_tell(&alice, "hang up"); /* a call that came up out of the last messages of the storm */
    net_run(net.now + MINUTE);
    forget_trace();
}

static void any_keys_in_any_weather(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        run_storm(seed);
        calm_down();
        rig_tell(&alice, "call 102");
        net_run(net.now + SEC);
        rig_tell(&bob, "answer");
        net_run(net.now + 10 * SEC);
        rig_tell(&bob, "hang up");
        net_run(net.now + SEC);
        if (!record_is(net_last("alice", "call", NULL, NULL), "state", "ended") ||
            net_number(net_last("alice", "media", "state", "report"), "heard_ppm") != 1000000)
            fail_msg("seed %u: %.*s", (unsigned)seed, SPAN_ARG(net_last("alice", "call", NULL, NULL)));
        rig_stop(&alice);
        rig_stop(&bob);
        net_end();
    }
}

static void switched_off_in_any_weather(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 120; seed++) {
        run_storm(seed);
        rig_stop(&alice);
        net_run(net.now + MINUTE);
        rig_stop(&bob);
        net_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_keys_in_any_weather),
        cmocka_unit_test(switched_off_in_any_weather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
