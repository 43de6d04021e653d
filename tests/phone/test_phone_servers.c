/* The decisions of a phone's failover: a table for each row of FACTS PH-20 … PH-23, and the blacklist of PH-25. */
#include "nodes/phone/phone_servers.h"

#include "tests/cmocka.h"

#include <string.h>

/* The servers of the tables: who is who says the last number of the address. */
enum { NONE, PROXY = 1, PROXY_B = 2, REGISTRAR = 3, REGISTRAR_B = 4, OUTBOUND = 5, OUTBOUND_B = 6 };

static struct phone_place place(unsigned who)
{
    struct phone_place none = {0};
    return who ? (struct phone_place){SIP_UDP, {IPV4(10, 0, 0, who), 5060}, {0}} : none;
}

struct setting {
    unsigned proxy[2], registrar[2], outbound[2];
};

static void start(struct phone_servers *s, const struct setting *setting, lab_time blacklist)
{
    struct phone_places places = {0};
    for (unsigned i = 0; i < 2; i++) {
        places.proxy[i] = place(setting->proxy[i]);
        places.registrar[i] = place(setting->registrar[i]);
        places.outbound[i] = place(setting->outbound[i]);
    }
    phone_servers_init(s, &places, blacklist);
}

enum what { FAILS, BARS, ANSWERS, NOTHING };

/* What happens to a server, and where requests go then. */
struct row {
    lab_time at;
    unsigned who;
    enum what what;
    unsigned registers, calls; /* at whom REGISTER and INVITE are tried first */
    unsigned aor;              /* the site of the proxy in use */
};

static void happen(struct phone_servers *s, const struct row *r)
{
    int server = phone_servers_find(s, place(r->who));
    if (r->what != NOTHING)
        assert_true(server >= 0);
    if (r->what == FAILS)
        phone_servers_failed(s, (unsigned)server, 0, r->at);
    if (r->what == BARS)
        phone_servers_failed(s, (unsigned)server, 60 * SEC, r->at);
    if (r->what == ANSWERS)
        phone_servers_answered(s, (unsigned)server);
}

static unsigned first(const struct phone_servers *s, enum phone_role role, lab_time now)
{
    int site = phone_servers_choose(s, role, 0, now);
    assert_true(site >= 0);
    return phone_servers_hop(s, role, (unsigned)site)->place.at.addr & 0xff;
}

static void run(const struct setting *setting, lab_time blacklist, const struct row *rows, size_t n)
{
    struct phone_servers s;
    start(&s, setting, blacklist);
    for (size_t i = 0; i < n; i++) {
        happen(&s, &rows[i]);
        unsigned registers = first(&s, PHONE_REGISTRAR, rows[i].at);
        unsigned calls = first(&s, PHONE_PROXY, rows[i].at);
        unsigned aor = phone_servers_active(&s, PHONE_PROXY);
        if (registers != rows[i].registers || calls != rows[i].calls || aor != rows[i].aor)
            fail_msg("row %zu: REGISTER at %u, INVITE at %u, address of record %u", i, registers, calls, aor);
    }
}

#define RUN(setting, blacklist, rows) run(&(setting), blacklist, rows, sizeof(rows) / sizeof *(rows))

static const struct setting apart = {{PROXY, PROXY_B}, {REGISTRAR, REGISTRAR_B}, {0}};

static void backup_proxy_and_registrar_move_one_by_one_PH_20(void **state)
{
    static const struct row rows[] = {
        {0, NONE, NOTHING, REGISTRAR, PROXY, PHONE_PRIMARY},
        {1 * SEC, REGISTRAR, FAILS, REGISTRAR_B, PROXY, PHONE_PRIMARY},
        {2 * SEC, PROXY, FAILS, REGISTRAR_B, PROXY_B, PHONE_BACKUP},
    };
    (void)state;
    RUN(apart, 300 * SEC, rows);
}

static void they_return_one_by_one_PH_21(void **state)
{
    static const struct row registrar_first[] = {
        {1 * SEC, REGISTRAR, FAILS, REGISTRAR_B, PROXY, PHONE_PRIMARY},
        {2 * SEC, PROXY, FAILS, REGISTRAR_B, PROXY_B, PHONE_BACKUP},
        {9 * SEC, REGISTRAR, ANSWERS, REGISTRAR, PROXY_B, PHONE_BACKUP}, /* with the address of record in use */
        {10 * SEC, PROXY, ANSWERS, REGISTRAR, PROXY, PHONE_PRIMARY},
    };
    static const struct row proxy_first[] = {
        {1 * SEC, REGISTRAR, FAILS, REGISTRAR_B, PROXY, PHONE_PRIMARY},
        {2 * SEC, PROXY, FAILS, REGISTRAR_B, PROXY_B, PHONE_BACKUP},
        {9 * SEC, PROXY, ANSWERS, REGISTRAR_B, PROXY, PHONE_PRIMARY}, /* at the registrar in use */
    };
    (void)state;
    RUN(apart, 300 * SEC, registrar_first);
    RUN(apart, 300 * SEC, proxy_first);
}

static void one_machine_that_is_both_fails_as_both_PH_20(void **state)
{
    static const struct setting boxes = {{PROXY, PROXY_B}, {NONE, PROXY_B}, {0}};
    static const struct row rows[] = {
        {0, NONE, NOTHING, PROXY, PROXY, PHONE_PRIMARY},
        {1 * SEC, PROXY, FAILS, PROXY_B, PROXY_B, PHONE_BACKUP},
        {9 * SEC, PROXY, ANSWERS, PROXY, PROXY, PHONE_PRIMARY},
    };
    (void)state;
    RUN(boxes, 300 * SEC, rows);
}

static void any_failure_moves_everything_PH_22(void **state)
{
    static const struct setting all = {{PROXY, PROXY_B}, {REGISTRAR, REGISTRAR_B}, {OUTBOUND, OUTBOUND_B}};
    static const struct row rows[] = {
        {0, NONE, NOTHING, OUTBOUND, OUTBOUND, PHONE_PRIMARY},
        {1 * SEC, OUTBOUND, FAILS, OUTBOUND_B, OUTBOUND_B, PHONE_BACKUP},
        {9 * SEC, OUTBOUND, ANSWERS, OUTBOUND, OUTBOUND, PHONE_PRIMARY},
    };
    (void)state;
    RUN(all, 300 * SEC, rows);
}

static void outbound_proxy_alone_PH_23(void **state)
{
    static const struct setting named = {{PROXY, NONE}, {0}, {OUTBOUND, OUTBOUND_B}};
    static const struct setting unnamed = {{PROXY, NONE}, {0}, {NONE, OUTBOUND_B}};
    static const struct row rows[] = {
        {1 * SEC, OUTBOUND, FAILS, OUTBOUND_B, OUTBOUND_B, PHONE_BACKUP},
        {9 * SEC, OUTBOUND, ANSWERS, OUTBOUND, OUTBOUND, PHONE_PRIMARY},
    };
    static const struct row by_proxy[] = {
        {0, NONE, NOTHING, PROXY, PROXY, PHONE_PRIMARY},
        {1 * SEC, PROXY, FAILS, OUTBOUND_B, OUTBOUND_B, PHONE_BACKUP},
    };
    (void)state;
    RUN(named, 300 * SEC, rows);
    RUN(unnamed, 300 * SEC, by_proxy);
}

static void a_failed_server_is_avoided_for_the_blacklist_duration_PH_25(void **state)
{
    static const struct row rows[] = {
        {0, REGISTRAR, FAILS, REGISTRAR_B, PROXY, PHONE_PRIMARY},
        {300 * SEC - 1, NONE, NOTHING, REGISTRAR_B, PROXY, PHONE_PRIMARY},
        {300 * SEC, NONE, NOTHING, REGISTRAR, PROXY, PHONE_PRIMARY},
    };
    (void)state;
    RUN(apart, 300 * SEC, rows);
}

static void without_a_blacklist_each_request_tries_the_primary_first_PH_25(void **state)
{
    static const struct row rows[] = {{0, REGISTRAR, FAILS, REGISTRAR, PROXY, PHONE_PRIMARY},
                                      {1, PROXY, FAILS, REGISTRAR, PROXY, PHONE_BACKUP}};
    struct phone_servers s;
    (void)state;
    RUN(apart, 0, rows);
    start(&s, &apart, 0);
    phone_servers_failed(&s, (unsigned)phone_servers_find(&s, place(REGISTRAR)), 0, 0);
    assert_int_equal(phone_servers_active(&s, PHONE_REGISTRAR), PHONE_BACKUP);
    assert_int_equal(phone_servers_choose(&s, PHONE_REGISTRAR, 1u << PHONE_PRIMARY, 0), PHONE_BACKUP);
    assert_int_equal(phone_servers_choose(&s, PHONE_REGISTRAR, 3, 0), -1);
}

static void retry_after_bars_for_as_long_as_it_says_RFC_3261_21_5_4(void **state)
{
    static const struct row rows[] = {
        {0, REGISTRAR, BARS, REGISTRAR_B, PROXY, PHONE_PRIMARY},
        {60 * SEC - 1, NONE, NOTHING, REGISTRAR_B, PROXY, PHONE_PRIMARY},
        {60 * SEC, NONE, NOTHING, REGISTRAR, PROXY, PHONE_PRIMARY},
    };
    struct phone_servers s;
    (void)state;
    RUN(apart, 300 * SEC, rows);
    start(&s, &apart, 300 * SEC);
    unsigned registrar = (unsigned)phone_servers_find(&s, place(REGISTRAR));
    phone_servers_failed(&s, registrar, 60 * SEC, 0);
    assert_false(phone_servers_probed(&s, registrar, 60 * SEC - 1));
    assert_true(phone_servers_probed(&s, registrar, 60 * SEC));
}

static void a_dead_backup_too_is_asked_after_the_primary(void **state)
{
    struct phone_servers s;
    (void)state;
    start(&s, &apart, 300 * SEC);
    phone_servers_failed(&s, (unsigned)phone_servers_find(&s, place(REGISTRAR)), 0, 0);
    phone_servers_failed(&s, (unsigned)phone_servers_find(&s, place(REGISTRAR_B)), 0, 4 * SEC);
    assert_int_equal(phone_servers_choose(&s, PHONE_REGISTRAR, 3, 8 * SEC), -1);
    assert_int_equal(phone_servers_choose(&s, PHONE_REGISTRAR, 0, 130 * SEC), PHONE_PRIMARY);
    assert_int_equal(phone_servers_choose(&s, PHONE_REGISTRAR, 1u << PHONE_PRIMARY, 134 * SEC), PHONE_BACKUP);
}

static void only_what_is_better_than_the_site_in_use_is_probed(void **state)
{
    struct phone_servers s;
    (void)state;
    start(&s, &apart, 300 * SEC);
    unsigned registrar = (unsigned)phone_servers_find(&s, place(REGISTRAR));
    assert_false(phone_servers_away(&s));
    assert_false(phone_servers_probed(&s, registrar, 0));
    assert_int_equal(phone_servers_failed(&s, registrar, 0, 0), 1u << PHONE_REGISTRAR);
    assert_true(phone_servers_away(&s));
    assert_true(phone_servers_probed(&s, registrar, 0));
    assert_false(phone_servers_probed(&s, (unsigned)phone_servers_find(&s, place(PROXY)), 0));
    assert_int_equal(phone_servers_answered(&s, registrar), 1u << PHONE_REGISTRAR);
    assert_false(phone_servers_away(&s));
}

/* Else a phone whose primary came off the blacklist untried would register at the backup for ever. */
static void a_backup_that_answers_is_used_while_the_primary_failed_last(void **state)
{
    struct phone_servers s;
    (void)state;
    start(&s, &apart, 300 * SEC);
    phone_servers_failed(&s, (unsigned)phone_servers_find(&s, place(REGISTRAR)), 0, 0);
    phone_servers_failed(&s, (unsigned)phone_servers_find(&s, place(REGISTRAR_B)), 0, 4 * SEC);
    assert_int_equal(phone_servers_active(&s, PHONE_REGISTRAR), PHONE_PRIMARY);
    phone_servers_answered(&s, (unsigned)phone_servers_find(&s, place(REGISTRAR_B)));
    assert_int_equal(phone_servers_active(&s, PHONE_REGISTRAR), PHONE_BACKUP);
    assert_int_equal(phone_servers_answered(&s, (unsigned)phone_servers_find(&s, place(PROXY_B))), 0);
}

static void one_server_is_always_asked(void **state)
{
    static const struct setting alone = {{PROXY, NONE}, {0}, {0}};
    struct phone_servers s;
    (void)state;
    start(&s, &alone, 300 * SEC);
    assert_int_equal(s.n, 1);
    assert_int_equal(phone_servers_failed(&s, 0, 60 * SEC, 0), 0);
    assert_int_equal(phone_servers_choose(&s, PHONE_REGISTRAR, 0, SEC), PHONE_PRIMARY);
    assert_int_equal(phone_servers_choose(&s, PHONE_REGISTRAR, 1, SEC), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backup_proxy_and_registrar_move_one_by_one_PH_20),
        cmocka_unit_test(they_return_one_by_one_PH_21),
        cmocka_unit_test(one_machine_that_is_both_fails_as_both_PH_20),
        cmocka_unit_test(any_failure_moves_everything_PH_22),
        cmocka_unit_test(outbound_proxy_alone_PH_23),
        cmocka_unit_test(a_failed_server_is_avoided_for_the_blacklist_duration_PH_25),
        cmocka_unit_test(without_a_blacklist_each_request_tries_the_primary_first_PH_25),
        cmocka_unit_test(retry_after_bars_for_as_long_as_it_says_RFC_3261_21_5_4),
        cmocka_unit_test(a_dead_backup_too_is_asked_after_the_primary),
        cmocka_unit_test(only_what_is_better_than_the_site_in_use_is_probed),
        cmocka_unit_test(a_backup_that_answers_is_used_while_the_primary_failed_last),
        cmocka_unit_test(one_server_is_always_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
